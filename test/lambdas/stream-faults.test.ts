/**
 * The promise on AWS: each record counts exactly once, whatever is killed, retried, halved, doubled, overtaken, given up, redriven,
 * resharded or read again from the beginning. Against a plain oracle, exactly. FAULT_SEEDS=2000 runs more.
 */
import { describe, expect, it } from 'vitest';
import type { FaultOptions } from '../../lib/adapters/memory/faults.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import {
  differences,
  type GeneratedEvent,
  generate,
  HOUR,
  monitorOf,
  statistics,
  T0,
  wire,
} from '../pipeline/simulation.ts';
import type { EventSourceOptions } from './event-source.ts';
import { StreamWorld, type StreamWorldOptions } from './stream-world.ts';

const END = T0 + 60 * HOUR;
const SEEDS = Number(process.env['FAULT_SEEDS'] ?? 5);

interface Run {
  readonly world: StreamWorld;
  readonly events: readonly GeneratedEvent[];
}

interface RunOptions extends StreamWorldOptions {
  readonly count?: number;
  /** Reshards while events come. */
  readonly reshards?: number;
  /** Done now and then while events come. */
  readonly meanwhile?: (world: StreamWorld, progress: number) => Promise<void>;
}

async function worldOf(options: StreamWorldOptions): Promise<StreamWorld> {
  const world = new StreamWorld(options);
  await world.world.declare('m');
  await world.world.declare('n');
  return world;
}

/** Events come, the event source works on them, faults end, what was given up is redriven, everything is judged. */
async function run(options: RunOptions): Promise<Run> {
  const { seed = 1, count = 150, reshards = 0, meanwhile } = options;
  const events = generate(seed, { count, hours: 6, models: ['m', 'n'], versions: ['1', '2'] });
  const world = await worldOf(options);
  let resharded = 0;
  for (const [id, event] of events.entries()) {
    world.append(wire(event, id), event.appendTime);
    if (world.random() < 0.3) await world.source.step();
    if (reshards > 0 && Math.floor(((id + 1) * reshards) / count) > resharded) {
      resharded++;
      reshard(world);
    }
    await meanwhile?.(world, id / count);
  }
  await world.source.drain();
  world.injector.disable();
  world.source.calm();
  await world.source.drain();
  await world.redriveAll();
  await world.finish(END);
  return { world, events };
}

/** Splits a shard, or merges two neighbours. */
function reshard({ stream, random }: StreamWorld): void {
  const open = [...stream.open].sort((a, b) => (a.from < b.from ? -1 : 1));
  const at = Math.floor(random() * open.length);
  const [left, right] = [open[at], open[at + 1]];
  if (left !== undefined && right !== undefined && random() < 0.5) stream.merge(left.id, right.id);
  else if (left !== undefined) stream.split(left.id);
}

async function check({ world, events }: Run): Promise<void> {
  const totals = await world.world.totals();
  expect({ received: totals.received, lost: totals.lost, quarantined: totals.quarantined }).toEqual({
    received: events.length,
    lost: 0,
    quarantined: {},
  });
  expect(totals.profiled + totals.beyond).toBe(events.length);
  expect(differences(await world.world.results(), events, monitorOf('m'))).toEqual([]);
}

async function forSeeds(work: (seed: number) => Promise<void>, seeds = SEEDS): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++)
    await work(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
}

const ALL: NonNullable<EventSourceOptions['faults']> = {
  lostAnswer: 0.08,
  overlap: 0.1,
  zombie: 0.1,
  shortOfTime: 0.15,
};
const PORTS: Omit<FaultOptions, 'seed'> = { crash: 0.05, conflict: 0.05, transient: 0.05, delay: 1 };

