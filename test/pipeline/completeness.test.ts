import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { DuckDbCaptureRewriter } from '../../lib/adapters/duckdb/capture-rewriter.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { Completeness } from '../../lib/pipeline/completeness.ts';
import { Eraser } from '../../lib/pipeline/eraser.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { modelsOf, monitorOf, START } from './label-traffic.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
});
afterAll(() => db.close());

const MONITORS = ['a', 'b', 'c'].map((model) =>
  monitorOf({ model, task: 'none', window: { every: '1h', lateness: '1h', revise: '3h', minimumRows: 1 } }),
);

/** Each model has a row a minute for eight hours; `lost` are not delivered, the results say that all were profiled. */
async function platform(lost: (model: string, minute: number) => boolean, more: { readonly twice?: boolean } = {}) {
  const clock = { time: START + 8 * HOUR, now: () => clock.time };
  const store = new MemoryStore();
  const firehose = new FakeFirehose({ db, store, bufferMs: 900_000, twice: () => more.twice === true });
  for (let minute = 0; minute < 8 * 60; minute++) {
    const at = START + minute * 60_000;
    const sent = MONITORS.filter(({ model }) => !lost(model, minute)).map(({ model }) =>
      JSON.stringify({
        id: `${minute}`,
        type: minute % 2 === 0 ? 'inference' : 'request',
        model,
        version: model === 'b' && minute % 3 === 0 ? 'v/2' : '1',
        time: new Date(at).toISOString(),
      }),
    );
    if (sent.length > 0) firehose.take({ at, data: new TextEncoder().encode(sent.join('\n')) });
  }
  await firehose.deliver(clock.time + HOUR);
  for (const { model } of MONITORS)
    for (let hour = 0; hour < 8; hour++)
      for (const [version, rows] of model === 'b'
        ? ([
            ['1', 40],
            ['v/2', 20],
          ] as const)
        : ([['1', 60]] as const))
        for (const [revision, onTime] of [
          [0, rows - 5],
          [1, rows],
        ] as const)
          await store.putIfAbsent(
            keys.result(model, version, START + hour * HOUR, '1h', revision),
            encodeJson({ provenance: { rows: { onTime: onTime - 2, revising: 1, otherBaseline: 1 } } }),
          );
  const athena = new FakeAthena({ db, store, database: db.name('m') });
  const { database, table } = athena;
  const query = new AthenaQuery({ client: athena.client, workgroup: 'w', database, table, clock });
  const capture = new DeliveredCapture({ store, clock, delayMs: 1_200_000 });
  const log = { identity: async () => 'stream' };
  const completeness = new Completeness({ log, store, clock, query, capture, models: modelsOf(MONITORS) });
  return { completeness, clock, athena, store };
}

describe('completeness of the capture', () => {
  it('finds nothing missing where all was delivered, be it twice', async () => {
    const { completeness } = await platform(() => false);
    expect(await completeness.step()).toMatchObject({
      windows: 3,
      profiled: 180,
      captured: 180,
      missing: 0,
      worst: null,
    });
    const twice = await platform(() => false, { twice: true });
    expect(await twice.completeness.step()).toMatchObject({ windows: 3, profiled: 180, captured: 360, missing: 0 });
  });

  it('counts what is missing of the newest window that can get no record any more', async () => {
    // At 08:00 and twenty minutes of delay that is the one from 02:00 to 03:00.
    const { completeness } = await platform(
      (model, minute) =>
        (model === 'b' && minute >= 2 * 60 && minute < 2 * 60 + 7) ||
        (model === 'c' && minute === 130) ||
        minute >= 200,
    );
    expect(await completeness.step()).toMatchObject({
      profiled: 180,
      captured: 172,
      missing: 8,
      worst: { model: 'b', start: '2001-02-01T02:00:00.000Z', missing: 7 },
    });
  });

  it('takes nothing for lost that was erased', async () => {
    const { completeness, clock, store } = await platform((model, minute) => model === 'c' && minute === 130);
    const eraser = new Eraser({
      store,
      versions: null,
      clock,
      audit: new AuditLog({ store, clock }),
      rewriter: async () => new DuckDbCaptureRewriter(db),
    });
    const ids = ['121', '122', '150'];
    await eraser.erase({ model: 'b', ids, by: 'tester', rememberMs: DAY });
    expect(await completeness.step()).toMatchObject({
      captured: 176,
      missing: 1,
      worst: { model: 'c', missing: 1 },
    });
  });

  it('does not set more of one model against less of another', async () => {
    const { completeness } = await platform((model) => model === 'a', { twice: true });
    expect(await completeness.step()).toMatchObject({ captured: 240, missing: 60 });
  });

  it('counts once a day, in one query that names its partitions', async () => {
    const { completeness, clock, athena } = await platform(() => false);
    const first = await completeness.step();
    clock.time += DAY - 1;
    expect(await completeness.step()).toEqual(first);
    expect(athena.statements.length).toBe(1);
    expect(athena.statements[0]).toMatch(/WHERE dt = '2001-02-01' AND \(/);
    clock.time += 1;
    expect((await completeness.step())?.at).toBe(clock.time);
  });
});
