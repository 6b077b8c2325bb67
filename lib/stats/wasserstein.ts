/**
 * Wasserstein distance of order 1: ∫ |F − G| dx, the mean way a value must move, in the unit of the column. `normalised`: divided by
 * the population standard deviation of the reference, at least `floor` (0).
 *
 * p-value of raw samples: walk-null.ts; of counts: bridge-area.ts.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | one and the same value everywhere | 0, p 1, `constant` |
 * | normalised with a constant reference and no floor, sides unequal | no number, reason `infinite` |
 */
import { bridgeAreaPValue } from './bridge-area.ts';
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import { pooledAscending, populationDeviation, type RawValue, sortedFinite } from './sample.ts';
import { sharesOf } from './shares.ts';
import { walkPValue } from './walk-null.ts';

export interface WassersteinOptions {
  readonly normalised?: boolean;
  /** Smallest standard deviation to divide by; Evidently's is 0.001. */
  readonly floor?: number;
}

/** Raw samples. O(n log n) and the null. */
export function wasserstein(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: WassersteinOptions = {},
): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const name = options.normalised === true ? 'normalised' : 'raw';
  if (a.length === 0) return undecided('empty-reference', 0, b.length, name);
  if (b.length === 0) return undecided('empty-current', a.length, 0, name);
  const pooled = pooledAscending(a, b);
  if (pooled[0] === pooled[pooled.length - 1]) return identical(a.length, b.length, name);
  const raw = wassersteinDistance(a, b);
  const unit = options.normalised === true ? Math.max(populationDeviation(a), options.floor ?? 0) : 1;
  const statistic = raw / unit;
  if (!Number.isFinite(statistic)) return undecided('infinite', a.length, b.length, name);
  const pValue = walkPValue('absolute', pooled, a.length, raw);
  return { statistic, pValue, referenceSize: a.length, currentSize: b.length, method: `${name}, permutation` };
}

/**
 * Binned counts: Σ |F − G| · gap, gap i being the distance from the value that stands for bin i to that of bin i + 1.
 * `positions` ascends, finite, one value a bin (a mean or a middle). `deviation`: standard deviation of the reference for `normalised`.
 */
export function wassersteinOfCounts(
  pair: BinnedPair,
  positions: ArrayLike<number>,
  options: WassersteinOptions & { readonly deviation?: number } = {},
): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  const name = options.normalised === true ? 'normalised' : 'raw';
  if (shares.reason !== null) return undecided(shares.reason, n, m, name);
  if (positions.length !== pair.reference.length) return undecided('invalid-counts', n, m, name);
  if (shares.used < 2) return identical(n, m, name);
  const points: number[] = [];
  const gaps: number[] = [];
  let raw = 0;
  let f = 0;
  let t = 0;
  for (let i = 0; i + 1 < shares.pooled.length; i++) {
    f += shares.reference[i]! - shares.current[i]!;
    t += shares.pooled[i]!;
    const gap = positions[i + 1]! - positions[i]!;
    raw += Math.abs(f) * gap;
    points.push(t);
    gaps.push(gap);
  }
  const unit =
    options.normalised === true
      ? Math.max(options.deviation ?? deviationOf(shares.reference, positions), options.floor ?? 0)
      : 1;
  const statistic = raw / unit;
  if (!Number.isFinite(statistic)) return undecided('infinite', n, m, name);
  const pValue = bridgeAreaPValue(points, gaps, raw * Math.sqrt((n * m) / (n + m)));
  return { statistic, pValue, referenceSize: n, currentSize: m, method: `${name}, bridge` };
}

/** ∫ |F − G| dx of two ascending finite samples, neither empty. O(n + m). */
export function wassersteinDistance(a: Float64Array, b: Float64Array): number {
  let i = 0;
  let j = 0;
  let sum = 0;
  let x = Math.min(a[0]!, b[0]!);
  let f = 0;
  let g = 0;
  while (i < a.length || j < b.length) {
    const isOfA = j === b.length || (i < a.length && a[i]! <= b[j]!);
    const next = isOfA ? a[i]! : b[j]!;
    sum += Math.abs(f - g) * (next - x);
    x = next;
    if (isOfA) f = ++i / a.length;
    else g = ++j / b.length;
  }
  return sum;
}

function deviationOf(shares: Float64Array, positions: ArrayLike<number>): number {
  let mean = 0;
  for (let i = 0; i < shares.length; i++) mean += shares[i]! * positions[i]!;
  let variance = 0;
  for (let i = 0; i < shares.length; i++) variance += shares[i]! * (positions[i]! - mean) ** 2;
  return Math.sqrt(variance);
}
