/**
 * whylogs: p-values of Kolmogorov–Smirnov (on 100 quantiles of each side) and of chi-square: drift below 0.05; a Hellinger distance on at
 * most 30 bins: drift from 0.4. Quantiles are exact here, there from sketches.
 */
import { chiSquareOfCounts } from '../chi-square.ts';
import { ksAsymptoticPValue, largestDistance } from '../ks.ts';
import { quantileOf } from '../quantile.ts';
import { type RawValue, sortedFinite } from '../sample.ts';
import {
  type CategoryValue,
  type DialectAnswer,
  distanceAnswer,
  notComputable,
  pValueAnswer,
  valueCounts,
} from './answer.ts';
import { histogramCounts, histogramEdges } from './histogram.ts';

export interface WhylogsOptions {
  readonly threshold?: number;
}

const LEVEL = 0.05;
const DISTANCE = 0.4;
const QUANTILES = 100;
const MOST_BINS = 30;
const ROWS_A_BIN = 4;

export const WHYLOGS_NUMERIC_TESTS = ['ks', 'hellinger'];
export const WHYLOGS_CATEGORICAL_TESTS = ['chi-square'];

export function whylogsNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: WhylogsOptions = {},
): DialectAnswer {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const threshold = options.threshold ?? (test === 'ks' ? LEVEL : DISTANCE);
  if (a.length === 0) return notComputable(threshold, 'empty-reference');
  if (b.length === 0) return notComputable(threshold, 'empty-current');
  if (test === 'ks') {
    const [x, y] = [quantiles(a), quantiles(b)];
    // Between values near the largest double there is no double.
    if (![x, y].every((side) => side.every(Number.isFinite))) return notComputable(threshold, 'not a number');
    const statistic = largestDistance(x, y);
    return pValueAnswer(ksAsymptoticPValue(a.length, b.length, statistic), statistic, threshold);
  }
  if (test !== 'hellinger') return notComputable(threshold, 'not for numeric columns');
  const bins = Math.max(2, Math.min(MOST_BINS, Math.floor(Math.min(a.length, b.length) / ROWS_A_BIN)));
  const edges = histogramEdges([a[0]!, a.at(-1)!, b[0]!, b.at(-1)!], bins);
  const [p, q] = [histogramCounts(a, edges), histogramCounts(b, edges)];
  let square = 0;
  for (let i = 0; i < bins; i++) square += (Math.sqrt(p[i]! / a.length) - Math.sqrt(q[i]! / b.length)) ** 2;
  return distanceAnswer(Math.sqrt(square / 2), threshold);
}

export function whylogsCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: WhylogsOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? LEVEL;
  if (test !== 'chi-square') return notComputable(threshold, 'not for categorical columns');
  const { statistic, pValue, reason } = chiSquareOfCounts(valueCounts(reference, current), { minimumExpected: 0 });
  if (statistic === null) return notComputable(threshold, reason ?? 'not a number');
  return pValueAnswer(pValue, statistic, threshold);
}

function quantiles(sorted: Float64Array): Float64Array {
  return Float64Array.from({ length: QUANTILES }, (_, i) => quantileOf(sorted, i / (QUANTILES - 1)));
}
