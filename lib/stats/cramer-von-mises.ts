/**
 * Two-sample Cramér–von Mises: the squared distance of the two empirical laws, summed over the pooled sample (Anderson 1962):
 * T = U/(nm(n + m)) − (4nm − 1)/(6(n + m)), U = n Σ (r_i − i)² + m Σ (s_j − j)². Definition and p-values as in SciPy's
 * `cramervonmises_2samp`.
 *
 * p-value: exact up to 20 rows on the larger side (Xiao, Gordon & Yakovlev 2006), else the limiting law at the standardised T.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | a side of fewer than two rows | reason `too-few-rows` |
 * | `exact` asked for of more than some fifty rows a side | reason `too-many-rows` |
 * | one and the same value everywhere | statistic and p from the midranks, reason `constant` |
 * | ties | midranks; the exact p takes them as untied |
 */
import { besselK } from './bessel.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type Outcome, undecided } from './outcome.ts';
import { pooledRanks } from './ranks.ts';
import { type RawValue, sortedFinite } from './sample.ts';
import { logGamma } from './special.ts';

export interface CramerVonMisesOptions {
  /** `auto`: exact up to 20 rows on the larger side. */
  readonly method?: 'auto' | 'exact' | 'asymptotic';
  /** `scipy`: with the library's error, up to 1e-6 where p is smaller than that. @default full */
  readonly series?: 'full' | 'scipy';
}

const EXACT_LIMIT = 20;
const SERIES_END = 1e-7;
const FAR = 1.5;
const TAIL_POINTS = 64;
/** Paths times distinct sums, about, beyond which the exact law would take more than a second. */
const EXACT_WORK = 3e7;
const laws = new BoundedCache<ExactLaw>(64);

/** O(n log n); the exact p-value O(n · m · distinct sums). */
export function cramerVonMises(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: CramerVonMisesOptions = {},
): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  const wanted = options.method ?? 'auto';
  const method = wanted === 'auto' ? (Math.max(n, m) <= EXACT_LIMIT ? 'exact' : 'asymptotic') : wanted;
  if (n === 0) return undecided('empty-reference', n, m, method);
  if (m === 0) return undecided('empty-current', n, m, method);
  if (n < 2 || m < 2) return undecided('too-few-rows', n, m, method);
  if (method === 'exact' && n * m * Math.min(n, m) * leastCommonMultiple(n, m) > EXACT_WORK)
    return undecided('too-many-rows', n, m, method);
  const ranks = pooledRanks(a, b);
  const u = n * squares(ranks.reference) + m * squares(ranks.current);
  const product = n * m;
  const total = n + m;
  const statistic = u / (product * total) - (4 * product - 1) / (6 * total);
  const constant = ranks.runs.length === 1;
  const pValue =
    method === 'exact' ? exactPValue(u, n, m) : asymptoticPValue(statistic, n, m, options.series ?? 'full');
  return {
    statistic,
    pValue,
    referenceSize: n,
    currentSize: m,
    method,
    ...(constant ? { reason: 'constant' as const } : {}),
  };
}

function squares(ranks: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < ranks.length; i++) sum += (ranks[i]! - (i + 1)) ** 2;
  return sum;
}

/** P(T ≥ t) under the limit, T shifted and scaled to the mean and variance that it has at these sizes. */
function asymptoticPValue(t: number, n: number, m: number, series: 'full' | 'scipy'): number {
  const total = n + m;
  const product = n * m;
  const mean = (1 + 1 / total) / 6;
  const variance =
    ((total + 1) * (4 * product * total - 3 * (n * n + m * m) - 2 * product)) / (45 * total * total * 4 * product);
  const standard = 1 / 6 + (t - mean) / Math.sqrt(45 * variance);
  if (standard < 0.003) return 1;
  if (series === 'full' && standard > FAR) return limitTail(standard);
  return Math.min(1, Math.max(0, 1 - limitCdf(standard)));
}

