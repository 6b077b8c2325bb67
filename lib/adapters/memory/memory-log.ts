/**
 * An event log in memory: for tests and for replays that need no durability.
 * Time is the caller's clock, so append times can be set; partitions can be split, merged and trimmed; the log can be
 * recreated with a new identity.
 */
import { randomUUID } from 'node:crypto';
import type { Clock, EventLog, LogRecord, PartitionState, Position, ReadResult } from '../../pipeline/ports.ts';
import { comparePositions } from '../../pipeline/ports.ts';
import {
  initialPartitions,
  mergePartitions,
  type PartitionEntry,
  routeKey,
  splitPartition,
} from '../partition-table.ts';

export interface MemoryLogOptions {
  readonly clock: Clock;
  /** @default 1 */
  readonly partitions?: number;
  /** @default a random UUID */
  readonly identity?: string;
  /** Position of the first record of every partition, as Kinesis begins beyond 2^53. @default 0 */
  readonly firstPosition?: bigint;
  /** Distance between neighbouring positions; above 1 positions are not contiguous. @default 1 */
  readonly stride?: bigint;
}

interface Partition {
  records: LogRecord[];
  next: bigint;
  head: Position | null;
  headAppendTime: number | null;
  /** Newest position lost to retention. */
  trimmed: Position | null;
}

export class MemoryLog implements EventLog {
  readonly #options: MemoryLogOptions;
  #identity: string;
  #table: PartitionEntry[];
  #partitions: Partition[];

  constructor(options: MemoryLogOptions) {
    this.#options = options;
    this.#identity = options.identity ?? randomUUID();
    this.#table = initialPartitions(options.partitions ?? 1);
    this.#partitions = this.#table.map(() => this.#emptyPartition());
  }

  async identity(): Promise<string> {
    return this.#identity;
  }

  async partitions(): Promise<PartitionState[]> {
    return this.#table.map((entry, i) => {
      const partition = this.#at(i);
      return {
        id: entry.id,
        parents: entry.parents,
        closed: entry.closed,
        first: partition.records[0]?.position ?? null,
        head: partition.head,
        headAppendTime: partition.headAppendTime,
      };
    });
  }

  async read(
    partition: string,
    after: Position | null,
    limit: { readonly records: number; readonly bytes: number },
  ): Promise<ReadResult> {
    const { records, trimmed } = this.#at(this.#indexOf(partition));
    const start = after === null ? 0 : firstAfter(records, after);
    const taken: LogRecord[] = [];
    let bytes = 0;
    for (let i = start; i < records.length && taken.length < Math.max(1, limit.records); i++) {
      const record = records[i] as LogRecord;
      if (taken.length > 0 && bytes + record.data.byteLength > limit.bytes) break;
      taken.push(record);
      bytes += record.data.byteLength;
    }
    const first = taken[0]?.position;
    const lost = after !== null && trimmed !== null && comparePositions(after, trimmed) < 0;
    return { records: taken, gap: lost && first !== undefined ? { after, first } : null };
  }

  async append(
    records: readonly { readonly key: string; readonly data: Uint8Array }[],
  ): Promise<readonly { readonly partition: string; readonly position: Position }[]> {
    return records.map(({ key, data }) => {
      const index = routeKey(this.#table, key);
      return this.#push(index, data, this.#options.clock.now());
    });
  }

  /** Appends one record to a chosen open partition, at a chosen time (raised to the head's if that is later). */
  put(partition: string, data: Uint8Array, appendTime: number = this.#options.clock.now()): Position {
    const index = this.#indexOf(partition);
    if (this.#table[index]?.closed) throw new Error(`partition ${partition}: closed; put into an open one`);
    return this.#push(index, data, appendTime).position;
  }

  /** Closes a partition and opens two children. */
  split(partition: string): void {
    this.#change(splitPartition(this.#table, partition));
  }

  /** Closes two neighbours and opens one child. */
  merge(left: string, right: string): void {
    this.#change(mergePartitions(this.#table, left, right));
  }

  /** Retention: loses the records up to and including `through`. */
  trim(partition: string, through: Position): void {
    const state = this.#at(this.#indexOf(partition));
    const keep = firstAfter(state.records, through);
    const last = state.records[keep - 1];
    if (last === undefined) return;
    state.trimmed = last.position;
    state.records = state.records.slice(keep);
  }

  /** Deletes everything and begins again: another identity, positions from the start, the first number of partitions. */
  recreate(identity: string = randomUUID()): void {
    this.#identity = identity;
    this.#table = initialPartitions(this.#options.partitions ?? 1);
    this.#partitions = this.#table.map(() => this.#emptyPartition());
  }

  #push(index: number, data: Uint8Array, time: number): { partition: string; position: Position } {
    const partition = this.#at(index);
    const position = partition.next.toString();
    const appendTime = Math.max(time, partition.headAppendTime ?? Number.NEGATIVE_INFINITY);
    partition.next += this.#options.stride ?? 1n;
    partition.head = position;
    partition.headAppendTime = appendTime;
    partition.records.push({ position, appendTime, data: Uint8Array.from(data) });
    return { partition: this.#table[index]?.id as string, position };
  }

  #change(table: PartitionEntry[]): void {
    this.#table = table;
    while (this.#partitions.length < table.length) this.#partitions.push(this.#emptyPartition());
  }

  #emptyPartition(): Partition {
    return {
      records: [],
      next: this.#options.firstPosition ?? 0n,
      head: null,
      headAppendTime: null,
      trimmed: null,
    };
  }

  #at(index: number): Partition {
    return this.#partitions[index] as Partition;
  }

  #indexOf(partition: string): number {
    const index = this.#table.findIndex((entry) => entry.id === partition);
    if (index === -1) throw new RangeError(`partition ${partition}: unknown; list them with partitions()`);
    return index;
  }
}

/** Index of the first record above a position. */
function firstAfter(records: readonly LogRecord[], after: Position): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePositions((records[middle] as LogRecord).position, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
