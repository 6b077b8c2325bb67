import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, identifier, literal, openDuckDb } from '../../../lib/adapters/duckdb/load.ts';
import { groupedTexts, rawTexts } from '../../../lib/adapters/duckdb/raw-values.ts';
import {
  categoryBinning,
  countAll,
  countBins,
  countCategories,
  countRows,
  mapWindows,
  numberBinning,
  numberFacts,
  timeRange,
  topCategories,
  topUnseen,
  valueSteps,
} from '../../../lib/adapters/duckdb/summaries.ts';
import { openTable, type Table, timeSql } from '../../../lib/adapters/duckdb/table.ts';

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 2 });
  folder = await mkdtemp(join(tmpdir(), 'table-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (...files: string[]): Promise<Table> => openTable(db, { files, cwd: folder });
const write = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folder, name), content);

describe('blocks', () => {
  it('are read beside other statements, whichever of them waits for the other', async () => {
    await write('rows.csv', `n\n${Array.from({ length: 10_000 }, (_, i) => i).join('\n')}\n`);
    const table = await open('rows.csv');
    let [rows, asked] = [0, 0];
    await db.eachBlockBeside(`SELECT CAST(n AS DOUBLE) FROM ${table.relation}`, async (block) => {
      rows += block.rows;
      // One connection alone would answer this when all blocks are read, and so never.
      asked += Number((await db.rows(`SELECT count(*) AS n FROM ${table.relation}`))[0]?.['n']);
    });
    expect(rows).toBe(10_000);
    expect(asked).toBeGreaterThanOrEqual(10_000);
  });

  it('end when the database is closed meanwhile', async () => {
    const other = await openDuckDb({ threads: 2 });
    let [closed, rows]: [Promise<void> | null, number] = [null, 0];
    const reading = other.eachBlockBeside('SELECT CAST(i AS DOUBLE) FROM range(1000000000) AS t(i)', (block) => {
      rows += block.rows;
      closed ??= other.close();
    });
    await reading.catch(() => undefined);
    await closed;
    expect(rows).toBeLessThan(100_000_000);
    await expect(other.eachBlockBeside('SELECT 1e0', () => undefined)).rejects.toThrow('closed');
  });
});

