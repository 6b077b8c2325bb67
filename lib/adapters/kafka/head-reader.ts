/**
 * The newest record of a partition. Where the log ends is asked of the broker; whether an event stands there is not told: the end may
 * be a marker of a transaction, or what was given up with one.
 */
import { decodePartition } from './batch-records.ts';
import { OutOfRangeError } from './out-of-range.ts';
import type { PartitionSource } from './partition-reader.ts';

export interface Head {
  readonly offset: number;
  /** When it was appended, milliseconds since 1970; `null` when it is not kept any more, or not yet visible. */
  readonly time: number | null;
}

/** Offsets looked at first, before the end; ten times as many with each further look. */
const BACK = 1;
const FETCH_BYTES = 1_048_576;

export class HeadReader {
  readonly #source: PartitionSource;
  /** Of each partition: what was found for an end. */
  readonly #known = new Map<number, { readonly end: number; readonly head: Head | null }>();
  readonly #times = new Map<number, number>();

  constructor(source: PartitionSource) {
    this.#source = source;
  }

  /** @returns `null` when there never was an event, as far as can be told */
  async head(partition: number, first: number, end: number): Promise<Head | null> {
    if (end === 0) return null;
    const known = this.#known.get(partition);
    if (known?.end === end) return known.head;
    if (first >= end) return { offset: end - 1, time: null };
    for (let back = BACK; ; back *= 10) {
      const from = Math.max(first, end - back);
      const found = await this.#newest(partition, from, end);
      if (found === 'open') return { offset: end - 1, time: this.#times.get(partition) ?? null };
      if (found === null && from > first) continue;
      this.#known.set(partition, { end, head: found });
      return found;
    }
  }

  /** The newest event in [from, end); `open` while a transaction is, whose end decides what is visible. */
  async #newest(partition: number, from: number, end: number): Promise<Head | 'open' | null> {
    let newest: Head | null = null;
    for (let at = from; at < end; ) {
      let fetched: Awaited<ReturnType<PartitionSource['fetch']>>;
      try {
        fetched = await this.#source.fetch(partition, at, FETCH_BYTES);
      } catch (error) {
        // Retention was quicker: all of it is gone.
        if (error instanceof OutOfRangeError) return { offset: end - 1, time: null };
        throw error;
      }
      const decoded = decodePartition(fetched, at, this.#times.get(partition) ?? 0);
      const last = decoded.records.findLast(({ position }) => Number(position) < end);
      if (last !== undefined) {
        newest = { offset: Number(last.position), time: last.appendTime };
        this.#times.set(partition, last.appendTime);
      }
      // Times set by producers make no events here, and reading says so.
      if (decoded.timedByProducer !== null) return { offset: end - 1, time: null };
      if (Number(fetched.lastStableOffset) < end) return 'open';
      if (decoded.next === at) break;
      at = decoded.next;
    }
    return newest;
  }
}
