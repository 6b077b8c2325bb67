import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Archiver } from '../../lib/pipeline/archiver.ts';
import { LagGauge, lagOf, type PartitionLag } from '../../lib/pipeline/consumer-lag.ts';
import { readCursors } from '../../lib/pipeline/cursor.ts';
import type { CaptureWriter, PartitionOwner, Position, Sample } from '../../lib/pipeline/ports.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { streamParts } from '../../lib/pipeline/stream-parts.ts';
import { countingJudge, finish, generate, HOUR, Platform, statistics, T0, World, wire } from './simulation.ts';

const PARTITIONS = ['p0', 'p1', 'p2'] as const;

class FakeOwner implements PartitionOwner {
  partitions: readonly string[] | null = [];
  problem: string | null = null;
  readonly told = new Map<string, Position | null>();

  owned(): readonly string[] | null {
    return this.partitions;
  }

  worked(partition: string, through: Position | null): void {
    this.told.set(partition, through);
  }
}

const signal = new AbortController().signal;

function member(world: World, onLag?: (lags: readonly PartitionLag[]) => void) {
  const owner = new FakeOwner();
  const { log, store, clock } = world;
  const registry = new Registry({ store, clock, cacheMs: 60_000 });
  const { profiler } = streamParts({ log, store, clock, registry, judge: countingJudge, records: 7, owner, onLag });
  return { owner, step: () => profiler.step(signal) };
}

async function worldWith(events: ReturnType<typeof generate>): Promise<World> {
  const world = new World({ partitions: PARTITIONS.length });
  await world.declare('m');
  for (const [i, event] of events.entries())
    world.append(PARTITIONS[event.partition % 3] as string, [wire(event, i)], event.appendTime);
  return world;
}

describe('profilers that share partitions', () => {
  it('count what one profiler counts, whoever owns what, however it overlaps', async () => {
    const events = generate(11, { count: 120 });
    const alone = await worldWith(events);
    await finish(alone, new Platform(alone), T0 + 48 * HOUR);
    const expected = statistics(await alone.results());

    const ownership = fc.array(fc.array(fc.subarray([...PARTITIONS]), { minLength: 3, maxLength: 3 }), {
      minLength: 4,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(ownership, async (rounds) => {
        let round = 0;
        const world = new World({ partitions: PARTITIONS.length });
        await world.declare('m');
        const members = [member(world), member(world), member(world)];
        for (const [i, event] of events.entries()) {
          world.append(PARTITIONS[event.partition % 3] as string, [wire(event, i)], event.appendTime);
          if (i % 10 !== 9) continue;
          for (const [at, { owner }] of members.entries()) owner.partitions = rounds[round % rounds.length]?.[at] ?? [];
          round++;
          // At once: they race for every partition that two of them own.
          await Promise.all(members.map(({ step }) => step()));
        }
        await finish(world, new Platform(world), T0 + 48 * HOUR);
        expect((await world.totals()).received).toBe(events.length);
        expect(statistics(await world.results())).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  });

  it('read what they own alone, and tell how far they are', async () => {
    const lags: (readonly PartitionLag[])[] = [];
    const world = await worldWith(generate(5, { count: 60 }));
    const { owner, step } = member(world, (told) => lags.push(told));
    await step();
    expect(await readCursors(world.store)).toEqual([]);
    owner.partitions = ['p1'];
    while ((await step()).waitMs === 0);
    const cursors = await readCursors(world.store);
    expect(cursors.map(({ partition }) => partition)).toEqual(['p1']);
    expect(owner.told).toEqual(new Map([['p1', cursors[0]?.cursor.position]]));
    expect(lags[1]?.[0]).toMatchObject({ partition: 'p1' });
    expect(lags[1]?.[0]?.records).toBeGreaterThan(0);
    expect(lags.at(-1)).toEqual([{ partition: 'p1', records: 0 }]);
    owner.partitions = null;
    while ((await step()).waitMs === 0);
    expect(await readCursors(world.store)).toHaveLength(3);
  });

  it('say why nothing can be learnt about ownership', async () => {
    const world = await worldWith([]);
    const { owner, step } = member(world);
    owner.problem = 'no right on the group';
    expect((await step()).problem).toBe('no right on the group');
    owner.problem = null;
    expect((await step()).problem).toBeNull();
  });
});

describe('an archiver that shares partitions', () => {
  it('captures what it owns alone, and tells how far it is', async () => {
    const world = await worldWith(generate(5, { count: 60 }));
    world.clock.set(T0 + 100 * HOUR);
    const writer: CaptureWriter = {
      encode: async (lines) => ({ body: Buffer.concat(lines), rows: lines.length, failed: 0 }),
    };
    const owner = new FakeOwner();
    const lags: (readonly PartitionLag[])[] = [];
    const { log, store, clock } = world;
    const archiver = new Archiver({ log, store, clock, writer, owner, onLag: (told) => lags.push(told) });
    expect(await archiver.step()).toMatchObject({ objects: 0 });
    owner.partitions = ['p2'];
    const { captured } = await archiver.step();
    const state = (await log.partitions()).find(({ id }) => id === 'p2');
    expect(captured).toBeGreaterThan(0);
    expect(owner.told).toEqual(new Map([['p2', state?.head]]));
    expect(lags.at(-1)).toEqual([{ partition: 'p2', records: 0 }]);
    owner.partitions = null;
    expect(captured + (await archiver.step()).captured).toBe(60);
  });
});

describe('lag', () => {
  const state = { id: '0', parents: [], closed: false, headAppendTime: null };

  it('is what lies between the position and the head', () => {
    const of = (first: Position | null, head: Position | null, position: Position | null) =>
      lagOf({ ...state, first, head }, position).records;
    expect(of('0', '9', null)).toBe(10);
    expect(of('4', '9', null)).toBe(6);
    expect(of('0', '9', '3')).toBe(6);
    expect(of('0', '9', '9')).toBe(0);
    expect(of('0', '9', '12')).toBe(0);
    expect(of(null, null, null)).toBe(0);
    expect(of(null, '9', null)).toBe(0);
  });

  it('is shown as 0 once for what was given up', async () => {
    const shown: Sample[][] = [];
    const gauge = new LagGauge({ set: async (samples) => void shown.push([...samples]) }, 'profiler');
    await gauge.tell([{ partition: '0', records: 5 }]);
    await gauge.tell([{ partition: '1', records: 7 }]);
    await gauge.tell([]);
    const values = shown.map((samples) =>
      samples.map(({ labels, value }) => [labels['consumer'], labels['partition'], value]),
    );
    expect(values).toEqual([
      [['profiler', '0', 5]],
      [
        ['profiler', '1', 7],
        ['profiler', '0', 0],
      ],
      [['profiler', '1', 0]],
    ]);
  });
});