describe('each record of the stream counts exactly once', () => {
  it('without faults', async () => {
    const run1 = await run({ source: { batchSize: 20 } });
    await check(run1);
    expect(run1.world.source.counts).toMatchObject({ failures: 0, givenUp: 0 });
  });

  it(`with everything at once, reshards and what is given up (F1–F11, ${SEEDS} seeds)`, async () => {
    const sum = { failures: 0, halvings: 0, partial: 0, givenUp: 0, overlaps: 0, zombies: 0 };
    let crashes = 0;
    await forSeeds(async (seed) => {
      const result = await run({
        seed,
        shards: 1 + (seed % 3),
        reshards: seed % 4,
        faults: PORTS,
        source: { batchSize: 20, retries: seed % 3, bisect: seed % 5 > 0, faults: ALL },
      });
      await check(result);
      crashes += result.world.injector.counts.crashes;
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += result.world.source.counts[name];
    });
    // The faults were there.
    expect(crashes).toBeGreaterThan(SEEDS);
    for (const [name, count] of Object.entries(sum)) expect([name, count >= SEEDS / 2]).toEqual([name, true]);
  }, 600_000);

  it('with a kill before and after each single write (F1, F2, F3, F7)', async () => {
    const { world } = await run({ count: 40, source: { batchSize: 8 } });
    const { writes } = world.injector.counts;
    expect(writes).toBeGreaterThan(20);
    const stride = SEEDS >= 200 ? 1 : Math.ceil(writes / 6);
    for (let at = 1; at <= writes; at += stride)
      for (const crashSide of ['before', 'after'] as const) {
        const result = await run({ count: 40, source: { batchSize: 8 }, faults: { crashAtWrite: at, crashSide } });
        expect(result.world.injector.counts.crashes).toBe(1);
        await check(result);
      }
  }, 600_000);

  it('when each batch is invoked twice at once, and again later (F4)', async () => {
    await forSeeds(async (seed) => {
      const result = await run({
        seed,
        faults: { delay: 3 },
        source: { batchSize: 10, faults: { overlap: 0.9, zombie: 0.7 } },
      });
      expect(result.world.source.counts.failures).toBe(0);
      await check(result);
    }, 3);
  });

  it('when batches are halved down to single records, with other ends at every attempt (F5)', async () => {
    await forSeeds(async (seed) => {
      let thrown = 0;
      const result = await run({
        seed,
        source: { batchSize: 32 },
        invoke: async (world, event, context) => {
          const isLarge = event.Records.length > 1 && world.random() < 0.7;
          const answer = await world.profile(event, context);
          if (!isLarge) return answer;
          thrown++;
          throw new Error('thrown after it was committed');
        },
      });
      expect(thrown).toBeGreaterThan(10);
      await check(result);
    }, 3);
  });

  it('when parts of batches fail and time runs out (F6)', async () => {
    await forSeeds(async (seed) => {
      const result = await run({ seed, source: { batchSize: 40, retries: 2, faults: { shortOfTime: 0.8 } } });
      expect(result.world.source.counts.partial).toBeGreaterThan(0);
      await check(result);
    }, 3);
  });

  it('through twenty reshards, with the same statistics as without any (F8)', async () => {
    const source = { batchSize: 20, faults: ALL };
    const calm = await run({ seed: 3, count: 300 });
    const resharded = await run({ seed: 3, count: 300, reshards: 20, source });
    await check(resharded);
    expect(resharded.world.stream.shards.length).toBeGreaterThan(20);
    expect(statistics(await resharded.world.world.results())).toEqual(statistics(await calm.world.world.results()));
  });

  it('when the event source is made again and begins at the oldest record (F9)', async () => {
    const result = await run({
      source: { batchSize: 15, retries: 1, faults: ALL },
      faults: PORTS,
      meanwhile: async ({ source, random }) => {
        if (random() < 0.03) source.recreate();
      },
    });
    result.world.source.recreate();
    await result.world.source.drain();
    await check(result);
  });

  it('when what was given up is redriven twice, at once and while it fails (F10)', async () => {
    await forSeeds(async (seed) => {
      const result = await run({
        seed,
        faults: { ...PORTS, crash: 0.1 },
        source: { batchSize: 15, retries: 0, faults: { lostAnswer: 0.5 } },
        meanwhile: async (world) => {
          if (world.random() > 0.1) return;
          const both = [world.redrive(world.source.givenUp), world.redrive(world.source.givenUp)];
          await Promise.allSettled(both);
        },
      });
      expect(result.world.source.counts.givenUp).toBeGreaterThan(3);
      await result.world.redriveAll();
      await check(result);
    }, 4);
  });

  it('when a batch that an invocation committed is given up all the same, and redriven', async () => {
    const result = await run({ source: { batchSize: 15, retries: 0, bisect: false, faults: { lostAnswer: 1 } } });
    const { counts, givenUp } = result.world.source;
    expect(counts.givenUp).toBeGreaterThan(5);
    await check(result);
    const [key = ''] = givenUp;
    await result.world.redrive([key]);
    await check(result);
    expect(result.world.said.some((line) => line.includes('"message":"batch redriven"'))).toBe(true);
    const committed = result.world.said
      .filter((line) => line.includes('batch redriven'))
      .reduce((sum, line) => sum + (JSON.parse(line) as { committed: number }).committed, 0);
    expect(committed).toBe(0);
  });

  it('when a third of all calls fail in passing (F11)', async () => {
    await forSeeds(async (seed) => {
      const result = await run({ seed, count: 80, faults: { transient: 0.3 }, source: { batchSize: 30, retries: 3 } });
      await check(result);
    }, 2);
  }, 120_000);

  it('when nothing can be reached until the retries are exhausted, then everything again (F12)', async () => {
    let isDown = false;
    const result = await run({
      count: 120,
      source: { batchSize: 15, retries: 2 },
      invoke: async (world, event, context) => {
        if (!isDown) return world.profile(event, context);
        return { batchItemFailures: [{ itemIdentifier: event.Records[0]?.kinesis.sequenceNumber }] };
      },
      meanwhile: async (_, progress) => {
        isDown = progress > 0.3 && progress < 0.6;
      },
    });
    const { givenUp, halvings } = result.world.source.counts;
    expect(givenUp).toBeGreaterThan(0);
    // Passing failures halve nothing: one object for one batch.
    expect(halvings).toBe(0);
    await check(result);
  });

  it('when records are too old for the event source (given up by age)', async () => {
    const result = await run({ source: { batchSize: 15, recordAgeMs: HOUR } });
    expect(result.world.source.counts.givenUp).toBeGreaterThan(0);
    await check(result);
  });

  it('counts what a producer sent twice twice: other records (F17)', async () => {
    const world = await worldOf({ source: { batchSize: 7 } });
    const events = generate(5, { count: 60, models: ['m'] });
    for (const [id, event] of events.entries()) {
      world.append(wire(event, id), event.appendTime);
      if (id % 20 === 0) world.append(wire(event, id), event.appendTime);
    }
    await world.source.drain();
    await world.redriveAll();
    expect((await world.world.totals()).received).toBe(63);
  });
});

describe('the profiler function', () => {
  it('answers with the first record left when something failed in passing, and throws otherwise', async () => {
    let failure: Error | null = new TransientError('503');
    const seen: unknown[] = [];
    const world = await worldOf({
      invoke: async (self, event, context) => {
        const answer = await self.profile(event, context).catch((error: Error) => error);
        seen.push(answer);
        if (seen.length === 2) failure = null;
        else failure = new Error('a mistake');
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    const { store } = world.world;
    const put = store.putIfAbsent.bind(store);
    store.putIfAbsent = (key, body) =>
      failure !== null && key.startsWith('packs/') ? Promise.reject(failure) : put(key, body);
    const event = generate(1, { count: 1, models: ['m'] })[0] as GeneratedEvent;
    world.append(wire(event, 1), event.appendTime);
    await world.source.drain();
    const first = world.stream.shards[0]?.records[0]?.sequence;
    expect(seen).toEqual([
      { batchItemFailures: [{ itemIdentifier: first }] },
      expect.objectContaining({ message: 'a mistake' }),
      { batchItemFailures: [] },
    ]);
    expect((await world.world.totals()).received).toBe(1);
  });
});
