/** Figures of the reckoning that were measured, measured again: what the software itself writes, asks and keeps. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { benchEvents } from '../../bench/profiler-data.ts';
import { CAPTURE_GLUE_COLUMNS } from '../../lib/contracts/capture.ts';
import { type Monitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { FIGURES, type FigureName } from '../../lib/cost/figures.ts';
import { seriesOf } from '../../lib/cost/series.ts';
import { EVENTS_PER_RECORD, modelUsage } from '../../lib/cost/usage.ts';
import { featureSamples, type ModelSummary, stateSamples, summaryOfWindow } from '../../lib/pipeline/model-samples.ts';
import { Producer } from '../../lib/producer/producer.ts';
import type { OutgoingRecord } from '../../lib/producer/sink.ts';
import { SimulatedStream } from '../adapters/kinesis/simulated-stream.ts';
import { EventSource } from '../lambdas/event-source.ts';
import { featureResult, windowResult } from '../local/server/results.ts';
import { aDay, type Day } from './a-day.ts';

const LINES = benchEvents(3_000, 2).map(({ line }) => line);

function monitorOf(model: string): Monitor {
  const { monitor } = parseMonitor({
    model,
    task: 'binary-classification',
    positive: 'yes',
    columns: { score: 'score', prediction: 'predicted' },
    window: { every: '1h' },
    drift: { scales: [] },
  });
  return monitor!;
}

/** Within a tenth, unless said otherwise. */
function holds(name: FigureName, found: number, within = 0.1): void {
  const { value, is } = FIGURES[name];
  expect(is).toBe('measured');
  expect({ name, found, expected: value, ratio: found / value > 1 - within && found / value < 1 + within }).toEqual({
    name,
    found,
    expected: value,
    ratio: true,
  });
}

/** Somewhere in its range. */
function inRange(name: FigureName, found: number): void {
  const { low, high } = FIGURES[name];
  expect({ name, found, inside: found >= low && found <= high }).toEqual({ name, found, inside: true });
}

describe('events', () => {
  const narrowed = (line: string, features: number): string => {
    const event = JSON.parse(line) as { numeric: object; categorical: object };
    const first = (of: object, share: number) =>
      Object.fromEntries(Object.entries(of).slice(0, Math.round(features * share)));
    return JSON.stringify({ ...event, numeric: first(event.numeric, 0.8), categorical: first(event.categorical, 0.2) });
  };
  const meanBytes = (features: number): number =>
    LINES.reduce((sum, line) => sum + narrowed(line, features).length + 1, 0) / LINES.length;

  it('have the bytes of a line of JSON by their columns, score and prediction among them', () => {
    const [narrow, wide] = [meanBytes(10), meanBytes(50)];
    holds('eventBytesAColumn', (wide - narrow) / 40, 0.05);
    holds('eventBytes', narrow - 12 * FIGURES.eventBytesAColumn.value, 0.15);
  });

  it('take a share of them as Parquet with the columns of the capture', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mlmon-parquet-'));
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      const source = join(folder, 'events.ndjson');
      const file = join(folder, 'events.parquet');
      await writeFile(source, `${LINES.join('\n')}\n`);
      const types = CAPTURE_GLUE_COLUMNS.map(
        ({ name, type }) => `${name}: '${type === 'string' ? 'VARCHAR' : 'MAP(VARCHAR, VARCHAR)'}'`,
      );
      await connection.run(
        `copy (select * from read_json('${source}', format = 'newline_delimited', columns = {${types.join(', ')}})) to '${file}' (format parquet, compression snappy)`,
      );
      holds('parquetShare', (await stat(file)).size / (await stat(source)).size);
    } finally {
      connection.closeSync();
      instance.closeSync();
      await rm(folder, { recursive: true });
    }
  });

  it('take a share of them as compressed lines', () => {
    const lines = LINES.join('\n');
    holds('gzipShare', gzipSync(lines).length / lines.length);
  });

  it('come so many a record from the producer', async () => {
    const records: OutgoingRecord[] = [];
    const producer = new Producer({
      monitor: monitorOf('bench'),
      sink: {
        appliesPolicy: true,
        limits: { records: 500, bytes: 5e6 },
        send: async (sent) => {
          records.push(...sent);
          return [];
        },
      },
      fanOut: 1,
    });
    for (const line of LINES.slice(0, 300)) {
      const { model: _, type: __, ...event } = JSON.parse(line) as Record<string, never>;
      producer.inference(event as never);
    }
    await producer.flush();
    expect(records.length).toBe(300 / EVENTS_PER_RECORD);
  });
});

