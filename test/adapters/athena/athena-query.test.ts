import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery, type AthenaQueryOptions } from '../../../lib/adapters/athena/athena-query.ts';
import { QueryFailedError, QueryUnfinishedError } from '../../../lib/adapters/athena/query-failure.ts';
import { type DuckDb, openDuckDb } from '../../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { TransientError } from '../../../lib/pipeline/ports.ts';
import { FakeAthena } from './fake-athena.ts';

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
});
afterAll(() => db.close());

function made(options: Partial<AthenaQueryOptions> & { readonly polls?: number; readonly page?: number } = {}) {
  const { polls = 0, page, ...more } = options;
  const athena = new FakeAthena({
    db,
    store: new MemoryStore(),
    database: db.name('m'),
    polls,
    ...(page === undefined ? {} : { page }),
  });
  const clock = { time: Date.parse('2001-02-01T10:00:00Z'), now: () => clock.time };
  const scanned: number[] = [];
  const query = new AthenaQuery({
    client: athena.client,
    workgroup: 'labels',
    database: athena.database,
    table: athena.table,
    clock,
    wait: async (ms) => {
      clock.time += ms;
    },
    onScanned: (bytes) => scanned.push(bytes),
    ...more,
  });
  return { athena, clock, query, scanned };
}

const named = (name: string, more: object = {}): Error => Object.assign(new Error('says so'), { name, ...more });

describe('query port on Athena', () => {
  it('answers integers and text, whatever their size, over many pages', async () => {
    const { query, athena } = made({ page: 3 });
    const rows = await query.run(
      `SELECT i, i * CAST(4503599627370497 AS BIGINT) AS big, CASE WHEN i = 2 THEN NULL WHEN i = 3 THEN '' ELSE 'x' || i END AS t FROM (VALUES (1), (2), (3), (4), (5), (6)) AS v (i) ORDER BY i`,
      [],
    );
    expect(rows).toEqual([
      { i: 1, big: 4503599627370497, t: 'x1' },
      { i: 2, big: 9007199254740994n, t: null },
      { i: 3, big: 13510798882111491n, t: '' },
      { i: 4, big: 18014398509481988n, t: 'x4' },
      { i: 5, big: 22517998136852485n, t: 'x5' },
      { i: 6, big: 27021597764222982n, t: 'x6' },
    ]);
    expect(athena.calls.filter((call) => call === 'GetQueryResultsCommand').length).toBe(3);
  });

  it('tells a row from the names of columns', async () => {
    const { query } = made();
    expect(await query.run(`SELECT 'a' AS a`, [])).toEqual([{ a: 'a' }]);
    expect(await query.run(`SELECT 'a' AS a WHERE 1 = 0`, [])).toEqual([]);
  });

  it('refuses columns of other types, by name', async () => {
    const { query } = made();
    await expect(query.run('SELECT CAST(1 AS DOUBLE) AS share', [])).rejects.toThrow(
      'column share: the query port returns integers and text only, got double; cast it to BIGINT or VARCHAR',
    );
  });

  it('waits, and tells what was read', async () => {
    const { query, athena, scanned } = made({ polls: 5 });
    expect(await query.run('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
    expect(athena.calls.filter((call) => call === 'GetQueryExecutionCommand').length).toBe(6);
    expect(scanned.length).toBe(1);
  });

  it('stops at its deadline, and the same asked again takes the execution up', async () => {
    let deadline = 0;
    const { query, athena, clock } = made({ polls: 8, deadline: () => deadline });
    deadline = clock.now() + 1_000;
    await expect(query.run('SELECT 1 AS one', [])).rejects.toThrow(QueryUnfinishedError);
    deadline = clock.now() + 60_000;
    expect(await query.run('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
    expect(athena.statements.length).toBe(1);
  });

  it('runs again what is asked an hour later', async () => {
    const { query, athena, clock } = made();
    await query.run('SELECT 1 AS one', []);
    await query.run('SELECT 1 AS one', []);
    expect(athena.statements.length).toBe(1);
    clock.time += 3_600_000;
    await query.run('SELECT 1 AS one', []);
    expect(athena.statements.length).toBe(2);
  });

  it('tells a query that failed by itself from one that failed for this time', async () => {
    const { query, athena } = made();
    await expect(query.run('SELECT nothing FROM nowhere', [])).rejects.toThrow(QueryFailedError);
    athena.ends.push(
      { state: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR', retryable: true },
      { state: 'CANCELLED', reason: 'by hand' },
    );
    expect(await query.run('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
    athena.ends.push(...Array.from({ length: 3 }, () => ({ state: 'CANCELLED' as const, reason: 'by hand' })));
    await expect(query.run('SELECT 2 AS two', [])).rejects.toThrow(TransientError);
  });

  it('says what to do when the workgroup allows no more', async () => {
    const { query, athena } = made();
    athena.ends.push({ state: 'CANCELLED', reason: 'Query cancelled! : Bytes scanned limit was exceeded' });
    await expect(query.run('SELECT 1 AS one', [])).rejects.toThrow(
      'Bytes scanned limit was exceeded; the workgroup labels lets one query read no more: raise its limit, or shorten the horizons and revisions of monitors',
    );
    expect(athena.calls.filter((call) => call === 'StartQueryExecutionCommand').length).toBe(1);
  });

  it('runs again what succeeded and whose results are gone', async () => {
    const { query, athena } = made();
    await query.run('SELECT 1 AS one', []);
    athena.expire();
    expect(await query.run('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
    expect(athena.statements.length).toBe(2);
  });

  it.each([
    ['TooManyRequestsException', {}],
    ['ThrottlingException', {}],
    ['Anything', { $metadata: { httpStatusCode: 503 } }],
    ['Error', { code: 'ECONNRESET' }],
  ])('takes %s for a passing failure', async (name, more) => {
    const { query, athena } = made();
    athena.failures.push({ error: named(name, more) });
    await expect(query.run('SELECT 1 AS one', [])).rejects.toThrow(TransientError);
    expect(await query.run('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
  });

  it('passes on a refusal as it is', async () => {
    const { query, athena } = made();
    athena.failures.push({ error: named('AccessDeniedException', { $metadata: { httpStatusCode: 400 } }) });
    await expect(query.run('SELECT 1 AS one', [])).rejects.toThrow('says so');
  });

  it('waits through passing failures while there is time', async () => {
    const { query, athena, clock } = made({ polls: 2, deadline: () => clock.now() + 1_000_000 });
    const throttled = { call: 'GetQueryExecutionCommand', error: named('ThrottlingException') };
    athena.failures.push(throttled, throttled, throttled);
    expect(await query.run('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
    expect(athena.statements.length).toBe(1);
  });

  it('refuses a statement that is too long before it is sent', async () => {
    const { query, athena } = made();
    await expect(query.run(`SELECT '${'x'.repeat(262_144)}' AS x`, [])).rejects.toThrow(
      'is longer than the 262144 that Athena takes',
    );
    expect(athena.calls).toEqual([]);
  });
});
