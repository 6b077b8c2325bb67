/** Labels that come late, twice, contradictory, for nothing and for other versions, through Athena over what Firehose delivers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery, QUERY_CHARACTERS } from '../../lib/adapters/athena/athena-query.ts';
import { QueryUnfinishedError } from '../../lib/adapters/athena/query-failure.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { Labeler } from '../../lib/pipeline/labeler.ts';
import { ConflictError, TransientError } from '../../lib/pipeline/ports.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { compare, type Event, line, MONITORS, modelsOf, START, traffic } from './label-traffic.ts';

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
}

async function replay({ seed, faulty, slow = false }: Options) {
  const faults = new FaultInjector({
    seed,
    ...(faulty ? { crash: 0.2, maxCrashes: 60, conflict: 0.02, transient: 0.02, delay: 1 } : {}),
  });
  const clock = { time: START, now: () => clock.time };
  const store = new MemoryStore();
  const days = 2;
  const events = traffic(() => faults.random(), days);
  const firehose = new FakeFirehose({ db, store, bufferMs: BUFFER, twice: () => faults.random() < 0.1 });
  const athena = new FakeAthena({ db, store, database: db.name('monitoring'), polls: slow ? 6 : 0, page: 7 });
  const models = modelsOf(MONITORS);
  let unfinished = 0;
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
    return { process, labeler: new Labeler({ ...ports, log, query, models, capture, resumes: true, aQuery }) };
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
  for (let hour = 0; hour <= (days + 8) * 24; hour += 11) {
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
  return { store, settled, log, days, faults, athena, unfinished: () => unfinished };
}

describe('labeler over Athena', () => {
  it('counts what a plain oracle counts, at every revision, with deliveries made twice', async () => {
    const run = await replay({ seed: 1, faulty: false });
    expect(await compare(run)).toBeGreaterThan(40);
    for (const statement of run.athena.statements)
      for (const [of] of statement.matchAll(
        /FROM "monitoring_\d+"\."capture"\s+WHERE (?:dt = '|dt >= '[\d-]+' AND dt <= ')/g,
      ))
        expect(of).not.toBe('');
  });

  it('writes the same whatever crashes', async () => {
    const run = await replay({ seed: 3, faulty: true });
    expect(run.faults.counts.crashes).toBeGreaterThan(5);
    await compare(run);
  });

  it('takes up queries that outlive the function, and runs none twice', async () => {
    const run = await replay({ seed: 5, faulty: false, slow: true });
    expect(run.unfinished()).toBeGreaterThan(10);
    await compare(run);
    expect(new Set(run.athena.statements).size).toBe(run.athena.statements.length);
  });
});
