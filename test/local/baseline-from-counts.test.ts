import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable, type Table } from '../../lib/adapters/duckdb/table.ts';
import { DUCKDB } from '../../lib/adapters/warehouse/duckdb-dialect.ts';
import { summaryStatement } from '../../lib/adapters/warehouse/summary-statement.ts';
import { windowsStatement } from '../../lib/adapters/warehouse/windows-statement.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { baselineFromCounts, summarised } from '../../lib/local/baseline-from-counts.ts';
import { baselineFromTable } from '../../lib/local/baseline-from-table.ts';
import {
  profileSource,
  SUMMARY_RULE,
  summaryLabel,
  type WarehouseTable,
  windowsLabel,
  windowsSource,
} from '../../lib/local/warehouse-profile.ts';
import { expectSameBaseline } from './expect-same-baseline.ts';
import { nastyMonitor, writeNastyTable } from './nasty-table.ts';

let db: DuckDb;
let folder: string;
let file: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB' });
  folder = await mkdtemp(join(tmpdir(), 'counts-'));
  file = join(folder, 'nasty.parquet');
  await writeNastyTable(db, file, 4_000);
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

/** Athena quotes all that is not NULL. */
const FORMATS = { csv: 'csv', quoted: 'csv, FORCE_QUOTE *', parquet: 'parquet', json: 'json' } as const;
type Format = keyof typeof FORMATS;

async function answer(sql: string, format: Format): Promise<string> {
  const kept = join(
    folder,
    `${db.name('answer')}.${{ csv: 'csv', quoted: 'csv', parquet: 'parquet', json: 'ndjson' }[format]}`,
  );
  await db.run(`COPY (${sql}) TO ${literal(kept)} (FORMAT ${FORMATS[format]})`);
  return kept;
}

const open = (...files: string[]): Promise<Table> => openTable(db, { files, cwd: folder });

async function throughStatements(monitor: Monitor, format: Format, cuts: readonly number[] = []): Promise<Baseline> {
  const relation = { sql: `(SELECT * FROM ${literal(file)})`, called: 'nasty' };
  const source = profileSource(monitor, relation);
  const ends = [...cuts, source.columns.length];
  const parts = ends.map((end, i) => [ends[i - 1] ?? 0, end] as const);
  const files: string[] = [];
  for (const part of parts)
    files.push(await answer(summaryStatement(DUCKDB, source, SUMMARY_RULE, summaryLabel(source), part), format));
  const { columns, spans } = await summarised({ table: await open(...files), monitor });
  const asked = windowsSource(monitor, relation, columns, spans);
  if (asked !== null)
    for (const part of parts)
      files.push(await answer(windowsStatement(DUCKDB, asked, windowsLabel(asked), part), format));
  return baselineFromCounts({ table: await open(...files), monitor, version: '1' });
}

const fromRows = async (monitor: Monitor): Promise<Baseline> =>
  baselineFromTable({ table: await open(file), monitor, version: '1' });

describe('a baseline from counts made elsewhere', () => {
  it('is the one that the rows make', async () => {
    const monitor = nastyMonitor();
    const expected = await fromRows(monitor);
    expect(expected.columns.find(({ name }) => name === 'many')).toMatchObject({ other: expect.any(Number) });
    expect(expected.window?.count).toBeGreaterThan(30);
    const made = await throughStatements(monitor, 'csv');
    expectSameBaseline(made, expected);
    expect(made.source.name).toBe('nasty');
  });

  it.each(['csv', 'quoted', 'parquet', 'json'] as const)(
    'is the same without a time, by answers in %s',
    async (format) => {
      const monitor = nastyMonitor({ columns: { prediction: 'predicted', score: 'score', truth: 'truth' } });
      expectSameBaseline(await throughStatements(monitor, format), await fromRows(monitor));
    },
  );

  it('is the same for a regression with buckets, asked in several statements', async () => {
    const monitor = nastyMonitor({
      task: 'regression',
      positive: undefined,
      columns: { time: 'when', prediction: 'price', truth: 'single', weight: 'weight' },
      window: { every: '6h', timezone: 'America/New_York' },
      features: { few: { type: 'numeric', policy: 'bucket' }, far: { type: 'numeric', policy: 'bucket' } },
    });
    const expected = await fromRows(monitor);
    expect(Object.keys(expected.performance?.metrics ?? {}).length).toBeGreaterThan(2);
    expectSameBaseline(await throughStatements(monitor, 'parquet', [1, 2]), expected);
  });

  it('is made of the first answer alone where nothing is counted by window', async () => {
    const monitor = nastyMonitor({ task: 'none', positive: undefined, columns: {} });
    expectSameBaseline(await throughStatements(monitor, 'csv'), await fromRows(monitor));
  });
});

describe('answers that do not fit', () => {
  const features = { few: { type: 'numeric' }, code: { type: 'categorical' } } as const;
  const timed = nastyMonitor({ task: 'none', positive: undefined, columns: { time: 'when' }, features });
  const relation = (rows: string): WarehouseTable => ({
    sql: `(SELECT * FROM ${literal(file)} WHERE ${rows})`,
    called: rows,
  });
  const first = (monitor: Monitor, rows = '1 = 1'): Promise<string> => {
    const source = profileSource(monitor, relation(rows));
    return answer(summaryStatement(DUCKDB, source, SUMMARY_RULE, summaryLabel(source)), 'csv');
  };
  const second = async (file: string, rows = '1 = 1'): Promise<string> => {
    const { columns, spans } = await summarised({ table: await open(file), monitor: timed });
    const asked = windowsSource(timed, relation(rows), columns, spans);
    if (asked === null) throw new Error('nothing is asked');
    return answer(windowsStatement(DUCKDB, asked, windowsLabel(asked)), 'csv');
  };
  const made = async (files: readonly string[], monitor = timed): Promise<string> => {
    try {
      await baselineFromCounts({ table: await open(...files), monitor, version: null });
      return 'made';
    } catch (error) {
      return error instanceof ProblemError ? error.problems.map(({ code }) => code).join() : String(error);
    }
  };

  it('are refused, each by what is wrong', async () => {
    const summary = await first(timed);
    const windows = await second(summary);
    expect(await made([summary, windows])).toBe('made');
    expect(await made([summary])).toBe('no-answer');
    expect(await made([windows])).toBe('no-answer');
    expect(await made([file])).toBe('no-answer');
    expect(await made([summary, windows, windows])).toBe('table-changed');
    expect(await made([summary, await second(summary, 'few < 3')])).toBe('table-changed');
    expect(await made([summary, summary, windows])).toBe('incomplete-answer');
    expect(await made([await first(timed, 'few < 3'), windows])).toBe('other-question');
    const other = nastyMonitor({
      task: 'none',
      positive: undefined,
      columns: { time: 'when' },
      features: { few: { type: 'numeric' } },
    });
    expect(await made([summary, windows], other)).toBe('other-question');
    expect(await made([await first(timed, '1 = 0')])).toBe('no-rows');
  });

  it('need a monitor that names its columns', () => {
    const silent = nastyMonitor({
      task: 'none',
      positive: undefined,
      columns: { prediction: 'code' },
      features: undefined,
    });
    expect(() => profileSource(silent, { sql: 't', called: 't' })).toThrow(
      /features: none is declared[\s\S]*columns.prediction: is a number or a class/,
    );
  });
});
