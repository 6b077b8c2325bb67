import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDbCaptureWriter } from '../../../lib/adapters/duckdb/capture-writer.ts';
import { type DuckDb, literal, openDuckDb } from '../../../lib/adapters/duckdb/load.ts';
import { DuckDbQuery } from '../../../lib/adapters/duckdb/query.ts';
import { CAPTURE_COLUMNS } from '../../../lib/contracts/capture.ts';
import { eventSchema } from '../../../lib/contracts/event.ts';
import { ProblemError } from '../../../lib/contracts/problem.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const AT = Date.parse('2001-02-01T10:00:00.000Z');
const HEAD = '"type":"inference","model":"m","version":"1","time":"2001-02-01T10:05:00.123Z"';

let db: DuckDb;
let writer: DuckDbCaptureWriter;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  writer = new DuckDbCaptureWriter(db);
});
afterAll(() => db.close());

async function roundTrip(lines: readonly (string | Uint8Array)[], select = '*') {
  const encoded = await writer.encode(
    lines.map((line) => (typeof line === 'string' ? bytes(line) : line)),
    lines.map((_, i) => AT + i),
  );
  const file = join(db.folder, db.name('test'));
  await writeFile(file, encoded.body);
  const rows = await db.rows(`SELECT ${select} FROM read_parquet(${literal(file)})`);
  return { ...encoded, file, rows };
}

