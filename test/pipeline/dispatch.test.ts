/**
 * Dispatcher and evaluators over a queue: whatever happens to messages and processes, the results are those of one evaluator that looks at
 * everything itself.
 */
import { describe, expect, it } from 'vitest';
import { FaultInjector, type FaultOptions, type FaultyProcess } from '../../lib/adapters/memory/faults.ts';
import { monitorSchema } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import { Dispatcher, type DispatcherOptions } from '../../lib/pipeline/dispatcher.ts';
import { EpisodeKeeper } from '../../lib/pipeline/episodes.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { publishMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { type Judge, statisticsBytes } from '../../lib/pipeline/window-judge.ts';
import { type QueueFaults, SimulatedQueue } from './evaluation-queue.ts';
import {
  countingJudge,
  differences,
  finish,
  type GeneratedEvent,
  generate,
  HOUR,
  monitorOf,
  Platform,
  seeded,
  shrunkRevisions,
  statistics,
  T0,
  World,
  wire,
} from './simulation.ts';

const END = T0 + 48 * HOUR;
const MINUTE = 60_000;
const MODELS = ['m', 'n', 'o'];

/** Counts what is asked of a store. */
function counted(inner: ObjectStore): { store: ObjectStore; gets: () => number } {
  let gets = 0;
  return {
    store: {
      ...inner,
      get: (key) => {
        gets++;
        return inner.get(key);
      },
      getRange: (...of) => inner.getRange(...of),
      list: (...of) => inner.list(...of),
      putIfAbsent: (...of) => inner.putIfAbsent(...of),
      putIfUnchanged: (...of) => inner.putIfUnchanged(...of),
      delete: (key) => inner.delete(key),
    },
    gets: () => gets,
  };
}

function dispatcherOf(
  world: World,
  options: Partial<DispatcherOptions> & Pick<DispatcherOptions, 'queue'>,
): Dispatcher {
  const store = options.store ?? world.store;
  const registry = new Registry({ store, clock: world.clock, cacheMs: world.cacheMs, baselines: 'none' });
  return new Dispatcher({
    log: world.log,
    clock: world.clock,
    settleMs: 0,
    stalledAfterMs: 1_000 * 24 * HOUR,
    modelsPerMessage: 2,
    ...options,
    store,
    registry,
  });
}

/** One evaluator function: a process that does not live long, and judges what messages name. */
class Worker {
  readonly platform: Platform;
  readonly #queue: SimulatedQueue;

  constructor(
    world: World,
    queue: SimulatedQueue,
    options: { process?: FaultyProcess; judge?: Judge; onResult?: (result: WindowResult) => Promise<void> | void } = {},
  ) {
    this.platform = new Platform(world, { closeAfterMs: HOUR, ...options });
    this.#queue = queue;
  }

  async work(): Promise<void> {
    const message = this.#queue.take();
    if (message === null) return;
    try {
      if (message.close) while ((await this.platform.grains.close()).more);
      await this.platform.registry.select(message.models);
      const { more, failed } = await this.platform.evaluator.judge(message.models);
      for (const error of failed.values()) if (error.name !== 'TransientError') throw error;
      if (more.length > 0 || failed.size > 0) this.#queue.back({ ...message, models: [...more, ...failed.keys()] });
    } catch (error) {
      this.#queue.back(message);
      throw error;
    }
  }
}

interface Distributed {
  readonly world: World;
  readonly results: readonly WindowResult[];
  readonly queue: SimulatedQueue;
  readonly crashes: number;
}

