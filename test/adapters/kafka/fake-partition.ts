/** One partition as a broker answers for it: offsets, retention, an end. */
import type { FetchedPartition } from '../../../lib/adapters/kafka/batch-records.ts';
import { OutOfRangeError } from '../../../lib/adapters/kafka/out-of-range.ts';
import type { PartitionSource } from '../../../lib/adapters/kafka/partition-reader.ts';

interface Stored {
  readonly offset: number;
  readonly value: string | null;
}

export class FakePartition implements PartitionSource {
  first = 0;
  end = 0;
  /** Records of one answer. */
  batch = 3;
  fetches = 0;
  failure: Error | null = null;
  /** `null`: a marker of a transaction. */
  readonly #stored: Stored[] = [];

  append(...values: (string | null)[]): void {
    for (const value of values) this.#stored.push({ offset: this.end++, value });
  }

  async bounds(): Promise<{ first: number; end: number }[]> {
    return [{ first: this.first, end: this.end }];
  }

  async fetch(_partition: number, offset: number): Promise<FetchedPartition> {
    this.fetches++;
    await new Promise<void>((later) => setImmediate(later));
    if (this.failure !== null) throw this.failure;
    if (offset < this.first || offset > this.end) throw new OutOfRangeError('out of range');
    const found = this.#stored.filter((one) => one.offset >= offset && one.offset >= this.first).slice(0, this.batch);
    const end = BigInt(this.end);
    return {
      highWatermark: end,
      lastStableOffset: end,
      logStartOffset: BigInt(this.first),
      abortedTransactions: [],
      records: found.map(({ offset: at, value }) => ({
        firstOffset: BigInt(at),
        lastOffsetDelta: 0,
        attributes: value === null ? 8 | 32 : 8,
        maxTimestamp: BigInt(1_000 + at),
        producerId: -1n,
        records: [{ offsetDelta: 0, key: Buffer.from([0, 0, 0, 1]), value: Buffer.from(value ?? '') }],
      })),
    };
  }
}
