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
import { type Monitor, type PublishedMonitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { PerformanceResult } from '../../lib/contracts/result.ts';
import { beyondAt, checkpointsOf } from '../../lib/engine/checkpoints.ts';
import { performanceResult } from '../../lib/engine/performance.ts';
import { regressionFixedPoint } from '../../lib/engine/performance-numbers.ts';
import { countClassification, countRegression } from '../../lib/engine/performance-rows.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { Archiver } from '../../lib/pipeline/archiver.ts';
import { DUPLICATE_REACH } from '../../lib/pipeline/label-query.ts';
import { Labeler, type LabelerModels, type LabelerState } from '../../lib/pipeline/labeler.ts';
import { ConflictError, type Query, TransientError } from '../../lib/pipeline/ports.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2001-02-01T00:00:00Z');

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

function monitorOf(input: Record<string, unknown>): Monitor {
  const { monitor, problems } = parseMonitor(input);
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

function modelsOf(monitors: readonly Monitor[]): LabelerModels {
  const published = new Map(
    monitors.map((monitor): [string, PublishedMonitor] => [
      monitor.model,
      { n: 1, effectiveFrom: '1970-01-01T00:00:00Z', removed: false, by: 'test', monitor },
    ]),
  );
  const shapes = new Map(monitors.map((monitor) => [monitor.model, compileShape(monitor, null)]));
  return {
    refresh: async () => undefined,
    models: () => [...published.keys()],
    monitorAt: (model) => published.get(model) ?? null,
    timeline: () => ({ nextChange: () => Number.POSITIVE_INFINITY }),
    shapeFor: (model) => {
      const shape = shapes.get(model);
      return shape === undefined ? null : { shape, monitorN: 1, baseline: null };
    },
  };
}

interface Event {
  type: 'inference' | 'label';
  id: string;
  model: string;
  version?: string;
  time: number;
  /** Absent: the append time. */
  arrival?: number;
  score?: number;
  predicted?: string | number;
  truth?: string | number;
}

const line = (event: Event): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      ...event,
      time: new Date(event.time).toISOString(),
      arrival: event.arrival === undefined ? undefined : new Date(event.arrival).toISOString(),
    }),
  );

/** What a window's result must say at a cut, from the records alone. */
function oracle(
  all: readonly (Event & { arrival: number })[],
  monitor: Monitor,
  version: string,
  start: number,
  cut: number,
  mature: boolean,
) {
  const end = start + DAY;
  const until = Math.min(cut, beyondAt({ start, end }, monitor));
  const key = (event: Event & { arrival: number }): string =>
    `${String(event.arrival).padStart(20)} ${String(event.time).padStart(20)} ${event.score === undefined ? '~' : event.score.toFixed(9)} ${event.predicted === undefined ? '~' : String(event.predicted)}`;
  const sorted = all
    .filter(
      (event) =>
        event.model === monitor.model &&
        event.type === 'inference' &&
        event.version === version &&
        event.time <= event.arrival + 5 * MINUTE,
    )
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const rows: { prediction: Event; truths: string[] }[] = [];
  for (const [i, prediction] of sorted.entries()) {
    if (
      prediction.time < start ||
      prediction.time >= end ||
      prediction.arrival >= until ||
      prediction.arrival < start - DUPLICATE_REACH
    )
      continue;
    if (sorted.slice(0, i).some((other) => other.id === prediction.id && other.arrival >= start - DUPLICATE_REACH))
      continue;
    const labels = all
      .filter(
        (event) =>
          event.type === 'label' &&
          event.model === monitor.model &&
          event.id === prediction.id &&
          event.arrival < cut &&
          event.arrival >= start - DUPLICATE_REACH,
      )
      .sort((a, b) => b.arrival - a.arrival || b.time - a.time || (String(a.truth) < String(b.truth) ? 1 : -1));
    rows.push({ prediction, truths: labels.map(({ truth }) => String(truth)) });
  }
  const labelled = rows.filter(({ truths }) => truths.length > 0);
  const coverage = {
    predictions: rows.length,
    labels: labelled.length,
    conflicts: labelled.filter(({ truths }) => new Set(truths).size > 1).length,
  };
  const counts =
    monitor.task === 'regression'
      ? countRegression(
          labelled.map(({ prediction, truths }) => ({
            truth: Number(truths[0]),
            predicted: Number(prediction.predicted ?? Number.NaN),
          })),
          regressionFixedPoint(null),
          coverage,
        )
      : countClassification(
          labelled.map(({ prediction, truths }) => ({
            score: monitor.task === 'binary-classification' ? (prediction.score ?? null) : null,
            truth: truths[0] ?? '',
            predicted: prediction.predicted === undefined ? null : String(prediction.predicted),
          })),
          coverage,
        );
  return { rows: rows.length, judged: performanceResult(counts, monitor, null, { mature, lengthMs: DAY }) };
}

async function resultsOf(store: MemoryStore, model: string): Promise<PerformanceResult[]> {
  const found: PerformanceResult[] = [];
  for (const key of await store.list(keys.results(model), { limit: 100_000 }))
    found.push(JSON.parse(new TextDecoder().decode((await store.get(key))?.body)) as PerformanceResult);
  return found;
}

const MONITORS = [
  monitorOf({
    model: 'binary',
    task: 'binary-classification',
    positive: 'yes',
    truth: { horizon: '2d' },
    window: { lateness: '1h', revise: '3d', minimumRows: 1 },
  }),
  monitorOf({
    model: 'number',
    task: 'regression',
    truth: { horizon: '1d' },
    window: { lateness: '2h', revise: '2d', minimumRows: 1 },
  }),
  monitorOf({
    model: 'classes',
    task: 'multiclass-classification',
    truth: { horizon: '1d' },
    window: { lateness: '1h', revise: '1d', minimumRows: 1 },
  }),
];

