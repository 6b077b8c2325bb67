import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable, type Table } from '../../lib/adapters/duckdb/table.ts';
import { FEW_VALUES, isStep, quantileRanks, type ValueStep } from '../../lib/engine/numeric-bins.ts';
import { type ColumnLimits, NumberColumns } from '../../lib/local/number-columns.ts';
import { TestedColumns } from '../../lib/local/tested-columns.ts';

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 2 });
  folder = await mkdtemp(join(tmpdir(), 'numbers-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

let state = 17;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const pick = <T>(values: readonly T[]): T => values[Math.floor(values.length * random())]!;

const ROWS = 9_000;
/** `null` is missing. */
const LAWS: Readonly<Record<string, () => number | null>> = {
  normal,
  'far from zero': () => 1e9 + normal(),
  'heavy tail': () => Math.tan(3.1 * (random() - 0.5)),
  tiny: () => 1e-300 * normal(),
  huge: () => 1e300 * normal(),
  'missing, NaN and infinities': () => pick([null, Number.NaN, Infinity, -Infinity, normal(), normal(), 2.5]),
  'few whole numbers': () => Math.floor(12 * random() ** 2) - 3,
  'many whole numbers': () => Math.floor(5_000 * random()),
  'exactly the most few': () => Math.floor(FEW_VALUES * random()),
  'one more': () => Math.floor((FEW_VALUES + 1) * random()),
  'whole beyond 2^53': () => Math.floor(random() * 2 ** 60),
  money: () => Math.round(10_000 * random() ** 3) / 100,
  'mostly zero': () => (random() < 0.95 ? 0 : normal()),
  'zero of both signs': () => pick([0, -0, 1.5]),
  constant: () => 42.5,
  'all missing': () => null,
  'no finite value': () => pick([Number.NaN, Infinity]),
};
const names = Object.keys(LAWS);

async function tableOf(name: string, rows: number): Promise<{ table: Table; values: (number | null)[][] }> {
  const values = names.map((law) => Array.from({ length: rows }, LAWS[law]!));
  const shown = (value: number | null): string =>
    value === null ? 'NULL' : `'${Object.is(value, -0) ? '-0.0' : String(value).replace('Infinity', 'inf')}'`;
  const columns = values.map((column, i) => `unnest(CAST([${column.map(shown).join(', ')}] AS DOUBLE[])) AS c${i}`);
  const file = join(folder, `${name}.parquet`);
  await db.run(`COPY (SELECT ${columns.join(', ')}) TO ${literal(file)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  return { table: await openTable(db, { files: [file], cwd: folder }), values };
}

/** In plain arithmetic. */
function summaryOf(values: readonly (number | null)[]) {
  const finite = values.flatMap((value) => (value !== null && Number.isFinite(value) ? [value + 0] : []));
  const n = finite.length;
  const counts = new Map<number, number>();
  for (const value of finite) counts.set(value, (counts.get(value) ?? 0) + 1);
  let before = 0;
  const all = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, count]): ValueStep => {
      before += count;
      return { value, count, before: before - count };
    });
  const integer = finite.every((value) => Math.floor(value) === value);
  const isFew = integer && all.length <= FEW_VALUES;
  return {
    absent: values.filter((value) => value === null).length,
    count: n,
    integer,
    min: all[0]?.value ?? null,
    max: all.at(-1)?.value ?? null,
    few: isFew ? all.map(({ value, count }) => [value, count]) : null,
    steps: isFew ? all : all.filter((step) => isStep(step, n, quantileRanks(n))),
    ...momentsOf(finite),
  };
}

function momentsOf(finite: readonly number[]): { mean: number | null; std: number | null } {
  const sum = finite.reduce((all, value) => all + value, 0);
  if (finite.length === 0 || !Number.isFinite(sum)) return { mean: null, std: null };
  const mean = sum / finite.length;
  const std = Math.sqrt(finite.reduce((all, value) => all + (value - mean) ** 2, 0) / finite.length);
  return { mean, std: Number.isFinite(std) ? std : null };
}

function near(found: number | null, expected: number | null, scale: number): boolean {
  if (found === null || expected === null) return found === expected;
  return Math.abs(found - expected) <= 1e-9 * Math.max(Math.abs(expected), scale);
}

const WAYS: Readonly<Record<string, Partial<ColumnLimits>>> = {
  'held as a whole': { thread: Number.POSITIVE_INFINITY },
  'in pieces, several times': { thread: Number.POSITIVE_INFINITY, held: 0, piece: 0 },
  'in a thread of its own': { thread: 0, buffer: 3 * 8 * ROWS },
  'in pieces in a thread': { thread: 0, held: 0, piece: 0 },
};

describe('numbers read out of DuckDB', () => {
  let reference: { table: Table; values: (number | null)[][] };
  let current: { table: Table; values: (number | null)[][] };
  let expectedOf: ReturnType<typeof summaryOf>[];
  beforeAll(async () => {
    reference = await tableOf('reference', ROWS);
    expectedOf = reference.values.map(summaryOf);
    current = await tableOf('current', 2_500);
  });

  for (const [way, limits] of Object.entries(WAYS))
    it(`are summarised and counted as plain arithmetic has it: ${way}`, async () => {
      const reader = new NumberColumns(2, limits);
      try {
        const summaries = await reader.summarise(reference.table, reference.table.columns);
        const edges = names.map((_, i) => [...new Set(summaries[i]!.steps.map(({ value }) => value))]);
        const counted = await reader.count(current.table, current.table.columns, edges);
        for (const [i, name] of names.entries()) {
          const { steps, facts, absent } = summaries[i]!;
          const { mean, std, ...expected } = expectedOf[i]!;
          const { mean: foundMean, std: foundStd, ...found } = facts;
          expect({ ...found, steps, absent }, name).toEqual(expected);
          expect([near(foundMean, mean, std ?? 0), near(foundStd, std, Math.abs(mean ?? 0))], name).toEqual([
            true,
            true,
          ]);
          const bins = new Array<number>(edges[i]!.length + 1).fill(0);
          for (const value of current.values[i]!)
            if (value !== null && Number.isFinite(value)) bins[edges[i]!.filter((edge) => edge <= value).length]! += 1;
          expect(counted[i]!.bins, name).toEqual(bins);
        }
      } finally {
        await reader.close();
      }
    });

  it('are the same where a test sorts them', async () => {
    const plain = new NumberColumns(1);
    const tested = new TestedColumns(plain);
    const columns = reference.table.columns.map((column, i) => ({
      reference: column,
      current: current.table.columns[i]!,
      test: 'ks',
      ordered: false,
      leastRows: 1,
    }));
    await tested.test({ reference: reference.table, current: current.table, progress: () => undefined }, columns);
    expect(tested.answers.size).toBe(names.length);
    const summaries = await tested.summarise(reference.table, reference.table.columns);
    expect(summaries).toEqual(await plain.summarise(reference.table, reference.table.columns));
    const edges = summaries.map(({ steps }) => steps.map(({ value }) => value));
    const counts = await tested.count(current.table, current.table.columns, edges);
    expect(counts).toEqual(await plain.count(current.table, current.table.columns, edges));
  });

  it('that change while they are read are refused', async () => {
    const { table } = reference;
    const reader = new NumberColumns(1);
    const longer = Object.assign(Object.create(Object.getPrototypeOf(table)), table, { rows: table.rows - 1 });
    await expect(reader.summarise(longer, table.columns)).rejects.toThrow('changed while it was read');
  });
});
