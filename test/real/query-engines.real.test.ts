/**
 * What other engines make of the statements for Athena. Trino's own grammar must take them; Spark, over the same files and with the
 * statements translated, must answer what DuckDB answers.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { beyondAt } from '../../lib/engine/checkpoints.ts';
import { CLASSIFICATION_COLUMNS, REGRESSION_COLUMNS } from '../../lib/engine/performance-counts.ts';
import { regressionFixedPoint } from '../../lib/engine/performance-numbers.ts';
import { baselineQuery } from '../../lib/pipeline/baseline-query.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { countQuery } from '../../lib/pipeline/count-query.ts';
import { labelQuery, touchedQuery } from '../../lib/pipeline/label-query.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { line, MONITORS, START, traffic } from '../pipeline/label-traffic.ts';
import { CHECKOUT, endAll, run } from './programs.ts';
import { trinoProblems } from './query-engines/trino-problems.ts';

const DAY = 86_400_000;
const CACHE = join(CHECKOUT, '.cache/query-engines');
type Row = Readonly<Record<string, string | number | bigint | null>>;

let db: DuckDb;
let folder: string;
let statements: readonly string[];
let expected: readonly (readonly Row[])[];

beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'query-engines-'));
  const store = new MemoryStore();
  const random = seededRandom(11);
  const firehose = new FakeFirehose({ db, store, bufferMs: 900_000, twice: () => random.next() < 0.1 });
  for (const { at, ...event } of traffic(() => random.next(), 2)) firehose.take({ at, data: line(event) });
  const clock = { now: () => START + 20 * DAY };
  await firehose.deliver(clock.now());
  for (const key of await store.list('capture/', { limit: 100_000 })) {
    const file = join(folder, key);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, (await store.get(key))?.body ?? '');
  }
  const windows = MONITORS.flatMap((monitor) =>
    [0, 1].map((day) => {
      const span = { start: START + day * DAY, end: START + (day + 1) * DAY };
      const beyond = beyondAt(span, monitor);
      const { model, task } = monitor;
      return { ...span, model, task, cut: span.end + 5 * DAY, beyond, fixedPoint: regressionFixedPoint(null) };
    }),
  );
  const orphans = MONITORS.map(({ model }) => ({
    model,
    from: START + DAY,
    to: START + 2 * DAY,
    since: START - DAY,
    until: START + 4 * DAY,
  }));
  const range = { from: START - DAY, to: START + 10 * DAY };
  const athena = new FakeAthena({ db, store });
  const { database, table, client } = athena;
  const query = new AthenaQuery({ client, workgroup: 'w', database, table, clock });
  const objects = await new DeliveredCapture({ store, clock, delayMs: 1_200_000 }).between(range.from, range.to);
  const answers: Row[][] = [];
  for (const sql of [
    labelQuery(windows, orphans),
    touchedQuery(windows.map((window) => ({ ...window, since: window.end + 2 * DAY }))),
    countQuery(
      windows.map(({ model, start, end, beyond }) => ({ model, start, end, until: beyond })),
      range,
    ),
    baselineQuery(
      { ...(MONITORS[0] as Monitor), features: { x: { type: 'numeric', policy: 'keep' } } },
      { from: START, to: START + 2 * DAY, labelsUntil: range.to },
    ),
    `SELECT id, type, version, score, predicted, truth, weight, time, arrival FROM (SELECT id, type, version, CAST(score AS VARCHAR) AS score, predicted, truth, CAST(weight AS VARCHAR) AS weight, CAST(time AS VARCHAR) AS time, CAST(arrival AS VARCHAR) AS arrival FROM {capture}) AS t`,
  ])
    answers.push(await query.run(sql, objects));
  expected = answers;
  statements = athena.statements;
  await writeFile(join(folder, 'statements.json'), JSON.stringify(statements));
}, 120_000);
afterAll(async () => {
  endAll();
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

/** The columns of a row that mean something; numbers as text. */
function meaning(row: Row): string {
  const of =
    row['kind'] === 'classification'
      ? CLASSIFICATION_COLUMNS
      : row['kind'] === 'regression'
        ? REGRESSION_COLUMNS
        : null;
  const names =
    row['kind'] === undefined
      ? Object.keys(row)
      : [
          'kind',
          'w',
          'version',
          'labels',
          ...(row['kind'] === 'orphans' ? [] : ['predictions', 'conflicts']),
          ...(of === null ? [] : [...of.keys, ...of.sums].map(({ name }) => name)),
        ];
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name] === null ? null : String(row[name])])));
}

/** Times and doubles are written in each engine's own way. */
const plain = (text: string): string => text.replace(/(\d\d:\d\d:\d\d)(?:\.0+|(\.\d*?)0+)?(?=")/g, '$1$2');

describe('statements for Athena', () => {
  it('are of Trino by its own grammar', async () => {
    const problems = await trinoProblems(folder, statements);
    expect(problems.slice(0, -1)).toEqual(statements.map(() => []));
    expect(problems.at(-1)?.length).toBeGreaterThan(0);
  }, 120_000);

  it('say the same to Spark, translated, as to DuckDB', async () => {
    const answer = await run(join(CACHE, 'venv/bin/python'), [
      join(CHECKOUT, 'test/real/query-engines/spark.py'),
      join(folder, 'statements.json'),
      folder,
    ]);
    expect(answer.code, answer.err).toBe(0);
    const rows = JSON.parse(answer.out.slice(answer.out.indexOf('['))) as Row[][];
    for (const [i, of] of expected.entries()) {
      expect(of.length).toBeGreaterThan(3);
      expect((rows[i] ?? []).map(meaning).map(plain).sort()).toEqual(of.map(meaning).map(plain).sort());
    }
  }, 600_000);
});
