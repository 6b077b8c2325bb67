/** Learning a baseline on the real stream path in memory: when it is made, of what, and that it is made once whatever is killed. */
import { describe, expect, it } from 'vitest';
import { FaultInjector, type FaultOptions, type FaultyProcess } from '../../lib/adapters/memory/faults.ts';
import type { Baseline, PublishedBaseline } from '../../lib/contracts/baseline.ts';
import type { LearningState } from '../../lib/contracts/learning.ts';
import { type MonitorInput, monitorSchema } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { readJson } from '../../lib/pipeline/json-object.ts';
import { Learner, type LearningRequest } from '../../lib/pipeline/learner.ts';
import { learningView } from '../../lib/pipeline/learning-view.ts';
import { approveBaseline, publishMonitor, readAll } from '../../lib/pipeline/publisher.ts';
import { baselineOf, HOUR, Platform, seeded, T0, World } from './simulation.ts';

const LEARNING: MonitorInput = {
  model: 'm',
  baseline: { learn: '6h' },
  features: { amount: { type: 'numeric' }, kind: { type: 'categorical' } },
  window: { every: '1h', lateness: '10m', revise: '1h', minimumRows: 20 },
  drift: { scales: [] },
};

interface Run {
  readonly world: World;
  platform: Platform;
  learner: Learner;
  readonly made: LearningRequest[];
}

interface Making {
  readonly stalledAfterMs?: number;
  readonly make?: (request: LearningRequest, times: number) => Baseline;
  readonly process?: FaultyProcess;
  readonly made?: LearningRequest[];
}

/** One incarnation. Baselines made twice differ, as those of a capture that grew meanwhile would. */
function start(world: World, { make, process, made = [], stalledAfterMs }: Making = {}): Run {
  const platform = new Platform(world, { process, judge: judgeWindow, records: 500, stalledAfterMs });
  const { store, registry, reader } = platform;
  const { clock, cacheMs } = world;
  const learner = new Learner({
    store,
    clock,
    cacheMs,
    registry,
    reader,
    audit: new AuditLog({ store, clock }),
    capture: { through: () => Promise.resolve(clock.now()) },
    make: (request) => {
      made.push(request);
      const baseline = make?.(request, made.length) ?? { ...baselineOf('m', 'x'), rows: 1_000 + made.length };
      return Promise.resolve(baseline);
    },
  });
  return { world, platform, learner, made };
}

async function declared({
  partitions,
  ...change
}: Partial<MonitorInput> & { partitions?: number } = {}): Promise<World> {
  const world = new World({ partitions });
  await publishMonitor(world.publisher, monitorSchema.parse({ ...LEARNING, ...change }), {
    by: 'test',
    effectiveFrom: T0,
  });
  return world;
}

const random = seeded(3);

/** Events of one hour, appended while it lasts. */
function hour(
  world: World,
  n: number,
  { rows = 60, version = '1', odd = false, lateMs = 0, partition = 'p0' } = {},
): void {
  for (let i = 0; i < rows; i++) {
    const time = T0 + n * HOUR + Math.floor((i * HOUR) / rows);
    const event = {
      id: `${partition}-${version}-${n}-${i}`,
      type: 'inference',
      model: 'm',
      version,
      time: new Date(time).toISOString(),
      numeric: { amount: Math.floor(random() * 40) * (odd ? 1_000 : 1) },
      categorical: { kind: 'abc'[Math.floor(random() * 3)] },
    };
    world.append(partition, [event], time + lateMs);
  }
}

async function pass({ world, platform, learner }: Run, n: number, minutes = 15): Promise<void> {
  world.clock.set(T0 + n * HOUR + minutes * 60_000);
  await platform.settle();
  const { failed } = await learner.step();
  for (const error of failed.values()) throw error;
}

const baselinesOf = (world: World): Promise<PublishedBaseline[]> =>
  readAll<PublishedBaseline>(world.store, keys.baselines('m'));
const stateOf = async (world: World): Promise<LearningState | undefined> =>
  (await readJson<LearningState>(world.store, keys.learning('m')))?.value;

