import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable, type Table } from '../../lib/adapters/duckdb/table.ts';
import { type Monitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { compileShape, type Shape } from '../../lib/engine/shape.ts';
import { backtestTables } from '../../lib/local/backtest.ts';
import { baselineFromTable, cutWindows } from '../../lib/local/baseline-from-table.ts';
import type { CountedWindows } from '../../lib/local/counted-windows.ts';
import { countWindows } from '../../lib/local/window-counts.ts';

const HOUR = 3_600_000;
const START = Date.parse('2024-01-01T00:00:00Z');
const WINDOWS = 30;

let folder: string;
let db: DuckDb;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'window-counts-'));
  db = await openDuckDb({ threads: 2 });
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

interface Row {
  readonly when: string;
  readonly x: number | string | null;
  readonly c: string | null;
  readonly weight: number;
}

let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Some of everything: missing, not finite, text among numbers, values out of range, unseen categories, weights. */
function rows(n: number, odd: boolean): Row[] {
  return Array.from({ length: n }, (_, i) => {
    const draw = random();
    const x =
      odd && draw < 0.05 ? 'oops' : odd && draw < 0.1 ? 'NaN' : draw < 0.2 ? null : random() * (odd ? 120 : 100);
    const c = random() < 0.1 ? null : `c${Math.floor(random() ** 2 * (odd ? 8 : 5))}`;
    const at = START + Math.floor((i / n) * WINDOWS * HOUR);
    return { when: new Date(at).toISOString(), x, c, weight: odd ? 1 + (i % 3) : 1 };
  });
}

const table = async (name: string, data: readonly Row[]): Promise<Table> => {
  await writeFile(join(folder, name), data.map((row) => JSON.stringify(row)).join('\n'));
  return openTable(db, { files: [name], cwd: folder });
};

describe('counts of many windows', () => {
  let shape: Shape;
  let counts: CountedWindows;
  const data = rows(6_000, true);

  beforeAll(async () => {
    const parsed = parseMonitor({
      model: 'counts',
      columns: { time: 'when', weight: 'weight' },
      features: { x: { type: 'numeric' }, c: { type: 'categorical' } },
      window: { every: '1h' },
    });
    const monitor = parsed.monitor as Monitor;
    const baseline = await baselineFromTable({
      table: await table('a.ndjson', rows(5_000, false)),
      monitor,
      version: null,
    });
    shape = compileShape(monitor, baseline);
    const current = await table('b.ndjson', data);
    const time = current.column('when');
    if (time === undefined) throw new Error('no time');
    const { map } = await cutWindows(current, time, monitor, []);
    if (map === null) throw new Error('no windows');
    expect(map.starts).toHaveLength(WINDOWS);
    counts = await countWindows({ table: current, shape, windows: map, monitor });
  });

  it.each([
    [0, 1],
    [7, 8],
    [0, 24],
    [0, WINDOWS],
  ])('of windows %i to %i are those of a plain loop over the rows', (from, to) => {
    const inside = data.filter(({ when }) => {
      const window = Math.floor((Date.parse(when) - START) / HOUR);
      return window >= from && window < to;
    });
    const merged = counts.between(from, to, null);
    const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
    expect(merged.rows).toBe(inside.length);
    expect(merged.weightedRows).toBe(sum(inside.map(({ weight }) => weight)));

    const [number, category] = shape.columns;
    if (number?.type !== 'numeric' || category?.type !== 'categorical') throw new Error('unexpected columns');
    const x = merged.column(0);
    const finite = inside.filter((row): row is Row & { x: number } => typeof row.x === 'number');
    expect(x.n).toBe(inside.length);
    expect(x.missing).toBe(inside.filter((row) => row.x === null).length);
    expect(x.invalid).toBe(inside.filter((row) => row.x === 'oops').length);
    expect(x.nonFinite).toBe(inside.filter((row) => row.x === 'NaN').length);
    const grouped = {
      rows: new Array(number.bins).fill(0),
      w: new Array(number.bins).fill(0),
      w2: new Array(number.bins).fill(0),
    };
    for (const row of finite) {
      const fine = number.edges.filter((edge) => edge <= row.x).length;
      const bin = number.firstOfGroup[number.groups[fine] ?? 0] ?? 0;
      grouped.rows[bin] += 1;
      grouped.w[bin] += row.weight;
      grouped.w2[bin] += row.weight ** 2;
    }
    expect([...Array.from(x.bins)]).toEqual(grouped.rows);
    expect([...Array.from(x.weighted?.w ?? [])]).toEqual(grouped.w);
    expect([...Array.from(x.weighted?.w2 ?? [])]).toEqual(grouped.w2);
    const mean = sum(finite.map((row) => row.weight * row.x)) / sum(finite.map(({ weight }) => weight));
    expect(x.mean).toBeCloseTo(mean, 9);
    const variance =
      sum(finite.map((row) => row.weight * (row.x - mean) ** 2)) / sum(finite.map(({ weight }) => weight));
    expect(x.std).toBeCloseTo(Math.sqrt(variance), 9);

    const c = merged.column(1);
    expect(c.missing).toBe(inside.filter((row) => row.c === null).length);
    expect(Array.from(c.bins)).toEqual(
      category.categories.map((name) => inside.filter((row) => row.c === name).length),
    );
    const unseen = ['c5', 'c6', 'c7']
      .map((name) => [name, inside.filter((row) => row.c === name).length] as const)
      .filter(([, n]) => n > 0)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    expect(c.unseen).toEqual({ total: sum(unseen.map(([, n]) => n)), top: unseen });
  });
});

describe('the flights, day by day', () => {
  it('ring on the blizzard of Denver and the flood of Houston, and on nothing else', async () => {
    const flights = join(import.meta.dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet');
    const part = async (name: string, where: string): Promise<Table> => {
      await db.run(`COPY (SELECT * FROM '${flights}' WHERE ${where}) TO '${join(folder, name)}' (FORMAT parquet)`);
      return openTable(db, { files: [name], cwd: folder });
    };
    const { backtest } = await backtestTables({
      reference: await part('reference.parquet', "date < '2001-04-01'"),
      data: await part('later.parquet', "date >= '2001-04-01' AND date < '2001-07-01'"),
      monitor: null,
      time: 'date',
      window: { kind: 'duration', every: '1d' },
    });
    expect(backtest.windows).toHaveLength(91);
    expect(backtest.alerts.map(({ opened, features }) => [String(opened), [...features].sort()])).toEqual([
      ['2001-04-12T00:00:00.000Z', ['destination', 'origin']],
      ['2001-06-10T00:00:00.000Z', ['destination', 'origin']],
    ]);
  });
});
