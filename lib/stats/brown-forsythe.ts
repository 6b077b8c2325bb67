/**
 * Brown–Forsythe (1974): whether both sides spread alike. An analysis of variance of the distances from each side's median, so that
 * heavy tails do not ring. As SciPy's `levene` with `center='median'`.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | fewer than three rows in all | no number, reason `too-few-rows` |
 * | both sides constant | 0, p 1, `constant` |
 * | equal distances within each side, unequal between them | no number, reason `infinite` |
 */
import { identical, type Outcome, undecided } from './outcome.ts';
import { inOwnUnit } from './own-unit.ts';
import { meanOf, type RawValue, sortedFinite, squaresAbout } from './sample.ts';
import { regularizedBeta } from './special.ts';

/** O(n log n). */
export function brownForsythe(reference: ArrayLike<RawValue>, current: ArrayLike<RawValue>): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  if (n === 0) return undecided('empty-reference', n, m, 'median');
  if (m === 0) return undecided('empty-current', n, m, 'median');
  if (n + m < 3) return undecided('too-few-rows', n, m, 'median');
  if (a[0] === a[n - 1] && b[0] === b[m - 1]) return identical(n, m, 'median');
  const [da, db] = inOwnUnit(a, b).map(distances) as [Float64Array, Float64Array];
  const [meanA, meanB] = [meanOf(da), meanOf(db)];
  const mean = (n * meanA + m * meanB) / (n + m);
  const between = n * (meanA - mean) ** 2 + m * (meanB - mean) ** 2;
  const within = squaresAbout(da, meanA) + squaresAbout(db, meanB);
  const degreesOfFreedom = n + m - 2;
  if (within === 0) return between === 0 ? identical(n, m, 'median') : undecided('infinite', n, m, 'median');
  const statistic = (between * degreesOfFreedom) / within;
  return {
    statistic,
    pValue: regularizedBeta(degreesOfFreedom / (degreesOfFreedom + statistic), degreesOfFreedom / 2, 0.5),
    referenceSize: n,
    currentSize: m,
    method: 'median',
    degreesOfFreedom,
  };
}

function distances(sorted: Float64Array): Float64Array {
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return sorted.map((value) => Math.abs(value - median));
}
