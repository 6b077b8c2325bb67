import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDbCaptureWriter } from '../../lib/adapters/duckdb/capture-writer.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { DuckDbQuery } from '../../lib/adapters/duckdb/query.ts';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryLog } from '../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { Archiver } from '../../lib/pipeline/archiver.ts';
import { Labeler } from '../../lib/pipeline/labeler.ts';
import { ConflictError, type Query, TransientError } from '../../lib/pipeline/ports.ts';
import { compare, type Event, line, MONITORS, modelsOf, resultsOf, START, traffic } from './label-traffic.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'labeler-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

/** DuckDB over the objects of a store in memory. */
function queryOver(store: MemoryStore): Query {
  const files = new Map<string, string>();
  const inner = new DuckDbQuery(db, (key) => files.get(key) ?? '');
  return {
    async run(sql, objects) {
      for (const key of objects) {
        if (files.has(key)) continue;
        const file = join(folder, `${db.name('object')}.parquet`);
        await writeFile(file, (await store.get(key))?.body ?? '');
        files.set(key, file);
      }
      return inner.run(sql, objects);
    },
  };
}

async function replay(seed: number, faulty: boolean) {
  const faults = new FaultInjector({
    seed,
    ...(faulty ? { crash: 0.06, maxCrashes: 60, conflict: 0.02, transient: 0.02, delay: 1 } : {}),
  });
  const clock = { time: START, now: () => clock.time };
  const log = new MemoryLog({ clock, partitions: 2 });
  const store = new MemoryStore();
  const query = queryOver(store);
  const writer = new DuckDbCaptureWriter(db);
  const days = 3;
  const events = traffic(() => faults.random(), days);
  const models = modelsOf(MONITORS);
  const begin = () => {
    const process = faults.process();
    const ports = { log: process.log(log), store: process.store(store), clock };
    return { process, archiver: new Archiver({ ...ports, writer }), labeler: new Labeler({ ...ports, query, models }) };
  };
  let running = begin();
  const step = async (): Promise<void> => {
    try {
      await running.archiver.step();
      await running.labeler.step();
    } catch (error) {
      if (!(error instanceof CrashError || error instanceof TransientError || error instanceof ConflictError))
        throw error;
      if (running.process.dead) running = begin();
    }
  };
  const settled: (Event & { arrival: number })[] = [];
  let next = 0;
  for (let hour = 0; hour <= (days + 8) * 24; hour += 11) {
    const until = START + hour * HOUR;
    while (next < events.length && (events[next] as { at: number }).at < until) {
      const { at, ...event } = events[next++] as Event & { at: number };
      clock.time = Math.max(clock.time, at);
      await log.append([{ key: event.id, data: line(event) }]);
      settled.push({ ...event, arrival: event.arrival ?? clock.time });
    }
    clock.time = until;
    await step();
  }
  faults.disable();
  clock.time += 2 * HOUR;
  await step();
  await step();
  return { store, settled, log, faults, days };
}

describe('labeler', () => {
  let quiet: Awaited<ReturnType<typeof replay>>;

  it('counts what a plain oracle counts, at every revision', async () => {
    quiet = await replay(1, false);
    expect(await compare(quiet)).toBeGreaterThan(60);
  });

  it('writes the same whatever crashes', async () => {
    const run = await replay(3, true);
    expect(run.faults.counts.crashes).toBeGreaterThan(10);
    await compare(run);
  });

  it('writes nothing when nothing has changed, and the same after a restart', async () => {
    const { store, log, settled } = quiet;
    const size = store.size;
    await store.delete(keys.labeled(await log.identity()));
    const clock = { now: () => START + 30 * DAY };
    const again = new Labeler({ log, store, clock, query: queryOver(store), models: modelsOf(MONITORS) });
    const step = await again.step();
    expect(step.windows).toBeGreaterThan(0);
    expect(step.written).toBe(0);
    expect(store.size).toBe(size);
    expect(settled.length).toBeGreaterThan(0);
  });

  it('survives a kill at any write, and a second labeler, with many seeds', async () => {
    const { store: captured, log } = quiet;
    const inner = queryOver(captured);
    const answers = new Map<string, ReturnType<Query['run']>>();
    const query: Query = {
      run: (sql, of) => {
        const name = `${sql} ${of.join()}`;
        const answer = answers.get(name) ?? inner.run(sql, of);
        answers.set(name, answer);
        return answer;
      },
    };
    const models = modelsOf(MONITORS);
    const objects = await captured.list('capture/', { limit: 100_000 });
    const settle = async (seed: number, faulty: boolean) => {
      const store = new MemoryStore();
      for (const key of await captured.list('archive/'))
        await store.putIfAbsent(key, (await captured.get(key))?.body ?? new Uint8Array());
      // Their content is read from where it was captured.
      for (const key of objects) await store.putIfAbsent(key, new Uint8Array());
      const faults = new FaultInjector({
        seed,
        ...(faulty ? { crash: 0.15, maxCrashes: 40, conflict: 0.05, transient: 0.0005 } : {}),
      });
      const clock = { time: START, now: () => clock.time };
      const begin = () => {
        const process = faults.process();
        const ports = { log: process.log(log), store: process.store(store), clock };
        return { process, labeler: new Labeler({ ...ports, query, models }) };
      };
      const pair = [begin(), begin()];
      const step = async (): Promise<void> => {
        await Promise.all(
          pair.map(async ({ labeler }, i) => {
            try {
              await labeler.step();
            } catch (error) {
              if (!(error instanceof CrashError || error instanceof TransientError || error instanceof ConflictError))
                throw error;
              if (pair[i]?.process.dead) pair[i] = begin();
            }
          }),
        );
      };
      for (; clock.time < START + 12 * DAY; clock.time += DAY) await step();
      faults.disable();
      await step();
      await step();
      const newest = new Map<string, unknown>();
      for (const { model } of MONITORS)
        for (const result of await resultsOf(store, model)) {
          const { provenance, ...content } = result;
          newest.set(`${model} ${result.version} ${result.start}`, { ...content, inputs: provenance.inputs });
        }
      const state = (await store.get(keys.labeled(await log.identity())))?.body;
      return { newest, state: new TextDecoder().decode(state), crashes: faults.counts.crashes };
    };
    const expected = await settle(0, false);
    expect(expected.newest.size).toBeGreaterThan(20);
    let crashes = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const run = await settle(seed, true);
      crashes += run.crashes;
      expect([...run.newest.keys()].sort()).toEqual([...expected.newest.keys()].sort());
      for (const [name, content] of expected.newest) {
        const { inputs: _, ...one } = content as Record<string, unknown>;
        const { inputs: __, ...other } = run.newest.get(name) as Record<string, unknown>;
        expect(other).toEqual(one);
      }
      expect(run.state).toBe(expected.state);
    }
    expect(crashes).toBeGreaterThan(100);
  });

  it('waits for the first capture, and for all partitions', async () => {
    const clock = { now: () => START };
    const log = new MemoryLog({ clock });
    const store = new MemoryStore();
    const labeler = new Labeler({ log, store, clock, query: queryOver(store), models: modelsOf(MONITORS) });
    expect(await labeler.step()).toMatchObject({ windows: 0, through: null });
    await log.append([{ key: 'k', data: new Uint8Array([10]) }]);
    expect(await labeler.step()).toMatchObject({ windows: 0, through: null });
  });
});