describe('files', () => {
  it('reads Parquet, CSV and NDJSON alike, plain and gzip', async () => {
    await write('a.csv', 'n,t\n1.5,x\n,\n2,"y, z"\n');
    await write('a.csv.gz', gzipSync('n,t\n1.5,x\n,\n2,"y, z"\n'));
    await write('a.ndjson', '{"n":1.5,"t":"x"}\n{}\n{"n":2,"t":"y, z"}\n');
    await write('a.jsonl.gz', gzipSync('{"n":1.5,"t":"x"}\n{}\n{"n":2,"t":"y, z"}\n'));
    await db.run(
      `COPY (SELECT * FROM (VALUES (1.5::DOUBLE, 'x'), (NULL, NULL), (2, 'y, z')) v(n, t)) TO ${literal(join(folder, 'a.parquet'))}`,
    );
    for (const name of ['a.csv', 'a.csv.gz', 'a.ndjson', 'a.jsonl.gz', 'a.parquet']) {
      const table = await open(name);
      expect(table.columns.map(({ name: column, kind }) => [column, kind])).toEqual([
        ['n', 'numeric'],
        ['t', 'categorical'],
      ]);
      expect(await db.rows(`SELECT * FROM ${table.relation} ORDER BY n`)).toEqual([
        { n: 1.5, t: 'x' },
        { n: 2, t: 'y, z' },
        { n: null, t: null },
      ]);
    }
  });

  it('reads several files and globs as one table, columns by name', async () => {
    await mkdir(join(folder, 'many'));
    await write('many/1.csv', 'a,b\n1,x\n');
    await write('many/2.csv', 'b,a,c\ny,2,7\n');
    const table = await open('many/*.csv');
    expect(table.rows).toBe(2);
    expect(await db.rows(`SELECT a, b, c FROM ${table.relation} ORDER BY a`)).toEqual([
      { a: 1, b: 'x', c: null },
      { a: 2, b: 'y', c: 7 },
    ]);
    expect((await open('many/1.csv', 'many/2.csv')).rows).toBe(2);
  });

  it('reads standard input, whatever it is', async () => {
    await write('p.csv', 'a\n1\n2\n');
    const source = await open('p.csv');
    await db.run(`COPY (SELECT * FROM ${source.relation}) TO ${literal(join(folder, 'p.parquet'))}`);
    const parquet = execFileSync('cat', [join(folder, 'p.parquet')]);
    for (const content of [
      Buffer.from('a\n1\n2\n'),
      gzipSync('a\n1\n2\n'),
      Buffer.from('{"a":1}\n{"a":2}\n'),
      parquet,
    ]) {
      const table = await openTable(db, {
        files: ['-'],
        cwd: folder,
        stdin: Readable.from([content.subarray(0, 3), content.subarray(3)]),
      });
      expect(table.rows).toBe(2);
      expect(table.columns).toMatchObject([{ name: 'a', kind: 'numeric' }]);
    }
  });

  it('takes a path that looks like a glob or like SQL for what it is', async () => {
    await mkdir(join(folder, "[o'dd]*"));
    await write("[o'dd]*/a?{capture}.csv", 'a\n1\n');
    expect((await open("[o'dd]*/a?{capture}.csv")).rows).toBe(1);
  });

  it('keeps a type that only a late row breaks', async () => {
    await write('late.csv', `a,b\n${'1,2\n'.repeat(150_000)}x,3\n`);
    const table = await open('late.csv');
    expect(table.rows).toBe(150_001);
    expect(table.columns.map(({ kind }) => kind)).toEqual(['categorical', 'numeric']);
  });

  it('names the file and what is expected', async () => {
    await write('empty.csv', '');
    await write('text.parquet', 'not parquet');
    await write('broken.ndjson', '{"a":1}\n{"a":\n');
    await write('page.html', '<html>');
    await write('cut.parquet', Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(100)]));
    await write('x.csv', 'a\n1\n');
    await write('x.ndjson', '{"a":1}\n');
    const failure = (...files: string[]): Promise<string> =>
      open(...files).then(
        () => 'opened',
        (error: Error) => error.message,
      );
    expect(await failure('gone.csv')).toMatch(/^gone\.csv: there is no such file; expected .*glob/);
    expect(await failure('gone-*.csv')).toMatch(/^gone-\*\.csv: there is no such file/);
    expect(await failure('empty.csv')).toMatch(/^empty\.csv: is empty/);
    expect(await failure('.')).toMatch(/^\.: is a folder/);
    expect(await failure('text.parquet')).toMatch(/^text\.parquet: is not a Parquet file, got .*not parq/);
    expect(await failure('cut.parquet')).toMatch(/^cut\.parquet: cannot be read/);
    expect(await failure('broken.ndjson')).toMatch(
      /^broken\.ndjson: cannot be read.*line.*NDJSON: one JSON object a line/,
    );
    expect(await failure('page.html')).toMatch(/^page\.html: is of no known format/);
    expect(await failure('x.csv', 'x.ndjson')).toMatch(/different formats, got csv and ndjson/);
    expect((await failure('gone.csv', 'empty.csv')).split('\n')).toHaveLength(2);
  });

  it('has no rows where only a header is', async () => {
    await write('header.csv', 'a,b\n');
    expect((await open('header.csv')).rows).toBe(0);
  });
});

