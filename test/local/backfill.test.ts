import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable } from '../../lib/adapters/duckdb/table.ts';
import type { Health } from '../../lib/contracts/api.ts';
import { eventSchema, type InferenceEvent, type LabelEvent } from '../../lib/contracts/event.ts';
import { type Monitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { backfill } from '../../lib/local/backfill.ts';
import { type History, historyOf } from '../../lib/local/history.ts';

const HOUR = 3_600_000;
const START = Date.parse('2001-02-01T00:30:00Z');

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB' });
  folder = await mkdtemp(join(tmpdir(), 'backfill-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

function monitorOf(input: Record<string, unknown>): Monitor {
  const { monitor, problems } = parseMonitor({ model: 'm', ...input });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

const MONITOR: Monitor = {
  ...monitorOf({
    task: 'regression',
    columns: { id: 'id', time: 'at', prediction: 'guess', truth: 'real', latency: 'ms' },
    features: { a: { type: 'numeric' }, b: { type: 'categorical' }, d: { type: 'numeric', policy: 'drop' } },
  }),
  segments: [{ by: 'b', top: 20, minimumRows: 200 }],
};

async function history(rows: readonly object[], monitor = MONITOR): Promise<History> {
  const file = join(folder, `${db.name('rows')}.ndjson`);
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  const table = await openTable(db, { files: [file], cwd: folder });
  return historyOf({ table, monitor, baseline: null, version: '3', labelDelay: 90 * 60_000 });
}

const at = (ms: number): string => new Date(START + ms).toISOString();

describe('history', () => {
  it('is events in order of time and labels when they were due', async () => {
    const { steps, absent } = await history([
      { id: 'late', at: at(49 * HOUR), a: 3, b: 'y', guess: 1, real: null },
      { id: 'first', at: at(0), a: 1.5, b: 'x', guess: 2, real: 2.5, ms: 12, d: 9 },
      { id: 'wrong', at: at(60_000), a: 'many', b: null, guess: null, real: 4, ms: -1 },
      { id: 'never', at: null, a: 1 },
    ]);
    const found = [];
    for await (const { end, events } of steps()) found.push({ end: new Date(end).toISOString(), events });
    expect(absent).toBe(1);
    expect(found).toEqual([
      {
        end: '2001-02-01T01:00:00.000Z',
        events: [
          {
            type: 'inference',
            id: 'first',
            model: 'm',
            version: '3',
            time: at(0),
            segment: { b: 'x' },
            numeric: { a: 1.5 },
            categorical: { b: 'x' },
            predicted: 2,
            latency_ms: 12,
          },
          {
            type: 'inference',
            id: 'wrong',
            model: 'm',
            version: '3',
            time: at(60_000),
            numeric: { a: 'many' },
            categorical: {},
          },
        ],
      },
      {
        end: '2001-02-01T03:00:00.000Z',
        events: [
          { type: 'label', id: 'first', model: 'm', time: at(1.5 * HOUR), truth: 2.5 },
          { type: 'label', id: 'wrong', model: 'm', time: at(1.5 * HOUR + 60_000), truth: 4 },
        ],
      },
      { end: '2001-02-03T02:00:00.000Z', events: [expect.objectContaining({ id: 'late' })] },
    ]);
    const valid = found.flatMap(({ events }) => events).filter((event) => eventSchema.safeParse(event).success);
    expect(valid).toHaveLength(4);
  });

  it('needs to know when things happened', async () => {
    const timeless = monitorOf({ columns: {} });
    await expect(history([{ a: 1 }], timeless)).rejects.toThrow(/columns\.time: history needs to know/);
    await expect(history([{ at: 'never' }], monitorOf({ columns: { time: 'at' } }))).rejects.toThrow(
      /no time that can be read/,
    );
  });
});

describe('backfill', () => {
  it('writes everything in order, waits for the parts day by day, and closes the last window', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({
      id: `${i}`,
      at: at(i * HOUR),
      a: i,
      b: 'x',
      guess: 1,
      real: 2,
    }));
    const written: (InferenceEvent | LabelEvent)[] = [];
    let clock = 0;
    let asked = 0;
    let head = 0;
    let read = 0;
    const outcome = await backfill({
      history: await history(rows),
      monitor: MONITOR,
      signal: new AbortController().signal,
      target: {
        write: async (events, now) => {
          expect(now).toBeGreaterThan(clock);
          // Never more than a day and an hour ahead of what has been read.
          expect(head - read).toBeLessThanOrEqual(26);
          clock = now;
          head += 1;
          written.push(...events);
          return events.filter(({ id }) => id === '7').length;
        },
        advanceTo: (now) => {
          clock = now;
        },
        health: async () => {
          asked += 1;
          if (asked % 2 === 0) read = head;
          const partition = {
            id: '0',
            head: `${head}`,
            profiled: `${read}`,
            archived: `${read}`,
            lag: head - read,
            closed: false,
          };
          return { partitions: [partition], counts: {}, lastEvaluation: null } as unknown as Health;
        },
      },
    });
    expect(outcome).toEqual({ events: 100, labels: 100, refused: 2 });
    expect(written.filter(({ type }) => type === 'inference').map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    // The last window ends on 6 February; its lateness is an hour.
    expect(clock).toBeGreaterThanOrEqual(Date.parse('2001-02-06T01:00:00Z'));
  });

  it('waits until a baseline that is learned is made, so that what follows is judged against it', async () => {
    const rows = Array.from({ length: 120 }, (_, i) => ({ at: at(i * HOUR), a: i, b: 'x' }));
    const monitor = monitorOf({
      columns: { time: 'at' },
      baseline: { learn: '4d' },
      features: { a: { type: 'numeric' }, b: { type: 'categorical' } },
    });
    let clock = 0;
    const asked: string[] = [];
    const answers = ['busy', 'busy', 'waiting', 'busy', null] as const;
    await backfill({
      history: await history(rows, monitor),
      monitor,
      signal: new AbortController().signal,
      target: {
        write: async (_, now) => {
          clock = now;
          return 0;
        },
        advanceTo: () => undefined,
        learning: async () => {
          asked.push(new Date(clock).toISOString().slice(0, 10));
          return answers[asked.length - 1] ?? null;
        },
        health: async () => ({ partitions: [], counts: {}, lastEvaluation: null }) as unknown as Health,
      },
    });
    // Not before the days are over, and again and again on that day.
    expect(asked).toEqual(Array.from({ length: answers.length }, () => '2001-02-05'));
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    controller.abort(new Error('SIGINT'));
    const target = { write: async () => 0, advanceTo: () => undefined, health: async () => ({}) as Health };
    await expect(
      backfill({
        history: await history([{ at: at(0), a: 1, b: 'x' }]),
        monitor: MONITOR,
        target,
        signal: controller.signal,
      }),
    ).rejects.toThrow('SIGINT');
  });
});
