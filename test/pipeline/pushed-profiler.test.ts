/** Batches as a log pushes them: overlapping, missing, repeated, out of order. Each record counts once; holes stay open for a redrive. */
import { describe, expect, it } from 'vitest';
import { keys } from '../../lib/contracts/object-keys.ts';
import { rangeOf } from '../../lib/pipeline/committed-ranges.ts';
import { CURSOR_LIMITS, changeCursor, cursorBytes, readCursor } from '../../lib/pipeline/cursor.ts';
import { type LogRecord, TransientError } from '../../lib/pipeline/ports.ts';
import { PushedProfiler, type PushedProfilerOptions } from '../../lib/pipeline/pushed-profiler.ts';
import { cleanUpRanges, olderRanges, RANGE_LIMITS } from '../../lib/pipeline/range-store.ts';
import { HOUR, monitorOf, Platform, seeded, T0, World } from './simulation.ts';

const KEY = keys.cursor('log-1', 'p0');
const FIRST = 10n ** 55n;
const STRIDE = 10n ** 9n;

async function worldOf(change: Partial<PushedProfilerOptions> = {}) {
  const world = new World({ log: { firstPosition: FIRST, stride: STRIDE } });
  await world.declare('m');
  const platform = new Platform(world);
  let reads = 0;
  const log: PushedProfilerOptions['log'] = {
    identity: () => world.log.identity(),
    read: (...of) => {
      reads++;
      return world.log.read(...of);
    },
  };
  const options = { log, store: world.store, clock: world.clock, registry: platform.registry };
  const profiler = new PushedProfiler({ ...options, relieve: (key) => platform.grains.relieve(key), ...change });
  /** Appends records of one event each and returns them. */
  const append = async (count: number, at = world.clock.now()): Promise<readonly LogRecord[]> => {
    const before = (await world.log.partitions())[0]?.head ?? null;
    for (let i = 0; i < count; i++)
      world.append(
        'p0',
        [
          {
            id: `e-${before}-${i}`,
            type: 'inference',
            model: 'm',
            version: '1',
            time: new Date(at).toISOString(),
            numeric: { amount: 15 },
            categorical: { kind: 'a' },
          },
        ],
        at,
      );
    return (await world.log.read('p0', before, { records: 1_000_000, bytes: 1 << 30 })).records;
  };
  const take = (records: readonly LogRecord[]) => profiler.take({ partition: 'p0', records });
  const cursor = async () => (await readCursor(world.store, KEY)).cursor;
  const received = async () => (await cursor()).totals.received;
  return { world, platform, profiler, append, take, cursor, received, reads: () => reads, options };
}

