/**
 * NannyML: univariate drift of one chunk (the current side) against a reference, with the threshold that its reference chunks give:
 * mean + 3 population standard deviations of the method over them, each compared with the whole reference. `chi2` decides by p < 0.05.
 * Missing values are dropped; infinite ones too. Above, not from, the threshold is an alert.
 */
import { chiSquareOfCounts } from '../chi-square.ts';
import { largestDistance } from '../ks.ts';
import { largestDifference } from '../l-infinity.ts';
import { meanOf, populationDeviation, type RawValue } from '../sample.ts';
import { wassersteinDistance } from '../wasserstein.ts';
import { type CategoryValue, type DialectAnswer, notComputable, pValueAnswer, valueCounts } from './answer.ts';
import { histogramCounts, histogramEdges } from './histogram.ts';

export interface NannymlOptions {
  /** Chunks of the reference, or rows of one. @default 10 chunks */
  readonly chunkNumber?: number;
  readonly chunkSize?: number;
  /** Instead of the one that the reference gives. */
  readonly threshold?: number;
}

const CHUNKS = 10;
const DEVIATIONS = 3;
/** Each is compared with the whole reference. */
const MOST_CHUNKS = 10_000;
/** From so many reference rows Kolmogorov–Smirnov and Wasserstein are computed on as many equal-width bins. */
const LARGE = 10_000;

type Method<T> = (reference: readonly T[]) => (chunk: readonly T[]) => number;

const NUMERIC: Readonly<Record<string, { readonly method: Method<number>; readonly upper: number }>> = {
  jensen_shannon: { method: binnedNumbers(jensenShannon), upper: 1 },
  hellinger: { method: binnedNumbers(hellinger), upper: 1 },
  kolmogorov_smirnov: { method: kolmogorovSmirnov, upper: 1 },
  wasserstein: { method: wasserstein, upper: Number.POSITIVE_INFINITY },
};

type Category = string | number | boolean;

const CATEGORICAL: Readonly<Record<string, { readonly method: Method<Category>; readonly upper: number }>> = {
  jensen_shannon: { method: binnedCategories(jensenShannon), upper: 1 },
  hellinger: { method: binnedCategories(hellinger), upper: 1 },
  l_infinity: {
    method: (reference) => (chunk) => {
      const { reference: a, current: b, n, m } = valueCounts(reference, chunk);
      return largestDifference(a, n, b, m);
    },
    upper: 1,
  },
};

export const NANNYML_NUMERIC_TESTS = Object.keys(NUMERIC);
export const NANNYML_CATEGORICAL_TESTS = [...Object.keys(CATEGORICAL), 'chi2'];

export function nannymlNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: NannymlOptions = {},
): DialectAnswer {
  const known = NUMERIC[test];
  if (known === undefined) return notComputable(null, 'not for numeric columns');
  const keep = (value: RawValue): value is number => typeof value === 'number' && Number.isFinite(value);
  return byChunks(known, Array.from(reference), Array.from(current), keep, options);
}

export function nannymlCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: NannymlOptions = {},
): DialectAnswer {
  const keep = (value: CategoryValue): value is Category =>
    value !== null && value !== undefined && !Number.isNaN(value);
  if (test === 'chi2') {
    const counts = valueCounts(reference, current);
    const { statistic, pValue, reason } = chiSquareOfCounts(counts, { minimumExpected: 0, yates: true });
    if (statistic === null) return notComputable(0.05, reason ?? 'not a number');
    return { ...pValueAnswer(pValue, statistic, 0.05), score: statistic };
  }
  const known = CATEGORICAL[test];
  if (known === undefined) return notComputable(null, 'not for categorical columns');
  return byChunks(known, Array.from(reference), Array.from(current), keep, options);
}

function byChunks<V, T extends V>(
  { method, upper }: { readonly method: Method<T>; readonly upper: number },
  reference: readonly V[],
  current: readonly V[],
  keep: (value: V) => value is T,
  options: NannymlOptions,
): DialectAnswer {
  const whole = reference.filter(keep);
  const chunk = current.filter(keep);
  if (whole.length === 0) return notComputable(null, 'empty-reference');
  if (chunk.length === 0) return notComputable(null, 'empty-current');
  if (reference.length / sizeOf(reference.length, options) > MOST_CHUNKS)
    return notComputable(null, `more than ${MOST_CHUNKS} chunks`);
  const distance = method(whole);
  const score = distance(chunk);
  if (!Number.isFinite(score)) return notComputable(null, 'infinite');
  const threshold = options.threshold ?? thresholdOf(reference, keep, distance, upper, options);
  const drifted = threshold === null ? null : score > threshold;
  return { score, statistic: score, pValue: null, threshold, drifted };
}