describe('a learner', () => {
  it('waits for the first event, then for the days and their lateness, and publishes once', async () => {
    const world = await declared();
    const run = start(world);
    await pass(run, 2);
    expect(await stateOf(world)).toBeUndefined();
    expect(await learningView(run.platform, 'm', world.clock.now())).toMatchObject({ from: null, progress: 0 });
    for (let n = 2; n < 8; n++) hour(world, n, { version: n < 4 ? '1' : '2' });
    // The last window has ended; what is late may still come.
    await pass(run, 8, 5);
    expect(await stateOf(world)).toMatchObject({ from: T0 + 2 * HOUR, due: T0 + 8 * HOUR, status: 'learning' });
    expect(run.made).toEqual([]);
    await pass(run, 8, 11);
    expect(run.made).toMatchObject([
      { model: 'm', version: '2', span: { from: T0 + 2 * HOUR, to: T0 + 8 * HOUR }, leaveOut: [] },
    ]);
    const [baseline, ...others] = await baselinesOf(world);
    expect(others).toEqual([]);
    expect(baseline).toMatchObject({
      version: '2',
      approved: null,
      provisional: true,
      effectiveFrom: new Date(T0 + 9 * HOUR).toISOString(),
      baseline: { version: '2', rows: 1_001 },
    });
    expect(await stateOf(world)).toMatchObject({ status: 'learned', baseline: { version: '2', n: 1 } });
    for (let n = 8; n < 11; n++) {
      hour(world, n, { version: '2' });
      await pass(run, n + 1);
    }
    expect(await baselinesOf(world)).toHaveLength(1);
    expect(await learningView(run.platform, 'm', world.clock.now())).toBeNull();
    const results = (await world.results()).filter(({ version }) => version === '2');
    const byStart = new Map(results.map((result) => [Date.parse(result.start), result]));
    expect(byStart.get(T0 + 8 * HOUR)).toMatchObject({
      status: 'learning',
      reason: 'the baseline is learned from the first 6h',
      provenance: { baseline: null },
    });
    expect(byStart.get(T0 + 9 * HOUR)).toMatchObject({
      status: 'ok',
      provenance: { baseline: { version: '2', n: 1, provisional: true } },
    });

    await approveBaseline(world.publisher, { model: 'm', version: '2', n: 1, by: 'me' });
    const approved = await baselinesOf(world);
    expect(approved.map((one) => [one.approved?.by, one.provisional])).toEqual([
      [undefined, true],
      ['me', undefined],
    ]);
    for (let n = 11; n < 14; n++) {
      hour(world, n, { version: '2' });
      await pass(run, n + 1);
    }
    const last = (await world.results()).find(
      ({ start: at, version }) => Date.parse(at) === T0 + 13 * HOUR && version === '2',
    );
    expect(last?.provenance.baseline).toEqual({ version: '2', n: 2, fallback: false });
    expect(await baselinesOf(world)).toHaveLength(2);
  });

  it('leaves out the hour that stands out, and says why', async () => {
    const world = await declared();
    const run = start(world);
    for (let n = 0; n < 6; n++) hour(world, n, { odd: n === 3 });
    await pass(run, 6);
    expect(run.made[0]?.leaveOut).toEqual([{ from: T0 + 3 * HOUR, to: T0 + 4 * HOUR }]);
    const [published] = await baselinesOf(world);
    expect(published?.baseline.findings[0]).toMatchObject({
      code: 'left-out-window',
      got: expect.stringMatching(/^amount: distance 1\.\d\d from the nearest window/) as string,
    });
    expect(published?.baseline.learned?.leftOut).toEqual([
      { start: '2026-03-02T03:00:00.000Z', end: '2026-03-02T04:00:00.000Z' },
    ]);
  });

  it('goes on, window by window, while there are too few rows, and says so in results', async () => {
    const world = await declared();
    const run = start(world);
    for (let n = 0; n < 6; n++) hour(world, n, { rows: n < 3 ? 60 : 5 });
    await pass(run, 6);
    const held = { reason: 'too-few-rows', detail: '3 of 6 windows have 20 rows; at least 4 are needed' };
    expect(await stateOf(world)).toMatchObject({ status: 'learning', hold: held, until: T0 + 7 * HOUR });
    hour(world, 6, { rows: 30 });
    await pass(run, 7);
    expect(run.made).toMatchObject([{ span: { from: T0, to: T0 + 7 * HOUR } }]);
    const result = (await world.results()).find(({ start: at }) => Date.parse(at) === T0 + 6 * HOUR);
    expect(result).toMatchObject({
      status: 'learning',
      reason: `the baseline is learned for longer than asked (too-few-rows): ${held.detail}`,
    });
  });

  describe('with windows that were judged without what a stalled partition holds', () => {
    /** Six hours on two partitions, of which the second is not read; windows are judged without it an hour after they could be. */
    async function stalled(): Promise<Run> {
      const world = await declared({ partitions: 2 });
      const run = start(world, { stalledAfterMs: HOUR });
      for (let n = 0; n < 6; n++) {
        hour(world, n, { rows: n === 4 ? 2 : 30 });
        hour(world, n, { rows: n === 4 ? 58 : 30, partition: 'p1' });
      }
      world.clock.set(T0 + 7 * HOUR + 20 * 60_000);
      for (let again = 0; again < 3; again++) {
        while ((await run.platform.profiler('p0').step()).more);
        await run.platform.evaluator.tick();
      }
      expect((await world.results()).map(({ status }) => status)).toContain('stale');
      return run;
    }
    const step = async ({ learner }: Run): Promise<void> => {
      expect((await learner.step()).failed.size).toBe(0);
    };

    it('waits until they are whole', async () => {
      const run = await stalled();
      await step(run);
      await step(run);
      expect(run.made).toEqual([]);
      expect(await stateOf(run.world)).toMatchObject({ status: 'learning', hold: null });
      await run.platform.settle();
      await run.platform.settle();
      await step(run);
      expect(run.made).toMatchObject([{ span: { from: T0, to: T0 + 6 * HOUR }, leaveOut: [] }]);
      expect((await stateOf(run.world))?.plan).toMatchObject({ rows: 360, windows: 6 });
    });

    it('does not wait for those that come later', async () => {
      const world = await declared({ partitions: 2 });
      const run = start(world, { stalledAfterMs: HOUR });
      for (let n = 0; n < 6; n++) for (const partition of ['p0', 'p1']) hour(world, n, { rows: 30, partition });
      world.clock.set(T0 + 6 * HOUR + 20 * 60_000);
      for (const partition of ['p0', 'p1']) while ((await run.platform.profiler(partition).step()).more);
      await run.platform.evaluator.tick();
      for (const partition of ['p0', 'p1']) hour(world, 6, { rows: 30, partition });
      world.clock.set(T0 + 8 * HOUR + 20 * 60_000);
      for (let again = 0; again < 3; again++) {
        while ((await run.platform.profiler('p0').step()).more);
        await run.platform.evaluator.tick();
      }
      expect((await world.results()).filter(({ status }) => status === 'stale')).toHaveLength(1);
      await step(run);
      await step(run);
      expect(run.made).toMatchObject([{ span: { from: T0, to: T0 + 6 * HOUR }, leaveOut: [] }]);
    });

    it('does not wait for longer than a day', async () => {
      const run = await stalled();
      await step(run);
      run.world.clock.set(T0 + 30 * HOUR + 10 * 60_000);
      await step(run);
      expect(await stateOf(run.world)).toMatchObject({ plan: { rows: 152 } });
    });
  });

  it('goes on with the reason where no baseline can be made of it', async () => {
    const world = await declared();
    const run = start(world, {
      make: (_, times) => {
        if (times === 1) throw new ProblemError([{ code: 'no-rows', path: 'm', message: 'nothing was captured' }]);
        return baselineOf('m', '1');
      },
    });
    for (let n = 0; n < 7; n++) hour(world, n);
    await pass(run, 6);
    expect(await stateOf(world)).toMatchObject({
      status: 'learning',
      hold: { reason: 'refused', detail: 'm: nothing was captured' },
      plan: null,
    });
    await pass(run, 7);
    expect(await baselinesOf(world)).toHaveLength(1);
  });

  it('begins anew where what is learned changes, and not where something else does', async () => {
    const world = await declared();
    const run = start(world);
    for (let n = 0; n < 3; n++) hour(world, n);
    await pass(run, 3);
    const owned = monitorSchema.parse({ ...LEARNING, owner: 'others', baseline: { learn: '5h' } });
    await publishMonitor(world.publisher, owned, { by: 'test', effectiveFrom: T0 + 4 * HOUR });
    for (let n = 3; n < 5; n++) hour(world, n);
    world.clock.set(T0 + 4.9 * HOUR);
    await pass(run, 4, 58);
    expect(await stateOf(world)).toMatchObject({ from: T0, status: 'learning' });
    const more = monitorSchema.parse({ ...LEARNING, features: { ...LEARNING.features, fee: { type: 'numeric' } } });
    await publishMonitor(world.publisher, more, { by: 'test', effectiveFrom: T0 + 5 * HOUR });
    for (let n = 5; n < 11; n++) {
      hour(world, n);
      await pass(run, n + 1);
    }
    expect(run.made).toMatchObject([{ span: { from: T0 + 5 * HOUR, to: T0 + 11 * HOUR } }]);
  });

  it('leaves models alone that have a baseline or learn none', async () => {
    const world = new World();
    await world.declare('m', { monitor: monitorSchema.parse({ ...LEARNING }) });
    await world.declare('n', { baseline: false });
    const run = start(world);
    for (let n = 0; n < 8; n++) hour(world, n);
    await pass(run, 8);
    expect(run.made).toEqual([]);
    expect(await stateOf(world)).toBeUndefined();
  });
});

