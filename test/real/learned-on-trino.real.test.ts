/** The statements that a baseline is learned with on AWS, on a real Trino: they make the baseline that DuckDB's answers make. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { captureRelation } from '../../lib/adapters/athena/capture-relation.ts';
import { withCapture } from '../../lib/adapters/capture-placeholder.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { captureDialect } from '../../lib/adapters/warehouse/capture-dialect.ts';
import { DUCKDB } from '../../lib/adapters/warehouse/duckdb-dialect.ts';
import { TRINO } from '../../lib/adapters/warehouse/trino-dialect.ts';
import { CAPTURE_GLUE_COLUMNS } from '../../lib/contracts/capture.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { baselineByQuery } from '../../lib/local/baseline-by-query.ts';
import type { Query } from '../../lib/pipeline/ports.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { HOUR, HOURS, LEFT_OUT, monitorOf, type Sent, SPAN, START, traffic } from '../local/captured-traffic.ts';
import { expectSameBaseline } from '../local/expect-same-baseline.ts';
import { CHECKOUT } from './programs.ts';

const CACHE = join(CHECKOUT, '.cache/query-engines');

let folder: string;
let db: DuckDb;
let trino: ChildProcessWithoutNullStreams;
let lines: AsyncIterator<string>;
let err = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'learned-'));
  db = await openDuckDb({ memoryLimit: '512MB' });
  const program = join(CHECKOUT, 'test/real/query-engines/profile-trino.py');
  trino = spawn(join(CACHE, 'venv/bin/python'), [program, join(CACHE, 'trino')]);
  lines = createInterface({ input: trino.stdout })[Symbol.asyncIterator]();
  trino.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
});
afterAll(async () => {
  trino.stdin.end();
  if (trino.exitCode === null) await once(trino, 'exit');
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

async function ask(sql: string, to: string | null): Promise<void> {
  trino.stdin.write(`${JSON.stringify({ sql, to })}\n`);
  const { value, done } = await lines.next();
  if (done === true || value !== 'answered') throw new Error(`Trino said ${value}: ${err.slice(-3_000)}`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** As Firehose writes it: text and maps of text. In one constant, since rows of constants take Trino minutes. */
async function load(sent: readonly Sent[]): Promise<void> {
  const rows = sent.map(({ at, line }) => {
    const event = JSON.parse(new TextDecoder().decode(line)) as Record<string, unknown>;
    const texts = Object.entries(event).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, one === null ? null : String(one)]))
        : String(value),
    ]);
    const hour = new Date(at).toISOString();
    return JSON.stringify({ ...Object.fromEntries(texts), dt: hour.slice(0, 10), hr: hour.slice(11, 13) });
  });
  const columns = [...CAPTURE_GLUE_COLUMNS, { name: 'dt', type: 'string' }, { name: 'hr', type: 'string' }].map(
    ({ name, type }) =>
      type === 'string'
        ? `json_extract_scalar(line, '$.${name}') AS ${name}`
        : `CAST(json_extract(line, '$.${name}') AS MAP(VARCHAR, VARCHAR)) AS ${name}`,
  );
  await ask(
    `CREATE TABLE capture AS SELECT ${columns.join(', ')} FROM UNNEST(split(${quoted(rows.join('\n'))}, CHR(10))) AS t (line)`,
    null,
  );
}

const objects = Array.from({ length: HOURS + 2 }, (_, hour) => keys.captureHour(START + hour * HOUR));

/** The query port on Trino, by way of a file of CSV that DuckDB reads. */
function trinoPort(): Query {
  let answers = 0;
  return {
    async run(sql) {
      const to = join(folder, `${answers++}.csv`);
      await ask(withCapture(sql, captureRelation(objects, { database: 'default', table: 'capture' })), to);
      const text = ['part', 'cat', 'packed', 'val', 'mean', 'squares'];
      const rows = await db.rows(`SELECT * FROM read_csv('${to}', all_varchar = true, sample_size = -1)`);
      return rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            value === null ? null : text.includes(name) ? String(value) : Number(value),
          ]),
        ),
      );
    },
  };
}

async function duckDbPort(sent: readonly Sent[]): Promise<Query> {
  const store = new MemoryStore();
  const firehose = new FakeFirehose({ db, store, bufferMs: HOUR });
  for (const { at, line } of sent) firehose.take({ at, data: line });
  const clock = { now: () => START + 100 * HOUR };
  await firehose.deliver(clock.now());
  const { client, database, table } = new FakeAthena({ db, store, database: db.name('m') });
  return new AthenaQuery({ client, workgroup: 'w', database, table, clock });
}

describe('a baseline that is learned in Athena', () => {
  it('is on Trino what it is on DuckDB', async () => {
    const sent = traffic('binary-classification');
    await load(sent);
    const request = {
      objects,
      monitor: monitorOf({ task: 'binary-classification', positive: 'yes' }),
      version: '2',
      span: { ...SPAN, labelsUntil: START + 40 * HOUR, leaveOut: LEFT_OUT },
    };
    const got = await baselineByQuery({ ...request, query: trinoPort(), dialect: captureDialect(TRINO, 150_000) });
    expect(got.rows).toBe((HOURS - 2) * 60);
    expect(got.performance).not.toBeNull();
    const dialect = captureDialect(DUCKDB, 150_000);
    expectSameBaseline(got, await baselineByQuery({ ...request, query: await duckDbPort(sent), dialect }));
  }, 600_000);
});