/** Events of a log, judged by dispatchers and evaluators with faults in everything. */
async function distributed(
  seed: number,
  events: readonly GeneratedEvent[],
  {
    faults = {},
    queue: queueFaults = {},
    prepare,
  }: {
    faults?: Omit<FaultOptions, 'seed'>;
    queue?: QueueFaults;
    prepare: (world: World) => Promise<void>;
  },
): Promise<Distributed> {
  const random = seeded(seed * 7_919 + 3);
  const world = new World({ partitions: 2 });
  await prepare(world);
  const injector = new FaultInjector({ seed, ...faults });
  const queue = new SimulatedQueue(random, queueFaults);
  const tolerated = ['CrashError', 'TransientError', 'ConflictError'];
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!tolerated.includes((error as Error).name)) throw error;
    }
  };
  const profilers = new Platform(world, { records: 20 });
  const act = async (): Promise<void> => {
    const process = injector.process();
    if (random() < 0.4)
      await attempt(() =>
        dispatcherOf(world, { queue, store: process.store(world.store), log: process.log(world.log) }).tick(),
      );
    else await attempt(() => new Worker(world, queue, { process }).work());
  };
  for (const [id, event] of events.entries()) {
    world.append(`p${event.partition % 2}`, [wire(event, id)], event.appendTime);
    if (random() < 0.3) await profilers.profileAll();
    if (random() < 0.4) await Promise.all([act(), act(), act()]);
  }
  injector.disable();
  // The queue stays as bad as it was; the dispatcher asks until nothing is due.
  for (let now = world.clock.now(); now <= END + 2 * HOUR; now += 20 * MINUTE) {
    world.clock.set(now);
    await profilers.profileAll();
    await Promise.all([
      dispatcherOf(world, { queue }).tick(),
      random() < 0.2 ? dispatcherOf(world, { queue }).tick() : null,
    ]);
    while (queue.waiting.length > 0) {
      const worker = new Worker(world, queue);
      await Promise.all([attempt(() => worker.work()), attempt(() => new Worker(world, queue).work())]);
    }
  }
  return { world, results: await judged(world), queue, crashes: injector.counts.crashes };
}

/** Results of windows that every run comes to the end of. */
async function judged(world: World): Promise<WindowResult[]> {
  return (await world.results()).filter(({ end }) => Date.parse(end) <= END - 12 * HOUR);
}

async function declareAll(world: World): Promise<void> {
  for (const model of MODELS) await world.declare(model);
}

/** The same log judged by one evaluator's ticks. */
async function ticked(events: readonly GeneratedEvent[], prepare: (world: World) => Promise<void>): Promise<World> {
  const world = new World({ partitions: 2 });
  await prepare(world);
  const platform = new Platform(world);
  for (const [id, event] of events.entries()) {
    world.append(`p${event.partition % 2}`, [wire(event, id)], event.appendTime);
    if (id % 10 === 0) await platform.settle();
  }
  await finish(world, platform, END);
  return world;
}

const SEEDS = Number(process.env['FAULT_SEEDS'] ?? 4);

describe('dispatcher and evaluators over a queue', () => {
  it(`give the results of one evaluator that looks at everything, whatever happens (${SEEDS} seeds)`, async () => {
    let crashes = 0;
    let lost = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const events = generate(seed, { count: 90, hours: 6, models: MODELS, versions: ['1', '2'] });
      const { world, results, queue, ...found } = await distributed(seed, events, {
        prepare: declareAll,
        faults: seed === 1 ? {} : { crash: 0.05, conflict: 0.04, transient: 0.03, delay: 1 },
        queue: seed === 1 ? {} : { loss: 0.2, duplicate: 0.2, refuse: 0.1, reorder: true },
      });
      crashes += found.crashes;
      lost += queue.lost;
      const alone = await ticked(events, declareAll);
      expect(differences(results, events, monitorOf('m')), `seed ${seed}`).toEqual([]);
      expect(await shrunkRevisions(world, results), `seed ${seed}`).toEqual([]);
      expect(statistics(results), `seed ${seed}`).toEqual(statistics(await judged(alone)));
      expect(await world.totals(), `seed ${seed}`).toEqual(await alone.totals());
    }
    expect(crashes).toBeGreaterThan(SEEDS);
    expect(lost).toBeGreaterThan(SEEDS);
  }, 600_000);

  it('finds a window silent whose rows were all late, whenever it is judged first', async () => {
    const judgedAt = async (...minutes: number[]): Promise<Map<string, string>> => {
      const world = new World();
      await world.declare('m');
      const platform = new Platform(world);
      const [event] = generate(1, { count: 1, hours: 1, versions: ['2'] });
      const late = { ...(event as GeneratedEvent), time: T0 + MINUTE };
      for (const minute of minutes.filter((one) => one < 100)) {
        world.clock.set(T0 + minute * MINUTE);
        await platform.settle();
      }
      world.append('p0', [wire(late, 1)], T0 + 100 * MINUTE);
      await finish(world, platform, END);
      return statistics(await judged(world));
    };
    const early = await judgedAt(95);
    expect([...early.keys()]).toContain(`first 1h m/1/${T0}`);
    expect([...early.keys()]).toContain(`first 1h m/2/${T0}`);
    expect(await judgedAt()).toEqual(early);
  });

  it('judges a window by the monitor in force at its end, one that changed or was taken back included', async () => {
    const changing = async (world: World): Promise<void> => {
      await world.declare('m', { from: T0 });
      const wider = monitorOf('m', { window: { every: '2h', lateness: '30m', revise: '12h' } });
      await publishMonitor(world.publisher, wider, { by: 'test', effectiveFrom: T0 + 2 * HOUR });
      await publishMonitor(world.publisher, monitorOf('m'), { by: 'test', effectiveFrom: T0 + 4 * HOUR });
    };
    const events = generate(11, { count: 60, hours: 6 });
    const { results } = await distributed(11, events, { prepare: changing, queue: { loss: 0.2, duplicate: 0.3 } });
    const alone = await judged(await ticked(events, changing));
    const named = (all: readonly WindowResult[]): string[] =>
      all
        .filter(({ provenance }) => provenance.revision === 0)
        .map(({ start, length, provenance }) => `${start} ${length} ${provenance.monitor}`)
        .sort();
    expect(named(results)).toEqual(named(alone));
    expect(new Set(results.map(({ provenance }) => provenance.monitor))).toEqual(new Set([1, 2, 3]));
    expect(statistics(results)).toEqual(statistics(alone));
  }, 60_000);
});

