/** Labels that come late, twice, contradictory, for nothing and for other versions, through Athena over what Firehose delivers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery, QUERY_CHARACTERS } from '../../lib/adapters/athena/athena-query.ts';
import { QueryUnfinishedError } from '../../lib/adapters/athena/query-failure.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { keyOfResult } from '../../lib/pipeline/bulletins.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { Labeler } from '../../lib/pipeline/labeler.ts';
import { ConflictError, TransientError } from '../../lib/pipeline/ports.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { compare, type Event, line, MONITORS, modelsOf, monitorOf, START, traffic } from './label-traffic.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BUFFER = 15 * MINUTE;

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
});
afterAll(() => db.close());

const log = { identity: async () => 'stream' };

interface Options {
  readonly seed: number;
  readonly faulty: boolean;
  /** Looks before a query has ended, and how long one run of the function waits. */
  readonly slow?: boolean;
  /** Hours between runs. */
  readonly every: number;
}

async function replay({ seed, faulty, slow = false, every }: Options) {
  const faults = new FaultInjector({
    seed,
    ...(faulty ? { crash: 0.3, maxCrashes: 60, conflict: 0.02, transient: 0.02, delay: 1 } : {}),
  });
  const clock = { time: START, now: () => clock.time };
  const store = new MemoryStore();
  const days = 2;
  const events = traffic(() => faults.random(), days);
  const firehose = new FakeFirehose({ db, store, bufferMs: BUFFER, twice: () => faults.random() < 0.1 });
  const athena = new FakeAthena({ db, store, database: db.name('monitoring'), polls: slow ? 6 : 0, page: 7 });
  const models = modelsOf(MONITORS);
  let unfinished = 0;
  const told = new Set<string>();
  const announced = new Set<string>();
  const begin = () => {
    const process = faults.process();
    const ports = { store: process.store(store), clock };
    const began = clock.time;
    const { database, table } = athena;
    const query = new AthenaQuery({
      client: athena.client,
      workgroup: 'w',
      database,
      table,
      clock,
      wait: async (ms) => {
        clock.time += ms;
      },
      ...(slow ? { deadline: () => began + 1_500 } : {}),
    });
    const capture = new DeliveredCapture({ ...ports, delayMs: 20 * MINUTE });
    const aQuery = { windows: 50, characters: QUERY_CHARACTERS };
    return {
      process,
      labeler: new Labeler({
        ...ports,
        log,
        query,
        models,
        capture,
        resumes: true,
        aQuery,
        onResult: (result) => {
          if (faulty && faults.random() < 0.05) throw new TransientError('who listens is not there');
          told.add(keyOfResult(result));
        },
        onStep: (results) => {
          for (const result of results) announced.add(keyOfResult(result));
        },
      }),
    };
  };
  let running = begin();
  const step = async (): Promise<boolean> => {
    if (slow) running = begin();
    try {
      await running.labeler.step();
      return true;
    } catch (error) {
      if (error instanceof QueryUnfinishedError) unfinished += 1;
      else if (!(error instanceof CrashError || error instanceof TransientError || error instanceof ConflictError))
        throw error;
      if (running.process.dead) running = begin();
      return false;
    }
  };
  const settled: (Event & { arrival: number })[] = [];
  let next = 0;
  let oldest = Number.NEGATIVE_INFINITY;
  for (let hour = 0; hour <= (days + 8) * 24; hour += every) {
    const until = START + hour * HOUR;
    while (next < events.length && (events[next] as { at: number }).at < until) {
      const { at, ...event } = events[next++] as Event & { at: number };
      if (at >= oldest + BUFFER) oldest = at;
      firehose.take({ at, data: line(event) });
      // Without an arrival: the event time within the hour of the object.
      const start = Math.floor(oldest / HOUR) * HOUR;
      settled.push({ ...event, arrival: event.arrival ?? Math.min(Math.max(event.time, start), start + HOUR) });
    }
    clock.time = Math.max(clock.time, until);
    await firehose.deliver(clock.time);
    if (slow) for (let tries = 0; tries < 20 && !(await step()); tries++);
    else await step();
  }
  faults.disable();
  clock.time += 2 * HOUR;
  await firehose.deliver(clock.time);
  for (let tries = 0; tries < 40; tries++) if ((await step()) && tries > 2) break;
  return { store, settled, log, days, faults, athena, unfinished: () => unfinished, told, announced };
}

