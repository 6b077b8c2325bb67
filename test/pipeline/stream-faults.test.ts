/**
 * The promise under faults: each log record counts exactly once, whatever is killed, repeated or overtaken. Kills come before or after any
 * write of profiler, evaluator and grains; answers get lost; two processes work on the same partitions. FAULT_SEEDS=2000 runs more.
 */
import { describe, expect, it } from 'vitest';
import { FaultInjector, type FaultOptions } from '../../lib/adapters/memory/faults.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import {
  differences,
  finish,
  type GeneratedEvent,
  generate,
  HOUR,
  monitorOf,
  Platform,
  seeded,
  shrunkRevisions,
  T0,
  World,
  wire,
} from './simulation.ts';

const END = T0 + 48 * HOUR;
const SEEDS = Number(process.env['FAULT_SEEDS'] ?? 10);

interface Outcome {
  readonly world: World;
  readonly events: readonly GeneratedEvent[];
  readonly results: readonly WindowResult[];
  readonly handedOn: ReadonlySet<string>;
  /** Until the faults ended. */
  readonly writes: number;
  readonly crashes: number;
}

async function run(seed: number, faults: Omit<FaultOptions, 'seed'>, count = 120): Promise<Outcome> {
  const random = seeded(seed * 7_919 + 1);
  const partitions = 1 + Math.floor(random() * 3);
  const events = generate(seed, { count, hours: 6, models: ['m', 'n'], versions: ['1', '2'] });
  const world = new World({ partitions });
  await world.declare('m');
  await world.declare('n');
  const injector = new FaultInjector({ seed, ...faults });
  const handedOn = new Set<string>();
  const start = (): Platform => {
    const process = injector.process();
    return new Platform(world, {
      process,
      records: 1 + Math.floor(random() * 30),
      closeAfterMs: random() < 0.5 ? 0 : HOUR,
      // Handing on is a write as well: it may be killed before or after.
      onResult: (result) => process.write('hand on', async () => void handedOn.add(nameOf(result))),
    });
  };
  const platforms = [start(), start()];
  const act = async (which: number): Promise<void> => {
    const platform = platforms[which] as Platform;
    const roll = random();
    const partition = `p${Math.floor(random() * partitions)}`;
    try {
      if (roll < 0.5) await platform.profiler(partition).step();
      else if (roll < 0.8) await platform.evaluator.tick();
      else await platform.grains.close();
    } catch (error) {
      const { name } = error as Error;
      if (name === 'CrashError') platforms[which] = start();
      else if (name !== 'TransientError' && name !== 'ConflictError') throw error;
    }
  };
  for (const [id, event] of events.entries()) {
    world.append(`p${event.partition % partitions}`, [wire(event, id)], event.appendTime);
    if (random() < 0.35) await Promise.all([act(0), random() < 0.5 ? act(1) : null]);
  }
  for (let i = 0; i < 30; i++) await Promise.all([act(0), act(1)]);
  injector.disable();
  const { writes } = injector.counts;
  await finish(world, start(), END);
  return { world, events, results: await world.results(), handedOn, writes, crashes: injector.counts.crashes };
}

function nameOf({ model, version, start, length, provenance }: WindowResult): string {
  return `${model}/${version}/${start}/${length}/${provenance.revision}`;
}

async function check({ world, events, results, handedOn }: Outcome): Promise<void> {
  expect(differences(results, events, monitorOf('m'))).toEqual([]);
  expect(await shrunkRevisions(world, results)).toEqual([]);
  const totals = await world.totals();
  expect(totals.received).toBe(events.length);
  expect(totals.profiled + totals.beyond).toBe(events.length);
  // At least once, and nothing that is not stored.
  expect([...handedOn].sort()).toEqual(results.map(nameOf).sort());
}

describe('each record counts exactly once', () => {
  it(`with two processes, kills, lost answers and 503s (${SEEDS} seeds)`, async () => {
    let crashes = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await run(seed, { crash: 0.06, conflict: 0.04, transient: 0.03, delay: 1 });
      crashes += outcome.crashes;
      await check(outcome).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
    }
    expect(crashes).toBeGreaterThan(SEEDS);
  }, 600_000);

  it('with a kill before and after each single write', async () => {
    const { writes } = await run(1, {}, 40);
    expect(writes).toBeGreaterThan(20);
    const stride = SEEDS >= 200 ? 1 : Math.ceil(writes / 8);
    let kills = 0;
    let runs = 0;
    for (let at = 1; at <= writes; at += stride)
      for (const crashSide of ['before', 'after'] as const) {
        const outcome = await run(1, { crashAtWrite: at, crashSide }, 40);
        runs++;
        // Waits after lost races are random, so the last writes may come after the end of the faults.
        kills += outcome.crashes;
        await check(outcome).catch((error: unknown) => {
          throw new Error(`killed ${crashSide} write ${at}`, { cause: error });
        });
      }
    expect(kills).toBeGreaterThan(0.7 * runs);
  }, 600_000);
});