describe('one baseline is published', () => {
  async function run(
    faults: Omit<FaultOptions, 'seed'>,
    seed = 1,
  ): Promise<{ world: World; writes: number; crashes: number }> {
    const world = await declared();
    for (let n = 0; n < 6; n++) hour(world, n, { odd: n === 2, rows: 40 });
    world.clock.set(T0 + 6 * HOUR + 15 * 60_000);
    await start(world).platform.settle();
    const injector = new FaultInjector({ seed, ...faults });
    const made: LearningRequest[] = [];
    let running = [0, 1].map(() => start(world, { process: injector.process(), made }));
    for (let round = 0; round < 25; round++) {
      const steps = await Promise.all(running.map(({ learner }) => learner.step().catch((error: Error) => error)));
      running = running.map((one, i) => {
        const step = steps[i]!;
        const errors = step instanceof Error ? [step] : [...step.failed.values()];
        for (const error of errors)
          if (!['CrashError', 'TransientError', 'ConflictError'].includes(error.name)) throw error;
        const isDead = errors.some(({ name }) => name === 'CrashError');
        return isDead ? start(world, { process: injector.process(), made }) : one;
      });
    }
    injector.disable();
    const { writes, crashes } = injector.counts;
    await start(world).learner.step();
    return { world, writes, crashes };
  }

  async function check(world: World): Promise<void> {
    const published = await baselinesOf(world);
    expect(published).toHaveLength(1);
    expect(await stateOf(world)).toMatchObject({ status: 'learned', baseline: { version: '1', n: 1 } });
    expect(published[0]?.baseline.learned?.leftOut).toHaveLength(1);
  }

  it('with a kill before and after each single write', async () => {
    const { writes } = await run({});
    expect(writes).toBeGreaterThanOrEqual(5);
    let kills = 0;
    for (let at = 1; at <= writes; at++)
      for (const crashSide of ['before', 'after'] as const) {
        const outcome = await run({ crashAtWrite: at, crashSide });
        kills += outcome.crashes;
        await check(outcome.world);
      }
    expect(kills).toBeGreaterThanOrEqual(2 * writes - 4);
  });

  it('by two learners at once, with kills, lost answers and 503s', async () => {
    for (let seed = 1; seed <= 12; seed++)
      await check((await run({ crash: 0.15, maxCrashes: 8, conflict: 0.1, transient: 0.05, delay: 2 }, seed)).world);
  });
});
