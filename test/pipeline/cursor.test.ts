import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys, stamp } from '../../lib/contracts/object-keys.ts';
import { cleanUp } from '../../lib/pipeline/clean-up.ts';
import {
  type Commit,
  CURSOR_LIMITS,
  CursorFullError,
  changeCursor,
  committed,
  cursorBytes,
  EMPTY_CURSOR,
  EMPTY_TOTALS,
  readCursor,
  readCursors,
  released,
  withRange,
} from '../../lib/pipeline/cursor.ts';
import { hourOf, openPacks } from '../../lib/pipeline/grain-sources.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import {
  byWindow,
  differences,
  finish,
  generate,
  HOUR,
  lines,
  monitorOf,
  Platform,
  readAllPacks,
  shrunkRevisions,
  T0,
  World,
  wire,
} from './simulation.ts';

const commit = (change: Partial<Commit>): Commit => ({
  after: null,
  through: '9',
  appendTime: T0,
  pack: 'packs/a',
  hours: [T0],
  totals: EMPTY_TOTALS,
  ...change,
});
const END = T0 + 48 * HOUR;

describe('the cursor', () => {
  it('merges ranges that touch and keeps those that do not', () => {
    expect(withRange([], [null, '9'])).toEqual([[null, '9']]);
    expect(withRange([[null, '9']], ['9', '12'])).toEqual([[null, '12']]);
    expect(withRange([[null, '9']], ['11', '12'])).toEqual([
      [null, '9'],
      ['11', '12'],
    ]);
    // Numbers, not texts.
    expect(withRange([[null, '10']], ['9', '12'])).toEqual([[null, '12']]);
  });

  it('lets a pack go when no hour needs it any more', () => {
    const one = committed(EMPTY_CURSOR, commit({ hours: [T0, T0 + HOUR] }));
    const two = committed(one, commit({ after: '9', through: '12', pack: 'packs/b', hours: [T0 + HOUR] }));
    expect(two.open).toEqual({ [stamp(T0)]: [0], [stamp(T0 + HOUR)]: [0, 1] });
    const three = released(two, new Map([[T0 + HOUR, new Set(['packs/a'])]]));
    expect(three?.packs).toEqual(['packs/a', 'packs/b']);
    const four = three && released(three, new Map([[T0, new Set(['packs/a'])]]));
    expect([four?.packs, four?.appended, four?.open]).toEqual([['packs/b'], [T0], { [stamp(T0 + HOUR)]: [0] }]);
    expect(four && released(four, new Map([[T0, new Set(['packs/a'])]]))).toBeNull();
  });

  it('is never equal to an earlier state', () => {
    const one = committed(EMPTY_CURSOR, commit({}));
    const back = released(one, new Map([[T0, new Set(['packs/a'])]]));
    expect([EMPTY_CURSOR.epoch, one.epoch, back?.epoch]).toEqual([0, 1, 2]);
  });

  it('refuses to grow beyond 64 kB', async () => {
    const store = new MemoryStore();
    const hours = Array.from({ length: 4_000 }, (_, i) => T0 + i * HOUR);
    await expect(
      changeCursor(store, 'cursors/a/b.json', (cursor) => committed(cursor, commit({ hours }))),
    ).rejects.toThrow(CursorFullError);
    expect(await readCursor(store, 'cursors/a/b.json')).toEqual({ cursor: EMPTY_CURSOR, etag: null });
  });

  it('says what to do with one that cannot be read', async () => {
    const store = new MemoryStore();
    await store.putIfAbsent('cursors/a/b.json', new TextEncoder().encode('{'));
    await expect(readCursor(store, 'cursors/a/b.json')).rejects.toThrow(/cursors\/a\/b\.json: not readable.*restore/);
    await store.putIfAbsent('cursors/a/c.json', new TextEncoder().encode('{"schema":"mlmon.cursor/v9"}'));
    await expect(readCursor(store, 'cursors/a/c.json')).rejects.toThrow(/mlmon\.cursor\/v9; expected.*newer/);
  });
});

