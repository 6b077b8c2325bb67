/** How far a log has been profiled: what may be judged, what holds it back. */
import { type Cursor, EMPTY_CURSOR } from './cursor.ts';
import { comparePositions, type PartitionState } from './ports.ts';

export interface PartitionProgress {
  readonly id: string;
  readonly closed: boolean;
  /** The cursor is at the head: nothing is waiting, so time itself carries it on. */
  readonly idle: boolean;
  /** All records appended before this are profiled, milliseconds; `Infinity` once a closed partition is done. */
  readonly through: number;
}

/**
 * `now` must have been read before the partitions, and the partitions before the cursors: then nothing that was appended before `now`
 * is missed. A record may become visible a moment after the append time it carries; `settleMs` allows for that.
 */
export function partitionProgress(
  partitions: readonly PartitionState[],
  cursorOf: (partition: string) => Cursor | undefined,
  now: number,
  settleMs: number,
): PartitionProgress[] {
  return partitions.map(({ id, closed, head }) => {
    const { position, appendTime } = cursorOf(id) ?? EMPTY_CURSOR;
    const idle = head === null || (position !== null && comparePositions(position, head) >= 0);
    const through = !idle
      ? (appendTime ?? Number.NEGATIVE_INFINITY)
      : closed
        ? Number.POSITIVE_INFINITY
        : Math.max(now - settleMs, appendTime ?? Number.NEGATIVE_INFINITY);
    return { id, closed, idle, through };
  });
}

/** All records of all partitions appended before this are profiled. A log without open partitions waits for none but the clock. */
export function throughOf(progress: readonly PartitionProgress[], now: number): number {
  return progress.reduce((least, { through }) => Math.min(least, through), now);
}
