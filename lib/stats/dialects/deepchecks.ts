/**
 * Deepchecks: `KS` (the statistic) and `EMD` for numbers, `cramers_v` (corrected for bias) and `PSI` for categories. A column fails at a score of
 * 0.2 or more. Fewer than ten rows on a side are not compared.
 */
import { largestDistance } from '../ks.ts';
import { quantileOf } from '../quantile.ts';
import { type RawValue, sortedFinite } from '../sample.ts';
import { wassersteinDistance } from '../wasserstein.ts';
import { type CategoryValue, type DialectAnswer, distanceAnswer, notComputable, valueCounts } from './answer.ts';

export interface DeepchecksOptions {
  /** @default 0.2 */
  readonly threshold?: number;
}

const THRESHOLD = 0.2;
const FEWEST = 10;
/** Categories with a smaller share of both sides together are one. */
const RARE = 0.01;
/** Left out at each end before the distance is taken. */
const MARGIN = 0.025;
/** Stands for an empty bin. */
const FLOOR = 0.01;

export const DEEPCHECKS_NUMERIC_TESTS = ['KS', 'EMD'];
export const DEEPCHECKS_CATEGORICAL_TESTS = ['cramers_v', 'PSI'];

export function deepchecksNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: DeepchecksOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? THRESHOLD;
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length < FEWEST || b.length < FEWEST) return notComputable(threshold, 'too-few-rows');
  if (test === 'KS') return distanceAnswer(largestDistance(a, b), threshold);
  if (test !== 'EMD') return notComputable(threshold, 'not for numeric columns');
  const [x, y] = [trimmed(a), trimmed(b)];
  const low = Math.min(x[0]!, y[0]!);
  const range = Math.max(x.at(-1)!, y.at(-1)!) - low;
  if (range === 0) return distanceAnswer(0, threshold);
  const scaled = (values: Float64Array): Float64Array => values.map((value) => (value - low) / range);
  return distanceAnswer(wassersteinDistance(scaled(x), scaled(y)), threshold);
}

export function deepchecksCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: DeepchecksOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? THRESHOLD;
  const counts = valueCounts(reference, current);
  if (counts.n < FEWEST || counts.m < FEWEST) return notComputable(threshold, 'too-few-rows');
  const { a, b } = withoutRare(counts.reference, counts.current);
  if (test === 'cramers_v') return distanceAnswer(correctedV(a, b), threshold);
  if (test !== 'PSI') return notComputable(threshold, 'not for categorical columns');
  const share = (count: number, all: number): number => Math.max(count / all, FLOOR);
  const sum = a.reduce((total, count, i) => {
    const [p, q] = [share(count, counts.n), share(b[i]!, counts.m)];
    return total + (p - q) * Math.log(p / q);
  }, 0);
  return distanceAnswer(sum, threshold);
}

function trimmed(sorted: Float64Array): Float64Array {
  const [low, high] = [quantileOf(sorted, MARGIN), quantileOf(sorted, 1 - MARGIN)];
  return sorted.filter((value) => value >= low && value <= high);
}

function withoutRare(a: readonly number[], b: readonly number[]): { readonly a: number[]; readonly b: number[] } {
  const all = sum(a) + sum(b);
  const kept: { a: number[]; b: number[] } = { a: [], b: [] };
  let [restA, restB] = [0, 0];
  for (const [i, count] of a.entries()) {
    if ((count + b[i]!) / all < RARE) {
      restA += count;
      restB += b[i]!;
    } else {
      kept.a.push(count);
      kept.b.push(b[i]!);
    }
  }
  if (restA + restB > 0) {
    kept.a.push(restA);
    kept.b.push(restB);
  }
  return kept;
}

/** Bergsma (2013), of the table whose larger side is scaled down to the smaller. */
function correctedV(a: readonly number[], b: readonly number[]): number {
  const size = Math.min(sum(a), sum(b));
  const rows = [a, b].map((side) => side.map((count) => (count * size) / sum(side)));
  const total = 2 * size;
  const columns = a.length;
  if (columns < 2) return 0;
  let square = 0;
  for (let i = 0; i < columns; i++) {
    const expected = (rows[0]![i]! + rows[1]![i]!) / 2;
    for (const row of rows) square += (row[i]! - expected) ** 2 / expected;
  }
  const phi = Math.max(0, square / total - (columns - 1) / (total - 1));
  const [k, r] = [columns - (columns - 1) ** 2 / (total - 1), 2 - 1 / (total - 1)];
  return Math.sqrt(phi / Math.min(k - 1, r - 1));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
