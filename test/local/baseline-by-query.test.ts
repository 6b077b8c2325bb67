/** What Athena counts makes the baseline that the captured rows make. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { FolderStore } from '../../lib/adapters/disk/folder-store.ts';
import { DuckDbCaptureWriter } from '../../lib/adapters/duckdb/capture-writer.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { captureDialect } from '../../lib/adapters/warehouse/capture-dialect.ts';
import { DUCKDB } from '../../lib/adapters/warehouse/duckdb-dialect.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { baselineByQuery } from '../../lib/local/baseline-by-query.ts';
import { baselineFromCapture } from '../../lib/local/baseline-from-capture.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { HOUR, HOURS, LEFT_OUT, monitorOf, type Sent, SPAN, START, traffic } from './captured-traffic.ts';

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'by-query-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

async function ofRows(monitor: Monitor, sent: readonly Sent[]): Promise<Baseline> {
  const store = await FolderStore.open({ folder: join(folder, `${monitor.task}`), durability: 'os' });
  const { body } = await new DuckDbCaptureWriter(db).encode(
    sent.map(({ line }) => line),
    sent.map(({ at }) => at),
  );
  await store.putIfAbsent(keys.capture(START, 'p', '1', '2'), body);
  return baselineFromCapture({
    db,
    store,
    path: (key) => store.path(key),
    monitor,
    ...SPAN,
    leaveOut: LEFT_OUT,
    features: Object.entries(monitor.features ?? {})
      .filter(([, { policy }]) => policy === 'keep')
      .map(([name, { type, policy }]) => ({ name, type, policy, buckets: null })),
    withheld: [],
    policyKey: { version: '1', secret: new Uint8Array(32) } as never,
  });
}

async function ofCounts(monitor: Monitor, sent: readonly Sent[], longest: number) {
  const store = new MemoryStore();
  const firehose = new FakeFirehose({ db, store, bufferMs: 4 * HOUR, twice: () => true });
  for (const { at, line } of sent) firehose.take({ at, data: line });
  const clock = { now: () => START + 100 * HOUR };
  await firehose.deliver(clock.now());
  const athena = new FakeAthena({ db, store, database: db.name('m') });
  const { database, table } = athena;
  const query = new AthenaQuery({ client: athena.client, workgroup: 'w', database, table, clock });
  const labelsUntil = START + 40 * HOUR;
  const objects = await new DeliveredCapture({ store, clock, delayMs: 9 * HOUR }).between(SPAN.from, labelsUntil);
  const span = { ...SPAN, labelsUntil, leaveOut: LEFT_OUT };
  const dialect = captureDialect(DUCKDB, longest);
  const baseline = await baselineByQuery({ query, objects, monitor, version: '2', span, dialect });
  return { baseline, statements: athena.statements };
}

describe('a baseline by the query port', () => {
  it.each(['binary-classification', 'regression'] as const)('is that of the rows: %s', async (task) => {
    const monitor = monitorOf({ task, ...(task === 'binary-classification' ? { positive: 'yes' } : {}) });
    const sent = traffic(task);
    const expected = await ofRows(monitor, sent);
    const { baseline, statements } = await ofCounts(monitor, sent, 200_000);
    expect(statements).toHaveLength(2);
    expect({ ...baseline, findings: [], columns: [] }).toEqual({ ...expected, findings: [], columns: [] });
    const byName = ({ columns }: Baseline) => [...columns].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(baseline)).toEqual(byName(expected));
    expect(baseline.findings.map(({ code }) => code).sort()).toEqual(expected.findings.map(({ code }) => code).sort());
    expect(baseline.rows).toBe((HOURS - 2) * 60);
    expect(baseline.performance).not.toBeNull();
    if (task === 'regression') return;
    const parts = await ofCounts(monitor, sent, 25_000);
    expect(parts.statements.length).toBeGreaterThan(2);
    expect(parts.baseline).toEqual(baseline);
  });

  it('is refused of rows whose columns differ by case alone, which a table cannot tell apart', async () => {
    const features = { x: { type: 'numeric' }, X: { type: 'numeric' } } as const;
    const sent = traffic('none').slice(0, 100);
    await expect(ofRows(monitorOf({ features }), sent)).rejects.toThrow(
      /features\.X: differs from another column by case alone.*got x and X/,
    );
  });

  it('says that nothing was captured', async () => {
    await expect(ofCounts(monitorOf({}), [], 200_000)).rejects.toThrow(/nothing was captured/);
  });
});
