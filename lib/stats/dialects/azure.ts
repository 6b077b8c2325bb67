/**
 * Azure Machine Learning's data drift component. Bins: ⌈log₂ min(n, m)⌉ + 1, equal width over both ranges together. Distances drift above
 * 0.1, p-values below 0.1.
 */
import { ks } from '../ks.ts';
import { meanOf, type RawValue, sortedFinite } from '../sample.ts';
import { chiSquareSurvival } from '../special.ts';
import { wassersteinDistance } from '../wasserstein.ts';
import {
  type CategoryValue,
  type DialectAnswer,
  distanceAnswer,
  notComputable,
  pValueAnswer,
  valueCounts,
} from './answer.ts';
import { histogramCounts, histogramEdges } from './histogram.ts';

export interface AzureOptions {
  /** @default 0.1 */
  readonly threshold?: number;
}

const THRESHOLD = 0.1;
/** Kolmogorov–Smirnov is offered below so many rows a side. */
const KS_ROWS = 10_000;
const SMALLEST_DEVIATION = 0.001;

export const AZURE_NUMERIC_TESTS = [
  'normalized_wasserstein_distance',
  'jensen_shannon_distance',
  'population_stability_index',
  'two_sample_kolmogorov_smirnov_test',
];
export const AZURE_CATEGORICAL_TESTS = [
  'jensen_shannon_distance',
  'population_stability_index',
  'pearsons_chi_squared_test',
];

export function azureNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: AzureOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? THRESHOLD;
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length === 0) return notComputable(threshold, 'empty-reference');
  if (b.length === 0) return notComputable(threshold, 'empty-current');
  if (test === 'normalized_wasserstein_distance')
    return distanceAnswer(
      wassersteinDistance(a, b) / Math.max(sampleDeviation(a), SMALLEST_DEVIATION),
      threshold,
      'above',
    );
  if (test === 'two_sample_kolmogorov_smirnov_test') {
    if (Math.max(a.length, b.length) >= KS_ROWS)
      return notComputable(threshold, 'too many rows: the product offers it below 10,000');
    const { pValue, statistic } = ks(a, b);
    return pValueAnswer(pValue, statistic, threshold);
  }
  const bins = Math.ceil(Math.log2(Math.min(a.length, b.length))) + 1;
  const edges = histogramEdges([a[0]!, a.at(-1)!, b[0]!, b.at(-1)!], bins);
  return ofCounts(test, Array.from(histogramCounts(a, edges)), Array.from(histogramCounts(b, edges)), threshold);
}

export function azureCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: AzureOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? THRESHOLD;
  const counts = valueCounts(reference, current);
  if (counts.n === 0) return notComputable(threshold, 'empty-reference');
  if (counts.m === 0) return notComputable(threshold, 'empty-current');
  if (test === 'pearsons_chi_squared_test') {
    let statistic = 0;
    for (const [i, count] of counts.reference.entries()) {
      const expected = count * (counts.m / counts.n);
      statistic += expected === 0 ? Number.POSITIVE_INFINITY : (counts.current[i]! - expected) ** 2 / expected;
    }
    if (counts.values.length < 2) return notComputable(threshold, 'constant');
    return pValueAnswer(chiSquareSurvival(statistic, counts.values.length - 1), statistic, threshold);
  }
  return ofCounts(test, counts.reference, counts.current, threshold);
}

function ofCounts(
  test: string,
  reference: readonly number[],
  current: readonly number[],
  threshold: number,
): DialectAnswer {
  const n = reference.reduce((sum, count) => sum + count, 0);
  const m = current.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  if (test === 'jensen_shannon_distance') {
    for (const [i, count] of reference.entries()) {
      const [p, q] = [count / n, current[i]! / m];
      const middle = (p + q) / 2;
      if (p > 0) sum += p * Math.log2(p / middle);
      if (q > 0) sum += q * Math.log2(q / middle);
    }
    return distanceAnswer(Math.sqrt(Math.max(0, sum / 2)), threshold, 'above');
  }
  if (test !== 'population_stability_index') return notComputable(threshold, 'not for columns of this type');
  // One row more in each bin, over the number of rows without them.
  for (const [i, count] of reference.entries()) {
    const [p, q] = [(count + 1) / n, (current[i]! + 1) / m];
    sum += (q - p) * Math.log(q / p);
  }
  return distanceAnswer(sum, threshold, 'above');
}

function sampleDeviation(values: Float64Array): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
