import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureRelation } from '../../../lib/adapters/athena/capture-relation.ts';
import { hoursOf, partitionPredicate } from '../../../lib/adapters/athena/partitions.ts';
import { DuckDbCaptureWriter } from '../../../lib/adapters/duckdb/capture-writer.ts';
import { type DuckDb, literal, openDuckDb } from '../../../lib/adapters/duckdb/load.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { JSON_COLUMNS } from './fake-athena.ts';

const HOUR = 3_600_000;
const AT = Date.parse('2001-02-01T10:20:00Z');
const START = Date.parse('2001-02-01T10:00:00Z');

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  await db.run('CREATE SCHEMA "glue"');
});
afterAll(() => db.close());

const SHOWN = `id, type, source, model, version, CAST(epoch_ms(time) AS BIGINT) AS time, CAST(epoch_ms(arrival) AS BIGINT) AS arrival,
  score, predicted, latency_ms, weight, truth, policy_key`;

/** Lines as the archiver captures them, and as Firehose does, read through the relation. */
async function both(lines: readonly string[]) {
  const file = join(db.folder, db.name('lines'));
  await writeFile(`${file}.ndjson`, lines.map((line) => `${line}\n`).join(''));
  await db.run(
    `CREATE OR REPLACE VIEW "glue"."capture" AS SELECT *, '2001-02-01' AS dt, '10' AS hr FROM read_json(${literal(`${file}.ndjson`)}, format = 'newline_delimited', columns = {${JSON_COLUMNS}})`,
  );
  const relation = captureRelation([keys.captureHour(AT)], { database: 'glue', table: 'capture' });
  const delivered = await db.rows(`SELECT ${SHOWN} FROM ${relation} ORDER BY id, type`);
  const bytes = lines.map((line) => new TextEncoder().encode(line));
  const { body, rows } = await new DuckDbCaptureWriter(db).encode(
    bytes,
    lines.map(() => AT),
  );
  await writeFile(`${file}.parquet`, body);
  const archived = await db.rows(`SELECT ${SHOWN} FROM read_parquet(${literal(`${file}.parquet`)}) ORDER BY id, type`);
  return { delivered, archived, rows };
}

const HEAD = '"type":"inference","model":"m","version":"1"';
const TIME = '"time":"2001-02-01T10:05:00.123Z"';
const LABEL = '"type":"label","model":"m"';

const twoDigits = (most: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, '0'));
const instants = fc
  .record({
    day: fc.constantFrom('2001-02-01', '2000-02-29', '1999-12-31', '0099-03-01', '9998-12-31'),
    h: twoDigits(23),
    m: twoDigits(59),
    s: twoDigits(59),
    fraction: fc.option(fc.integer({ min: 1, max: 9 }).chain((n) => fc.stringMatching(new RegExp(`^[0-9]{${n}}$`)))),
    zone: fc.oneof(
      fc.constant('Z'),
      fc.tuple(fc.constantFrom('+', '-'), twoDigits(23), twoDigits(59)).map(([sign, h, m]) => `${sign}${h}:${m}`),
    ),
  })
  .map(({ day, h, m, s, fraction, zone }) => `${day}T${h}:${m}:${s}${fraction === null ? '' : `.${fraction}`}${zone}`);
const whole = fc.integer({ min: -1_000_000, max: 1_000_000 });
const numbers = fc.oneof(
  whole.map(String),
  whole.map((n) => `${n}.0`),
  whole.map((n) => `${n}e0`),
  fc.constantFrom('1e3', '-0', '0.0', '1E2', '12.50e1'),
);
const texts = fc.oneof(
  fc.constantFrom('', 'yes', 'a b', "o'clock", 'ünï', '007', 'e', '.', 'Infinity', 'nan', '{capture}'),
  fc.string({ maxLength: 8 }),
);
const optional = <T>(name: string, of: fc.Arbitrary<T>, write: (value: T) => string): fc.Arbitrary<string> =>
  fc.option(of).map((value) => (value === null ? '' : `,"${name}":${write(value)}`));
const asText = (value: string): string => JSON.stringify(value);

const events = fc.oneof(
  fc
    .tuple(
      instants,
      optional('arrival', instants, asText),
      optional('score', fc.double({ noNaN: true, noDefaultInfinity: true }), String),
      optional('predicted', fc.oneof(numbers, texts.filter(isOneClass).map(asText)), (value) => value),
      optional('weight', fc.double({ min: 1e-9, max: 10_000, noNaN: true }), String),
      optional('latency_ms', fc.double({ min: 0, max: 1e9, noNaN: true }), String),
      optional('source', texts, asText),
    )
    .map(([time, ...rest]) => `${HEAD},"time":"${time}"${rest.join('')}`),
  fc
    .tuple(fc.constantFrom('request', 'response'), instants, optional('arrival', instants, asText))
    .map(([type, time, arrival]) => `"type":"${type}","model":"m","version":"1","time":"${time}"${arrival}`),
  fc
    .tuple(instants, instants, fc.oneof(numbers, texts.filter(isOneClass).map(asText)))
    .map(([time, arrival, truth]) => `${LABEL},"time":"${time}","arrival":"${arrival}","truth":${truth}`),
);

/** No text that would also be a number written in another way, and no lone surrogate or NUL, which the engines write in their own ways. */
function isOneClass(text: string): boolean {
  return !/^\s*[-+]?[\d.]+(?:e[-+]?\d+)?\s*$/i.test(text) && !/\p{Surrogate}/u.test(text) && !text.includes('\u0000');
}