describe('many packs', () => {
  it('are compacted at 64 an hour, and count as before', async () => {
    const events = generate(5, { count: 400, hours: 3 });
    const world = new World({ partitions: 2 });
    await world.declare('m');
    const platform = new Platform(world, { records: 1, closeAfterMs: 20 * HOUR });
    let compactedOnce = false;
    for (const [id, event] of events.entries()) {
      world.append(`p${event.partition % 2}`, [wire(event, id)], event.appendTime);
      if (id % 20 !== 0) continue;
      await platform.settle();
      for (const { cursor } of await readCursors(world.store)) {
        for (const packs of Object.values(cursor.open))
          expect(packs.length).toBeLessThanOrEqual(CURSOR_LIMITS.packsPerHour);
        for (const pack of cursor.packs) compactedOnce ||= (await platform.reader.content(pack)).leaves.length > 1;
      }
    }
    expect(compactedOnce).toBe(true);
    await finish(world, platform, END);
    const results = await world.results();
    expect(differences(results, events, monitorOf('m'))).toEqual([]);
    expect(await shrunkRevisions(world, results)).toEqual([]);
  });

  it('of many hours make room by closing the oldest early', async () => {
    const monitor = monitorOf('m', { window: { every: '1h', lateness: '30m', revise: '400d' } });
    const world = new World({ log: { firstPosition: 10n ** 55n, stride: 3n } });
    await world.declare('m', { monitor, from: T0 - 400 * 24 * HOUR });
    const platform = new Platform(world, { records: 20, closeAfterMs: 1_000 * HOUR });
    const count = 3_000;
    for (let i = 0; i < count; i++) {
      const time = T0 - (i % 1_500) * 3 * HOUR;
      const event = { partition: 0, appendTime: T0, time, model: 'm', version: '1', amount: 5, kind: 'a' };
      world.log.put('p0', lines([wire(event, i)]), T0);
    }
    await platform.profileAll();
    const [stored] = await readCursors(world.store);
    expect(cursorBytes(stored?.cursor ?? EMPTY_CURSOR).byteLength).toBeLessThanOrEqual(CURSOR_LIMITS.bytes);
    expect(await world.totals()).toMatchObject({ received: count, profiled: count });
    const reader = new PackReader(world.store);
    let rows = 0;
    for (const [hour, packs] of openPacks(stored === undefined ? [] : [stored]))
      for (const pack of packs)
        for (const entry of (await reader.content(pack)).entries)
          if (hourOf(entry.grainStart) === hour) rows += entry.rows;
    expect(rows).toBeLessThan(count);
    for await (const key of listAllProfiles(world)) {
      const { entries } = await reader.content(key);
      rows += entries.reduce((sum, entry) => sum + entry.rows, 0);
    }
    expect(rows).toBe(count);
  }, 30_000);

  it('that are damaged fail their windows and nothing else', async () => {
    const world = new World();
    await world.declare('m');
    const platform = new Platform(world, { closeAfterMs: 0 });
    const put = (hour: number, id: number) =>
      world.append(
        'p0',
        [
          wire(
            { partition: 0, appendTime: 0, time: T0 + hour * HOUR, model: 'm', version: '1', amount: 5, kind: 'a' },
            id,
          ),
        ],
        T0 + hour * HOUR + id,
      );
    put(0.1, 1);
    await platform.profileAll();
    const [damaged] = await readAllPacks(world);
    const stored = await world.store.get(damaged as string);
    const body = Uint8Array.from(stored?.body ?? []);
    body[body.length - 3] = (body[body.length - 3] ?? 0) ^ 1;
    await world.store.putIfUnchanged(damaged as string, body, stored?.etag ?? '');
    put(1.1, 2);
    await platform.profileAll();
    world.clock.set(T0 + 4 * HOUR);
    await platform.settle();
    const { last } = byWindow(await world.results(), '1h');
    expect(last.get(`m/1/${T0}`)).toMatchObject({ status: 'failed', rows: 0 });
    expect(last.get(`m/1/${T0}`)?.reason).toMatch(/not what was written/);
    expect(last.get(`m/1/${T0 + HOUR}`)).toMatchObject({ status: 'ok', rows: 1 });
    expect(platform.problems.length).toBeGreaterThan(0);
    expect((await readCursors(world.store))[0]?.cursor.packs).toEqual([damaged]);
  });
});

describe('clean-up', () => {
  it('takes packs that nothing lists, once they are old', async () => {
    const world = new World();
    await world.declare('m');
    const platform = new Platform(world, { records: 5, closeAfterMs: HOUR });
    for (const [id, event] of generate(3, { count: 60, hours: 3 }).entries())
      world.append('p0', [wire(event, id)], event.appendTime);
    await platform.profileAll();
    const all = await readAllPacks(world);
    const retentionMs = 7 * 24 * HOUR;
    const run = () =>
      cleanUp({ store: world.store, clock: world.clock, reader: new PackReader(world.store), retentionMs });
    world.clock.set(T0 + 30 * 24 * HOUR);
    expect(await run()).toBe(0);
    expect(await readAllPacks(world)).toEqual(all);
    await platform.settle();
    expect(await run()).toBe(all.length);
    expect(await readAllPacks(world)).toEqual([]);
    expect(await world.store.get(keys.cursor('log-1', 'p0'))).not.toBeNull();
  });

  it('leaves young ones', async () => {
    const world = new World();
    await world.declare('m');
    const orphan = keys.pack(T0, 'p0', '1', '2', 'f'.repeat(64));
    await world.store.putIfAbsent(orphan, new Uint8Array(3));
    const run = () =>
      cleanUp({ store: world.store, clock: world.clock, reader: new PackReader(world.store), retentionMs: 24 * HOUR });
    world.clock.set(T0 + 24 * HOUR);
    expect(await run()).toBe(0);
    world.clock.set(T0 + 3 * 24 * HOUR);
    expect(await run()).toBe(1);
  });
});

async function* listAllProfiles(world: World): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const page = await world.store.list('profiles/', { after });
    yield* page;
    after = page.at(-1);
    if (after === undefined || page.length < 1_000) return;
  }
}
