import { describe, expect, it } from 'vitest';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { MonitorInput } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { verifyAudit } from '../../lib/pipeline/audit.ts';
import { encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { type PublicationRequest, publish, unpublish } from '../../lib/pipeline/publication.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { counting } from './outbox-data.ts';
import { baselineOf, HOUR, ManualClock, monitorOf, T0 } from './simulation.ts';

const LATER = T0 + 3 * HOUR;

function line(model: string, change: Partial<MonitorInput> = {}, baseline: unknown = null): string {
  const { features, window } = monitorOf(model);
  return JSON.stringify({ monitor: { model, owner: 'team', features, window, ...change }, baseline });
}

function request(lines: readonly string[], more: Partial<PublicationRequest> = {}): PublicationRequest {
  return {
    owner: 'platform',
    lines: async function* () {
      yield* lines;
    },
    ...more,
  };
}

function setUp(store: ObjectStore = new MemoryStore(), now = T0) {
  const clock = new ManualClock(now);
  return { store, clock, options: { store, clock } };
}

/** Models that are monitored some hours later, with the numbers of monitor and baseline. */
async function seen(
  store: ObjectStore,
): Promise<Record<string, [owner: string, monitor: number, baseline: number | null]>> {
  const registry = new Registry({ store, clock: new ManualClock(LATER) });
  await registry.refresh();
  const found: Record<string, [string, number, number | null]> = {};
  for (const model of registry.models()) {
    const published = registry.monitorAt(model, LATER);
    const resolved = registry.shapeFor(model, '1', LATER);
    if (published !== null) found[model] = [published.monitor.owner, published.n, resolved?.baseline?.n ?? null];
  }
  return found;
}

const problems = async (attempt: Promise<unknown>): Promise<string[]> => {
  const error = await attempt.then(
    () => null,
    (failure: unknown) => failure,
  );
  expect(error).toBeInstanceOf(ProblemError);
  return (error as ProblemError).problems.map(({ code, path }) => `${code} ${path}`);
};

describe('a publication', () => {
  it('brings monitors and baselines, and configuration', async () => {
    const { store, options } = setUp();
    const alerting = { schema: 'mlmon.alerting/v1', channels: [], routes: [], mutes: [], notifiedBy: 'episodes' };
    const outcome = await publish(
      options,
      request([line('a', {}, baselineOf('a', '1')), '', line('b')], {
        alerting: JSON.stringify(alerting),
        bindings: JSON.stringify({ role: { events: ['a'], labels: [] } }),
      }),
    );
    expect(outcome).toEqual({ models: 2, published: 2, removed: 0, unfinished: 0 });
    expect(await seen(store)).toEqual({ a: ['team', 1, 1], b: ['team', 1, null] });
    expect((await readJson(store, keys.alerting()))?.value).toEqual(alerting);
    expect((await readJson(store, keys.bindings()))?.value).toEqual({ role: { events: ['a'], labels: [] } });
    expect(await verifyAudit(store)).toEqual({ entries: 1, broken: null });
  });

  it('done again changes nothing, and reads next to nothing', async () => {
    const inner = new MemoryStore();
    const { options } = setUp(inner);
    const lines = Array.from({ length: 50 }, (_, i) => line(`m${i}`, {}, baselineOf(`m${i}`, '1')));
    await publish(options, request(lines));
    const before = inner.size;
    const { store, counts } = counting(inner);
    expect(await publish({ ...options, store }, request(lines))).toEqual({
      models: 50,
      published: 0,
      removed: 0,
      unfinished: 0,
    });
    expect(inner.size).toBe(before);
    expect(counts.writes).toBe(0);
    expect(counts.gets).toBeLessThan(15);
  });

  it('publishes only what changed, removes what is gone, and brings it back', async () => {
    const { store, clock, options } = setUp();
    await publish(options, request([line('a'), line('b'), line('c')]));
    clock.set(T0 + HOUR);
    expect(await publish(options, request([line('a'), line('b', { owner: 'others' })]))).toMatchObject({
      published: 1,
      removed: 1,
    });
    expect(await seen(store)).toEqual({ a: ['team', 1, null], b: ['others', 2, null] });
    expect(await publish(options, request([line('c')]))).toMatchObject({ published: 1, removed: 2 });
    expect(Object.keys(await seen(store))).toEqual(['c']);
    // The data stay: every monitor that there ever was is still there.
    expect(await store.list(keys.monitors('a'))).toHaveLength(2);
  });

  it('leaves what people decided on the platform meanwhile', async () => {
    const { store, clock, options } = setUp();
    const lines = [line('a', {}, baselineOf('a', '1')), line('b')];
    await publish(options, request(lines));
    clock.set(T0 + HOUR);
    await publishBaseline(options, baselineOf('a', '1', ['a', 'b', 'z']), {
      model: 'a',
      version: '1',
      by: 'ann',
      approve: true,
    });
    await publish(options, request([lines[0]!, line('b', { owner: 'x' })]));
    expect(await seen(store)).toEqual({ a: ['team', 1, 2], b: ['x', 2, null] });
  });

  it('takes a baseline from the store by its key', async () => {
    const { store, options } = setUp();
    await store.putIfAbsent('training/churn.json', encodeJson(baselineOf('a', '1')));
    await publish(options, request([line('a', {}, { key: 'training/churn.json' })]));
    expect(await seen(store)).toEqual({ a: ['team', 1, 1] });
    expect(await problems(publish(options, request([line('a', {}, { key: 'nowhere.json' })])))).toEqual([
      'no-baseline a: baseline.from',
    ]);
  });
});

describe('what is wrong', () => {
  it('is told all at once, with nothing published', async () => {
    const { store, options } = setUp();
    const found = await problems(
      publish(
        options,
        request([
          line('good'),
          line('a', { task: 'nonsense' } as never),
          line('b', {}, baselineOf('other', '1')),
          line('c', {}, { schema: 'x' }),
          line('good'),
          '{',
        ]),
      ),
    );
    expect(found).toEqual([
      'invalid-value a: task',
      'baseline b: baseline.model',
      'baseline c: baseline',
      'twice good',
      'json line 6',
    ]);
    expect(await store.list('')).toEqual([]);
  });

  it('in channels or bindings stops it too', async () => {
    const { store, options } = setUp();
    expect(await problems(publish(options, request([line('a')], { alerting: '{"schema":"x"}' })))).toEqual(
      expect.arrayContaining(['alerting Alerting.schema']),
    );
    expect(await problems(publish(options, request([line('a')], { bindings: '{"a":1}' })))).toEqual([
      'bindings Bindings',
    ]);
    expect(await store.list('')).toEqual([]);
  });

  it('is bounded', async () => {
    const { options } = setUp();
    const found = await problems(
      publish(options, request(Array.from({ length: 300 }, (_, i) => line(`m${i}`, { task: 'x' } as never)))),
    );
    expect(found).toHaveLength(51);
    expect(found.at(-1)).toBe('more ');
  });
});

describe('two owners', () => {
  it('do not touch each other, and their bindings add up', async () => {
    const { store, options } = setUp();
    const bindings = (models: string[]) => JSON.stringify({ role: { events: models, labels: [] } });
    await publish(options, request([line('a')], { bindings: bindings(['a']) }));
    await publish(options, request([line('b')], { owner: 'team/stack', bindings: bindings(['b']) }));
    await publish(options, request([], {}));
    expect(Object.keys(await seen(store))).toEqual(['b']);
    expect((await readJson(store, keys.bindings()))?.value).toEqual({ role: { events: ['b'], labels: [] } });
    await publish(options, request([line('c')], { bindings: bindings(['c']) }));
    expect((await readJson(store, keys.bindings()))?.value).toEqual({ role: { events: ['b', 'c'], labels: [] } });
    expect(await unpublish(options, 'team/stack')).toMatchObject({ removed: 1 });
    expect(Object.keys(await seen(store))).toEqual(['c']);
    expect(await store.list(keys.publications())).toEqual([keys.publication('platform')]);
  });

  it('that claim one model are refused, with both names, whoever comes second', async () => {
    const { store, options } = setUp();
    await publish(options, request([line('a'), line('b')]));
    const attempt = publish(options, request([line('b'), line('c')], { owner: 'team' }));
    await expect(attempt).rejects.toThrow('"team" wants it, "platform" has it');
    expect(Object.keys(await seen(store))).toEqual(['a', 'b']);
    // What failed has nothing to take back, and takes nothing of others.
    await unpublish(options, 'team');
    expect(Object.keys(await seen(store))).toEqual(['a', 'b']);
    // Released by one, it is free for the other.
    await publish(options, request([line('a')]));
    await publish(options, request([line('b'), line('c')], { owner: 'team' }));
    expect(await seen(store)).toMatchObject({ a: expect.anything(), c: expect.anything() });
  });

  it('that claim it at the same moment do not both get it', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const inner = new MemoryStore();
      const clock = new ManualClock(T0);
      const injector = new FaultInjector({ seed, delay: 4 });
      const outcomes = await Promise.allSettled(
        ['x', 'y'].map((owner) => {
          const store = injector.process().store(inner);
          return publish({ store, clock }, request([line('same', { owner }), line(`own-${owner}`)], { owner }));
        }),
      );
      const won = outcomes.filter(({ status }) => status === 'fulfilled').length;
      expect(won, `seed ${seed}`).toBeLessThanOrEqual(1);
      // Whoever tries again gets it.
      const retry = outcomes.findIndex(({ status }) => status === 'fulfilled');
      const owner = ['x', 'y'][retry === -1 ? 0 : retry]!;
      await publish({ store: inner, clock }, request([line('same', { owner }), line(`own-${owner}`)], { owner }));
      expect((await seen(inner))['same']?.[0], `seed ${seed}`).toBe(owner);
    }
  });

  it('a new name takes over what the old one had', async () => {
    const { store, options } = setUp();
    await publish(options, request([line('a'), line('b')], { owner: 'old' }));
    await publish(options, request([line('a')], { owner: 'new', formerOwner: 'old' }));
    await unpublish(options, 'old');
    expect(Object.keys(await seen(store))).toEqual(['a']);
  });

  it('takes over a monitor that somebody applied by hand', async () => {
    const { store, options } = setUp();
    await publishMonitor(options, monitorOf('a', { owner: 'by hand' }), { by: 'ann' });
    await publish(options, request([line('a')]));
    expect((await seen(store))['a']?.[0]).toBe('team');
  });
});

