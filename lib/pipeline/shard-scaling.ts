/**
 * How many shards a stream needs. Up at once, by what came lately, since what does not fit is refused; down only by the highest traffic of a day, since
 * shards are split and merged at most some times a day and tomorrow is mostly like today.
 */

/** What a minute brought to a whole stream. */
export interface MinuteOfTraffic {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly bytes: number;
  readonly records: number;
}

export interface ScalingInput {
  readonly now: number;
  /** Shards that are open. */
  readonly open: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Of the last day; minutes without traffic may be missing. */
  readonly minutes: readonly MinuteOfTraffic[];
}

/** What one shard takes a second. */
const SHARD = { bytes: 1_048_576, records: 1_000 } as const;
/** Keys never spread evenly, and a minute has quiet seconds in it. */
const FILL = 0.6;
const LATELY_MS = 10 * 60_000;

/** Shards that there should be; `open` when nothing is to be done. One call of the service doubles or halves at most. */
export function shardsFor({ now, open, minimum, maximum, minutes }: ScalingInput): number {
  const bounded = (count: number): number => Math.min(maximum, Math.max(minimum, count));
  const lately = bounded(needed(minutes.filter(({ start }) => now - start <= LATELY_MS)));
  if (lately > open) return Math.min(lately, 2 * open);
  const day = bounded(needed(minutes));
  // Not for a shard or two: half as many must do.
  if (day <= open / 2 || open > maximum) return Math.max(Math.ceil(open / 2), day);
  return open < minimum ? Math.min(minimum, 2 * open) : open;
}

function needed(minutes: readonly MinuteOfTraffic[]): number {
  let most = 0;
  for (const { bytes, records } of minutes)
    most = Math.max(most, bytes / 60 / SHARD.bytes / FILL, records / 60 / SHARD.records / FILL);
  return Math.ceil(most);
}
