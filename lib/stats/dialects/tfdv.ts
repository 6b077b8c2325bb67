/**
 * TensorFlow Data Validation (and Vertex AI, which stands on it): distances without a default threshold; an anomaly is a distance above
 * the one that is given. `jensen_shannon_divergence` is a divergence, base 2, without the square root; numbers are compared by their ten
 * equal-width bins, cut anew at the edges of both sides with the rows spread evenly inside each.
 */
import { largestDifference } from '../l-infinity.ts';
import { type RawValue, sortedFinite } from '../sample.ts';
import { type CategoryValue, type DialectAnswer, notComputable, valueCounts } from './answer.ts';
import { histogramCounts } from './histogram.ts';

export interface TfdvOptions {
  readonly threshold?: number;
}

const BINS = 10;

export const TFDV_NUMERIC_TESTS = ['jensen_shannon_divergence', 'normalized_abs_difference'];
export const TFDV_CATEGORICAL_TESTS = ['infinity_norm', 'normalized_abs_difference', 'jensen_shannon_divergence'];

export interface Bucket {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export function tfdvNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: TfdvOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? null;
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length === 0) return notComputable(threshold, 'empty-reference');
  if (b.length === 0) return notComputable(threshold, 'empty-current');
  return tfdvOfBuckets(test, bucketsOf(a), bucketsOf(b), options);
}

/** Histograms as it stores them: ascending, not overlapping; a bucket without width is a point mass. */
export function tfdvOfBuckets(
  test: string,
  reference: readonly Bucket[],
  current: readonly Bucket[],
  options: TfdvOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? null;
  const edges = [...new Set([...reference, ...current].flatMap(({ low, high }) => [low, high]))].sort((x, y) => x - y);
  return between(test, spread(reference, edges), spread(current, edges), threshold, TFDV_NUMERIC_TESTS);
}

export function tfdvCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: TfdvOptions = {},
): DialectAnswer {
  const counts = valueCounts(reference, current);
  return tfdvOfCounts(test, counts.reference, counts.current, options);
}

/** Counts, or shares, of the union of categories. */
export function tfdvOfCounts(
  test: string,
  reference: readonly number[],
  current: readonly number[],
  options: TfdvOptions = {},
): DialectAnswer {
  return between(test, reference, current, options.threshold ?? null, TFDV_CATEGORICAL_TESTS);
}

function between(
  test: string,
  reference: readonly number[],
  current: readonly number[],
  threshold: number | null,
  known: readonly string[],
): DialectAnswer {
  const n = total(reference);
  const m = total(current);
  if (n === 0) return notComputable(threshold, 'empty-reference');
  if (m === 0) return notComputable(threshold, 'empty-current');
  if (!known.includes(test)) return notComputable(threshold, 'not for columns of this type');
  const score =
    test === 'infinity_norm'
      ? largestDifference(reference, n, current, m)
      : test === 'normalized_abs_difference'
        ? largestDifference(reference, n + m, current, n + m)
        : divergence(reference, n, current, m);
  return { score, statistic: score, pValue: null, threshold, drifted: threshold === null ? null : score > threshold };
}

function divergence(reference: readonly number[], n: number, current: readonly number[], m: number): number {
  let sum = 0;
  for (const [i, count] of reference.entries()) {
    const p = count / n;
    const q = current[i]! / m;
    const middle = (p + q) / 2;
    if (p > 0) sum += p * Math.log2(p / middle);
    if (q > 0) sum += q * Math.log2(q / middle);
  }
  return Math.min(1, Math.max(0, sum / 2));
}

function bucketsOf(sorted: Float64Array): Bucket[] {
  const low = sorted[0]!;
  const high = sorted[sorted.length - 1]!;
  if (low === high) return [{ low, high, count: sorted.length }];
  const edges = Float64Array.from({ length: BINS + 1 }, (_, i) => low + ((high - low) * i) / BINS);
  edges[BINS] = high;
  return Array.from(histogramCounts(sorted, edges), (count, i) => ({ low: edges[i]!, high: edges[i + 1]!, count }));
}

/** Rows between neighbouring edges, then those of point masses at each edge. */
function spread(buckets: readonly Bucket[], edges: readonly number[]): number[] {
  const between = new Array<number>(edges.length).fill(0);
  const points = new Array<number>(edges.length).fill(0);
  const place = new Map(edges.map((edge, i) => [edge, i]));
  for (const { low, high, count } of buckets) {
    const from = place.get(low)!;
    if (low === high) {
      points[from] = points[from]! + count;
      continue;
    }
    for (let i = from; i < place.get(high)!; i++)
      between[i] = between[i]! + (count * (edges[i + 1]! - edges[i]!)) / (high - low);
  }
  return [...between, ...points];
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
