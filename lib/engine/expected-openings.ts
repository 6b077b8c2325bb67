/** What a monitor may be expected to open when nothing has changed: the levels of all that it judges, added up over a month. */
import type { Baseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { levelOf, openingsPerDay, SIGNAL_SHARES } from './budget.ts';
import { latencyLimits } from './latency-verdict.ts';
import type { Shape } from './shape.ts';

const DAY = 86_400_000;
export const MONTH_DAYS = 30;
/**
 * Quiet traffic spends at least so much of what it may: the divisions of the budget take all comparisons for disjoint, and a
 * change must be confirmed and large enough besides (decision 0003).
 */
const LEAST_SPENT = 0.1;

export interface ExpectedOpenings {
  /** A month of 30 days. `high` is what the levels add up to, and never more than the budget. */
  readonly low: number;
  readonly high: number;
}

export interface JudgedSignals {
  readonly volume: boolean;
  readonly latency: boolean;
  readonly performance: boolean;
}

/** `shape`: with the monitor and the baseline that are judged with. */
export function expectedOpenings({ monitor, columns, windows }: Shape, judged: JudgedSignals): ExpectedOpenings {
  const scales = windows.scales.map(({ ms }) => ms);
  const over = (signal: 'drift' | 'volume' | 'latency', comparisons: number): number =>
    comparisons === 0
      ? 0
      : scales.reduce(
          (openings, ms, scale) =>
            openings +
            levelOf({ budget: monitor.budget, signal, scales, scale, comparisons }) *
              comparisons *
              ((MONTH_DAYS * DAY) / ms),
          0,
        );
  const high =
    over('drift', columns.filter(({ baseline }) => baseline !== null).length) +
    (judged.volume ? over('volume', 1) : 0) +
    (judged.latency ? over('latency', latencyLimits(monitor)) : 0) +
    (judged.performance ? openingsPerDay(monitor.budget) * MONTH_DAYS * SIGNAL_SHARES.performance : 0);
  return { low: LEAST_SPENT * high, high };
}

/** Columns that one report finds drifted when nothing has changed: `levels` of those it judges, likewise added up. */
export function expectedFindings(levels: readonly number[]): ExpectedOpenings {
  const high = levels.reduce((sum, level) => sum + level, 0);
  return { low: LEAST_SPENT * high, high };
}

/** Whether windows of this monitor have a volume that can be judged. */
export function judgesVolume(monitor: Monitor, baseline: Baseline): boolean {
  return monitor.quality !== 'off' && baseline.volume !== null && baseline.volume.starts.length > 0;
}
