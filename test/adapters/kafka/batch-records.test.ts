import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePartition,
  type FetchedBatch,
  type FetchedPartition,
} from '../../../lib/adapters/kafka/batch-records.ts';

const [BY_BROKER, TRANSACTIONAL, CONTROL] = [8, 16, 32] as const;

function batch(first: number, values: readonly string[], change: Partial<FetchedBatch> = {}): FetchedBatch {
  return {
    firstOffset: BigInt(first),
    lastOffsetDelta: values.length - 1,
    attributes: BY_BROKER,
    maxTimestamp: 1_000n,
    producerId: -1n,
    records: values.map((value, offsetDelta) => ({ offsetDelta, key: null, value: Buffer.from(value) })),
    ...change,
  };
}

/** What ends a transaction: 0 gives it up, 1 commits it. */
function marker(first: number, producerId: bigint, kind: 0 | 1): FetchedBatch {
  const records = [{ offsetDelta: 0, key: Buffer.from([0, 0, 0, kind]), value: Buffer.alloc(6) }];
  return { ...batch(first, ['']), attributes: BY_BROKER | TRANSACTIONAL | CONTROL, producerId, records };
}

function fetched(records: readonly FetchedBatch[], change: Partial<FetchedPartition> = {}): FetchedPartition {
  const end = 1_000n;
  return { highWatermark: end, lastStableOffset: end, logStartOffset: 0n, abortedTransactions: [], records, ...change };
}

const texts = (records: readonly { readonly data: Uint8Array }[]): string[] =>
  records.map(({ data }) => Buffer.from(data).toString());

describe('records of a fetched partition', () => {
  it('begin at the offset asked for, in the middle of a batch too', () => {
    const { records, next } = decodePartition(fetched([batch(10, ['a', 'b', 'c']), batch(13, ['d'])]), 11, 0);
    expect(records.map(({ position }) => position)).toEqual(['11', '12', '13']);
    expect(texts(records)).toEqual(['b', 'c', 'd']);
    expect(next).toBe(14);
  });

  it('have offsets beyond 2^32 and gaps where a topic was compacted', () => {
    const far = 2 ** 40;
    const { records, next } = decodePartition(fetched([batch(far, ['a']), batch(far + 7, ['b'])]), far, 0);
    expect(records.map(({ position }) => position)).toEqual([String(far), String(far + 7)]);
    expect(next).toBe(far + 8);
  });

  it('never go back in time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { minLength: 1, maxLength: 20 }), fc.nat(5_000), (times, floor) => {
        const batches = times.map((time, i) => batch(i, ['x'], { maxTimestamp: BigInt(time) }));
        const { records } = decodePartition(fetched(batches), 0, floor);
        let most = floor;
        expect(records.map(({ appendTime }) => appendTime)).toEqual(
          times.map((time) => {
            most = Math.max(most, time);
            return most;
          }),
        );
      }),
    );
  });

  it('are those of transactions that were committed alone', () => {
    const [given, kept] = [7n, 8n];
    const inTransaction = (first: number, values: string[], producerId: bigint): FetchedBatch =>
      batch(first, values, { attributes: BY_BROKER | TRANSACTIONAL, producerId });
    const batches = [
      inTransaction(0, ['given 1', 'given 2'], given),
      inTransaction(2, ['kept'], kept),
      marker(3, given, 0),
      marker(4, kept, 1),
      inTransaction(5, ['later'], given),
      marker(6, given, 1),
    ];
    const { records, next } = decodePartition(
      fetched(batches, { abortedTransactions: [{ producerId: given, firstOffset: 0n }] }),
      0,
      0,
    );
    expect(texts(records)).toEqual(['kept', 'later']);
    expect(next).toBe(7);
  });

  it('go on after what holds no event', () => {
    expect(decodePartition(fetched([marker(5, 1n, 1)]), 5, 0)).toMatchObject({ records: [], next: 6 });
    expect(decodePartition(fetched([]), 5, 0)).toMatchObject({ records: [], next: 5 });
    expect(decodePartition(fetched([], { records: undefined }), 5, 0)).toMatchObject({ records: [], next: 5 });
  });

  it('are refused where a producer set the time', () => {
    const decoded = decodePartition(fetched([batch(0, ['a']), batch(1, ['b'], { attributes: 0 })]), 0, 0);
    expect(decoded.timedByProducer).toBe(1);
    expect(texts(decoded.records)).toEqual(['a']);
  });
});
