/**
 * Two-sample Kolmogorov–Smirnov: the largest distance of the two empirical laws, sup |F − G|, two-sided.
 * Definition and p-values as in SciPy's `ks_2samp`.
 *
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | no statistic, reason `empty-reference` or `empty-current` |
 * | one and the same value on both sides | statistic 0, p 1, reason `constant` |
 * | ties | statistic exact; the p-value is that without ties, hence conservative (`ksOfCounts` is exact with ties) |
 * | one row | fine |
 * | `exact` asked for of more than 10^9 pairs of rows, n ≠ m | reason `too-many-rows` |
 */
import { ksExactPValue } from './ks-exact.ts';
import { ksOneSampleSurvival } from './ks-one-sample.ts';
import { identical, type Outcome, undecided } from './outcome.ts';
import { type RawValue, sortedFinite } from './sample.ts';

/** SciPy's `auto`: exact while the larger side has at most this many rows. */
const EXACT_LIMIT = 10_000;
/** Above this the lattice's whole numbers leave the range that SciPy allows itself. */
const MULTIPLE_LIMIT = 2 ** 31 - 1;
/** Steps of the lattice beyond which an exact p-value that is asked for would take more than some seconds. */
const EXACT_WORK = 1e9;

export interface KsOptions {
  /** `auto`: exact up to 10,000 rows on the larger side, asymptotic beyond. */
  readonly method?: 'auto' | 'exact' | 'asymptotic';
}

/** Raw samples. O(n log n), the exact p-value up to O(n · m). */
export function ks(reference: ArrayLike<RawValue>, current: ArrayLike<RawValue>, options: KsOptions = {}): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const wanted = options.method ?? 'auto';
  if (a.length === 0) return undecided('empty-reference', 0, b.length, wanted);
  if (b.length === 0) return undecided('empty-current', a.length, 0, wanted);
  const method = wanted === 'auto' ? automatic(a.length, b.length) : wanted;
  if (method === 'exact' && a.length !== b.length && a.length * b.length > EXACT_WORK)
    return undecided('too-many-rows', a.length, b.length, method);
  const statistic = largestDistance(a, b);
  if (statistic === 0 && a[0] === a[a.length - 1] && a[0] === b[b.length - 1] && a[0] === b[0])
    return identical(a.length, b.length, method);
  return {
    statistic,
    pValue:
      method === 'exact'
        ? ksExactPValue(a.length, b.length, statistic)
        : ksAsymptoticPValue(a.length, b.length, statistic),
    referenceSize: a.length,
    currentSize: b.length,
    method,
  };
}

/** The law of D for one sample of nm/(n + m) rows (rounded, at least one). Effective sizes need not be whole. */
export function ksAsymptoticPValue(n: number, m: number, d: number): number {
  const larger = Math.max(n, m);
  const smaller = Math.min(n, m);
  return ksOneSampleSurvival(Math.max(1, roundHalfEven((larger * smaller) / (larger + smaller))), d);
}

/** max |F − G| of two ascending arrays; differences are taken in whole numbers where they are exact. */
export function largestDistance(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  const m = b.length;
  let i = 0;
  let j = 0;
  let largest = 0;
  while (i < n && j < m) {
    const x = Math.min(a[i]!, b[j]!);
    while (i < n && a[i] === x) i++;
    while (j < m && b[j] === x) j++;
    largest = Math.max(largest, Math.abs(i * m - j * n));
  }
  return largest / (n * m);
}

function automatic(n: number, m: number): 'exact' | 'asymptotic' {
  let [x, y] = [n, m];
  while (y > 0) [x, y] = [y, x % y];
  return Math.max(n, m) <= EXACT_LIMIT && (n / x) * (m / x) < MULTIPLE_LIMIT ? 'exact' : 'asymptotic';
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
