/**
 * t-tests of equal means. `student`: one pooled variance, n + m − 2 degrees of freedom; `welch`: a variance of its own for each side,
 * Satterthwaite's degrees of freedom. Two-sided. As SciPy's `ttest_ind`.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | too few rows for a variance | no number, reason `too-few-rows` |
 * | both sides constant and equal | 0, p 1, `constant` |
 * | both sides constant, unequal | no number, reason `infinite` |
 */
import { identical, type Outcome, undecided } from './outcome.ts';
import { inOwnUnit } from './own-unit.ts';
import { meanOf, type RawValue, sortedFinite, squaresAbout } from './sample.ts';
import { studentTwoSided } from './special.ts';

export interface TTestOptions {
  /** @default student */
  readonly variances?: 'student' | 'welch';
}

/** O(n log n), since values are added in ascending order. */
export function tTest(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: TTestOptions = {},
): Outcome {
  const given = [sortedFinite(reference), sortedFinite(current)] as const;
  const n = given[0].length;
  const m = given[1].length;
  const method = options.variances ?? 'student';
  if (n === 0) return undecided('empty-reference', n, m, method);
  if (m === 0) return undecided('empty-current', n, m, method);
  const [a, b] = inOwnUnit(...given);
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  const [squaresA, squaresB] = [squaresAbout(a, meanA), squaresAbout(b, meanB)];
  let square: number;
  let degreesOfFreedom: number;
  if (method === 'student') {
    degreesOfFreedom = n + m - 2;
    square = ((squaresA + squaresB) / degreesOfFreedom) * (1 / n + 1 / m);
  } else {
    const [va, vb] = [squaresA / (n - 1) / n, squaresB / (m - 1) / m];
    square = va + vb;
    degreesOfFreedom = (va + vb) ** 2 / (va ** 2 / (n - 1) + vb ** 2 / (m - 1));
  }
  if (method === 'student' ? n + m < 3 : n < 2 || m < 2) return undecided('too-few-rows', n, m, method);
  if (square === 0) return meanA === meanB ? identical(n, m, method) : undecided('infinite', n, m, method);
  const statistic = (meanA - meanB) / Math.sqrt(square);
  return {
    statistic,
    pValue: studentTwoSided(statistic, degreesOfFreedom),
    referenceSize: n,
    currentSize: m,
    method,
    degreesOfFreedom,
  };
}
