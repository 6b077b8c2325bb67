/**
 * The budget: how many openings of episodes an owner accepts when nothing has changed, divided into the level of one
 * comparison (docs/decisions/0003). What is divided is an expected number of openings, which adds up; so every division is
 * plain Bonferroni and needs no independence.
 */
import type { Monitor } from '../contracts/monitor.ts';
import type { Signal } from '../contracts/result.ts';

const DAY = 86_400_000;

/**
 * Shares of the signals. Rates of quality (missing, range, unseen) are scores of their columns and paid for by drift; breaches
 * of the contract and blindness are no chance events and cost nothing.
 */
export const SIGNAL_SHARES: Readonly<Record<Signal, number>> = {
  drift: 0.6,
  performance: 0.2,
  volume: 0.1,
  latency: 0.1,
  quality: 0,
  blind: 0,
};

/** Shares of the scales, shortest first, by how many there are: the window is where most changes show. */
const SCALE_SHARES: readonly (readonly number[])[] = [[1], [0.7, 0.3], [0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1]];

export interface BudgetQuestion {
  /** `monitor.budget`: `1 per 30d`. */
  readonly budget: string;
  readonly signal: Signal;
  /** Lengths of all scales judged, milliseconds, shortest first. */
  readonly scales: readonly number[];
  /** Which of them this comparison is at. */
  readonly scale: number;
  /** Comparisons of this signal in one window: columns, percentiles. */
  readonly comparisons: number;
}

/** Expected openings a window that one comparison may spend when nothing has changed; at most ½. */
export function levelOf({ budget, signal, scales, scale, comparisons }: BudgetQuestion): number {
  const ms = scales[scale];
  if (ms === undefined || !(ms > 0)) throw new RangeError(`levelOf: there is no scale ${scale}`);
  const share = SIGNAL_SHARES[signal] * scaleShare(scales.length, scale);
  return Math.min(0.5, (openingsPerDay(budget) * share * (ms / DAY)) / Math.max(1, comparisons));
}

export function scaleShare(count: number, index: number): number {
  const shares = SCALE_SHARES[count - 1];
  return shares?.[index] ?? 1 / count;
}

/** `1 per 30d` → 1/30. Throws RangeError on anything else: monitors are checked before. */
export function openingsPerDay(budget: Monitor['budget']): number {
  const [, openings, days] = /^(\d+(?:\.\d+)?) per (\d+)d$/.exec(budget) ?? [];
  const rate = Number(openings) / Number(days);
  if (!Number.isFinite(rate)) throw new RangeError(`not a budget: ${budget}; expected e.g. "1 per 30d"`);
  return rate;
}

/** Chance that a report on two data sets alike in law finds any change at all. */
export const REPORT_LEVEL = 0.05;

/** The level of one column in a report: a single comparison, in no stream. */
export function reportLevelOf(columns: number): number {
  return REPORT_LEVEL / Math.max(1, columns);
}