function sizeOf(rows: number, { chunkNumber = CHUNKS, chunkSize }: NannymlOptions): number {
  return Math.max(1, chunkSize ?? Math.floor(rows / chunkNumber));
}

/** Rows are cut into chunks before missing values are dropped; the rest of the rows is a chunk of its own. */
function thresholdOf<V, T extends V>(
  reference: readonly V[],
  keep: (value: V) => value is T,
  distance: (chunk: readonly T[]) => number,
  upper: number,
  options: NannymlOptions,
): number | null {
  const size = sizeOf(reference.length, options);
  const values: number[] = [];
  for (let from = 0; from < reference.length; from += size) {
    const chunk = reference.slice(from, from + size).filter(keep);
    if (chunk.length > 0) values.push(distance(chunk));
  }
  if (values.length === 0) return null;
  return Math.min(upper, meanOf(values) + DEVIATIONS * populationDeviation(values));
}

type Shares = readonly number[];

/** Doane's bins of the reference, and one more for what lies outside them. */
function binnedNumbers(distance: (p: Shares, q: Shares) => number): Method<number> {
  return (reference) => {
    const edges = histogramEdges(reference, 'doane');
    const p = [...Array.from(histogramCounts(reference, edges), (count) => count / reference.length), 0];
    return (chunk) => {
      const q = Array.from(histogramCounts(chunk, edges), (count) => count / chunk.length);
      const inside = q.reduce((sum, share) => sum + share, 0);
      return distance(p, [...q, inside < 1 ? 1 - inside : 0]);
    };
  };
}

/** The reference's categories, and one more for all others. */
function binnedCategories(distance: (p: Shares, q: Shares) => number): Method<Category> {
  return (reference) => {
    const known = valueCounts(reference, []);
    const p = [...known.reference.map((count) => count / known.n), 0];
    const index = new Map(known.values.map((value, i) => [value, i]));
    return (chunk) => {
      const q = new Array<number>(p.length).fill(0);
      for (const value of chunk) {
        const at = index.get(value) ?? known.values.length;
        q[at] = q[at]! + 1;
      }
      return distance(
        p,
        q.map((count) => count / chunk.length),
      );
    };
  };
}

/** The distance, base 2. */
function jensenShannon(p: Shares, q: Shares): number {
  let sum = 0;
  for (const [i, share] of p.entries()) {
    const other = q[i]!;
    const middle = (share + other) / 2;
    if (share > 0) sum += share * Math.log(share / middle);
    if (other > 0) sum += other * Math.log(other / middle);
  }
  return Math.sqrt(Math.max(0, sum / 2) / Math.LN2);
}

function hellinger(p: Shares, q: Shares): number {
  return Math.sqrt(p.reduce((sum, share, i) => sum + (Math.sqrt(share) - Math.sqrt(q[i]!)) ** 2, 0)) / Math.SQRT2;
}

function kolmogorovSmirnov(reference: readonly number[]): (chunk: readonly number[]) => number {
  const sorted = Float64Array.from(reference).sort();
  if (reference.length < LARGE) return (chunk) => largestDistance(sorted, Float64Array.from(chunk).sort());
  const { edges, shares } = fineBins(reference);
  return (chunk) => {
    const counts = histogramCounts(chunk, edges);
    let f = 0;
    let g = chunk.filter((value) => value < edges[0]!).length / chunk.length;
    let largest = 0;
    for (const [i, share] of shares.entries()) {
      f += share;
      g += counts[i]! / chunk.length;
      largest = Math.max(largest, Math.abs(f - g));
    }
    return largest;
  };
}

/** Beyond the reference's range each value counts with its distance from it. */
function wasserstein(reference: readonly number[]): (chunk: readonly number[]) => number {
  const sorted = Float64Array.from(reference).sort();
  if (reference.length < LARGE) return (chunk) => wassersteinDistance(sorted, Float64Array.from(chunk).sort());
  const { edges, shares } = fineBins(reference);
  const low = edges[0]!;
  const high = edges.at(-1)!;
  const width = (high - low) / shares.length;
  return (chunk) => {
    const counts = histogramCounts(chunk, edges);
    let f = 0;
    let g = chunk.filter((value) => value < low).length / chunk.length;
    let sum = 0;
    for (const [i, share] of shares.entries()) {
      f += share;
      g += counts[i]! / chunk.length;
      sum += Math.abs(f - g) * width;
    }
    for (const value of chunk) sum += (value < low ? low - value : value > high ? value - high : 0) / chunk.length;
    return sum;
  };
}

function fineBins(reference: readonly number[]): { readonly edges: Float64Array; readonly shares: Float64Array } {
  const edges = histogramEdges(reference, LARGE);
  return { edges, shares: histogramCounts(reference, edges).map((count) => count / reference.length) };
}
