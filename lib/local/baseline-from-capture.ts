/** "This is the new normal": a baseline from what was captured in a range of event time, as if it were a file of reference data. */
import { type DuckDb, identifier, literal } from '../adapters/duckdb/load.ts';
import { Table, type TableColumn } from '../adapters/duckdb/table.ts';
import { plainPath } from '../adapters/duckdb/table-files.ts';
import type { Baseline, ColumnBaseline } from '../contracts/baseline.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { DEFAULT_REST } from '../engine/bucketed-column.ts';
import { keyMark, type PolicyKey } from '../pipeline/field-policy.ts';
import { listAll } from '../pipeline/listing.ts';
import type { ObjectStore } from '../pipeline/ports.ts';
import { baselineFromTable } from './baseline-from-table.ts';
import type { CapturedFeature } from './captured-features.ts';

export interface CaptureRequest {
  readonly db: DuckDb;
  readonly store: ObjectStore;
  /** The file of an object: DuckDB reads it where it lies. */
  readonly path: (key: string) => string;
  readonly monitor: Monitor;
  /** Event time, milliseconds: [from, to). */
  readonly from: number;
  readonly to: number;
  /** Event times within it that are left out: [from, to). @default none */
  readonly leaveOut?: readonly { readonly from: number; readonly to: number }[];
  /** The features that are watched, as they were captured. */
  readonly features: readonly CapturedFeature[];
  /** Features that are known and not watched. */
  readonly withheld: readonly string[];
  /** That of the collector; `null`: nothing is hashed. */
  readonly policyKey: PolicyKey | null;
}

/** Names of the columns that are no features; a feature may have any other. */
const TIME = '\u0001time';
const TRUTH = '\u0001truth';
const WEIGHT = '\u0001weight';

/**
 * Each event counts once, however often it was sent, with its latest label.
 * @throws ProblemError when nothing was captured in the range
 */
export async function baselineFromCapture(request: CaptureRequest): Promise<Baseline> {
  const { db, store, path, monitor, from, to, features, leaveOut = [] } = request;
  const { model } = monitor;
  const objects = await capturedSince(store, from - EVENT_LIMITS.futureMs);
  const range = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  const nothing = new ProblemError([
    {
      code: 'no-rows',
      path: model,
      message: `nothing was captured with event times from ${range}`,
      fix: 'choose windows that have rows; events are captured within a few minutes',
    },
  ]);
  if (objects.length === 0) throw nothing;
  const score = monitor.columns.score ?? 'score';
  const prediction = monitor.columns.prediction ?? 'prediction';
  const isNumber = monitor.task === 'regression';
  const columns: (TableColumn & { readonly sql: string })[] = [
    { name: TIME, sqlType: 'TIMESTAMP', kind: 'time', sql: 'e.time' },
    {
      name: TRUTH,
      sqlType: isNumber ? 'DOUBLE' : 'VARCHAR',
      kind: isNumber ? 'numeric' : 'categorical',
      sql: isNumber ? 'TRY_CAST(l.truth AS DOUBLE)' : 'l.truth',
    },
    { name: WEIGHT, sqlType: 'DOUBLE', kind: 'numeric', sql: 'e.weight' },
    { name: score, sqlType: 'DOUBLE', kind: 'numeric', sql: 'e.score' },
    {
      name: prediction,
      sqlType: isNumber ? 'DOUBLE' : 'VARCHAR',
      kind: isNumber ? 'numeric' : 'categorical',
      sql: isNumber ? 'TRY_CAST(e.predicted AS DOUBLE)' : 'e.predicted',
    },
    ...features
      .filter(({ name }) => name !== score && name !== prediction)
      .map(({ name, type }) => ({
        name,
        sqlType: type === 'numeric' ? 'DOUBLE' : 'VARCHAR',
        kind: type,
        sql: `map_extract(e.${type}, ${literal(name)})[1]`,
      })),
  ];
  refuseAlike(columns.map(({ name }) => name));
  const files = `read_parquet([${objects.map((key) => literal(plainPath(path(key)))).join(', ')}], hive_partitioning = false)`;
  const moment = (ms: number): string => `make_timestamp(${ms * 1000})`;
  const without = leaveOut.map((out) => ` AND NOT (time >= ${moment(out.from)} AND time < ${moment(out.to)})`).join('');
  const relation = identifier(db.name('baseline'));
  const version = db.name('version');
  try {
    await db.run(`CREATE TABLE ${relation} AS
      WITH asked AS (
        SELECT * FROM ${files}
        WHERE type IN ('inference', 'request') AND model = ${literal(model)} AND time >= ${moment(from)} AND time < ${moment(to)}${without}
        QUALIFY row_number() OVER (PARTITION BY id, version ORDER BY arrival) = 1
      ), answered AS (
        SELECT id, version, score, predicted FROM ${files} WHERE type = 'response' AND model = ${literal(model)}
        QUALIFY row_number() OVER (PARTITION BY id, version ORDER BY arrival) = 1
      ), e AS (
        SELECT asked.* REPLACE (coalesce(asked.score, answered.score) AS score, coalesce(asked.predicted, answered.predicted) AS predicted)
        FROM asked LEFT JOIN answered ON asked.type = 'request' AND answered.id = asked.id AND answered.version = asked.version
      ), l AS (
        SELECT id, arg_max(truth, time) AS truth FROM ${files}
        WHERE type = 'label' AND model = ${literal(model)} GROUP BY id
      )
      SELECT ${columns.map(({ name, sql }) => `${sql} AS ${identifier(name)}`).join(', ')}, e.version AS ${identifier(version)}
      FROM e LEFT JOIN l ON l.id = e.id`);
    const [counted] = await db.rows(
      `SELECT count(*) AS n, count(${identifier(score)}) AS scores, count(${identifier(prediction)}) AS predictions, count(${identifier(TRUTH)}) AS truths, mode(${identifier(version)}) AS version FROM ${relation}`,
    );
    const rows = Number(counted?.['n'] ?? 0);
    if (rows === 0) throw nothing;
    const has = (count: string): boolean => Number(counted?.[count] ?? 0) > 0;
    const named: Monitor = {
      ...monitor,
      columns: {
        time: TIME,
        weight: WEIGHT,
        ...(has('scores') ? { score } : {}),
        ...(has('predictions') ? { prediction } : {}),
        ...(has('truths') ? { truth: TRUTH } : {}),
      },
      features: Object.fromEntries(features.map(({ name, type, policy }) => [name, { type, policy }])),
    };
    const table = new Table(
      db,
      `windows of ${model}, ${range}`,
      relation,
      columns.map(({ name, sqlType, kind }) => ({ name, sqlType, kind })),
      rows,
    );
    const baseline = await baselineFromTable({
      inBinsOf: new Map(
        features.flatMap(({ name, buckets }) => (buckets?.type === 'numeric' ? [[name, buckets] as const] : [])),
      ),
      table,
      monitor: named,
      version: String(counted?.['version'] ?? '1'),
      kind: 'windows',
      name: range,
    });
    return markedAsCaptured(baseline, request);
  } finally {
    await db.run(`DROP TABLE IF EXISTS ${relation}`);
  }
}