describe('the dispatcher', () => {
  async function idleWorld(models: number): Promise<{ world: World; queue: SimulatedQueue; names: string[] }> {
    const world = new World({ partitions: 2 });
    const names = Array.from({ length: models }, (_, i) => `model-${String(i).padStart(4, '0')}`);
    for (const name of names) await world.declare(name, { baseline: false });
    return { world, queue: new SimulatedQueue(seeded(1)), names };
  }

  async function drain(world: World, queue: SimulatedQueue): Promise<void> {
    const worker = new Worker(world, queue);
    while (queue.waiting.length > 0) await worker.work();
  }

  it('does not read the progress of models that nothing is due of', async () => {
    const { world, queue } = await idleWorld(200);
    world.clock.set(T0 + 5 * MINUTE);
    const { store, gets } = counted(world.store);
    const dispatcher = dispatcherOf(world, { queue, store, modelsPerMessage: 20 });
    expect(await dispatcher.tick()).toMatchObject({ due: 200, messages: 10 });
    await drain(world, queue);
    world.clock.set(T0 + 6 * MINUTE);
    // Asked for a minute ago: each is read, once.
    expect(await dispatcher.tick()).toMatchObject({ due: 0, read: 200 });
    const before = gets();
    for (let minute = 7; minute < 50; minute++) {
      world.clock.set(T0 + minute * MINUTE);
      expect(await dispatcher.tick()).toMatchObject({ due: 0, read: 0, messages: 0 });
    }
    // The agenda, and nothing else; there is no cursor yet.
    expect(gets() - before).toBe(43);
    // In a day every model is read again, a share of them at a time, although nothing but windows without rows happens.
    let most = 0;
    world.clock.set(T0 + 89 * MINUTE);
    for (let minute = 90; minute < 100; minute++) {
      world.clock.set(T0 + minute * MINUTE);
      most = Math.max(most, (await dispatcher.tick()).read);
      await drain(world, queue);
    }
    expect(most).toBeLessThanOrEqual(200);
  });

  it('asks again for what was lost, less and less often, and at once for what went on', async () => {
    const { world, names } = await idleWorld(1);
    world.clock.set(T0 + MINUTE);
    const lossy = new SimulatedQueue(seeded(1), { loss: 1 });
    const lost = dispatcherOf(world, { queue: lossy });
    const asked: number[] = [];
    for (let minute = 1; minute <= 180; minute++) {
      world.clock.set(T0 + minute * MINUTE);
      if ((await lost.tick()).messages > 0) asked.push(minute);
    }
    expect(asked).toEqual([1, 6, 16, 36, 76, 136]);
    const queue = new SimulatedQueue(seeded(1));
    const dispatcher = dispatcherOf(world, { queue });
    world.clock.set(T0 + 200 * MINUTE);
    expect(await dispatcher.tick()).toMatchObject({ due: 1 });
    await drain(world, queue);
    expect((await world.results()).map(({ model }) => model)).toContain(names[0]);
    world.clock.set(T0 + 211 * MINUTE);
    expect(await dispatcher.tick()).toMatchObject({ due: 1, overdueMs: MINUTE });
  });

  it('is not held up by a model whose progress cannot be read, nor by an agenda that cannot', async () => {
    const { world, queue, names } = await idleWorld(3);
    world.clock.set(T0 + 95 * MINUTE);
    await world.store.putIfAbsent(keys.evaluation(names[1] as string), new TextEncoder().encode('{'));
    await world.store.putIfAbsent(keys.agenda(), new TextEncoder().encode('not json'));
    const dispatcher = dispatcherOf(world, { queue, modelsPerMessage: 20 });
    expect(await dispatcher.tick()).toMatchObject({ due: 3, messages: 1 });
    const worker = new Platform(world);
    const outcome = await worker.evaluator.judge(queue.take()?.models ?? []);
    expect([...outcome.failed.keys()]).toEqual([names[1]]);
    expect(new Set((await world.results()).map(({ model }) => model))).toEqual(new Set([names[0], names[2]]));
    world.clock.set(T0 + 96 * MINUTE);
    expect(await dispatcher.tick()).toMatchObject({ messages: 0 });
  });

  it('keeps asking for models whose message the queue refused', async () => {
    const { world } = await idleWorld(2);
    world.clock.set(T0 + MINUTE);
    const refusing = new SimulatedQueue(seeded(1), { refuse: 1 });
    expect(await dispatcherOf(world, { queue: refusing }).tick()).toMatchObject({ messages: 1, refused: 1 });
    const queue = new SimulatedQueue(seeded(1));
    expect(await dispatcherOf(world, { queue }).tick()).toMatchObject({ messages: 1, refused: 0 });
  });

  it('asks for hours to be closed, once for all', async () => {
    const world = new World();
    await world.declare('m');
    const queue = new SimulatedQueue(seeded(1));
    const [event] = generate(1, { count: 1, hours: 1 });
    world.append('p0', [wire(event as GeneratedEvent, 1)], T0 + HOUR);
    await new Platform(world).profileAll();
    const dispatcher = dispatcherOf(world, { queue, modelsPerMessage: 20 });
    world.clock.set(T0 + 2 * HOUR);
    await dispatcher.tick();
    expect(queue.waiting.filter(({ close }) => close)).toHaveLength(1);
    world.clock.set(T0 + 2 * HOUR + MINUTE);
    await dispatcher.tick();
    expect(queue.waiting.filter(({ close }) => close)).toHaveLength(1);
    await drain(world, queue);
    const count = queue.sent;
    await dispatcher.tick();
    expect(queue.waiting.filter(({ close }) => close)).toEqual([]);
    expect(queue.sent).toBeGreaterThanOrEqual(count);
  });

  it('finds the progress that somebody restored from a copy', async () => {
    const { world, queue, names } = await idleWorld(1);
    const name = names[0] as string;
    world.clock.set(T0 + 95 * MINUTE);
    const dispatcher = dispatcherOf(world, { queue, rereadAfterMs: 20 * MINUTE });
    await dispatcher.tick();
    await drain(world, queue);
    await dispatcher.tick();
    const stored = await world.store.get(keys.evaluation(name));
    const state = JSON.parse(new TextDecoder().decode(stored?.body)) as { through: Record<string, number> };
    await world.store.putIfUnchanged(
      keys.evaluation(name),
      encodeJson({ ...state, through: { '1h': T0, '6h': T0 } }),
      stored?.etag ?? '',
    );
    let due = 0;
    for (let minute = 96; minute < 115; minute++) {
      world.clock.set(T0 + minute * MINUTE);
      due += (await dispatcher.tick()).due;
    }
    expect(due).toBe(0);
    world.clock.set(T0 + 115 * MINUTE);
    expect((await dispatcher.tick()).due).toBeGreaterThan(0);
  });
});