describe('the capture through Glue tables', () => {
  it('has the rows and values that the archiver captures, for every event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 1, maxLength: 40 }), async (members) => {
        const lines = members.map((member, i) => `{"id":"${String(i).padStart(3, '0')}",${member}}`);
        const { delivered, archived, rows } = await both(lines);
        expect(rows).toBe(lines.length);
        const expected = archived.map((row, i) => {
          if (lines[i]?.includes('"arrival"')) return row;
          return { ...row, arrival: Math.min(Math.max(Number(row['time']), START), START + HOUR) };
        });
        expect(delivered).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves out lines that are no events and were converted all the same', async () => {
    const wrong = [
      `{"id":"a",${HEAD}}`,
      `{"id":"b",${HEAD},"time":"2001-02-01 10:05:00Z"}`,
      `{"id":"c",${HEAD},"time":"2001-02-30T10:05:00Z"}`,
      `{"id":"d",${HEAD},"time":980000000}`,
      `{"id":"e",${HEAD},${TIME},"score":"high"}`,
      `{"id":"f",${HEAD},${TIME},"score":1e400}`,
      `{"id":"g",${HEAD},${TIME},"weight":0}`,
      `{"id":"h",${HEAD},${TIME},"latency_ms":-1}`,
      `{"id":"i",${HEAD},${TIME},"truth":1}`,
      `{"id":"j",${HEAD},${TIME},"arrival":"soon"}`,
      `{"id":"",${HEAD},${TIME}}`,
      `{"id":"k","type":"inference","model":"m",${TIME}}`,
      `{"id":"l","type":"guess","model":"m","version":"1",${TIME}}`,
      `{"id":"m",${LABEL},${TIME}}`,
      `{"id":"n",${LABEL},${TIME},"truth":"${'x'.repeat(1_025)}"}`,
      `{"id":"${'x'.repeat(257)}",${HEAD},${TIME}}`,
    ];
    const { delivered, archived } = await both([...wrong, `{"id":"z",${HEAD},${TIME}}`]);
    expect(archived.map((row) => row['id'])).toEqual(['z']);
    expect(delivered.map((row) => row['id'])).toEqual(['z']);
  });

  it('puts a record without an arrival into the hour of its object', async () => {
    const at = async (time: string): Promise<number> => {
      const { delivered } = await both([`{"id":"a",${HEAD},"time":"${time}"}`]);
      return Number(delivered[0]?.['arrival']);
    };
    expect(await at('2001-02-01T10:05:00.5Z')).toBe(START + 300_500);
    expect(await at('2001-01-20T10:05:00Z')).toBe(START);
    expect(await at('2001-02-01T11:03:00Z')).toBe(START + HOUR);
  });

  it('names no table without objects', async () => {
    const relation = captureRelation([], { database: 'glue', table: 'capture' });
    expect(relation).not.toContain('glue');
    expect(await db.rows(`SELECT ${SHOWN} FROM ${relation}`)).toEqual([]);
  });

  it('reads what was redriven where there is some, under predicates of its own', () => {
    const relation = captureRelation([keys.captureHour(AT), keys.redrivenHour(AT - HOUR)], {
      database: 'd"b',
      table: 'capture',
    });
    expect(relation).toContain(
      `FROM "d""b"."capture"\n      WHERE dt = '2001-02-01' AND (dt = '2001-02-01' AND hr >= '10' AND hr <= '10')`,
    );
    expect(relation).toContain(
      `FROM "d""b"."capture_redriven"\n      WHERE dt = '2001-02-01' AND (dt = '2001-02-01' AND hr >= '09' AND hr <= '09')`,
    );
  });
});

describe('partition predicates', () => {
  it('hold for exactly the hours that are given, and bound the days in a plain conjunction', async () => {
    const first = Date.parse('2000-12-30T00:00:00Z') / HOUR;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 96 }), fc.constantFrom(0, 23, 24, 47, 48, 71, 72, 95)), {
          minLength: 1,
          maxLength: 60,
        }),
        async (offsets) => {
          const hours = offsets.map((offset) => (first + offset) * HOUR);
          const given = hoursOf(hours.map((hour) => `${keys.captureHour(hour)}x.parquet`)).captured;
          expect(given).toEqual([...hours].sort((a, b) => a - b));
          const predicate = partitionPredicate(given);
          expect(predicate).toMatch(/^dt (?:= '[\d-]{10}'|>= '[\d-]{10}' AND dt <= '[\d-]{10}') AND \(/);
          const rows = await db.rows(
            `SELECT dt || 'T' || hr AS hour FROM (SELECT strftime(h, '%Y-%m-%d') AS dt, strftime(h, '%H') AS hr FROM range(TIMESTAMP '2000-12-28', TIMESTAMP '2001-01-05', INTERVAL 1 HOUR) AS t(h)) WHERE ${predicate} ORDER BY hour`,
          );
          expect(rows.map((row) => row['hour'])).toEqual(
            given.map((hour) => new Date(hour).toISOString().slice(0, 13)),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stay short for two months without a gap', () => {
    const hours = Array.from({ length: 1_440 }, (_, i) => START + i * HOUR);
    expect(partitionPredicate(hours).length).toBeLessThan(250);
  });

  it('refuse what is no object of the capture', () => {
    expect(() => hoursOf(['packs/2001-02-01/x'])).toThrow(
      'packs/2001-02-01/x: an object of the capture lies under capture/dt=YYYY-MM-DD/hr=HH/; nothing else can be queried',
    );
  });
});
