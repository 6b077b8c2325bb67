/** The log and its cursors, read once, as dispatcher and evaluator need them. */
import { keys } from '../contracts/object-keys.ts';
import { readCursors, type StoredCursor } from './cursor.ts';
import type { Clock, EventLog, ObjectStore } from './ports.ts';
import { type PartitionProgress, partitionProgress, throughOf } from './progress.ts';

export interface LogView {
  readonly now: number;
  readonly progress: readonly PartitionProgress[];
  /** All records appended before this are profiled, milliseconds. */
  readonly through: number;
  readonly cursors: readonly StoredCursor[];
}

/** Clock, partitions, cursors: in this order nothing that was appended before `now` is missed. */
export async function viewLog(
  { clock, log, store }: { readonly clock: Clock; readonly log: EventLog; readonly store: ObjectStore },
  settleMs: number,
): Promise<LogView> {
  const now = clock.now();
  const identity = await log.identity();
  const partitions = await log.partitions();
  const cursors = await readCursors(store);
  const byKey = new Map(cursors.map(({ key, cursor }) => [key, cursor]));
  const progress = partitionProgress(partitions, (id) => byKey.get(keys.cursor(identity, id)), now, settleMs);
  return { now, progress, through: throughOf(progress, now), cursors };
}
