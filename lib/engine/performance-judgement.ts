/** One metric against its floor and its baseline. */
import type { PerformanceBaseline } from '../contracts/baseline.ts';
import { LOWER_IS_BETTER } from '../contracts/monitor.ts';
import type { Estimate } from '../stats/estimate.ts';
import { studentTwoSidedQuantile } from '../stats/special.ts';
import { round12 } from './round.ts';

export type MetricBaseline = PerformanceBaseline['metrics'][string];

export interface Limits {
  /** The worst acceptable value: least where larger is better, most where smaller is, the largest distance from 0 for `bias`. */
  readonly floor: number | undefined;
  /** Smallest loss against the baseline worth waking for, in the units of the metric. */
  readonly smallestLoss: number;
}

/**
 * The stricter of floor and baseline less the smallest loss; `null` when there is neither. For `bias`, worse on both sides, it is the
 * largest accepted distance from 0 (with a floor) or from the baseline's bias (without).
 */
export function thresholdOf(metric: string, baseline: MetricBaseline | null, limits: Limits): number | null {
  const { floor, smallestLoss } = limits;
  if (metric === 'bias') return floor ?? (baseline === null ? null : smallestLoss);
  const sign = LOWER_IS_BETTER.includes(metric) ? -1 : 1;
  const candidates: number[] = [];
  if (floor !== undefined) candidates.push(sign * floor);
  if (baseline !== null) candidates.push(sign * baseline.value - smallestLoss);
  return candidates.length === 0 ? null : sign * Math.max(...candidates);
}

export interface MetricJudgement {
  readonly status: 'ok' | 'drifted' | 'insufficient-data';
  readonly reason?: string;
}

/** `alpha`: two-sided level. Without a threshold there is nothing to be worse than: `ok`, reason `no-threshold`. */
export function judgeMetric(
  metric: string,
  estimate: Estimate,
  baseline: MetricBaseline | null,
  limits: Limits,
  alpha: number,
): MetricJudgement {
  const threshold = thresholdOf(metric, baseline, limits);
  const { value } = estimate;
  if (value === null) return { status: 'insufficient-data' };
  if (threshold === null) return { status: 'ok', reason: 'no-threshold' };
  const bounds = estimate.bounds(alpha);
  if (bounds === null) return { status: 'insufficient-data', reason: 'one-row' };
  const movement = movementOf(baseline, alpha);
  const low = round12(value - Math.hypot(value - bounds[0], movement));
  const high = round12(value + Math.hypot(bounds[1] - value, movement));
  const center = limits.floor === undefined ? (baseline?.value ?? 0) : 0;
  const limit = round12(threshold);
  const worse =
    metric === 'bias'
      ? low > round12(center + limit) || high < round12(center - limit)
      : LOWER_IS_BETTER.includes(metric)
        ? low > limit
        : high < limit;
  return { status: worse ? 'drifted' : 'ok' };
}

/**
 * Half-width that the baseline adds: its variance between windows beyond the sampling of their rows, τ² = max(0, s² − mean error²), once
 * for this window and once more, over the windows, for the baseline's own value. Student's quantile with windows − 1 degrees of freedom,
 * since τ is estimated from so few. Without recorded errors s² is taken whole. 0 with fewer than two windows.
 */
export function movementOf(baseline: MetricBaseline | null, alpha: number): number {
  const windows = baseline?.windows ?? [];
  const count = windows.length;
  if (count < 2) return 0;
  const mean = windows.reduce((sum, value) => sum + value, 0) / count;
  const spread = windows.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const errors = baseline?.errors ?? [];
  const sampling = errors.length === count ? errors.reduce((sum, error) => sum + error ** 2, 0) / count : 0;
  const between = Math.max(0, spread - sampling);
  return studentTwoSidedQuantile(alpha, count - 1) * Math.sqrt(between + (between + sampling) / count);
}
