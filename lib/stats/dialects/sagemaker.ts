/**
 * Amazon SageMaker Model Monitor (its analyser stands on Deequ): `ks` for numbers, `linf` and `chi_squared` for categories. `simple` is the
 * distance L; `robust`, the default, max(0, L − 1.8·sqrt((n + m)/(nm))). A violation is a distance above 0.1; of the robust chi-square, which
 * is a p-value, one below it. Numbers are compared exactly here, there on sketches.
 */
import { largestDistance } from '../ks.ts';
import { largestDifference } from '../l-infinity.ts';
import { type RawValue, sortedFinite } from '../sample.ts';
import { chiSquareSurvival } from '../special.ts';
import {
  type CategoryValue,
  type DialectAnswer,
  distanceAnswer,
  notComputable,
  pValueAnswer,
  valueCounts,
} from './answer.ts';

export interface SagemakerOptions {
  /** @default robust */
  readonly method?: 'simple' | 'robust';
  /** Instead of the factor 1.8: sqrt(−ln(α/2)/2). */
  readonly alpha?: number;
  /** @default 0.1 */
  readonly threshold?: number;
}

const FACTOR = 1.8;
const THRESHOLD = 0.1;
/** Expected counts: with two categories none below 10, with more at most a fifth below 5; the smallest are put together until then. */
const SMALL = { two: 10, more: 5, share: 0.2 } as const;

export const SAGEMAKER_NUMERIC_TESTS = ['ks'];
export const SAGEMAKER_CATEGORICAL_TESTS = ['linf', 'chi_squared'];

export function sagemakerNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: SagemakerOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? THRESHOLD;
  if (test !== 'ks') return notComputable(threshold, 'not for numeric columns');
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length === 0) return notComputable(threshold, 'empty-reference');
  if (b.length === 0) return notComputable(threshold, 'empty-current');
  return distanceAnswer(corrected(largestDistance(a, b), a.length, b.length, options), threshold, 'above');
}

export function sagemakerCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: SagemakerOptions = {},
): DialectAnswer {
  const counts = valueCounts(reference, current);
  return sagemakerOfCounts(test, counts.reference, counts.current, options);
}

/** Counts of the union of categories. */
export function sagemakerOfCounts(
  test: string,
  reference: readonly number[],
  current: readonly number[],
  options: SagemakerOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? THRESHOLD;
  const n = total(reference);
  const m = total(current);
  if (n === 0) return notComputable(threshold, 'empty-reference');
  if (m === 0) return notComputable(threshold, 'empty-current');
  if (test === 'linf')
    return distanceAnswer(corrected(largestDifference(reference, n, current, m), n, m, options), threshold, 'above');
  if (test !== 'chi_squared') return notComputable(threshold, 'not for categorical columns');
  // Categories that the reference lacks are dropped before it is scaled to the rest.
  let bins = reference
    .map((count, i) => ({ expected: count, observed: current[i]! }))
    .filter(({ expected }) => expected > 0);
  const rows = bins.reduce((sum, { observed }) => sum + observed, 0);
  bins = bins
    .map(({ expected, observed }) => ({ expected: (expected * rows) / n, observed }))
    .sort((x, y) => x.expected - y.expected);
  while (bins.length > 1 && tooSmall(bins)) {
    const [first, second, ...rest] = bins as [Bin, Bin, ...Bin[]];
    const together = { expected: first.expected + second.expected, observed: first.observed + second.observed };
    bins = [...rest, together].sort((x, y) => x.expected - y.expected);
  }
  if (bins.length < 2) return notComputable(threshold, 'too-few-bins');
  const statistic = bins.reduce((sum, { expected, observed }) => sum + (observed - expected) ** 2 / expected, 0);
  const pValue = chiSquareSurvival(statistic, bins.length - 1);
  if (options.method === 'simple')
    return { score: statistic, statistic, pValue, threshold, drifted: statistic > threshold };
  return pValueAnswer(pValue, statistic, threshold);
}

interface Bin {
  readonly expected: number;
  readonly observed: number;
}

function tooSmall(bins: readonly Bin[]): boolean {
  if (bins.length === 2) return bins.some(({ expected }) => expected < SMALL.two);
  return bins.filter(({ expected }) => expected < SMALL.more).length > SMALL.share * bins.length;
}

function corrected(distance: number, n: number, m: number, { method, alpha }: SagemakerOptions): number {
  if (method === 'simple') return distance;
  const factor = alpha === undefined ? FACTOR : Math.sqrt(-Math.log(alpha / 2) / 2);
  return Math.max(0, distance - factor * Math.sqrt((n + m) / (n * m)));
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
