/** From the indexes and numbers of the files to the ids and texts of the port. */
import type { PartitionState, Position } from '../../pipeline/ports.ts';
import type { PartitionEntry } from '../partition-table.ts';
import type { Segment } from './segment.ts';
import type { Heads } from './segment-format.ts';

export function partitionStates(
  table: readonly PartitionEntry[],
  heads: Heads,
  oldest: Segment | undefined,
): PartitionState[] {
  return table.map((entry, i) => {
    const next = heads.next[i] ?? 0;
    const time = heads.time[i] ?? Number.NaN;
    const first = oldest?.head.heads.next[i] ?? 0;
    return {
      id: entry.id,
      parents: entry.parents,
      closed: entry.closed,
      first: first < next ? String(first) : null,
      head: next > 0 ? String(next - 1) : null,
      headAppendTime: Number.isNaN(time) ? null : time,
    };
  });
}

export function partitionIndex(table: readonly PartitionEntry[], partition: string): number {
  const index = table.findIndex((entry) => entry.id === partition);
  if (index === -1) {
    const known = table.map((entry) => entry.id).join(', ');
    throw new RangeError(`partition ${partition}: unknown; expected one of ${known}`);
  }
  return index;
}

export function positionNumber(position: Position): number {
  const number = /^\d{1,16}$/.test(position) ? Number(position) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw new RangeError(
      `position ${JSON.stringify(position)}: not of this log; expected a whole number; read from null to begin again`,
    );
  }
  return number;
}
