/**
 * Metrics of a regression from moments. e = prediction − truth, c = truth − its mean. Definitions as in scikit-learn, but R² of a constant
 * truth is undefined, and the mean absolute percentage error runs over truths that are not 0. Standard errors: delta method.
 */
import { type Estimate, meanEstimate, undefinedEstimate } from './estimate.ts';

/** Means over rows (weighted), in the unit of the truth. */
export interface RegressionMoments {
  /** Effective rows. */
  readonly size: number;
  readonly e: number;
  readonly eAbs: number;
  readonly e2: number;
  readonly e4: number;
  /** Of c², c⁴ and e²c². */
  readonly c2: number;
  readonly c4: number;
  readonly e2c2: number;
  /** Effective rows whose truth is not 0, and the means of |e / truth| and its square over them. */
  readonly relativeSize: number;
  readonly r: number;
  readonly r2: number;
}

export type RegressionMetrics = Readonly<Record<'mae' | 'rmse' | 'mape' | 'r2' | 'bias', Estimate>>;

export function regressionMetrics(moments: RegressionMoments): RegressionMetrics {
  const { size, e, eAbs, e2, e4, relativeSize, r, r2 } = moments;
  if (!(size > 0)) {
    const nothing = undefinedEstimate('no-predictions');
    return { mae: nothing, rmse: nothing, mape: nothing, r2: nothing, bias: nothing };
  }
  return {
    mae: meanEstimate(eAbs, e2 - eAbs ** 2, size, 0),
    rmse: root(meanEstimate(e2, e4 - e2 ** 2, size, 0)),
    mape: relativeSize > 0 ? meanEstimate(r, r2 - r ** 2, relativeSize, 0) : undefinedEstimate('truth-is-zero'),
    r2: determination(moments),
    bias: meanEstimate(e, e2 - e ** 2, size),
  };
}

function root(square: Estimate): Estimate {
  const value = Math.sqrt(square.value ?? 0);
  return {
    value,
    standardError: square.standardError === null ? null : value > 0 ? square.standardError / (2 * value) : 0,
    bounds: (alpha) => {
      const bounds = square.bounds(alpha);
      return bounds === null ? null : [Math.sqrt(bounds[0]), Math.sqrt(bounds[1])];
    },
  };
}

/** R² = 1 − A/B, A = mean e², B = mean c²; each row moves it by −(e² − (A/B)·c²)/B. */
function determination({ size, e2, e4, c2, c4, e2c2 }: RegressionMoments): Estimate {
  if (!(size > 1)) return undefinedEstimate('one-row');
  if (!(c2 > 0)) return undefinedEstimate('constant-truth');
  const ratio = e2 / c2;
  const variance = (e4 - 2 * ratio * e2c2 + ratio ** 2 * c4) / c2 ** 2;
  const estimate = meanEstimate(1 - ratio, variance, size);
  return {
    ...estimate,
    bounds: (alpha) => {
      const bounds = estimate.bounds(alpha);
      return bounds === null ? null : [bounds[0], Math.min(1, bounds[1])];
    },
  };
}