describe('a day of the functions', () => {
  const HOURS = 2;
  let before: Day;
  let after: Day;
  beforeAll(async () => {
    const [half, whole] = await aDay([monitorOf('m')], [HOURS, 2 * HOURS]);
    before = half!;
    after = whole!;
  }, 60_000);
  /** What an hour adds once the beginning is over. */
  const hourly = (of: (day: Day) => number): number => (of(after) - of(before)) / HOURS;

  it('asks of the store for a batch what is reckoned', () => {
    const { writes, reads, runs } = after.of['profiler']!;
    holds('batchWrites', writes / runs);
    holds('batchReads', reads / runs);
  });

  it.each(['dispatcher', 'exporter', 'notifier'] as const)('asks of the store what is reckoned: %s', (name) => {
    const { writes, reads, runs } = after.of[name]!;
    holds(`${name}Writes`, writes / runs);
    holds(`${name}Reads`, reads / runs);
  });

  it('asks for an hour and its window what is reckoned', () => {
    expect(hourly(({ results }) => results)).toBe(1);
    const { hourWrites, hourReads, windowWrites, windowReads } = FIGURES;
    const writes = hourly(({ of }) => of['evaluator']!.writes);
    expect(writes / (hourWrites.value + windowWrites.value)).toBeGreaterThan(0.9);
    expect(writes / (hourWrites.value + windowWrites.value)).toBeLessThan(1.1);
    // Of each of the sixty packs a read.
    const reads = hourly(({ of }) => of['evaluator']!.reads);
    expect((reads - 60) / (hourReads.value + windowReads.value)).toBeGreaterThan(0.8);
    expect((reads - 60) / (hourReads.value + windowReads.value)).toBeLessThan(1.2);
  });

  it('is called with batches as large as is reckoned', async () => {
    const stream = new SimulatedStream({ now: () => 0 });
    for (let i = 0; i < 450; i++) stream.put('m', Buffer.from(LINES.slice(0, EVENTS_PER_RECORD).join('\n')), { at: 0 });
    const batches: number[] = [];
    const source = new EventSource({
      stream,
      now: () => 0,
      random: () => 0.5,
      invoke: async ({ Records }) => {
        batches.push(Records.reduce((sum, { kinesis }) => sum + Buffer.byteLength(kinesis.data, 'base64'), 0));
        return { batchItemFailures: [] };
      },
      giveUp: async () => undefined,
    });
    await source.drain();
    expect(batches).toHaveLength(2);
    holds('batchBytes', batches[0]!, 0.05);
  });

  it('keeps what is reckoned', () => {
    const columns = 52;
    inRange('packBytesAColumn', hourly(({ kept }) => kept['profiles/']!) / columns);
    holds('packBytesAnEvent', after.kept['packs/']! / (after.of['profiler']!.runs * 15) / columns);
    inRange('resultBytesAColumn', hourly(({ kept }) => kept['results/']!) / columns);
    inRange('cursorBytes', after.kept['cursors/']!);
  });

  it('writes to its logs what is reckoned', () => {
    const all = Object.values(after.of);
    const mean = all.reduce((sum, { logged }) => sum + logged, 0) / all.reduce((sum, { runs }) => sum + runs, 0);
    inRange('logBytesARun', mean);
  });
});

describe('series', () => {
  it('of a judged window are those that are reckoned', () => {
    const monitor = monitorOf('m');
    const features = Array.from({ length: 50 }, (_, i) => featureResult(`f${i}`));
    const window = {
      ...windowResult({ model: 'm', start: '2001-02-09T00:00:00Z', length: '1h', features }),
      latency: { p50: 1, p90: 2, p99: 3 },
    };
    const summary: ModelSummary = {
      windows: {
        '1h': { ...summaryOfWindow(window as never), baseline: { version: '3', n: 1 } },
        '1d': { ...summaryOfWindow(window as never), baseline: null },
      },
      performance: {
        version: '3',
        end: 0,
        revision: 0,
        rows: 10,
        coverage: 1,
        metrics: [
          ['accuracy', 0.9, 0.8],
          ['f1', 0.9, 0.8],
        ],
      },
      episodes: {},
    };
    const reckoned = seriesOf([{ ...modelUsage(monitor, 50), lengths: 2, performanceMetrics: 2 }], 'none');
    expect(2 * featureSamples(window as never).length).toBe(reckoned.features);
    expect(stateSamples(summary, monitor).length).toBe(reckoned.state);
  });
});

describe('what benchmarks measured', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/performance.md'), 'utf8');
  const figure = (row: RegExp): number => {
    const [, text = ''] = row.exec(page) ?? [];
    expect({ row: String(row), text }).not.toEqual({ row: String(row), text: '' });
    return Number(text.replaceAll(',', ''));
  };

  it('is what is reckoned: an event in the profiler', () => {
    holds('secondsAnEvent', 1 / figure(/an invocation of the profiler function[^|]*\| ([\d,]+) events a second/), 0.25);
  });

  it('is what is reckoned: a column in the evaluator', () => {
    const seconds = figure(
      /1,000 models × 100 features judged and written by one evaluator function of 1,769 MB[^|]*\| ([\d.]+) s/,
    );
    holds('judgingSecondsAColumn', seconds / (1_000 * 100), 0.25);
  });
});