describe('names from outside', () => {
  const names = [
    'a"b',
    "o'clock",
    'line\nbreak',
    'ünï 🙂',
    '__proto__',
    'constructor',
    '{capture}',
    'x',
    'c',
    'v',
    'before',
    'w',
    'q',
    'n',
    'mlmon_window_1',
    'p0',
    't',
    'u',
  ];

  it('are columns like any other, in every query', async () => {
    await write(
      'names.ndjson',
      `${[1, 2, 2, 3].map((i) => JSON.stringify(Object.fromEntries([...names.map((name) => [name, i]), ['text;--', `k${i}`]]))).join('\n')}\n`.replaceAll(
        '"constructor"',
        '"constructor"',
      ),
    );
    const table = await open('names.ndjson');
    const found = table.columns.map(({ name }) => name);
    expect(found).toEqual([...names, 'text;--']);
    const numeric = table.columns.filter(({ kind }) => kind === 'numeric');
    const facts = await numberFacts(table, numeric);
    for (const [i, column] of numeric.entries()) {
      expect(facts[i]).toMatchObject({ mean: 2, min: 1, max: 3, integer: true, missing: 0 });
      const { steps, distinct } = await valueSteps(table, column, 4, { parts: 256, ranks: [1], few: 32 });
      expect([distinct, steps]).toEqual([
        3,
        [
          { value: 1, count: 1, before: 0 },
          { value: 2, count: 2, before: 1 },
          { value: 3, count: 1, before: 3 },
        ],
      ]);
      expect(await countAll(table, numberBinning(column, [2, 3]))).toEqual([1, 2, 1, 0]);
      expect((await topCategories(table, column, 5)).top).toEqual([
        ['2', 2],
        ['1', 1],
        ['3', 1],
      ]);
      const windows = await mapWindows(
        table,
        numberMs(column.name),
        [
          { start: 0, end: 2 },
          { start: 2, end: 4 },
        ],
        1,
      );
      expect(await countRows(windows, table)).toEqual([1, 3]);
      const binning = await categoryBinning(table, column, ['1', '2'], [0, 1], 2);
      expect(await countBins(windows, table, binning)).toEqual([
        [1, 0, 0, 0],
        [0, 2, 1, 0],
      ]);
      expect(await topUnseen(table, column, binning, 5)).toEqual([['3', 1]]);
    }
  });

  it('may hold a member called __proto__ in a CSV', async () => {
    await write('proto.csv', '__proto__,b\n1,2\n');
    const table = await open('proto.csv');
    expect(table.columns.map(({ name }) => name)).toEqual(['__proto__', 'b']);
    const [row] = await db.rows(`SELECT * FROM ${table.relation}`);
    expect(Object.entries(row ?? {})).toEqual([
      ['__proto__', 1],
      ['b', 2],
    ]);
  });

  it.each([
    ['\n', '\n'],
    ['\n', '\r\n'],
    ['\r\n', '\n'],
    ['\r\n', '\r\n'],
    ['\r', '\n'],
    ['\r', '\r\n'],
  ])('may break lines by %j in the header of a CSV with rows that end by %j', async (inside, end) => {
    const rows = Array.from({ length: 3_000 }, (_, i) => `${i},x${i % 3}`);
    await write('breaks.csv', [`"a${inside}b",c`, ...rows, ''].join(end));
    const table = await open('breaks.csv');
    expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
      [`a${inside}b`, 'numeric'],
      ['c', 'categorical'],
    ]);
    expect(table.rows).toBe(3_000);
    expect(await numberFacts(table, table.columns.slice(0, 1))).toMatchObject([{ mean: 1_499.5, missing: 0 }]);
  });

  it('may read as missing in the header of a CSV', async () => {
    await write('missing-1.csv', 'NA,column1,,null\n1,a,NA,3\n');
    await write('missing-2.csv', 'NA,column1,,null\nNA,a,2,3\n');
    const table = await open('missing-1.csv', 'missing-2.csv');
    expect(table.columns.map(({ name }) => name)).toEqual(['NA', 'column1', 'column2', 'null']);
    expect((await numberFacts(table, [table.columns[0]!])).map(({ missing }) => missing)).toEqual([1]);
  });

  it('are told apart by a byte order mark at their beginning, columns and categories', async () => {
    const rows = ['x', '\ufeffx', '\ufeffx', '\ufeff\ufeffx'].map((v) => JSON.stringify({ a: v, '\ufeffb': v }));
    await write('marks.ndjson', rows.join('\n'));
    const table = await open('marks.ndjson');
    expect(table.columns.map(({ name }) => name)).toEqual(['a', '\ufeffb']);
    for (const column of table.columns) {
      const all = [
        ['\ufeffx', 2],
        ['x', 1],
        ['\ufeff\ufeffx', 1],
      ];
      expect((await topCategories(table, column, 5)).top).toEqual(all);
      expect(await countCategories(table, column, ['\ufeffx'], 5)).toEqual({
        bins: [2],
        missing: 0,
        unseen: 2,
        topUnseen: all.slice(1),
      });
      const binning = await categoryBinning(table, column, ['\ufeffx'], [0], 1);
      expect(await topUnseen(table, column, binning, 5)).toEqual(all.slice(1));
      expect(await rawTexts(table, column)).toEqual(['x', '\ufeffx', '\ufeffx', '\ufeff\ufeffx']);
      expect(await groupedTexts(table, column)).toEqual(['x', '\ufeffx', '\ufeffx', '\ufeff\ufeffx']);
    }
  });

  const numberMs = (name: string): string => `CAST(${identifier(name)} AS BIGINT)`;
});

