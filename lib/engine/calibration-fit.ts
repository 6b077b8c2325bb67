/** What a calibration leaves in the baseline: plain numbers, small enough to be stored with every column. */
import type { ColumnCalibration } from '../contracts/baseline.ts';
import type { Season } from './season.ts';

export const CALIBRATION_METHOD = 'calibrated-scores/1';

export interface ScoreNull {
  /** Indices into NULL_GRID and their weights. */
  readonly points: readonly number[];
  readonly weights: readonly number[];
  /** 1/B_mean + k/B: the reference is itself an estimate. */
  readonly reference: number;
  /** Judged by its counts. */
  readonly rare: boolean;
}

export interface ScaleFit {
  /** Length of the blocks, milliseconds. */
  readonly ms: number;
  readonly blocks: number;
  /** Rows of the largest block: what is gained by under-dispersion stops there. */
  readonly largest: number;
  readonly scores: readonly ScoreNull[];
  /** One cause moves its categories together. */
  readonly caused?: boolean;
}

export interface CalibrationFit {
  readonly timezone: string;
  /** Rows of the baseline's windows, and their shares of the bins (verdict-bins.ts). */
  readonly rows: number;
  readonly shares: readonly number[];
  /** Rows of an hour of day relative to all, for predicting a longer block when its parts are unknown; empty for windows of a day or more. */
  readonly hours: readonly number[];
  readonly seasons: readonly Season[];
  /** Ascending by length; the first is the window. A longer scale without enough blocks of its own is left out. */
  readonly scales: readonly ScaleFit[];
}

/** `null` when it is not of this method or not for so many bins: made by another version. */
export function readFit(
  calibration: ColumnCalibration,
  bins: number,
  scores: (shares: ArrayLike<number>) => number,
): CalibrationFit | null {
  if (calibration.method !== CALIBRATION_METHOD) return null;
  const fit = calibration.fit as Partial<CalibrationFit> | null;
  if (typeof fit !== 'object' || fit === null) return null;
  if (!(Number(fit.rows) > 0) || !Array.isArray(fit.shares) || fit.shares.length !== bins) return null;
  if (!Array.isArray(fit.seasons) || !Array.isArray(fit.scales) || fit.scales.length === 0) return null;
  const count = scores(fit.shares);
  if (fit.seasons.length !== count) return null;
  if (!fit.scales.every((scale) => Array.isArray(scale.scores) && scale.scores.length === count)) return null;
  return fit as CalibrationFit;
}