describe('pushed batches', () => {
  it('make one range while they follow one another, with one short read each', async () => {
    const { append, take, cursor, reads } = await worldOf();
    for (let i = 0; i < 10; i++)
      expect(await take(await append(5))).toEqual({ records: 5, known: 0, unprocessed: null, failure: null });
    const { ranges, position, totals } = await cursor();
    expect(ranges).toHaveLength(1);
    expect(ranges[0]?.[1]).toBe(position);
    expect(totals.received).toBe(50);
    expect(reads()).toBe(9);
  });

  it('count nothing twice, however they are cut and ordered', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const { append, take, cursor } = await worldOf();
      const all = await append(40);
      const counted = new Set<string>();
      for (let i = 0; i < 12; i++) {
        const from = Math.floor(random() * 40);
        const batch = all.slice(from, from + 1 + Math.floor(random() * 15));
        const fresh = batch.filter(({ position }) => !counted.has(position)).length;
        expect(await take(batch)).toMatchObject({ records: fresh, known: batch.length - fresh, unprocessed: null });
        for (const { position } of batch) counted.add(position);
      }
      const { ranges, totals } = await cursor();
      expect(totals.received).toBe(counted.size);
      for (const { position } of all) expect(rangeOf(ranges, position) !== null).toBe(counted.has(position));
    }
  });

  it('leave a hole where one was given up, and close it when that is redriven', async () => {
    const { append, take, cursor, received } = await worldOf();
    await take(await append(3));
    const lost = await append(4);
    await take(await append(3));
    let { ranges } = await cursor();
    expect(ranges).toHaveLength(2);
    expect(lost.some(({ position }) => rangeOf(ranges, position) !== null)).toBe(false);
    // In two parts, the later one first.
    expect(await take(lost.slice(2))).toMatchObject({ records: 2, known: 0 });
    expect(await take(lost.slice(0, 2))).toMatchObject({ records: 2, known: 0 });
    ({ ranges } = await cursor());
    expect(ranges).toHaveLength(1);
    expect(await received()).toBe(10);
    expect(await take(lost)).toMatchObject({ records: 0, known: 4 });
    expect(await received()).toBe(10);
  });

  it('keep the hole of records that retention took from the log', async () => {
    const { world, append, take, cursor, received } = await worldOf();
    const first = await append(3);
    await take(first);
    const lost = await append(4);
    world.clock.set(T0 + 20 * HOUR);
    const later = await append(3);
    world.log.trim('p0', lost.at(-1)?.position ?? '');
    await take(later);
    expect((await cursor()).ranges).toHaveLength(2);
    expect(await take(lost)).toMatchObject({ records: 4 });
    expect(await received()).toBe(10);
  });

  it('keep a hole when the log cannot be asked', async () => {
    const world = await worldOf();
    const read = () => Promise.reject(new TransientError('throttled'));
    const profiler = new PushedProfiler({
      ...world.options,
      log: { identity: () => world.world.log.identity(), read },
    });
    for (let i = 0; i < 3; i++) {
      const outcome = await profiler.take({ partition: 'p0', records: await world.append(2) });
      expect(outcome).toMatchObject({ records: 2, failure: null });
    }
    expect((await world.cursor()).ranges).toHaveLength(3);
  });

  it('never joins ranges of another log of the same name', async () => {
    const { append, profiler, options } = await worldOf();
    const records = await append(6);
    const old = (from: number, to: number) =>
      profiler.take({ partition: 'p0', identity: 'log-0', records: records.slice(from, to) });
    await old(0, 2);
    await old(2, 4);
    const { cursor } = await readCursor(options.store, keys.cursor('log-0', 'p0'));
    expect(cursor.ranges).toHaveLength(2);
  });

  it('stay within the cursor for weeks of batches that cannot be joined, and forget none', async () => {
    const { world, platform, append, take, cursor, options } = await worldOf();
    const profiler = new PushedProfiler({
      ...options,
      relieve: (key) => platform.grains.relieve(key),
      log: { identity: () => world.log.identity(), read: () => Promise.reject(new TransientError('throttled')) },
    });
    const all: LogRecord[] = [];
    for (let i = 0; i < 300; i++) {
      const records = await append(2);
      all.push(...records);
      await profiler.take({ partition: 'p0', records: records.slice(0, 1) });
    }
    const { ranges, older, ...rest } = await cursor();
    expect(ranges.length).toBeLessThanOrEqual(RANGE_LIMITS.inCursor + 1);
    expect(cursorBytes({ ranges, older, ...rest }).byteLength).toBeLessThan(CURSOR_LIMITS.bytes);
    expect((await olderRanges(world.store, older)).length + ranges.length).toBe(300);
    // Every committed record is known, every other one is not, and is taken once.
    expect(await take(all)).toMatchObject({ records: 300, known: 300 });
    expect(await take(all)).toMatchObject({ records: 0, known: 600 });
    const named = (await cursor()).older;
    world.clock.set(world.clock.now() + 26 * HOUR);
    expect(await cleanUpRanges(world.store, world.clock)).toBeGreaterThan(3);
    expect(await world.store.list('ranges/')).toEqual([named]);
  });

  it('goes on with fewer records when they do not fit into the cursor', async () => {
    const { world, platform, options, received } = await worldOf();
    await world.declare('old', {
      monitor: monitorOf('old', { window: { every: '1h', lateness: '30m', revise: '300d' } }),
    });
    for (let i = 0; i < 60; i++)
      world.append(
        'p0',
        Array.from({ length: 60 }, (_, j) => ({
          id: `${i}-${j}`,
          type: 'inference',
          model: 'old',
          version: '1',
          time: new Date(T0 - (i * 60 + j) * HOUR).toISOString(),
        })),
        T0 + 1_000,
      );
    const { records } = await world.log.read('p0', null, { records: 1_000, bytes: 1 << 30 });
    const commits: number[] = [];
    let relieved = 0;
    const profiler = new PushedProfiler({
      ...options,
      relieve: (key) => {
        relieved++;
        return platform.grains.relieve(key);
      },
      onCommit: (commit) => commits.push(commit.records),
    });
    expect(await profiler.take({ partition: 'p0', records })).toMatchObject({ records: 60, failure: null });
    expect(await received()).toBe(3_600);
    expect(commits.length).toBeGreaterThan(2);
    expect(relieved).toBeGreaterThan(0);
  });

  it('stops in time and says where', async () => {
    const { append, profiler, received } = await worldOf();
    const records = await append(10);
    let asked = 0;
    const outcome = await profiler.take({ partition: 'p0', records, isLate: () => ++asked > 4 });
    expect(outcome.failure).toBeNull();
    expect(outcome.unprocessed).toBe(records[outcome.records]?.position);
    expect(outcome.records).toBeGreaterThan(0);
    expect(await received()).toBe(outcome.records);
    expect(await profiler.take({ partition: 'p0', records, isLate: () => true })).toMatchObject({
      records: 0,
      unprocessed: records[0]?.position,
    });
  });

  it('folds again when some of its records were committed meanwhile', async () => {
    const { world, append, options, take, received } = await worldOf();
    const records = await append(6);
    let isFirst = true;
    const store = {
      ...methodsOf(world.store),
      putIfAbsent: async (key: string, body: Uint8Array) => {
        if (key.startsWith('packs/') && isFirst) {
          isFirst = false;
          await take(records.slice(1, 3));
        }
        return world.store.putIfAbsent(key, body);
      },
    };
    const zombie = new PushedProfiler({ ...options, store });
    expect(await zombie.take({ partition: 'p0', records })).toMatchObject({ records: 4, known: 2, failure: null });
    expect(await received()).toBe(6);
  });

  it('says with which record it failed, and why', async () => {
    const { world, append, options } = await worldOf();
    const records = await append(3);
    const store = { ...methodsOf(world.store), putIfAbsent: () => Promise.reject(new TransientError('503')) };
    const failing = new PushedProfiler({ ...options, store });
    const outcome = await failing.take({ partition: 'p0', records });
    expect(outcome).toMatchObject({ records: 0, unprocessed: records[0]?.position });
    expect(outcome.failure).toBeInstanceOf(TransientError);
  });

  it('does not go on when the ranges that were moved out are gone', async () => {
    const { world, append, take } = await worldOf();
    const records = await append(1);
    await changeCursor(world.store, KEY, (cursor) => ({ ...cursor, epoch: 1, older: 'ranges/gone.json' }));
    expect(await take(records)).toMatchObject({
      records: 0,
      failure: { message: expect.stringContaining('restore it') },
    });
  });
});

function methodsOf(store: World['store']) {
  return {
    get: (key: string) => store.get(key),
    getRange: (key: string, start: number, end: number) => store.getRange(key, start, end),
    list: (prefix: string, options?: { after?: string; limit?: number }) => store.list(prefix, options),
    putIfAbsent: (key: string, body: Uint8Array) => store.putIfAbsent(key, body),
    putIfUnchanged: (key: string, body: Uint8Array, etag: string) => store.putIfUnchanged(key, body, etag),
    delete: (key: string) => store.delete(key),
  };
}
