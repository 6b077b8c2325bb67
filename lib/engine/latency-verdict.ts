/**
 * Latency against the owner's limits. A limit on p99 is broken when more requests than one in a hundred were slower, by more
 * than chance explains at the signal's share of the budget. A request counts as slower only if its whole bucket is, so the
 * 9 % width of the buckets never raises an alert.
 */
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import type { LatencyResult } from '../contracts/result.ts';
import { binomialSurvival } from '../stats/special.ts';
import type { LatencyCounts } from './column-counts.ts';
import { round12, round12OrNull } from './round.ts';
import { LEAST_ROWS } from './score-judge.ts';
import { numberText, shareText } from './verdict-words.ts';

const PERCENTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
] as const;

/** Number of limits the owner has set. */
export function latencyLimits(monitor: Pick<Monitor, 'latency'>): number {
  return PERCENTILES.filter(([name]) => monitor.latency?.[name] !== undefined).length;
}

/** `level`: expected openings a window, for each limit. `null` when no event carried a latency. */
export function judgeLatency(
  latency: LatencyCounts,
  monitor: Pick<Monitor, 'latency'>,
  level: number,
): LatencyResult | null {
  const { count } = latency;
  if (!(count > 0)) return null;
  const [p50, p90, p99] = PERCENTILES.map(([, p]) => quantileOf(latency, p));
  const shown = { count, p50: round12OrNull(p50), p90: round12OrNull(p90), p99: round12OrNull(p99) };
  const broken: string[] = [];
  let threshold: number | null = null;
  let worst = 0;
  for (const [name, p] of PERCENTILES) {
    const limit = monitor.latency?.[name];
    if (limit === undefined) continue;
    const ms = durationMs(limit);
    const ratio = (quantileOf(latency, p) ?? 0) / ms;
    if (threshold === null || ratio > worst) {
      threshold = ms;
      worst = ratio;
    }
    const slower = countAbove(latency, ms);
    if (count >= LEAST_ROWS && round12(binomialSurvival(slower, count, 1 - p)) <= round12(level))
      broken.push(
        `${name} above ${limit}: ${shareText(slower / count)} of requests were slower, ${shareText(1 - p)} allowed`,
      );
  }
  const times = `p50 ${text(p50)}, p90 ${text(p90)}, p99 ${text(p99)}`;
  if (count < LEAST_ROWS)
    return {
      status: 'insufficient-data',
      ...shown,
      threshold,
      summary: `${numberText(count)} ${noun(count, 'request')}: ${times}`,
    };
  if (broken.length > 0) return { status: 'drifted', ...shown, threshold, summary: `${broken.join('; ')} (${times})` };
  return { status: 'ok', ...shown, threshold, summary: times };
}

/** Upper bound of the bucket that holds the value of rank ⌈p·count⌉, milliseconds. */
function quantileOf({ count, zero, scale, buckets }: LatencyCounts, p: number): number | null {
  const rank = Math.min(count, Math.max(1, Math.ceil(p * count)));
  let seen = zero;
  if (seen >= rank) return 0;
  let last: number | null = null;
  for (const [index, inBucket] of buckets) {
    seen += inBucket;
    last = 2 ** ((index + 1) / 2 ** scale);
    if (seen >= rank) return last;
  }
  return last;
}

/** Values certainly above `ms`. */
function countAbove({ scale, buckets }: LatencyCounts, ms: number): number {
  let above = 0;
  for (const [index, inBucket] of buckets) if (2 ** (index / 2 ** scale) >= ms * (1 - 1e-12)) above += inBucket;
  return above;
}

function text(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? 'unknown' : `${numberText(Number(ms.toPrecision(3)))} ms`;
}
