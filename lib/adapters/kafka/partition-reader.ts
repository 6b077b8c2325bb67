/**
 * Reads one partition forward on behalf of one reader: what was fetched and not yet asked for is kept, and more is fetched while the
 * caller works on what it got.
 */
import { type LogRecord, type Position, type ReadResult, TransientError } from '../../pipeline/ports.ts';
import { type Decoded, decodePartition, type FetchedPartition } from './batch-records.ts';
import { KafkaFault } from './kafka-error.ts';
import { OutOfRangeError } from './out-of-range.ts';

/** What it reads from. */
export interface PartitionSource {
  /** @throws OutOfRangeError when the offset is before the first one kept or after the end */
  fetch(partition: number, offset: number, bytes: number): Promise<FetchedPartition>;
  bounds(): Promise<readonly { readonly first: number; readonly end: number }[]>;
}

/** Bytes of records that all readers of a log together keep ahead. */
export interface ReadAhead {
  readonly most: number;
  kept: number;
}

/** Bytes asked for at once. */
const FETCH_BYTES = 4 * 1_048_576;

export class PartitionReader {
  readonly #source: PartitionSource;
  readonly #name: string;
  readonly #partition: number;
  readonly #ahead: ReadAhead;
  /** Offset of the newest record given; -1 before the first. */
  #after: number;
  /** Offset at which the next fetch begins. */
  #from: number;
  /** Fetched, and from `#taken` on not yet given. */
  #kept: readonly LogRecord[] = [];
  #taken = 0;
  #keptBytes = 0;
  /** Append time of the newest record fetched. */
  #time = 0;
  #atEnd = false;
  #hasGap = false;
  #pending: Promise<void> | null = null;

  /** @param name of the topic, for messages */
  constructor(source: PartitionSource, name: string, partition: number, after: Position | null, ahead: ReadAhead) {
    this.#source = source;
    this.#name = name;
    this.#partition = partition;
    this.#ahead = ahead;
    this.#after = offsetOf(after);
    // The record before is fetched too: its time is what the next one may not be below.
    this.#from = Math.max(0, this.#after);
  }

  /** Whether a read after this position goes on where the last one ended. */
  continues(after: Position | null): boolean {
    return this.#after === offsetOf(after);
  }

  async read(limit: { readonly records: number; readonly bytes: number }): Promise<ReadResult> {
    const after = this.#after;
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let hasLooked = false; ; ) {
      let isFull = false;
      for (; this.#taken < this.#kept.length; this.#taken++) {
        const record = this.#kept[this.#taken] as LogRecord;
        const size = record.data.byteLength;
        isFull = records.length >= limit.records || (records.length > 0 && bytes + size > limit.bytes);
        if (isFull) break;
        records.push(record);
        bytes += size;
      }
      if (isFull || records.length >= limit.records || (this.#atEnd && (hasLooked || records.length > 0))) break;
      // What somebody else began to fetch may be older than this call.
      const isMine = this.#pending === null;
      await this.#fill();
      hasLooked ||= isMine;
    }
    this.#keep(-bytes);
    const [first] = records;
    if (first === undefined) return { records, gap: null };
    this.#after = Number(records.at(-1)?.position);
    const gap = this.#hasGap && after >= 0 ? { after: String(after), first: first.position } : null;
    this.#hasGap = false;
    if (!this.#atEnd && this.#ahead.kept < this.#ahead.most) void this.#fill().catch(() => undefined);
    return { records, gap };
  }

  /** Gives back what it keeps; it is of no use afterwards. */
  drop(): void {
    this.#keep(-this.#keptBytes);
    this.#kept = [];
    this.#taken = 0;
  }

  #keep(bytes: number): void {
    this.#keptBytes += bytes;
    this.#ahead.kept += bytes;
  }

  /** Fetches once; who comes meanwhile waits for the same. */
  #fill(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    const from = this.#from;
    let fetched: FetchedPartition;
    try {
      fetched = await this.#source.fetch(this.#partition, from, FETCH_BYTES);
    } catch (error) {
      if (!(error instanceof OutOfRangeError)) throw error;
      return this.#jump(from, error);
    }
    const end = Number(fetched.highWatermark);
    if (end <= this.#after) throw this.#shortened(end);
    const decoded = decodePartition(fetched, from, this.#time);
    if (decoded.timedByProducer !== null) throw this.#timedByProducer(decoded.timedByProducer);
    this.#add(decoded);
    this.#from = decoded.next;
    this.#atEnd = decoded.next === from || decoded.next >= Math.min(end, Number(fetched.lastStableOffset));
  }

  #add({ records, bytes }: Decoded): void {
    const last = records.at(-1);
    if (last === undefined) return;
    this.#time = last.appendTime;
    const begin = records.findIndex(({ position }) => Number(position) > this.#after);
    const fresh = begin < 0 ? [] : records.slice(begin);
    this.#kept = this.#kept.slice(this.#taken).concat(fresh);
    this.#taken = 0;
    const dropped = records.slice(0, records.length - fresh.length);
    this.#keep(bytes - dropped.reduce((sum, { data }) => sum + data.byteLength, 0));
  }

  /** Retention took what would be read next: goes on at the first record kept. */
  async #jump(from: number, error: OutOfRangeError): Promise<void> {
    const bounds = (await this.#source.bounds())[this.#partition];
    if (bounds === undefined)
      throw new TransientError(`${this.#name}: no partition ${this.#partition}`, { cause: error });
    if (bounds.end <= this.#after) throw this.#shortened(bounds.end);
    if (bounds.first < from) throw new TransientError(`${this.#name}: ${error.message}`, { cause: error });
    this.#hasGap ||= bounds.first > this.#after + 1;
    this.#from = bounds.first;
    this.#atEnd = bounds.first >= bounds.end;
  }

  #shortened(end: number): Error {
    return new TransientError(
      `${this.#name} partition ${this.#partition}: read up to offset ${this.#after}, but the log ends at ${end}; this passes when a new leader has caught up, ` +
        'else the broker lost records (unclean.leader.election.enable must be false): then make the topic anew',
    );
  }

  #timedByProducer(offset: number): Error {
    return new KafkaFault(
      `${this.#name} partition ${this.#partition}: the time at offset ${offset} was set by its producer, so it says nothing about arrival; ` +
        'set message.timestamp.type=LogAppendTime on the topic (kafka-configs --alter) and let retention remove what is older, or use a new topic',
    );
  }
}

function offsetOf(position: Position | null): number {
  return position === null ? -1 : Number(position);
}