/** A day before the window, the window, its horizon and what it is revised, and three for a late delivery and parts of days. */
const LONGEST_DAYS = 1 + 1 + 2 + 3 + 3;

/** Days that a statement may read of the tables; every mention of one must name them. */
function daysRead(statement: string): number {
  const mentions = statement.split('"."capture').slice(1);
  for (const mention of mentions)
    expect(mention).toMatch(
      /^(?:_redriven)?"\s+WHERE dt (?:= '\d{4}-\d\d-\d\d'|>= '[\d-]{10}' AND dt <= '[\d-]{10}') AND \(/,
    );
  return Math.max(
    0,
    ...mentions.map((mention) => {
      const [, first = '', last = first] =
        /dt (?:= |>= )'([\d-]{10})'(?: AND dt <= '([\d-]{10})')?/.exec(mention) ?? [];
      return (Date.parse(last) - Date.parse(first)) / (24 * HOUR) + 1;
    }),
  );
}

describe('labeler over Athena', () => {
  it('counts what a plain oracle counts, at every revision, with deliveries made twice', async () => {
    const run = await replay({ seed: 1, faulty: false, every: 17 });
    expect(await compare(run)).toBeGreaterThan(30);
    expect(run.athena.statements.length).toBeGreaterThan(10);
    for (const statement of run.athena.statements) expect(daysRead(statement)).toBeLessThanOrEqual(LONGEST_DAYS);
  });

  it('writes the same whatever crashes', async () => {
    const run = await replay({ seed: 3, faulty: true, every: 23 });
    expect(run.faults.counts.crashes).toBeGreaterThan(3);
    await compare(run);
    // Who listens heard of each, although it failed and crashes came between.
    const stored = await run.store.list('results/', { limit: 100_000 });
    expect(stored.length).toBeGreaterThan(20);
    expect([...run.told].sort()).toEqual(stored);
    expect([...run.announced].sort()).toEqual(stored);
  });

  it('takes up queries that outlive the function, and runs none twice', async () => {
    const run = await replay({ seed: 5, faulty: false, every: 29, slow: true });
    expect(run.unfinished()).toBeGreaterThan(5);
    await compare(run);
    expect(new Set(run.athena.statements).size).toBe(run.athena.statements.length);
  });

  it('asks of a thousand models at once', async () => {
    const monitors = Array.from({ length: 1_000 }, (_, i) =>
      monitorOf({
        model: `model-of-a-team-${String(i).padStart(4, '0')}`,
        task: i % 2 === 0 ? 'binary-classification' : 'regression',
        ...(i % 2 === 0 ? { positive: 'yes' } : {}),
        truth: { horizon: '2d' },
        window: { lateness: '1h', revise: '7d', minimumRows: 1 },
      }),
    );
    const store = new MemoryStore();
    await store.putIfAbsent(keys.capture(START, 'x', '0', '1'), new Uint8Array());
    const clock = { time: START + 4 * 24 * HOUR + 21 * MINUTE, now: () => clock.time };
    const athena = new FakeAthena({ db, store: new MemoryStore(), database: db.name('monitoring') });
    const { database, table, client } = athena;
    const query = new AthenaQuery({ client, workgroup: 'w', database, table, clock });
    const capture = new DeliveredCapture({ store, clock, delayMs: 20 * MINUTE });
    // Of the windows of the first day the last checkpoint before they are mature is due, and orphans of the day.
    const through = START + 4 * 24 * HOUR - 30 * MINUTE;
    const day = START + 24 * HOUR;
    const byModel = (value: number): Record<string, number> =>
      Object.fromEntries(monitors.map(({ model }) => [model, value]));
    await store.putIfAbsent(
      keys.labeled('stream'),
      encodeJson({ schema: 'mlmon.labels/v1', through, since: START, orphans: {}, orphansThrough: byModel(day) }),
    );
    const models = modelsOf(monitors);
    const aQuery = { windows: 3_000, characters: QUERY_CHARACTERS };
    const labeler = new Labeler({ log, store, clock, query, models, capture, resumes: true, aQuery });
    const step = await labeler.step();
    expect(step.windows).toBeGreaterThanOrEqual(1_000);
    // One tells which of the windows that were mature have news, one counts.
    expect(athena.statements.length).toBe(2);
    for (const statement of athena.statements) expect(Buffer.byteLength(statement)).toBeLessThan(262_144);
    expect(athena.statements[0]).toContain('news');
    expect(athena.statements[1]).toContain('orphan_spans');
  });
});