describe('capture writer', () => {
  it('has one column a key, with times in UTC and the append time where no arrival is', async () => {
    const { rows, file } = await roundTrip(
      [
        `{"id":"f-1",${HEAD},"source":"s","arrival":"2001-02-01T12:05:01+02:00","segment":{"carrier":"AA"},"numeric":{"distance":740,"x":null},"categorical":{"origin":"JFK"},"invalid":{"y":"?"},"score":0.31,"predicted":"on-time","latency_ms":12.5,"weight":4,"policy_key":"k"}`,
        '{"id":"f-1","type":"label","model":"m","time":"2001-02-01T13:40:00.123456789Z","truth":1.0}',
      ],
      `*, CAST(time AS VARCHAR) AS t, CAST(arrival AS VARCHAR) AS a, numeric['distance'] AS d, segment['carrier'] AS c`,
    );
    expect(rows[0]).toMatchObject({
      id: 'f-1',
      type: 'inference',
      t: '2001-02-01 10:05:00.123',
      a: '2001-02-01 10:05:01',
      d: 740,
      c: 'AA',
      weight: 4,
      predicted: 'on-time',
      truth: null,
      policy_key: 'k',
    });
    expect(rows[1]).toMatchObject({
      type: 'label',
      t: '2001-02-01 13:40:00.123',
      a: '2001-02-01 10:00:00.001',
      truth: '1',
      weight: null,
    });
    const described = await db.rows(`DESCRIBE SELECT * FROM read_parquet(${literal(file)})`);
    expect(described.map((row) => row['column_name'])).toEqual([...CAPTURE_COLUMNS]);
    const codec = await db.rows(`SELECT DISTINCT compression FROM parquet_metadata(${literal(file)})`);
    expect(codec).toEqual([{ compression: 'ZSTD' }]);
  });

  it('skips and counts what is no event, and keeps the rest in order', async () => {
    const bad: (string | Uint8Array)[] = [
      '{"id":"1",',
      '',
      'null',
      '[]',
      '"text"',
      '{}',
      `{"id":"",${HEAD}}`,
      `{"id":7,${HEAD}}`,
      `{"id":"1",${HEAD},"numeric":{"a":"5"}}`,
      `{"id":"1",${HEAD},"numeric":{"a":1e400}}`,
      `{"id":"1",${HEAD},"numeric":[1]}`,
      `{"id":"1",${HEAD},"numeric":{"__proto__":"x"}}`,
      `{"id":"1",${HEAD},"score":"0.5"}`,
      `{"id":"1",${HEAD},"score":NaN}`,
      `{"id":"1",${HEAD},"weight":0}`,
      `{"id":"1",${HEAD},"surprise":1}`,
      `{"id":"1",${HEAD.replace('2001-02-01T', '2001-02-01 ')}}`,
      `{"id":"1",${HEAD.replace('"2001-02-01T10:05:00.123Z"', '980000000')}}`,
      '{"id":"1","type":"label","model":"m","time":"2001-02-01T13:40:00Z"}',
      '['.repeat(1_000_000),
      `{"id":"1",${HEAD},"categorical":{"a":"${'x'.repeat(1_048_576)}"}}`,
      new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
    ];
    const good = [`{"id":"first",${HEAD}}`, `{"id":"last",${HEAD}}`];
    const { rows, failed } = await roundTrip([good[0] as string, ...bad, good[1] as string]);
    expect(failed).toBe(bad.length);
    expect(rows.map((row) => row['id'])).toEqual(['first', 'last']);
  });

  it('keeps strange names and values as they are', async () => {
    const names = [
      '__proto__',
      'constructor',
      "o'clock",
      'a "b"',
      'a\nb',
      'ünï',
      '{capture}',
      '\u0000',
      'a\\ud800',
      '$',
      '.',
    ];
    const categorical = `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(`=${name}`)}`).join(',')}}`;
    const { rows, failed } = await roundTrip(
      [`{"id":"\\ud800x",${HEAD},"categorical":${categorical}}`, `{"id":"1","id":"2",${HEAD},"numeric":{"a":1,"a":2}}`],
      `id, to_json(categorical) AS c, numeric['a'] AS a`,
    );
    expect(failed).toBe(0);
    expect(rows[0]?.['id']).toBe('\ufffdx');
    expect(JSON.parse(String(rows[0]?.['c']))).toEqual(JSON.parse(categorical));
    expect(rows[1]).toMatchObject({ id: '2', a: 2 });
  });

  it('reads each time as JavaScript does', async () => {
    const times = [
      '1970-01-01T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999999999-23:59',
      '1969-12-31T23:59:59.999Z',
    ];
    const { rows } = await roundTrip(
      times.map((time) => `{"id":"1","type":"label","model":"m","time":"${time}","truth":"t"}`),
      'epoch_ms(time) AS t',
    );
    expect(rows.map((row) => row['t'])).toEqual(times.map((time) => Date.parse(time)));
  });

  it('captures exactly the events of the schema', async () => {
    const value = fc.oneof(
      fc.string(),
      fc.double(),
      fc.constant(null),
      fc.boolean(),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double())),
    );
    const line = fc
      .record(
        {
          id: fc.oneof(fc.string({ minLength: 1 }), value),
          type: fc.constantFrom('inference', 'label'),
          model: fc.constant('m'),
          version: fc.oneof({ weight: 5, arbitrary: fc.constant('1') }, { weight: 1, arbitrary: value }),
          time: fc.constantFrom('2001-02-01T10:05:00Z', '2001-02-01T10:05:00.5+01:00', 'never'),
          numeric: fc.oneof(fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.double()), value),
          categorical: fc.dictionary(
            fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
            fc.string({ unit: 'binary' }),
          ),
          score: value,
          truth: value,
        },
        { requiredKeys: ['type', 'model', 'time'] },
      )
      .map((event) => JSON.stringify(event));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 30 }), async (lines) => {
        const { rows, failed } = await roundTrip(lines, 'id, type, truth');
        const good = lines
          .map((one) => eventSchema.safeParse(JSON.parse(one)))
          .flatMap((one) => (one.success ? [one.data] : []));
        expect(failed).toBe(lines.length - good.length);
        expect(rows.map((row) => row['id'])).toEqual(good.map(({ id }) => id));
      }),
      { numRuns: 60 },
    );
  });
});

describe('query port', () => {
  it('puts the capture in place of its name alone, over exactly the objects given', async () => {
    const one = await roundTrip([`{"id":"a",${HEAD}}`]);
    const two = await roundTrip([`{"id":"b",${HEAD}}`, `{"id":"c",${HEAD}}`]);
    const query = new DuckDbQuery(db, (key) => ({ one: one.file, two: two.file })[key] ?? join(db.folder, key));
    const sql = `SELECT count(*) AS n, '{capture}' AS "{capture}" FROM {capture} -- {capture}`;
    expect(await query.run(sql, ['one', 'two'])).toEqual([{ n: 3, '{capture}': '{capture}' }]);
    expect(await query.run(sql, ['two'])).toEqual([{ n: 2, '{capture}': '{capture}' }]);
    expect(await query.run('SELECT count(*) AS n, count(DISTINCT truth) AS t FROM {capture}', [])).toEqual([
      { n: 0, t: 0 },
    ]);
    await expect(query.run('SELECT 0.5::DOUBLE AS x FROM {capture}', ['one'])).rejects.toThrow(
      'integers and text only',
    );
    await expect(query.run('SELECT 1 AS x FROM {capture}', ['gone'])).rejects.toThrow('gone');
  });
});

describe('a missing package', () => {
  it('is named with what to run', async () => {
    const load = () => Promise.reject(new Error("Cannot find package '@duckdb/node-api'"));
    await expect(openDuckDb({ load })).rejects.toThrow(ProblemError);
    await expect(openDuckDb({ load })).rejects.toThrow(/npm install @duckdb\/node-api/);
  });
});
