/** Metrics of regressions from rows, by scikit-learn's definitions. Errors are predicted − truth. */
import { meanOf } from '../sample.ts';

export type NumberMetric =
  | 'mae'
  | 'mse'
  | 'rmse'
  | 'mape'
  | 'r2'
  | 'explained-variance'
  | 'msle'
  | 'rmsle'
  | 'median-absolute-error'
  | 'max-error'
  | 'bias';

export const NUMBER_METRICS: Readonly<
  Record<NumberMetric, (truth: readonly number[], predicted: readonly number[]) => number>
> = {
  mae: (truth, predicted) => meanOf(errors(truth, predicted).map(Math.abs)),
  mse: (truth, predicted) => meanOf(errors(truth, predicted).map((e) => e * e)),
  rmse: (truth, predicted) => Math.sqrt(meanOf(errors(truth, predicted).map((e) => e * e))),
  // A truth of 0 is taken as 2⁻⁵²: the metric is then enormous rather than infinite.
  mape: (truth, predicted) =>
    meanOf(errors(truth, predicted).map((e, i) => Math.abs(e) / Math.max(Number.EPSILON, Math.abs(truth[i]!)))),
  r2: (truth, predicted) => {
    if (truth.length < 2) return Number.NaN;
    const mean = meanOf(truth);
    const total = truth.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const rest = errors(truth, predicted).reduce((sum, e) => sum + e * e, 0);
    return total === 0 ? (rest === 0 ? 1 : 0) : 1 - rest / total;
  },
  /** As r2, with the mean error taken out. */
  'explained-variance': (truth, predicted) => {
    const total = squaresAboutMean(truth);
    const rest = squaresAboutMean(errors(truth, predicted));
    return total === 0 ? (rest === 0 ? 1 : 0) : 1 - rest / total;
  },
  msle: (truth, predicted) => meanOf(logErrors(truth, predicted).map((e) => e * e)),
  rmsle: (truth, predicted) => Math.sqrt(meanOf(logErrors(truth, predicted).map((e) => e * e))),
  'median-absolute-error': (truth, predicted) => {
    const sorted = errors(truth, predicted)
      .map(Math.abs)
      .sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  },
  'max-error': (truth, predicted) => errors(truth, predicted).reduce((most, e) => Math.max(most, Math.abs(e)), 0),
  bias: (truth, predicted) => meanOf(errors(truth, predicted)),
};

function errors(truth: readonly number[], predicted: readonly number[]): number[] {
  return truth.map((value, i) => predicted[i]! - value);
}

/** Of ln(1 + x): NaN, hence undefined, at −1 and below. */
function logErrors(truth: readonly number[], predicted: readonly number[]): number[] {
  const log = (x: number): number => (x > -1 ? Math.log1p(x) : Number.NaN);
  return truth.map((value, i) => log(predicted[i]!) - log(value));
}

function squaresAboutMean(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