/**
 * P(W² ≤ x) of the limiting law (Anderson & Darling 1952). The series ends where SciPy ends it, at a term below 1e-7, so that the numbers agree;
 * what is left out shows beyond some x = 1.5 only, where `limitTail` is used instead.
 */
function limitCdf(x: number): number {
  let sum = 0;
  for (let k = 0; ; k++) {
    const weight = Math.exp(logGamma(k + 0.5) - logGamma(k + 1)) / (Math.PI ** 1.5 * Math.sqrt(x));
    const y = 4 * k + 1;
    const q = y ** 2 / (16 * x);
    const term = weight * Math.sqrt(y) * Math.exp(-q) * besselK(0.25, q);
    sum += term;
    if (!(Math.abs(term) >= SERIES_END)) return sum;
  }
}

/**
 * P(W² > x) for large x, accurate when tiny (Smirnov 1937): (1/π) Σ (−1)^(k + 1) ∫ e^(−xz²/2) √(−z / sin z) 2/z dz over ((2k − 1)π, 2kπ), of
 * which the first is enough. z = π + π sin²θ takes the ends away. 64 points.
 */
function limitTail(x: number): number {
  let sum = 0;
  for (let i = 0; i < TAIL_POINTS; i++) {
    const theta = ((i + 0.5) * Math.PI) / (2 * TAIL_POINTS);
    const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
    const z = Math.PI * (1 + sine * sine);
    const slope = 2 * Math.PI * sine * cosine;
    sum += Math.exp((-x * z * z) / 2) * Math.sqrt(z / Math.sin(Math.PI * sine * sine)) * (2 / z) * slope;
  }
  return (sum * Math.PI) / (2 * TAIL_POINTS) / Math.PI;
}

/** Sums of all orders in ascending order, and how many orders reach each. */
interface ExactLaw {
  readonly sums: readonly number[];
  readonly reaching: readonly number[];
  readonly orders: number;
}

/** The share of all orders of the pooled sample whose sum reaches that of `u`. */
function exactPValue(u: number, n: number, m: number): number {
  const product = n * m;
  const multiple = leastCommonMultiple(n, m);
  const reached = Math.floor((multiple ** 2 * (n + m) * (6 * u - product * (4 * product - 1))) / (6 * product ** 2));
  const { sums, reaching, orders } = laws.get(`${n}|${m}`, () => exactLaw(n, m));
  let low = 0;
  let high = sums.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle]! >= reached) high = middle;
    else low = middle + 1;
  }
  return (reaching[low] ?? 0) / orders;
}

/** Along lattice paths, how many have each value of Σ (a·v − b·w)² in units of 1/lcm. */
function exactLaw(n: number, m: number): ExactLaw {
  const multiple = leastCommonMultiple(n, m);
  const a = multiple / n;
  const b = multiple / m;
  // counts[v]: of paths to (v, w), by sum.
  let counts: Map<number, number>[] = Array.from({ length: n + 1 }, () => new Map());
  for (let w = 0; w <= m; w++) {
    const next: Map<number, number>[] = [];
    for (let v = 0; v <= n; v++) {
      const here = new Map<number, number>();
      const square = (a * v - b * w) ** 2;
      if (v === 0 && w === 0) here.set(0, 1);
      for (const before of [v > 0 ? next[v - 1] : undefined, w > 0 ? counts[v] : undefined])
        if (before !== undefined)
          for (const [sum, count] of before) here.set(sum + square, (here.get(sum + square) ?? 0) + count);
      next.push(here);
    }
    counts = next;
  }
  const sums = [...counts[n]!.keys()].sort((x, y) => x - y);
  const reaching = new Array<number>(sums.length);
  let orders = 0;
  for (let i = sums.length - 1; i >= 0; i--) {
    orders += counts[n]!.get(sums[i]!)!;
    reaching[i] = orders;
  }
  return { sums, reaching, orders };
}

function leastCommonMultiple(n: number, m: number): number {
  return (n / greatestCommonDivisor(n, m)) * m;
}

function greatestCommonDivisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y > 0) [x, y] = [y, x % y];
  return x;
}