/** DuckDB takes names that differ by case alone for one, and the one's values for the other's. */
function refuseAlike(names: readonly string[]): void {
  const seen = new Map<string, string>();
  const problems: Problem[] = [];
  for (const name of names) {
    const known = seen.get(name.toLowerCase());
    if (known === undefined) seen.set(name.toLowerCase(), name);
    else
      problems.push({
        code: 'names-alike',
        path: `features.${name}`,
        message: 'differs from another column by case alone, and cannot be told from it in a table',
        got: `${known} and ${name}`,
        fix: 'rename one of them where events are sent, or leave one out with the policy drop',
      });
  }
  if (problems.length > 0) throw new ProblemError(problems);
}

/** The collector has done to these values what publishing does to those of a file: it is not done again. */
function markedAsCaptured(baseline: Baseline, { features, withheld, policyKey }: CaptureRequest): Baseline {
  const byName = new Map(features.map((feature) => [feature.name, feature]));
  return {
    ...baseline,
    ...(withheld.length === 0 ? {} : { withheld: [...withheld].sort() }),
    columns: baseline.columns.map((column): ColumnBaseline => {
      const feature = column.role === 'feature' ? byName.get(column.name) : undefined;
      if (feature?.policy === 'hash' && column.type === 'categorical' && policyKey !== null)
        return { ...column, policyKey: keyMark(policyKey) };
      if (feature?.policy !== 'bucket') return column;
      if (column.type === 'numeric') return { ...column, bucketed: true };
      const rest = feature.buckets?.type === 'categorical' ? feature.buckets.rest : undefined;
      return { ...column, rest: rest ?? DEFAULT_REST };
    }),
  };
}

/** Objects appended at this time or later, labels included: an event is appended at most five minutes before its time. */
export async function capturedSince(store: ObjectStore, appendTime: number): Promise<string[]> {
  const hour = keys.captureHour(appendTime);
  const prefix = hour.slice(0, hour.indexOf('/') + 1);
  const found: string[] = [];
  for await (const key of listAll(store, prefix, hour.slice(0, -1))) found.push(key);
  return found;
}
