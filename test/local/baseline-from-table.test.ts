import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable, type Table } from '../../lib/adapters/duckdb/table.ts';
import type { Baseline, NumericBaseline } from '../../lib/contracts/baseline.ts';
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { performanceBaseline } from '../../lib/engine/performance.ts';
import { countClassification } from '../../lib/engine/performance-rows.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { baselineFromTable } from '../../lib/local/baseline-from-table.ts';

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB' });
  folder = await mkdtemp(join(tmpdir(), 'baseline-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

type Row = Readonly<Record<string, unknown>>;

async function tableOf(rows: readonly Row[]): Promise<Table> {
  const file = join(folder, `${db.name('rows')}.ndjson`);
  await writeFile(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  return openTable(db, { files: [file], cwd: folder });
}

function monitorOf(input: Omit<MonitorInput, 'model'> = {}): Monitor {
  const { monitor, problems } = parseMonitor({ model: 'm', ...input });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

const make = async (rows: readonly Row[], input: Omit<MonitorInput, 'model'> = {}): Promise<Baseline> =>
  baselineFromTable({ table: await tableOf(rows), monitor: monitorOf(input), version: '1' });
const names = ({ columns }: Baseline): string[] => columns.map(({ name }) => name);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const codes = ({ findings }: Baseline): string[] => findings.map(({ code, path }) => `${code} ${path}`.trim());

const START = Date.parse('2001-03-20T00:00:00Z');
const HOUR = 3_600_000;

describe('a baseline from a table', () => {
  it('is made of one row, and says that this is little', async () => {
    const baseline = await make([{ a: 1.5, b: 'x', c: true }]);
    expect(baseline.rows).toBe(1);
    expect(baseline.columns).toMatchObject([
      { name: 'a', type: 'numeric', count: 1, mean: 1.5, std: 0, min: 1.5, max: 1.5, integer: false },
      { name: 'b', type: 'categorical', categories: ['x'], counts: [1] },
      { name: 'c', type: 'categorical', categories: ['true'] },
    ]);
    expect(codes(baseline)).toEqual(['few-rows', 'constant a', 'constant b', 'constant c']);
    expect(() => compileShape(monitorOf(), baseline)).not.toThrow();
  });

  it('takes constant columns, columns without values and numbers that are not finite', async () => {
    const table = await tableOf(
      range(2000).map((i) => ({ constant: 5, empty: null, odd: i % 2 === 0 ? 1 : null, text: 'same' })),
    );
    const baseline = await baselineFromTable({
      table,
      monitor: monitorOf({
        features: {
          constant: { type: 'numeric' },
          empty: { type: 'numeric' },
          odd: { type: 'numeric' },
          text: { type: 'categorical' },
        },
      }),
      version: null,
    });
    expect(baseline.columns).toMatchObject([
      { count: 2000, missing: 0, bins: { verdictBin: [0, 0, 0] }, counts: [0, 2000, 0] },
      { count: 0, missing: 2000, mean: null, bins: { edges: [], verdictBin: [0] }, counts: [0] },
      { count: 1000, missing: 1000 },
      { count: 2000, categories: ['same'], verdictBin: [0] },
    ]);
    expect(codes(baseline)).toEqual(['constant constant', 'all-missing empty', 'constant odd', 'constant text']);
    expect(() => compileShape(monitorOf(), baseline)).not.toThrow();
  });

  it('refuses data without rows, without columns, and names that are not there', async () => {
    const file = join(folder, 'header.csv');
    await writeFile(file, 'age,income\n');
    const header = await openTable(db, { files: [file], cwd: folder });
    await expect(baselineFromTable({ table: header, monitor: monitorOf(), version: null })).rejects.toThrow(
      /header\.csv: has no rows/,
    );
    await expect(make([{ t: '2001-01-01T00:00:00Z' }], { columns: { time: 't' } })).rejects.toThrow(
      /no column to watch/,
    );
    const wrong = make([{ age: 1, income: 2 }], { columns: { time: 'when' }, features: { agee: { type: 'numeric' } } });
    await expect(wrong).rejects.toThrow(/no column "when"[\s\S]*no column "agee".*did you mean age\?/);
    await expect(
      make(
        range(200).map((i) => ({ a: `x${i % 7}` })),
        { features: { a: { type: 'numeric' } } },
      ),
    ).rejects.toThrow(/holds values that are none, got 200 of 200 values/);
  });

  it('leaves out what is no feature and gives roles to the rest', async () => {
    const baseline = await make(
      range(500).map((i) => ({
        row: i,
        customer_id: 1000 + ((i * 7919) % 5003),
        uuid: `u-${i}`,
        when: new Date(START + i * HOUR).toISOString(),
        visited: '2001-01-01 10:00:00',
        nested: { x: i },
        level: i % 4,
        amount: i * 1.5,
        score: (i % 100) / 100,
        predicted: i % 2,
        late: i % 3 === 0 ? 1 : 0,
        ms: 12,
      })),
      {
        task: 'binary-classification',
        positive: '1',
        columns: { time: 'when', score: 'score', prediction: 'predicted', truth: 'late', latency: 'ms' },
      },
    );
    expect(baseline.columns.map(({ name, type, role }) => [name, type, role])).toEqual([
      ['level', 'numeric', 'feature'],
      ['amount', 'numeric', 'feature'],
      ['score', 'numeric', 'score'],
      ['predicted', 'categorical', 'prediction'],
    ]);
    expect(
      codes(baseline)
        .filter((code) => code.startsWith('left-out'))
        .sort(),
    ).toEqual(['left-out customer_id', 'left-out nested', 'left-out row', 'left-out uuid', 'left-out visited']);
    const level = baseline.columns[0] as NumericBaseline;
    expect([level.integer, level.bins.verdictBin.at(-1)]).toEqual([true, 3]);
    const counts = countClassification(
      range(500).map((i) => ({ score: (i % 100) / 100, truth: i % 3 === 0 ? '1' : '0', predicted: String(i % 2) })),
    );
    expect(baseline.performance?.metrics['roc-auc']?.value).toBe(
      performanceBaseline([counts], monitorOf({ task: 'binary-classification', positive: '1' }))?.metrics['roc-auc']
        ?.value,
    );
    expect(names(await make([{ a: 1, b: 2 }], { features: { b: { type: 'categorical' } } }))).toEqual(['b']);
  });

  it('keeps a declared column, whatever it looks like', async () => {
    const rows = range(300).map((i) => ({ row: i, a: i % 5 }));
    expect(names(await make(rows))).toEqual(['a']);
    expect(names(await make(rows, { features: { row: { type: 'numeric' }, a: { type: 'categorical' } } }))).toEqual([
      'row',
      'a',
    ]);
  });

  it('keeps a thousand of ten thousand categories and counts the rest', async () => {
    const rows = range(30_000).map((i) => ({ c: i < 20_000 ? `k${i % 10_000}` : `k${i % 3}` }));
    const baseline = await make(rows);
    const [column] = baseline.columns;
    if (column?.type !== 'categorical') throw new Error('not categorical');
    expect([column.distinct, column.categories.length, column.count]).toEqual([10_000, 1_000, 30_000]);
    expect(column.categories.slice(0, 4)).toEqual(['k2', 'k0', 'k1', 'k10']);
    expect(column.counts.reduce((sum, n) => sum + n, 0) + column.other).toBe(30_000);
    expect(column.verdictBin.slice(0, 5)).toEqual([0, 1, 2, 3, 3]);
    expect(codes(baseline)).toContain('many-categories c');
  });

  it('cuts windows in the time zone of the monitor, clock changes included', async () => {
    // 25 March 2001: summer time begins in Berlin, a day of 23 hours.
    const rows = range(14 * 24).map((i) => ({
      when: new Date(START - HOUR + i * HOUR).toISOString(),
      a: i % 10,
      b: `c${i % 3}`,
    }));
    const baseline = await make(rows, {
      columns: { time: 'when' },
      window: { every: '1d', timezone: 'Europe/Berlin' },
    });
    expect(baseline.window).toEqual({ every: '1d', timezone: 'Europe/Berlin', count: 15 });
    expect(baseline.volume?.starts[0]).toBe(START - HOUR);
    expect(baseline.volume?.rows.slice(0, 7)).toEqual([24, 24, 24, 24, 24, 23, 24]);
    expect(baseline.source).toMatchObject({ from: '2001-03-19T23:00:00.000Z', to: '2001-04-02T22:00:00.000Z' });
    expect(baseline.columns.every(({ calibration }) => calibration !== null)).toBe(true);
  });

  it('leaves partial windows out of the volume, and says which rows have no time', async () => {
    const rows = range(240).map((i) => ({
      when: i === 7 ? null : new Date(START + 12 * HOUR + i * HOUR).toISOString(),
      a: i % 10,
    }));
    const baseline = await make(rows, { columns: { time: 'when' } });
    expect(baseline.window?.count).toBe(11);
    expect(baseline.volume?.rows).toEqual(new Array(9).fill(24));
    expect(codes(baseline)).toContain('rows-without-time when');
    expect(
      codes(
        await make(
          range(50).map((i) => ({ when: i * 40_000_000, a: i })),
          { columns: { time: 'when' }, window: { every: '1m' } },
        ),
      ),
    ).toContain('too-many-windows window.every');
  });

  it('is the same whatever the order of rows, files and threads', async () => {
    const rows = range(3_000).map((i) => ({ when: START + i * 600_000, a: Math.sin(i) * 1e5, b: `c${(i * i) % 17}` }));
    const one = await make(rows, { columns: { time: 'when' } });
    const other = await make([...rows].reverse(), { columns: { time: 'when' } });
    expect({ ...other, source: null }).toEqual({ ...one, source: null });
  });
});
