/** What happens to logs and declarations: partitions that stall, split, vanish; monitors and baselines that change or are missing. */
import { describe, expect, it } from 'vitest';
import { keys } from '../../lib/contracts/object-keys.ts';
import { readCursors } from '../../lib/pipeline/cursor.ts';
import { publishBaseline, removeMonitor } from '../../lib/pipeline/publisher.ts';
import {
  baselineOf,
  byWindow,
  countsOf,
  differences,
  finish,
  generate,
  HOUR,
  monitorOf,
  Platform,
  shrunkRevisions,
  statistics,
  storedVersions,
  T0,
  World,
  wire,
} from './simulation.ts';

const MINUTE = 60_000;
const END = T0 + 48 * HOUR;

function event(minutes: number, change: object = {}): object {
  return {
    id: `e-${minutes}-${JSON.stringify(change)}`,
    type: 'inference',
    model: 'm',
    version: '1',
    time: new Date(T0 + minutes * MINUTE).toISOString(),
    numeric: { amount: 15 },
    categorical: { kind: 'a' },
    ...change,
  };
}

async function worldOf(options?: ConstructorParameters<typeof World>[0]): Promise<World> {
  const world = new World(options);
  await world.declare('m');
  return world;
}

describe('partitions', () => {
  it('lets time pass on an idle partition, and on one that never had a record', async () => {
    const world = await worldOf({ partitions: 3 });
    const platform = new Platform(world);
    world.append('p0', [event(5)], T0 + 5 * MINUTE);
    await platform.settle();
    world.clock.set(T0 + HOUR + 29 * MINUTE);
    await platform.settle();
    expect(await world.results()).toEqual([]);
    world.clock.set(T0 + HOUR + 30 * MINUTE);
    await platform.settle();
    expect((await world.results()).map(({ rows, status }) => [rows, status])).toEqual([[1, 'ok']]);
  });

  it('is held back by a stalled partition, then says stale, then is judged whole', async () => {
    const world = await worldOf({ partitions: 2 });
    const platform = new Platform(world, { stalledAfterMs: 2 * HOUR });
    world.append('p0', [event(5)], T0 + 5 * MINUTE);
    world.append('p1', [event(6)], T0 + 6 * MINUTE);
    const withoutP1 = async () => {
      while ((await platform.profiler('p0').step()).more);
      await platform.evaluator.tick();
      await platform.grains.close();
    };
    world.clock.set(T0 + HOUR + 40 * MINUTE);
    await withoutP1();
    expect(await world.results()).toEqual([]);
    world.clock.set(T0 + HOUR + 30 * MINUTE + 2 * HOUR);
    await withoutP1();
    await withoutP1();
    const [stale, ...others] = await world.results();
    expect(others).toEqual([]);
    expect([stale?.status, stale?.provenance.partitions]).toEqual(['stale', { seen: 1, all: 2 }]);
    expect(stale?.features).toEqual([]);
    await platform.settle();
    await platform.settle();
    const after = byWindow(await world.results(), '1h').last.get(`m/1/${T0}`);
    expect([after?.status, after?.rows, after?.provenance.revision]).toEqual(['ok', 2, 1]);
    expect(after?.provenance.partitions).toEqual({ seen: 2, all: 2 });
  });

  it('counts the same while partitions split and merge', async () => {
    const events = generate(11);
    const world = await worldOf({ partitions: 2, log: { firstPosition: 2n ** 90n, stride: 17n } });
    const platform = new Platform(world, { records: 9 });
    for (const [id, one] of events.entries()) {
      if (id === 60) world.log.split('p0');
      if (id === 140) world.log.split('p1');
      if (id === 220) world.log.merge('p2', 'p3');
      const open = (await world.log.partitions()).filter(({ closed }) => !closed).map((partition) => partition.id);
      world.append(open[one.partition % open.length] as string, [wire(one, id)], one.appendTime);
      if (id % 13 === 0) await platform.settle();
    }
    await finish(world, platform, END);
    const results = await world.results();
    expect(differences(results, events, monitorOf('m'))).toEqual([]);
    expect(await shrunkRevisions(world, results)).toEqual([]);
  });

  it('starts anew on a recreated log and keeps what was counted on the old one', async () => {
    const world = await worldOf();
    const platform = new Platform(world);
    world.append('p0', [event(1), event(2)], T0 + 2 * MINUTE);
    await platform.settle();
    world.log.recreate('log-2');
    world.append('p0', [event(3), event(4), event(5)], T0 + 5 * MINUTE);
    await platform.settle();
    world.clock.set(T0 + 2 * HOUR);
    await platform.settle();
    expect((await world.results()).map(({ rows }) => rows)).toEqual([5]);
    expect((await readCursors(world.store)).map(({ log, cursor }) => [log, cursor.totals.received])).toEqual([
      ['log-1', 2],
      ['log-2', 3],
    ]);
  });

  it('counts what retention took, with and without records after it', async () => {
    const world = await worldOf();
    const platform = new Platform(world);
    for (let minute = 0; minute < 10; minute++) world.append('p0', [event(minute)], T0 + minute * MINUTE);
    expect((await platform.profiler('p0').step()).records).toBe(10);
    for (let minute = 10; minute < 20; minute++) world.append('p0', [event(minute)], T0 + minute * MINUTE);
    world.log.trim('p0', '14');
    await platform.settle();
    expect(await world.totals()).toMatchObject({ received: 15, lost: 5 });
    for (let minute = 20; minute < 23; minute++) world.append('p0', [event(minute)], T0 + minute * MINUTE);
    world.log.trim('p0', '22');
    await platform.settle();
    expect(await world.totals()).toMatchObject({ received: 15, lost: 8 });
    world.append('p0', [event(30)], T0 + 30 * MINUTE);
    world.clock.set(T0 + 2 * HOUR);
    await platform.settle();
    expect(await world.totals()).toMatchObject({ received: 16, lost: 8 });
    expect((await world.results())[0]?.rows).toBe(16);
    const [stored] = await readCursors(world.store);
    expect(stored?.cursor.ranges).toEqual([[null, '23']]);
  });

  it('adds nothing when the log is read again, and counts it again only when its cursor was lost', async () => {
    const world = await worldOf();
    for (let minute = 0; minute < 10; minute++) world.append('p0', [event(minute)], T0 + minute * MINUTE);
    await new Platform(world).profileAll();
    for (let replay = 0; replay < 3; replay++) await new Platform(world, { records: 1 + replay }).profileAll();
    expect((await world.totals()).received).toBe(10);
    await world.store.delete(keys.cursor('log-1', 'p0'));
    await new Platform(world, { records: 3 }).profileAll();
    expect((await world.totals()).received).toBe(10);
    expect((await readCursors(world.store))[0]?.cursor.epoch).toBe(4);
  });
});