describe('interruptions', () => {
  it('at any write are mended by doing it again', async () => {
    const before = [line('a', {}, baselineOf('a', '1')), line('b'), line('c')];
    const after = [line('a', { owner: 'new' }, baselineOf('a', '1', ['x', 'y'])), line('b'), line('d')];
    const whole = setUp();
    await publish(whole.options, request(before));
    whole.clock.set(T0 + HOUR);
    await publish(whole.options, request(after));
    const expected = await seen(whole.store);
    expect(Object.keys(expected)).toEqual(['a', 'b', 'd']);
    for (const side of ['before', 'after'] as const)
      for (let write = 1; ; write++) {
        const inner = new MemoryStore();
        const { clock, options } = setUp(inner);
        await publish(options, request(before));
        clock.set(T0 + HOUR);
        const injector = new FaultInjector({ seed: write, crashAtWrite: write, crashSide: side });
        for (let i = 0; i < 3; i++)
          await publish({ clock, store: injector.process().store(inner) }, request(after)).catch((error: unknown) => {
            if (!(error instanceof CrashError)) throw error;
          });
        expect(await seen(inner), `${side} write ${write}`).toEqual(expected);
        if (injector.counts.writes < write) break;
      }
  });

  it('for lack of time leave the rest for the next time', async () => {
    const { store, options } = setUp();
    const lines = Array.from({ length: 250 }, (_, i) => line(`m${i}`));
    let asked = 0;
    const first = await publish(options, request(lines, { isLate: () => asked++ > 300 }));
    expect(first.unfinished).toBeGreaterThan(0);
    expect(first.published + first.unfinished).toBe(250);
    expect(await publish(options, request(lines))).toMatchObject({ published: first.unfinished, unfinished: 0 });
    expect(Object.keys(await seen(store))).toHaveLength(250);
  });
});
