import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadReader } from '../../../lib/adapters/kafka/head-reader.ts';
import { PartitionReader, type ReadAhead } from '../../../lib/adapters/kafka/partition-reader.ts';
import type { Position } from '../../../lib/pipeline/ports.ts';
import { FakePartition } from './fake-partition.ts';

const WIDE = { records: 1_000, bytes: 1 << 20 };

function readerOf(source: FakePartition, after: Position | null = null, ahead: ReadAhead = { most: 1 << 20, kept: 0 }) {
  return new PartitionReader(source, 'kafka topic', 0, after, ahead);
}

const positions = (result: { readonly records: readonly { readonly position: Position }[] }): number[] =>
  result.records.map(({ position }) => Number(position));

describe('a reader of a partition', () => {
  it('gives every record once, in order, whatever is asked for at once and whatever is no event', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.string({ maxLength: 5 })), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (values, batch, records, hasNoRoom) => {
          const source = new FakePartition();
          source.batch = batch;
          source.append(...values);
          const ahead = { most: hasNoRoom ? 0 : 1 << 20, kept: 0 };
          const reader = readerOf(source, null, ahead);
          const seen: number[] = [];
          for (;;) {
            const result = await reader.read({ records, bytes: 1 << 20 });
            expect(result.gap).toBeNull();
            if (result.records.length === 0) break;
            expect(result.records.length).toBeLessThanOrEqual(records);
            seen.push(...positions(result));
          }
          expect(seen).toEqual(values.flatMap((value, i) => (value === null ? [] : [i])));
          expect(ahead.kept).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sees what is appended after it came to the end', async () => {
    const source = new FakePartition();
    const reader = readerOf(source);
    expect(positions(await reader.read(WIDE))).toEqual([]);
    source.append('a', null, 'b');
    expect(positions(await reader.read(WIDE))).toEqual([0, 2]);
    source.append('c');
    expect(positions(await reader.read(WIDE))).toEqual([3]);
    expect(reader.continues('3')).toBe(true);
    expect(reader.continues('2')).toBe(false);
  });

  it('begins after a position with the time of the record before', async () => {
    const source = new FakePartition();
    source.append('a', 'b', 'c');
    const { records, gap } = await readerOf(source, '0').read(WIDE);
    expect(records.map(({ position, appendTime }) => [position, appendTime])).toEqual([
      ['1', 1_001],
      ['2', 1_002],
    ]);
    expect(gap).toBeNull();
  });

  it('tells what retention took, once, and only what it took', async () => {
    const source = new FakePartition();
    source.append(...'abcdefgh');
    source.first = 5;
    const reader = readerOf(source, '1');
    const result = await reader.read({ records: 1, bytes: 1 << 20 });
    expect(result.gap).toEqual({ after: '1', first: '5' });
    expect((await reader.read(WIDE)).gap).toBeNull();
    // The record before the first one kept is gone, and nothing between.
    expect(await readerOf(source, '4').read(WIDE)).toMatchObject({ gap: null });
    expect((await readerOf(source, null).read(WIDE)).gap).toBeNull();
  });

  it('tells a gap that comes while it reads', async () => {
    const source = new FakePartition();
    source.append(...'abc');
    const reader = readerOf(source);
    expect(positions(await reader.read(WIDE))).toEqual([0, 1, 2]);
    source.append(...'defgh');
    source.first = 6;
    const { records, gap } = await reader.read(WIDE);
    expect(gap).toEqual({ after: '2', first: '6' });
    expect(positions({ records })).toEqual([6, 7]);
  });

  it('waits where all is gone, and says so when the log is shorter than what was read', async () => {
    const source = new FakePartition();
    source.append(...'abcdef');
    source.first = 6;
    expect(await readerOf(source, '2').read(WIDE)).toEqual({ records: [], gap: null });
    await expect(readerOf(source, '9').read(WIDE)).rejects.toThrow(/read up to offset 9, but the log ends at 6/);
    await expect(readerOf(source, '6').read(WIDE)).rejects.toThrow(/the log ends at 6/);
  });

  it('goes on after a failure', async () => {
    const source = new FakePartition();
    source.append('a', 'b');
    const reader = readerOf(source);
    source.failure = new Error('away');
    await expect(reader.read(WIDE)).rejects.toThrow('away');
    source.failure = null;
    expect(positions(await reader.read(WIDE))).toEqual([0, 1]);
  });

  it('fetches ahead as far as there is room', async () => {
    for (const [most, fetches] of [
      [0, 1],
      [1 << 20, 2],
    ] as const) {
      const source = new FakePartition();
      source.batch = 2;
      source.append(...'abcdefgh');
      const ahead = { most, kept: 0 };
      const reader = readerOf(source, null, ahead);
      await reader.read({ records: 2, bytes: 1 << 20 });
      for (let i = 0; i < 5; i++) await new Promise<void>((later) => setImmediate(later));
      expect(source.fetches).toBe(fetches);
      expect(ahead.kept).toBe(most === 0 ? 0 : 2);
      reader.drop();
      expect(ahead.kept).toBe(0);
    }
  });
});

describe('the head of a partition', () => {
  const head = (source: FakePartition) => new HeadReader(source).head(0, source.first, source.end);

  it('is the newest event, not what ends a transaction', async () => {
    const source = new FakePartition();
    expect(await head(source)).toBeNull();
    source.append(null, null);
    expect(await head(source)).toBeNull();
    source.append('a', ...Array.from({ length: 25 }, () => null));
    expect(await head(source)).toEqual({ offset: 2, time: 1_002 });
    source.append('b');
    expect(await head(source)).toEqual({ offset: 28, time: 1_028 });
  });

  it('stays when retention took everything', async () => {
    const source = new FakePartition();
    source.append('a', 'b');
    source.first = 2;
    expect(await head(source)).toEqual({ offset: 1, time: null });
  });

  it('is asked for again only when the end has moved', async () => {
    const source = new FakePartition();
    source.append('a');
    const heads = new HeadReader(source);
    await heads.head(0, 0, 1);
    const before = source.fetches;
    await heads.head(0, 0, 1);
    expect(source.fetches).toBe(before);
  });
});