describe('declarations', () => {
  it('compares each event with the baseline of its time, and says what a longer window left out', async () => {
    const world = await worldOf();
    const change = T0 + 3 * HOUR;
    await publishBaseline(world.publisher, baselineOf('m', '1', ['a', 'b', 'c', 'd']), {
      model: 'm',
      version: '1',
      by: 'test',
      approve: true,
      effectiveFrom: change,
    });
    const platform = new Platform(world, { records: 4 });
    // In one batch on both sides of the change, and out of order.
    const minutes = [170, 185, 175, 190, 179.99, 180, 200, 30];
    for (const [i, minute] of minutes.entries()) world.append('p0', [event(minute)], T0 + (201 + i) * MINUTE);
    await finish(world, platform, END);
    const { last } = byWindow(await world.results(), '1h');
    const told = (hour: number) => {
      const result = last.get(`m/1/${T0 + hour * HOUR}`);
      return [result?.rows, result?.provenance.baseline?.n, result && countsOf(result).kind.length];
    };
    expect(told(2)).toEqual([3, 1, 3]);
    expect(told(3)).toEqual([4, 2, 4]);
    const day = byWindow(await world.results(), '6h').last.get(`m/1/${T0}`);
    expect([day?.rows, day?.provenance.baseline?.n, day?.provenance.rows]).toEqual([
      4,
      2,
      { onTime: 4, revising: 0, otherBaseline: 4 },
    ]);
  });

  it('knows a change in time although what it knows is cached', async () => {
    const world = await worldOf({ cacheMs: 10 * MINUTE });
    const platform = new Platform(world);
    world.append('p0', [event(1)], T0 + 1 * MINUTE);
    await platform.settle();
    world.clock.set(T0 + 9 * MINUTE);
    const published = await publishBaseline(world.publisher, baselineOf('m', '1', ['a']), {
      model: 'm',
      version: '1',
      by: 'test',
      approve: true,
    });
    expect(published.effectiveFrom).toBe(new Date(T0 + HOUR).toISOString());
    for (let minute = 10; minute < 120; minute += 1) {
      // As early as an event may be dated ahead of its append.
      world.append('p0', [event(minute + 4.9)], T0 + minute * MINUTE);
      await platform.profileAll();
    }
    await finish(world, platform, END);
    const { last } = byWindow(await world.results(), '1h');
    expect([0, 1].map((hour) => last.get(`m/1/${T0 + hour * HOUR}`)?.provenance.rows)).toEqual([
      { onTime: 47, revising: 0, otherBaseline: 0 },
      { onTime: 60, revising: 0, otherBaseline: 0 },
    ]);
  });

  it('lets another version stand in, and goes on without any baseline', async () => {
    const world = await worldOf();
    await world.declare('bare', { baseline: false });
    const strict = monitorOf('strict', { baseline: { fallback: 'none' } });
    await world.declare('strict', { monitor: strict });
    const platform = new Platform(world);
    const models = ['m', 'bare', 'strict'];
    world.append(
      'p0',
      models.map((model) => event(1, { model, version: '2' })),
      T0 + MINUTE,
    );
    world.clock.set(T0 + 2 * HOUR);
    await platform.settle();
    const told = Object.fromEntries(
      (await world.results()).map(({ model, rows, status, provenance }) => [
        model,
        [rows, status, provenance.baseline],
      ]),
    );
    expect(told).toEqual({
      m: [1, 'ok', { version: '1', n: 1, fallback: true }],
      bare: [1, 'learning', null],
      strict: [1, 'learning', null],
    });
  });

  it('goes on without a baseline that is damaged or contradicts itself, and says so', async () => {
    const world = await worldOf();
    const bad = { ...baselineOf('m', '1'), columns: baselineOf('m', '1').columns.map((column) => ({ ...column })) };
    (bad.columns[0] as { bins: unknown }).bins = { edges: [5, 1], verdictBin: [0, 0, 0] };
    const by = { by: 'test', approve: true, effectiveFrom: T0 + HOUR } as const;
    await publishBaseline(world.publisher, bad as never, { model: 'm', version: '1', ...by });
    await world.store.putIfAbsent(keys.baseline('m', '1', 3), new TextEncoder().encode('{"n":3,'));
    const platform = new Platform(world);
    world.append('p0', [event(1), event(61), event(62)], T0 + 62 * MINUTE);
    world.clock.set(T0 + 3 * HOUR);
    await platform.settle();
    expect((await world.results()).map(({ rows, status }) => [rows, status])).toEqual([
      [1, 'ok'],
      [2, 'learning'],
    ]);
    expect(
      platform.registry
        .problems()
        .map(({ path }) => path)
        .sort(),
    ).toEqual([keys.baseline('m', '1', 2), keys.baseline('m', '1', 3)]);
  });

  it('stops with the monitor, at a window boundary', async () => {
    const world = await worldOf({ cacheMs: MINUTE });
    const platform = new Platform(world);
    const removed = await removeMonitor(world.publisher, 'm', { by: 'test' });
    expect(removed.effectiveFrom).toBe(new Date(T0 + HOUR).toISOString());
    world.append('p0', [event(59), event(60)], T0 + HOUR);
    await finish(world, platform, END);
    expect(await world.totals()).toMatchObject({ profiled: 1, quarantined: { 'unknown-model': 1 } });
    expect((await world.results()).map(({ start, rows }) => [start, rows])).toEqual([[new Date(T0).toISOString(), 1]]);
  });

  it('shows silence: empty windows for the version that had rows last, none for versions that were replaced', async () => {
    const world = await worldOf();
    await world.declare('never');
    const platform = new Platform(world);
    world.append('p0', [event(5), event(65, { version: '2' })], T0 + 65 * MINUTE);
    world.clock.set(T0 + 3 * HOUR + 40 * MINUTE);
    await platform.settle();
    const told = (await world.results()).map(({ model, version, start, rows }) => [
      model,
      version,
      Date.parse(start) - T0,
      rows,
    ]);
    expect(told).toEqual([
      ['m', '1', 0, 1],
      ['m', '2', HOUR, 1],
      ['m', '2', 2 * HOUR, 0],
      ['never', '1', 0, 0],
      ['never', '1', HOUR, 0],
      ['never', '1', 2 * HOUR, 0],
    ]);
  });

  it('never looks through unbounded history', async () => {
    const world = new World();
    await world.declare('old', { from: 0 });
    await world.declare('silent', { from: 0 });
    const platform = new Platform(world);
    world.append('p0', [event(61, { model: 'old' })], T0 + 61 * MINUTE);
    for (const hours of [2.5, 3.5]) {
      world.clock.set(T0 + hours * HOUR);
      await platform.settle();
    }
    const told = (await world.results()).map(({ model, start, rows }) => [model, Date.parse(start) - T0, rows]);
    expect(told).toEqual([
      ['old', HOUR, 1],
      ['old', 2 * HOUR, 0],
      ['silent', 2 * HOUR, 0],
    ]);
  });

  it('judges a version whose first rows of a window were late', async () => {
    const world = await worldOf();
    const platform = new Platform(world);
    world.append('p0', [event(5)], T0 + 5 * MINUTE);
    world.clock.set(T0 + 2 * HOUR);
    await platform.settle();
    world.append('p0', [event(6, { version: '2' })], T0 + 2 * HOUR);
    await finish(world, platform, END);
    const results = (await world.results()).filter(({ version, length }) => version === '2' && length === '1h');
    expect(results.map(({ rows, provenance }) => [rows, provenance.revision])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
});

describe('size', () => {
  it('takes a thousand models with one event each', async () => {
    const world = new World({ partitions: 2 });
    const models = Array.from({ length: 1_000 }, (_, i) => `model-${i}`);
    for (const model of models) await world.declare(model, { baseline: false });
    const platform = new Platform(world, { records: 100 });
    for (let i = 0; i < models.length; i += 10)
      world.append(
        `p${(i / 10) % 2}`,
        models.slice(i, i + 10).map((model) => event(5, { model })),
        T0 + 5 * MINUTE,
      );
    world.clock.set(T0 + 2 * HOUR + 20 * MINUTE);
    await platform.settle();
    const results = await world.results();
    expect(results.length).toBe(1_000);
    expect(results.every(({ rows }) => rows === 1)).toBe(true);
    const open = (await readCursors(world.store)).flatMap(({ cursor }) => cursor.packs);
    expect(open).toEqual([]);
  }, 30_000);

  it('keeps statistics equal whether packs were merged early, late or never', async () => {
    const told: Map<string, string>[] = [];
    for (const closeAfterMs of [0, HOUR, 1_000 * HOUR]) {
      const world = await worldOf({ partitions: 2 });
      const platform = new Platform(world, { records: 11, closeAfterMs });
      for (const [id, one] of generate(21).entries()) {
        world.append(`p${one.partition % 2}`, [wire(one, id)], one.appendTime);
        if (id % 9 === 0) await platform.settle();
      }
      await finish(world, platform, END);
      told.push(statistics(await world.results()));
      expect(await storedVersions(world.store, 'm')).toEqual(closeAfterMs > 100 * HOUR ? [] : ['1']);
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[2]).toEqual(told[0]);
  });
});