describe('values', () => {
  it('counts what is no number, missing and not finite apart', async () => {
    await write(
      'mixed.ndjson',
      ['1', '2.5', '"x"', 'null', 'true', '"7"'].map((value) => `{"a":${value},"d":1}`).join('\n'),
    );
    const table = await open('mixed.ndjson');
    const column = table.column('a');
    if (column === undefined) throw new Error('no column');
    expect(await numberFacts(table, [column])).toMatchObject([
      { invalid: 2, missing: 1, nonFinite: 0, integer: false, min: 1, max: 7 },
    ]);
    expect((await topCategories(table, column, 10)).top.map(([category]) => category).sort()).toEqual([
      '1',
      '2.5',
      '7',
      'true',
      'x',
    ]);
    await write('finite.csv', 'a\n1\nNaN\ninf\n-Infinity\nNA\n3\n');
    const finite = await open('finite.csv');
    expect(await numberFacts(finite, finite.columns)).toMatchObject([
      { invalid: 0, missing: 1, nonFinite: 3, mean: 2, std: 1, integer: true },
    ]);
    expect(await countAll(finite, numberBinning(finite.columns[0] as (typeof finite.columns)[number], [2]))).toEqual([
      1, 1, 4,
    ]);
  });

  it('takes words for what is not finite as numbers, in members of NDJSON that have no other text', async () => {
    const values = [1.5, 'NaN', null, 'Infinity', 2, '-Infinity'];
    await write('words.ndjson', values.map((v) => JSON.stringify({ v, w: v ?? 'none', t: 'NaN' })).join('\n'));
    const table = await open('words.ndjson');
    expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['v', 'numeric'],
      ['w', 'categorical'],
      ['t', 'categorical'],
    ]);
    expect(await numberFacts(table, table.columns.slice(0, 1))).toMatchObject([
      { invalid: 0, missing: 1, nonFinite: 3, mean: 1.75 },
    ]);
    expect((await topCategories(table, table.columns[1]!, 9)).distinct).toBe(6);
  });

  it('gives a whole number the same category whatever its type', async () => {
    await write('int.csv', 'a\n1\n2\n');
    await write('float.csv', 'a\n1.0\n2.5\n');
    await write('flag.csv', 'a\ntrue\nfalse\n');
    const categories = async (file: string): Promise<string[]> => {
      const table = await open(file);
      return (await topCategories(table, table.columns[0] as (typeof table.columns)[number], 9)).top.map(
        ([category]) => category,
      );
    };
    expect(await categories('int.csv')).toEqual(['1', '2']);
    expect(await categories('float.csv')).toEqual(['1', '2.5']);
    expect(await categories('flag.csv')).toEqual(['false', 'true']);
  });

  it('takes true and false in CSV for flags, however they are spelled, and other words as they stand', async () => {
    const late = `${',True\n'.repeat(1_500)}maybe,False\n`;
    await write('words.csv', `late,flag\n${late}`);
    await write('answers.csv', 'a,b,c,d,e\nyes,T,TRUE,false,\nno,F,,true,\n');
    const kinds = async (file: string): Promise<(readonly [string, string])[]> =>
      (await open(file)).columns.map(({ name, sqlType }) => [name, sqlType] as const);
    expect(await kinds('words.csv')).toEqual([
      ['late', 'VARCHAR'],
      ['flag', 'BOOLEAN'],
    ]);
    expect(await kinds('answers.csv')).toEqual([
      ['a', 'VARCHAR'],
      ['b', 'VARCHAR'],
      ['c', 'BOOLEAN'],
      ['d', 'BOOLEAN'],
      ['e', 'VARCHAR'],
    ]);
    const table = await open('answers.csv');
    expect((await topCategories(table, table.columns[0]!, 9)).top.map(([category]) => category)).toEqual(['no', 'yes']);
  });

  it('reads times of any kind as milliseconds', async () => {
    const expected = { from: Date.parse('2001-02-03T04:05:06Z'), to: Date.parse('2001-02-03T04:05:06Z') };
    for (const value of [
      '2001-02-03 04:05:06',
      '2001-02-03T04:05:06Z',
      '2001-02-03T06:05:06+02:00',
      '981173106',
      '981173106000',
      '981173106000000',
      '981173106000000000',
      '981173106.0',
    ]) {
      await write('time.csv', `t,b\n${value},1\n,2\n`);
      const table = await open('time.csv');
      const column = table.column('t');
      if (column === undefined) throw new Error('no column');
      expect(await timeRange(table, await timeSql(table, column))).toEqual({ ...expected, absent: 1 });
    }
    await write('time.csv', 't,b\nnever,1\n');
    const table = await open('time.csv');
    expect(await timeRange(table, await timeSql(table, table.columns[0] as (typeof table.columns)[number]))).toBeNull();
  });
});
