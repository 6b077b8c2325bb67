/** A baseline learned on AWS: profiles in the store, what Firehose delivered, counted by Athena, whose queries outlive a run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { QueryUnfinishedError } from '../../lib/adapters/athena/query-failure.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { captureDialect } from '../../lib/adapters/warehouse/capture-dialect.ts';
import { DUCKDB } from '../../lib/adapters/warehouse/duckdb-dialect.ts';
import type { PublishedBaseline } from '../../lib/contracts/baseline.ts';
import { monitorSchema } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { baselineByQuery } from '../../lib/local/baseline-by-query.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { Learner } from '../../lib/pipeline/learner.ts';
import { publishMonitor, readAll } from '../../lib/pipeline/publisher.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { HOUR, Platform, seeded, T0, World } from './simulation.ts';

const MINUTE = 60_000;
const DELAY = 20 * MINUTE;

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
});
afterAll(() => db.close());

describe('a learner over Athena', () => {
  it('publishes the baseline of the first hours, waits for deliveries, and takes up its queries', async () => {
    const world = new World();
    const { store, clock, cacheMs } = world;
    const monitor = monitorSchema.parse({
      model: 'm',
      baseline: { learn: '6h' },
      features: { amount: { type: 'numeric' }, kind: { type: 'categorical' } },
      window: { every: '1h', lateness: '10m', revise: '1h', minimumRows: 20 },
      drift: { scales: [] },
    });
    await publishMonitor(world.publisher, monitor, { by: 'test', effectiveFrom: T0 });
    const firehose = new FakeFirehose({ db, store, bufferMs: 5 * MINUTE });
    const athena = new FakeAthena({ db, store, database: db.name('m'), polls: 3 });
    const random = seeded(5);
    const hour = (n: number): void => {
      for (let i = 0; i < 60; i++) {
        const time = T0 + n * HOUR + i * MINUTE;
        const event = {
          id: `${n}-${i}`,
          type: 'inference',
          model: 'm',
          version: '1',
          time: new Date(time).toISOString(),
          arrival: new Date(time).toISOString(),
          numeric: { amount: (random() + random()) * (n === 2 ? 100 : 1) },
          categorical: { kind: random() < 0.5 ? 'a' : 'b' },
        };
        world.append('p0', [event], time);
        firehose.take({ at: time, data: new TextEncoder().encode(JSON.stringify(event)) });
      }
    };
    const platform = new Platform(world, { judge: judgeWindow, records: 500 });
    const { registry, reader } = platform;
    /** One run of the function: it waits for less than a query takes. */
    const step = async () => {
      const began = clock.now();
      let waited = 0;
      const { client, database, table } = athena;
      const query = new AthenaQuery({
        client,
        workgroup: 'w',
        database,
        table,
        clock: { now: () => began + waited },
        deadline: () => began + 400,
        wait: async (ms) => {
          waited += ms;
        },
      });
      const capture = new DeliveredCapture({ store, clock, delayMs: DELAY });
      return new Learner({
        store,
        clock,
        cacheMs,
        registry,
        reader,
        capture,
        audit: new AuditLog({ store, clock }),
        make: async ({ version, span, leaveOut }) => {
          const labelsUntil = span.to + HOUR;
          const objects = await capture.between(span.from, labelsUntil);
          return baselineByQuery({
            query,
            objects,
            monitor,
            version,
            span: { ...span, labelsUntil, leaveOut },
            dialect: captureDialect(DUCKDB, 150_000),
          });
        },
      }).step();
    };
    for (let n = 0; n < 6; n++) hour(n);
    clock.set(T0 + 6 * HOUR + 15 * MINUTE);
    await firehose.deliver(clock.now());
    await platform.settle();
    // Judged, but what was appended is not surely delivered yet.
    expect((await step()).failed.size).toBe(0);
    expect(athena.statements).toEqual([]);
    clock.set(T0 + 6 * HOUR + 40 * MINUTE);
    let unfinished = 0;
    for (let run = 0; run < 20; run++) {
      const { failed, published } = await step();
      for (const error of failed.values()) {
        expect(error).toBeInstanceOf(QueryUnfinishedError);
        unfinished++;
      }
      if (published > 0) break;
    }
    expect(unfinished).toBeGreaterThan(0);
    expect(athena.statements).toHaveLength(2);
    const found = await readAll<PublishedBaseline>(store, keys.baselines('m'));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      provisional: true,
      approved: null,
      baseline: {
        rows: 5 * 60,
        window: { every: '1h', count: 6 },
        learned: { leftOut: [{ start: new Date(T0 + 2 * HOUR).toISOString() }] },
      },
    });
    expect(found[0]?.baseline.columns.map(({ name }) => name)).toEqual(['amount', 'kind']);
    const from = Date.parse(found[0]?.effectiveFrom ?? '');
    for (let n = 6; n < 10; n++) hour(n);
    clock.set(T0 + 10 * HOUR + 15 * MINUTE);
    await platform.settle();
    const judged = (await world.results()).filter(({ start }) => Date.parse(start) >= from);
    expect(judged.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    expect(judged[0]?.provenance.baseline).toEqual({ version: '1', n: 1, fallback: false, provisional: true });
    expect((await step()).published).toBe(0);
  });
});