describe('many models that drift together', () => {
  const drifting: Judge = (input) => {
    const counts = countingJudge(input);
    const [first, ...rest] = counts.features;
    return input.profile.rows === 0 || first === undefined
      ? counts
      : {
          ...counts,
          status: 'drifted',
          features: [{ ...first, status: 'drifted', effect: 0.5, pValue: 1e-9 }, ...rest],
        };
  };

  it('open one episode each, told once, although a function dies between result and episode', async () => {
    const world = new World({ partitions: 2 });
    const names = Array.from({ length: 40 }, (_, i) => `model-${i}`);
    for (const name of names)
      await world.declare(name, {
        monitor: monitorSchema.parse({
          ...monitorOf(name),
          drift: { scales: [] },
          alerts: { after: '1 of 1' },
        }),
      });
    for (const [i, model] of names.entries())
      world.append(
        `p${i % 2}`,
        [wire({ ...(generate(i, { count: 1, hours: 1 })[0] as GeneratedEvent), model }, i)],
        T0 + HOUR / 2,
      );
    await new Platform(world).profileAll();
    world.clock.set(T0 + 95 * MINUTE);
    const queue = new SimulatedQueue(seeded(5), { duplicate: 0.3, reorder: true });
    const injector = new FaultInjector({ seed: 5, crash: 0.05 });
    let crashes = 0;
    const worker = (): Worker => {
      const process = injector.process();
      const monitor = (model: string) => worker.platform.registry.monitorAt(model, world.clock.now())?.monitor ?? null;
      const links = { runbook: () => '', page: () => '' };
      const episodes = new EpisodeKeeper({ store: process.store(world.store), clock: world.clock, monitor, links });
      const worker: Worker = new Worker(world, queue, {
        process,
        judge: drifting,
        onResult: async (result) => void (await episodes.apply(result.model, [result])),
      });
      return worker;
    };
    await dispatcherOf(world, { queue, modelsPerMessage: 5 }).tick();
    while (queue.waiting.length > 0)
      await Promise.all(
        [worker(), worker(), worker()].map((one) =>
          one.work().catch((error: Error) => {
            if (!['CrashError', 'ConflictError'].includes(error.name)) throw error;
            crashes++;
          }),
        ),
      );
    expect(crashes).toBeGreaterThan(5);
    for (const name of names) {
      const stored = await world.store.get(keys.episodes(name));
      const { outbox } = JSON.parse(new TextDecoder().decode(stored?.body)) as {
        outbox: { transition: { kind: string } }[];
      };
      expect(
        outbox.map(({ transition }) => transition.kind),
        name,
      ).toEqual(['opened']);
    }
    const firsts = (await world.results()).filter(({ provenance }) => provenance.revision === 0);
    expect(firsts).toHaveLength(names.length);
  }, 60_000);
});

