import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { runCommand, type Said } from './run-command.ts';

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '256MB', threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'profile-sql-'));
  await writeFile(
    join(folder, 'm.yaml'),
    'model: m\ncolumns: { time: at }\nwindow: { every: 1d }\nfeatures: { x: { type: numeric }, "odd ""c": { type: categorical } }\n'.replace(
      '"odd ""c"',
      `'odd "c'`,
    ),
  );
  await db.run(
    `COPY (SELECT TIMESTAMP '2001-01-01' + i * INTERVAL 2 HOUR AS at, i * 37 % 101 / 7.0 AS x, 'c' || i % 5 AS "odd ""c" FROM range(600) AS t(i)) TO ${literal(join(folder, 'rows.parquet'))} (FORMAT parquet)`,
  );
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (line: readonly string[]): Promise<Said> => runCommand(folder, line);

const asked = ['profile', 'sql', '--monitor', 'm.yaml', '--dialect'];

describe('mlmon profile sql', () => {
  it('prints two statements, whose results make the baseline of the rows', async () => {
    const table = '(SELECT * FROM rows)';
    await db.run(`CREATE TEMP VIEW rows AS SELECT * FROM ${literal(join(folder, 'rows.parquet'))}`);
    const first = await run([...asked, 'duckdb', '--table', table]);
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining('then: mlmon profile sql --monitor m.yaml') });
    await db.run(`COPY (${first.out}) TO ${literal(join(folder, '1.csv'))}`);
    const second = await run([...asked, 'duckdb', '--table', table, '--counts', '1.csv']);
    expect(second).toMatchObject({
      code: 0,
      err: expect.stringContaining('then: mlmon profile --monitor m.yaml --counts 1.csv --counts RESULT'),
    });
    await db.run(`COPY (${second.out}) TO ${literal(join(folder, '2.csv'))}`);
    expect(
      await run(['profile', '--monitor', 'm.yaml', '--counts', '1.csv', '--counts', '2.csv', '-o', 'counts.json']),
    ).toMatchObject({ code: 0, err: expect.stringContaining(`600 rows of ${table}, 2 columns`) });
    expect((await run(['profile', '--monitor', 'm.yaml', 'rows.parquet', '-o', 'rows.json'])).code).toBe(0);
    const [counts, rows] = await Promise.all(
      ['counts.json', 'rows.json'].map(
        async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as Baseline,
      ),
    );
    expect({ ...counts, source: { ...counts?.source, name: 'rows.parquet' } }).toEqual(rows);
  });

  it('names the table in the way of each dialect', async () => {
    const of = async (dialect: string): Promise<string> =>
      (await run([...asked, dialect, '--table', 'lake.flights'])).out;
    expect(await of('athena')).toContain('FROM "lake"."flights" AS');
    expect(await of('athena')).toBe(await of('trino'));
    expect(await of('spark')).toContain('FROM `lake`.`flights` AS');
    expect(await of('spark')).toContain('`odd "c`');
    expect(await of('spark')).not.toMatch(/AS VARCHAR\)/);
  });

  it('cuts what one statement may not hold into several', async () => {
    const features = Array.from({ length: 400 }, (_, i) => `  f${i}: { type: categorical }`).join('\n');
    await writeFile(join(folder, 'wide.yaml'), `model: wide\nfeatures:\n${features}\n`);
    const wide = await run(['profile', 'sql', '--monitor', 'wide.yaml', '--dialect', 'athena', '--table', 't']);
    const statements = wide.out.split('\n;\n');
    expect(wide.err).toContain(`${statements.length} statements, each to be run`);
    expect(Math.max(...statements.map((sql) => Buffer.byteLength(sql)))).toBeLessThanOrEqual(262_144);
    for (let i = 0; i < 400; i++) expect(statements.filter((sql) => sql.includes(`"f${i}"`)).length).toBe(1);
    expect(statements.filter((sql) => sql.includes("rows'")).length).toBe(1);
  });

  it('says what is wrong', async () => {
    expect(await run([...asked, 'oracle', '--table', 't'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected athena, trino, spark, duckdb'),
    });
    for (const table of ['a b', 'a"b', 'a..b', '', 'x; DROP TABLE y'])
      expect(await run([...asked, 'spark', '--table', table])).toMatchObject({
        code: 2,
        err: expect.stringContaining('--table: is no name of a table'),
      });
    expect(await run(['profile', '--monitor', 'm.yaml', 'rows.parquet', '--counts', '1.csv'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('stands instead of data files'),
    });
    expect(await run(['profile', '--monitor', 'm.yaml', '--counts', 'rows.parquet'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('is no result of a statement of `mlmon profile sql`'),
    });
  });
});
