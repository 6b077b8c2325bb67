/**
 * Epps–Singleton (1986): compares the empirical characteristic functions at t = 0.4 and 0.8 over half the pooled inter-quartile range.
 * Sees what rank tests do not, discrete laws included. As SciPy's `epps_singleton_2samp`.
 *
 * p-value: chi-square with as many degrees of freedom as the covariance has rank (4), statistic corrected below 25 rows a side.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | a side of fewer than five rows | no number, reason `too-few-rows` |
 * | a pooled inter-quartile range of 0 | no number, reason `constant` |
 */
import { type Outcome, undecided } from './outcome.ts';
import { quantileOf } from './quantile.ts';
import { pooledAscending, type RawValue, sortedFinite } from './sample.ts';
import { chiSquareSurvival } from './special.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

const POINTS = [0.4, 0.8] as const;

/** O(n log n). */
export function eppsSingleton(reference: ArrayLike<RawValue>, current: ArrayLike<RawValue>): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  const total = n + m;
  const method = 'chi-square';
  if (n === 0) return undecided('empty-reference', n, m, method);
  if (m === 0) return undecided('empty-current', n, m, method);
  if (n < 5 || m < 5) return undecided('too-few-rows', n, m, method);
  const pooled = pooledAscending(a, b);
  const scale = (quantileOf(pooled, 0.75) - quantileOf(pooled, 0.25)) / 2;
  if (!(scale > 0)) return undecided('constant', n, m, method);
  const left = moments(a, scale);
  const right = moments(b, scale);
  const covariance = left.covariance.map((row, i) =>
    row.map((value, j) => (total / n) * value + (total / m) * right.covariance[i]![j]!),
  );
  const { values, vectors } = symmetricEigen(covariance);
  const largest = Math.max(...values.map(Math.abs));
  const difference = left.mean.map((value, i) => value - right.mean[i]!);
  let statistic = 0;
  let rank = 0;
  for (const [k, value] of values.entries()) {
    // A pseudo-inverse: directions without variance count for nothing.
    if (Math.abs(value) <= 1e-13 * largest) continue;
    rank++;
    const along = difference.reduce((sum, d, i) => sum + d * vectors[i]![k]!, 0);
    statistic += along ** 2 / value;
  }
  statistic *= total;
  if (Math.max(n, m) < 25) statistic *= 1 / (1 + total ** -0.45 + 10.1 * (n ** -1.7 + m ** -1.7));
  return {
    statistic,
    pValue: chiSquareSurvival(statistic, rank),
    referenceSize: n,
    currentSize: m,
    method,
    degreesOfFreedom: rank,
  };
}

/** Of cos(tx) and sin(tx) at the points; the covariance divides by the number of rows. */
function moments(
  values: Float64Array,
  scale: number,
): { readonly mean: readonly number[]; readonly covariance: readonly (readonly number[])[] } {
  const columns = [
    ...POINTS.map((t) => values.map((x) => Math.cos((t / scale) * x))),
    ...POINTS.map((t) => values.map((x) => Math.sin((t / scale) * x))),
  ];
  const n = values.length;
  const mean = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / n);
  const covariance = columns.map((x, i) =>
    columns.map((y, j) => {
      let sum = 0;
      for (let row = 0; row < n; row++) sum += (x[row]! - mean[i]!) * (y[row]! - mean[j]!);
      return sum / n;
    }),
  );
  return { mean, covariance };
}