describe('reading packs', () => {
  it('reads the bodies of neighbours with one request', async () => {
    const world = new World();
    const names = Array.from({ length: 30 }, (_, i) => `model-${String(i).padStart(2, '0')}`);
    for (const name of names) await world.declare(name);
    // Many long names make bodies that the index does not bring along.
    const events = names.flatMap((model, i) =>
      Array.from({ length: 100 }, (_, j) => ({
        ...wire({ ...(generate(i, { count: 1, hours: 1 })[0] as GeneratedEvent), model }, i * 1_000 + j),
        categorical: { kind: `never seen before ${j} ${'x'.repeat(90)}` },
      })),
    );
    for (const event of events) world.append('p0', [event], T0 + HOUR / 2);
    await new Platform(world, { records: 10_000 }).profileAll();
    world.clock.set(T0 + 95 * MINUTE);
    const results = async (together: boolean) => {
      const fresh = new Platform(world);
      let ranges = 0;
      const { getRange } = world.store;
      world.store.getRange = (...of) => {
        if (of[1] > 0) ranges++;
        return getRange.call(world.store, ...of);
      };
      for (const group of [names.slice(0, 20), names.slice(20)])
        if (together) await fresh.evaluator.judge(group);
        else for (const name of group) await fresh.evaluator.judge([name]);
      world.store.getRange = getRange;
      const all = (await world.results()).map((result) => JSON.stringify(statisticsBytes(result))).sort();
      for (const key of await world.store.list('results/')) await world.store.delete(key);
      for (const key of await world.store.list('evaluations/')) await world.store.delete(key);
      return { ranges, all };
    };
    const alone = await results(false);
    const together = await results(true);
    expect(together.all).toEqual(alone.all);
    expect(alone.ranges).toBeGreaterThanOrEqual(names.length);
    expect(together.ranges).toBeLessThanOrEqual(4);
  });
});
