/** The log and its cursors, read once, as dispatcher and evaluator need them. */
import { keys } from '../contracts/object-keys.ts';
import { readCursors, type StoredCursor } from './cursor.ts';
import type { Clock, EventLog, ObjectStore, PartitionState } from './ports.ts';
import { type PartitionProgress, partitionProgress, throughOf } from './progress.ts';

export interface LogView {
  readonly now: number;
  readonly progress: readonly PartitionProgress[];
  /** All records appended before this are profiled, milliseconds. */
  readonly through: number;
  readonly cursors: readonly StoredCursor[];
}

/** Which partitions the log has and how far they reach, at one moment. */
export interface LogHeads {
  readonly now: number;
  readonly identity: string;
  readonly partitions: readonly PartitionState[];
}

export async function readHeads({ clock, log }: { readonly clock: Clock; readonly log: EventLog }): Promise<LogHeads> {
  const now = clock.now();
  return { now, identity: await log.identity(), partitions: await log.partitions() };
}

/**
 * Clock, partitions, cursors: in this order nothing that was appended before `now` is missed. Heads that were read before serve as well:
 * what is known to be profiled is then a little less than what is.
 */
export async function viewLog(
  ports: { readonly clock: Clock; readonly log: EventLog; readonly store: ObjectStore },
  settleMs: number,
  heads?: LogHeads,
): Promise<LogView> {
  const { now, identity, partitions } = heads ?? (await readHeads(ports));
  const cursors = await readCursors(ports.store);
  const byKey = new Map(cursors.map(({ key, cursor }) => [key, cursor]));
  const progress = partitionProgress(partitions, (id) => byKey.get(keys.cursor(identity, id)), now, settleMs);
  return { now, progress, through: throughOf(progress, now), cursors };
}
