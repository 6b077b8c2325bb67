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

/** Rows between two places where both laws are looked up, before what lies between is looked at. */
const STRIDE = 512;

/**
 * max |F − G| of two ascending arrays; differences are taken in whole numbers where they are exact. Both laws ascend, so between two
 * places they differ by no more than one at its end and the other at its beginning: most stretches need no look inside.
 */
export function largestDistance(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  const m = b.length;
  /** Rows of either side up to the places, both through the same value. */
  const places: (readonly [i: number, j: number])[] = [[0, 0]];
  let largest = 0;
  for (let at = STRIDE; at < n; at += STRIDE) {
    const [i, j] = [through(a, a[at]!, at), through(b, a[at]!, places.at(-1)![1])];
    if (i === places.at(-1)![0]) continue;
    places.push([i, j]);
    largest = Math.max(largest, Math.abs(i * m - j * n));
  }
  places.push([n, m]);
  for (let k = 1; k < places.length; k++) {
    const [fromA, fromB] = places[k - 1]!;
    const [toA, toB] = places[k]!;
    if (Math.max(toA * m - fromB * n, toB * n - fromA * m) <= largest) continue;
    largest = Math.max(largest, distanceWithin(a, b, [fromA, toA], [fromB, toB]));
  }
  return largest / (n * m);
}

/** The largest |i·m − j·n| of a stretch; what lies before and after it is on the same side in both arrays. */
function distanceWithin(
  a: Float64Array,
  b: Float64Array,
  [fromA, toA]: readonly [number, number],
  [fromB, toB]: readonly [number, number],
): number {
  const n = a.length;
  const m = b.length;
  let i = fromA;
  let j = fromB;
  let largest = 0;
  while (i < toA && j < toB) {
    const x = Math.min(a[i]!, b[j]!);
    while (i < toA && a[i] === x) i++;
    while (j < toB && b[j] === x) j++;
    largest = Math.max(largest, Math.abs(i * m - j * n));
  }
  // One side has ended: the distance falls from here on, or rises up to the end, which is a place.
  return largest;
}

/** How many values are at or below x, at least `from`. */
function through(sorted: Float64Array, x: number, from: number): number {
  let low = from;
  let step = 1;
  while (low + step < sorted.length && sorted[low + step]! <= x) {
    low += step;
    step *= 2;
  }
  let high = Math.min(sorted.length, low + step + 1);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
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
