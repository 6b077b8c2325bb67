/** An estimate with its uncertainty: what every metric answers. */
import { normalQuantile, studentTwoSidedQuantile } from './special.ts';

export interface Estimate {
  /** `null` with a reason. */
  readonly value: number | null;
  /** Standard error from the sampling of rows; `null` when it cannot be known (one row). */
  readonly standardError: number | null;
  /** Two-sided interval at level 1 − alpha; `null` when there is none. */
  readonly bounds: (alpha: number) => readonly [number, number] | null;
  readonly reason?: string;
}

export function undefinedEstimate(reason: string): Estimate {
  return { value: null, standardError: null, bounds: () => null, reason };
}

/**
 * Wilson's score interval (1927) for a share of `size` rows; the size need not be whole. Within 0…1, never of no width, sound near
 * the ends. `null` when the size is 0.
 */
export function wilson(share: number, size: number, alpha: number): readonly [number, number] | null {
  if (!(size > 0) || !(share >= 0 && share <= 1)) return null;
  const z2 = normalQuantile(alpha / 2) ** 2;
  const center = (share + z2 / (2 * size)) / (1 + z2 / size);
  const half = Math.sqrt((share * (1 - share)) / size + z2 / (4 * size * size)) * (Math.sqrt(z2) / (1 + z2 / size));
  return [Math.max(0, Math.min(share, center - half)), Math.min(1, Math.max(share, center + half))];
}

/** A share of `size` (effective) rows. */
export function proportion(share: number, size: number): Estimate {
  return {
    value: share,
    standardError: Math.sqrt((share * (1 - share)) / size),
    bounds: (alpha) => wilson(share, size, alpha),
  };
}

/**
 * A value within 0…1 that is no plain share (AUC, macro averages): Wilson's interval at the size at which a share would have this
 * standard error; at a standard error of 0 (all right, all wrong) at `rows`.
 */
export function boundedEstimate(value: number, standardError: number, rows: number): Estimate {
  const size = standardError > 0 && value > 0 && value < 1 ? (value * (1 - value)) / standardError ** 2 : rows;
  return { value, standardError, bounds: (alpha) => wilson(value, size, alpha) };
}

/** A mean of `size` (effective) rows: Student's interval, kept at or above `lowest`. */
export function meanEstimate(
  value: number,
  variance: number,
  size: number,
  lowest: number = Number.NEGATIVE_INFINITY,
): Estimate {
  if (!(size > 1)) return { value, standardError: null, bounds: () => null };
  const standardError = Math.sqrt(Math.max(0, variance) / (size - 1));
  return {
    value,
    standardError,
    bounds: (alpha) => {
      const half = standardError * studentTwoSidedQuantile(alpha, size - 1);
      return [Math.max(lowest, value - half), value + half];
    },
  };
}

/** The same estimate on another, increasing scale; `slope` is the derivative at the value. */
export function transformed(estimate: Estimate, scale: (x: number) => number, slope: number): Estimate {
  if (estimate.value === null) return estimate;
  return {
    value: scale(estimate.value),
    standardError: estimate.standardError === null ? null : estimate.standardError * slope,
    bounds: (alpha) => {
      const bounds = estimate.bounds(alpha);
      return bounds === null ? null : [scale(bounds[0]), scale(bounds[1])];
    },
  };
}