/** Events in order of append, with late, duplicate, contradictory, early and orphan ones. */
function traffic(random: () => number, days: number): (Event & { at: number })[] {
  const events: (Event & { at: number })[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const truthOf = (model: string): string | number =>
    model === 'binary'
      ? pick(['yes', 'no'])
      : model === 'number'
        ? pick([1, 2.5, -3, 0, 1e9, 'n/a'])
        : pick(['a', 'b', "c'", 'd d', 7]);
  for (let i = 0; i < days * 40; i++) {
    const model = pick(MONITORS).model;
    // Few ids, so that they are used again, near and far.
    const id = `${Math.floor(random() * days * 12)}`;
    const time = START + Math.floor(random() * days * DAY);
    const arrival = time + pick([0, MINUTE, 30 * MINUTE, 90 * MINUTE, DAY, 3 * DAY, 6 * DAY, -4 * MINUTE, -HOUR]);
    const prediction: Event & { at: number } = {
      type: 'inference',
      id,
      model,
      version: pick(['1', '2', "v'3"]),
      time,
      at: Math.max(arrival, START) + Math.floor(random() * 20_000),
      ...(random() < 0.9 ? { arrival: Math.max(arrival, START) } : {}),
      ...(random() < 0.9 ? { score: Math.floor(random() * 1001) / 1000 } : {}),
      ...(random() < 0.9 ? { predicted: truthOf(model) } : {}),
    };
    events.push(prediction);
    if (random() < 0.15) {
      const at = prediction.at + pick([0, 10_000, HOUR, 2 * DAY]);
      const arrived = prediction.arrival === undefined ? undefined : at - Math.floor(random() * 30_000);
      events.push({ ...prediction, score: random(), predicted: truthOf(model), at, arrival: arrived });
    }
    const labels = pick([0, 1, 1, 1, 2, 3]);
    let same: { readonly at: number; readonly arrival: number } | null = null;
    for (let j = 0; j < labels; j++) {
      const known = time + pick([HOUR, 5 * HOUR, DAY, 2 * DAY, 4 * DAY, 9 * DAY, -2 * HOUR]);
      const at = Math.max(known, START);
      const arrival = at - Math.floor(random() * 5_000);
      const label = {
        type: 'label' as const,
        id: random() < 0.1 ? `orphan ${i}` : id,
        model,
        time: known,
        truth: truthOf(model),
      };
      // Some arrive at the very moment of the one before, known at another time or said otherwise.
      if (same !== null && random() < 0.5) events.push({ ...label, ...same, time: random() < 0.5 ? known : time });
      else events.push(random() < 0.5 ? { ...label, at, arrival } : { ...label, at });
      same = { at, arrival };
    }
  }
  return events.sort((a, b) => a.at - b.at);
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

async function compare({ store, settled, log, days }: Awaited<ReturnType<typeof replay>>): Promise<number> {
  let compared = 0;
  for (const monitor of MONITORS) {
    const results = await resultsOf(store, monitor.model);
    const newest = new Map<string, PerformanceResult>();
    for (const result of results) {
      const cut = Date.parse(result.provenance.inputs[0]?.split(' ').at(-1) ?? '');
      const start = Date.parse(result.start);
      const { judged } = oracle(settled, monitor, result.version, start, cut, result.mature);
      const { status, mature, predictions, labels, coverage, conflicts, metrics, confusion, calibration } = result;
      expect({ status, mature, predictions, labels, coverage, conflicts, metrics, confusion, calibration }).toEqual(
        judged,
      );
      const name = `${result.version} ${result.start}`;
      const known = newest.get(name);
      if (known === undefined || known.provenance.revision < result.provenance.revision) newest.set(name, result);
      compared += 1;
    }
    // In the end every window and version stands as its last checkpoint says.
    for (const version of ['1', '2', "v'3"])
      for (let start = START - DAY; start < START + (days + 1) * DAY; start += DAY) {
        const last = checkpointsOf({ start, end: start + DAY }, monitor).at(-1);
        const { rows, judged } = oracle(settled, monitor, version, start, last?.cut ?? 0, true);
        const result = newest.get(`${version} ${new Date(start).toISOString()}`);
        if (rows === 0) continue;
        expect(result).toMatchObject(judged);
      }
  }
  const state = JSON.parse(
    new TextDecoder().decode((await store.get(keys.labeled(await log.identity())))?.body),
  ) as LabelerState;
  for (const monitor of MONITORS) {
    const { model } = monitor;
    const until = state.orphansThrough[model] ?? 0;
    expect(until).toBeGreaterThan(START + (days + 5) * DAY);
    const back = DAY + (checkpointsOf({ start: 0, end: 0 }, monitor).at(-1)?.cut ?? 0);
    const predictions = settled.filter(
      (event) => event.type === 'inference' && event.model === model && event.time <= event.arrival + 5 * MINUTE,
    );
    const orphans = settled.filter((event) => {
      if (event.type !== 'label' || event.model !== model || event.arrival >= until) return false;
      const day = Math.floor(event.arrival / DAY) * DAY;
      return !predictions.some(
        ({ id, arrival }) => id === event.id && arrival >= day - back && arrival < day + DAY + DUPLICATE_REACH,
      );
    });
    expect(state.orphans[model] ?? 0).toBe(orphans.length);
    expect(orphans.length).toBeGreaterThan(0);
  }
  return compared;
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
