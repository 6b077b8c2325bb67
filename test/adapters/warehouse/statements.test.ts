import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, openDuckDb } from '../../../lib/adapters/duckdb/load.ts';
import { double, KIND } from '../../../lib/adapters/warehouse/cells.ts';
import { DIALECTS, type DialectName } from '../../../lib/adapters/warehouse/dialects.ts';
import { DUCKDB } from '../../../lib/adapters/warehouse/duckdb-dialect.ts';
import { hexOf, textOfHex } from '../../../lib/adapters/warehouse/literal.ts';
import { summaryStatement } from '../../../lib/adapters/warehouse/summary-statement.ts';
import { type BinnedColumn, windowsStatement } from '../../../lib/adapters/warehouse/windows-statement.ts';

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '256MB', threads: 1 });
});
afterAll(() => db.close());

interface Row {
  readonly at: number | null;
  readonly x: string | null;
  readonly c: string | null;
}

/** Numbers at the edges and around them, and texts that are none. */
const NUMBERS = ['-1', '0', '-0', '1', '1.5', '2', '2.5', '1e300', 'NaN', 'inf', '-Infinity', 'abc', '', ' 2 '];
const CATEGORIES = ['a', 'b', "it's", '', '\u00e9', 'e\u0301', '東京', '\\', 'unseen', 'x1'];
const row: fc.Arbitrary<Row> = fc.record({
  at: fc.option(fc.integer({ min: -500, max: 3_500 })),
  x: fc.option(fc.constantFrom(...NUMBERS)),
  c: fc.option(fc.constantFrom(...CATEGORIES)),
});
const rowsOf = fc.array(row, { minLength: 1, maxLength: 40 });

function relationOf(rows: readonly Row[]): string {
  const text = (value: string | null): string => (value === null ? 'CAST(NULL AS VARCHAR)' : DUCKDB.literal(value));
  const values = rows.map(
    ({ at, x, c }) =>
      `(${at === null ? 'CAST(NULL AS TIMESTAMP)' : `make_timestamp(${at * 1000})`}, ${text(x)}, ${text(c)})`,
  );
  return `(SELECT * FROM (VALUES ${values.join(', ')}) AS t("at", x, c))`;
}

const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text.replace('inf', 'Infinity')));
const isWrong = (text: string): boolean => text === 'abc' || text === '';

const EDGES = [0, 1, 2, 2.5];
const COLUMNS: readonly BinnedColumn[] = [
  { name: 'x', type: 'numeric', edges: EDGES, bins: [0, 0, 1, 2, 2] },
  { name: 'c', type: 'categorical', categories: ["it's", 'a', '\u00e9', ''], bins: [0, 1, 2, 2], rest: null },
  { name: 'c', type: 'categorical', categories: ['東京', 'b'], bins: [0, 1], rest: 1 },
];
const WINDOWS = [
  { start: 0, length: 1_000, count: 2 },
  { start: 2_000, length: 700, count: 1 },
];

/** What a plain loop counts. */
function binOf(column: BinnedColumn, { x, c }: Row): number {
  if (column.type === 'numeric') {
    if (x === null) return 5;
    if (isWrong(x)) return 4;
    const value = numberOf(x);
    return Number.isFinite(value) ? (column.bins[EDGES.filter((edge) => edge <= value).length] ?? -1) : 3;
  }
  const last = Math.max(...column.bins);
  if (c === null) return last + 3;
  const at = column.categories.indexOf(c);
  return at >= 0 ? (column.bins[at] ?? -1) : (column.rest ?? last + 1);
}

function windowOf(at: number | null): number | null {
  if (at === null || at < 0 || at >= 2_700) return null;
  return Math.floor(at / 1_000) * 1_000;
}

describe('the statement of windows', () => {
  it('counts every cell once, in its window and bin', () =>
    fc.assert(
      fc.asyncProperty(rowsOf, async (rows) => {
        const relation = relationOf(rows);
        const source = { relation, columns: COLUMNS, time: 'at', windows: WINDOWS, performance: null };
        const found = await db.rows(windowsStatement(DUCKDB, source, 'l'));
        const counts = new Map(found.map(({ w, col, bin, n }) => [`${w} ${col} ${bin}`, Number(n)]));
        const expected = new Map<string, number>();
        for (const one of rows)
          COLUMNS.forEach((column, i) => {
            const key = `${windowOf(one.at)} ${i} ${binOf(column, one)}`;
            expected.set(key, (expected.get(key) ?? 0) + 1);
          });
        expect(counts).toEqual(expected);
      }),
      { numRuns: 60 },
    ));
});

