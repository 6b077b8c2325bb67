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
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { baselineByQuery } from '../../lib/local/baseline-by-query.ts';
import { baselineFromCapture } from '../../lib/local/baseline-from-capture.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { seeded } from '../pipeline/simulation.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2001-02-05T00:00:00Z');
const HOURS = 12;

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

interface Sent {
  readonly at: number;
  readonly line: Uint8Array;
}

const instant = (ms: number): string => new Date(ms).toISOString();

/** Numbers of all sizes, categories that are hard to quote, gaps, events sent twice, halves, late labels. */
function traffic(task: Monitor['task']): Sent[] {
  const random = seeded(11);
  const sent: Sent[] = [];
  const send = (at: number, event: object): void => {
    sent.push({ at, line: new TextEncoder().encode(JSON.stringify({ model: 'm', arrival: instant(at), ...event })) });
  };
  for (let hour = 0; hour < HOURS; hour++)
    for (let i = 0; i < 60; i++) {
      const time = START + hour * HOUR + i * MINUTE;
      const id = `${hour}-${i}`;
      const x = random() * 20 - 10;
      const base = { id, version: '2', time: instant(time) };
      const said = task === 'regression' ? Number((x * 2).toFixed(3)) : random() < 0.4 ? 'yes' : 'no';
      const prediction = { score: Number(random().toFixed(4)), predicted: said };
      const features = {
        numeric: {
          x: i % 17 === 0 ? null : x,
          whole: Math.floor(random() * 6),
          time: Math.exp(20 * random()) * (hour === 8 ? 1e6 : 1),
          never: null,
        },
        categorical: {
          "o'clock": ['a', "it's", '"quoted"', 'größe', '{capture}', ' '][Math.floor(random() * 6)],
          rare: `r-${Math.floor(random() ** 4 * 300)}`,
        },
      };
      const weight = i % 4 === 0 ? 2.5 : 1;
      if (i % 5 === 0) {
        send(time + MINUTE, { type: 'request', ...base, ...features });
        send(time + 2 * MINUTE, { type: 'response', id, version: '2', time: instant(time), ...prediction });
      } else send(time + MINUTE, { type: 'inference', ...base, ...features, ...prediction, weight });
      if (i % 7 === 0) send(time + 3 * MINUTE, { type: 'inference', ...base, ...features, numeric: { x: 1e9 } });
      if (i % 3 > 0)
        send(time + 4 * MINUTE, {
          type: 'label',
          id,
          time: instant(time),
          truth: task === 'regression' ? String(x) : random() < 0.5 ? 'yes' : 'no',
        });
    }
  return sent.sort((a, b) => a.at - b.at);
}

function monitorOf(change: Partial<MonitorInput>): Monitor {
  const { monitor, problems } = parseMonitor({
    model: 'm',
    baseline: { learn: '12h' },
    features: {
      x: { type: 'numeric' },
      whole: { type: 'numeric' },
      time: { type: 'numeric' },
      never: { type: 'numeric' },
      "o'clock": { type: 'categorical' },
      rare: { type: 'categorical' },
      secret: { type: 'numeric', policy: 'drop' },
    },
    window: { every: '2h' },
    ...change,
  });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

const SPAN = { from: START, to: START + HOURS * HOUR };
const LEFT_OUT = [{ from: START + 8 * HOUR, to: START + 10 * HOUR }];

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
  const baseline = await baselineByQuery({ query, objects, monitor, version: '2', span, longest });
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

  it('says that nothing was captured', async () => {
    await expect(ofCounts(monitorOf({}), [], 200_000)).rejects.toThrow(/nothing was captured/);
  });
});