describe('the statement of what bins are made of', () => {
  it('tells every value with its rank, and how many cells are of no value', () =>
    fc.assert(
      fc.asyncProperty(rowsOf, async (rows) => {
        const source = {
          relation: relationOf(rows),
          called: 't',
          columns: [
            { name: 'x', type: 'numeric' as const },
            { name: 'c', type: 'categorical' as const },
          ],
          time: 'at',
        };
        const rule = { parts: 4, thousandths: [500], few: 100, categories: 3 };
        const found = await db.rows(summaryStatement(DUCKDB, source, rule, 'l'));
        const of = (col: number, kind: number): typeof found =>
          found.filter((one) => one['col'] === col && one['kind'] === kind);
        const values = rows.flatMap(({ x }) => (x === null || isWrong(x) ? [] : [numberOf(x) + 0]));
        const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
        expect(of(0, KIND.number).map(({ val, n, below }) => [val, n, below])).toEqual(
          [...new Set(finite)].map((value) => [
            value,
            finite.filter((one) => one === value).length,
            finite.filter((one) => one < value).length,
          ]),
        );
        const rowsIn = (col: number, kind: number): number => of(col, kind).reduce((sum, { n }) => sum + Number(n), 0);
        expect(rowsIn(0, KIND.notFinite)).toBe(values.length - finite.length);
        expect(rowsIn(0, KIND.wrongType)).toBe(rows.filter(({ x }) => x !== null && isWrong(x)).length);
        expect(rowsIn(0, KIND.missing)).toBe(rows.filter(({ x }) => x === null).length);
        const counts = new Map<string, number>();
        for (const { c } of rows) if (c !== null) counts.set(c, (counts.get(c) ?? 0) + 1);
        const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
        const top = [...counts].sort(([a, m], [b, n]) => n - m || byBytes(a, b)).slice(0, 3);
        expect(of(1, KIND.category).map(({ cat, n }) => [textOfHex(String(cat).slice(1)), n])).toEqual(top);
        const times = rows.flatMap(({ at }) => (at === null ? [] : [at]));
        expect(found.find(({ part }) => part === 'l rows')).toMatchObject({
          n: rows.length,
          timed: times.length,
          earliest: times.length === 0 ? null : Math.min(...times),
          latest: times.length === 0 ? null : Math.max(...times),
        });
      }),
      { numRuns: 60 },
    ));
});

describe('constants', () => {
  it('are read as the same bits and letters', async () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    const numbers = [
      ...fc.sample(any, 300),
      5e-324,
      -5e-324,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
      0,
      -0,
      0.1,
      1e21,
      1e-7,
    ];
    const [read] = await db.rows(`SELECT ${numbers.map((value, i) => `${double(value)} AS n${i}`).join(', ')}`);
    expect(numbers.map((_, i) => read?.[`n${i}`])).toEqual(numbers.map((value) => value + 0));
    expect(() => double(Number.NaN)).toThrow(RangeError);
    const texts = [...fc.sample(fc.string({ unit: 'grapheme' }), 100), "'", '\\', '\u0000', '$1', '--', 'a\nb', ''];
    const [back] = await db.rows(`SELECT ${texts.map((text, i) => `${DUCKDB.literal(text)} AS t${i}`).join(', ')}`);
    expect(texts.map((_, i) => back?.[`t${i}`])).toEqual(texts);
    for (const text of texts) expect(textOfHex(hexOf(text))).toBe(text);
  });

  it('of other dialects hold nothing that could end them', () => {
    for (const dialect of Object.keys(DIALECTS) as DialectName[])
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          const inside = /'([^']*)'/.exec(DIALECTS[dialect].literal(text))?.[1] ?? "'";
          expect(inside).toMatch(/^[\w .:,;/+#@=<>()-]*$/);
          expect(DIALECTS[dialect].literal(text).split("'").length).toBe(3);
        }),
        { numRuns: 40 },
      );
  });

  it('of names are quoted as each dialect has it', () => {
    expect(DIALECTS.athena.quoted('a"b`c')).toBe('"a""b`c"');
    expect(DIALECTS.spark.quoted('a"b`c')).toBe('`a"b``c`');
  });
});
