/**
 * The one query that joins labels with captured predictions, for any number of models and windows at once. Its subset of SQL
 * is common to DuckDB, Trino (Athena) and Spark: common table expressions, inline VALUES, LAG, ROW_NUMBER, CASE, CAST, TRY_CAST;
 * times are TIMESTAMP in UTC, compared
 * with literals (Spark wants STRING where the others say VARCHAR: a renderer's matter). It returns integers and text only.
 *
 * - A prediction counts once for a version: of records with one id the first to arrive, unless that came more than
 *   `DUPLICATE_REACH` before the window began (an id used anew). It counts for the window of its event time, if it is not beyond.
 * - A label counts when it arrived before the checkpoint. The latest by arrival wins, then the latest by its own time, then the
 *   greatest text, so that the order of records on the log does not matter. Several distinct truths of one id are a conflict.
 */
import { EVENT_LIMITS } from '../contracts/event.ts';
import {
  CLASSIFICATION_COLUMNS,
  type CountColumn,
  type FixedPoint,
  REGRESSION_COLUMNS,
} from '../engine/performance-counts.ts';

/** How long before a window a record may have arrived and still belong to a prediction in it, milliseconds. */
export const DUPLICATE_REACH = 86_400_000;

export interface LabelWindow {
  readonly model: string;
  /** Event time, milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Records that arrived before it count. */
  readonly cut: number;
  /** Predictions that arrived from here on are beyond. */
  readonly beyond: number;
  readonly task: 'binary-classification' | 'multiclass-classification' | 'regression' | 'none';
  readonly fixedPoint: FixedPoint;
}

/** A window that was computed before from what had arrived until `since`. */
export interface SeenWindow extends LabelWindow {
  readonly since: number;
}

/** Labels of a model that arrived in [from, to) and for whose id no prediction arrived in [since, until). */
export interface OrphanSpan {
  readonly model: string;
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
}

/** Kinds of rows: which columns of a row have meaning. */
export type LabelRowKind = 'coverage' | 'classification' | 'regression' | 'orphans';

const KEYS = ['score_bin', 'truth', 'predicted', 'weight_code'] as const;
const SUMS: readonly string[] = [
  ...new Set([
    'predictions',
    'labels',
    'conflicts',
    ...[...CLASSIFICATION_COLUMNS.sums, ...REGRESSION_COLUMNS.sums].map(({ name }) => name),
  ]),
];

/** Arrival times that the query needs: [from, to). */
export function arrivalRange(
  windows: readonly LabelWindow[],
  orphans: readonly OrphanSpan[],
): { from: number; to: number } {
  return {
    from: Math.min(
      ...windows.map(({ start }) => start - DUPLICATE_REACH),
      ...orphans.map(({ since, from }) => Math.min(since, from)),
    ),
    to: Math.max(...windows.map(({ cut }) => cut), ...orphans.map(({ to, until }) => Math.max(to, until))),
  };
}

/** Rows have `kind`, `w` (index into `windows` or `orphans`), `version`, the keys and the sums of performance-counts.ts. */
const notFuture = (of: string): string =>
  `${of}time <= ${of}arrival + INTERVAL '${EVENT_LIMITS.futureMs / 60_000}' MINUTE`;

export function labelQuery(windows: readonly LabelWindow[], orphans: readonly OrphanSpan[]): string {
  const range = arrivalRange(windows, orphans);
  const parts = [
    select('coverage', {
      from: 'latest GROUP BY w, version',
      values: {
        predictions: 'count(*)',
        labels: 'count(truth)',
        conflicts: 'sum(CASE WHEN lowest <> highest THEN 1 ELSE 0 END)',
      },
    }),
  ];
  if (windows.some(({ task }) => task === 'binary-classification' || task === 'multiclass-classification'))
    parts.push(section('classification', CLASSIFICATION_COLUMNS, 'classes'));
  if (windows.some(({ task }) => task === 'regression'))
    parts.push(section('regression', REGRESSION_COLUMNS, 'numbers'));
  if (orphans.length > 0)
    parts.push(
      select('orphans', {
        from: 'orphaned GROUP BY w',
        values: { labels: 'count(*)' },
        version: 'CAST(NULL AS VARCHAR)',
      }),
    );
  return `WITH windows AS (
  SELECT * FROM (VALUES
    ${windows.length === 0 ? windowRow(NO_WINDOW, -1) : windows.map(windowRow).join(',\n    ')}
  ) AS t (w, model, start_time, end_time, reach, cut, taken_until, task, center, unit)
),
captured AS (
  SELECT type, model, version, id, time, arrival, score, predicted, weight, truth FROM {capture}
  WHERE model IN (${models([...windows, ...orphans])}) AND arrival >= ${time(range.from)} AND arrival < ${time(range.to)}
),
prediction_ids AS (
  SELECT model, version, id, MIN(arrival) AS arrival, MIN(time) AS time, MIN(score) AS score, MIN(predicted) AS predicted,
    MIN(weight) AS weight, COUNT(*) AS records
  FROM captured WHERE type = 'inference' AND ${notFuture('')} GROUP BY model, version, id
),
repeated AS (
  SELECT c.model, c.version, c.id, c.arrival, c.time, c.score, c.predicted, c.weight,
    LAG(c.arrival) OVER (PARTITION BY c.model, c.version, c.id ORDER BY c.arrival, c.time, c.score NULLS LAST, c.predicted NULLS LAST, c.weight) AS previous
  FROM captured c JOIN prediction_ids p ON c.model = p.model AND c.version = p.version AND c.id = p.id AND p.records > 1
  WHERE c.type = 'inference' AND ${notFuture('c.')}
),
predictions AS (
  SELECT model, version, id, arrival, time, score, predicted, weight, CAST(NULL AS TIMESTAMP) AS previous FROM prediction_ids WHERE records = 1
  UNION ALL SELECT model, version, id, arrival, time, score, predicted, weight, previous FROM repeated
),
counted AS (
  SELECT w.w, w.cut, w.reach, w.task, w.center, w.unit, p.model, p.version, p.id, p.predicted, p.weight,
    CASE WHEN w.task = 'binary-classification' THEN p.score ELSE CAST(NULL AS DOUBLE) END AS score
  FROM predictions p JOIN windows w ON p.model = w.model
    AND p.time >= w.start_time AND p.time < w.end_time AND p.arrival >= w.reach AND p.arrival < w.taken_until
  WHERE p.previous IS NULL OR p.previous < w.reach
),
label_ids AS (
  SELECT model, id, MIN(arrival) AS arrival, MIN(truth) AS truth, COUNT(*) AS records
  FROM captured WHERE type = 'label' AND truth IS NOT NULL GROUP BY model, id
),
contested AS (
  SELECT k.w, k.version, k.id, l.truth,
    ROW_NUMBER() OVER (PARTITION BY k.w, k.version, k.id ORDER BY l.arrival DESC, l.time DESC, l.truth DESC) AS place,
    MIN(l.truth) OVER (PARTITION BY k.w, k.version, k.id) AS lowest,
    MAX(l.truth) OVER (PARTITION BY k.w, k.version, k.id) AS highest
  FROM counted k JOIN label_ids i ON i.model = k.model AND i.id = k.id AND i.records > 1
    JOIN captured l ON l.model = k.model AND l.id = k.id
  WHERE l.type = 'label' AND l.truth IS NOT NULL AND l.arrival >= k.reach AND l.arrival < k.cut
),
latest AS (
  SELECT k.w, k.version, k.task, k.center, k.unit, k.score, k.predicted, k.weight,
    COALESCE(one.truth, many.truth) AS truth, many.lowest, many.highest
  FROM counted k
    LEFT JOIN label_ids one ON one.model = k.model AND one.id = k.id AND one.records = 1 AND one.arrival >= k.reach AND one.arrival < k.cut
    LEFT JOIN contested many ON many.w = k.w AND many.version = k.version AND many.id = k.id AND many.place = 1
),
classes AS (
  SELECT w, version, score, truth, predicted, weight FROM latest
  WHERE truth IS NOT NULL AND task IN ('binary-classification', 'multiclass-classification')
),
numbers AS (
  SELECT w, version, truth, predicted, weight, center, unit FROM (
    SELECT w, version, weight, center, unit, TRY_CAST(truth AS DOUBLE) AS truth, TRY_CAST(predicted AS DOUBLE) AS predicted
    FROM latest WHERE truth IS NOT NULL AND task = 'regression'
  ) AS t WHERE abs(truth) <= 1.7976931348623157e308 AND abs(predicted) <= 1.7976931348623157e308
)${orphans.length === 0 ? '' : `,\n${orphanTables(orphans)}`}
${parts.join('\nUNION ALL\n')}`;
}

/** Rows `w`: the windows for which a label, or a prediction, has arrived since they were computed. Reads few columns. */
export function touchedQuery(windows: readonly SeenWindow[]): string {
  const range = arrivalRange(windows, []);
  const rows = windows.map(({ since, ...window }, i) => `${windowRow(window, i).slice(0, -1)}, ${time(since)})`);
  return `WITH windows AS (
  SELECT * FROM (VALUES
    ${rows.join(',\n    ')}
  ) AS t (w, model, start_time, end_time, reach, cut, taken_until, task, center, unit, since)
),
captured AS (
  SELECT type, model, id, time, arrival FROM {capture}
  WHERE model IN (${models(windows)}) AND arrival >= ${time(range.from)} AND arrival < ${time(range.to)}
),
news AS (
  SELECT DISTINCT model, id, arrival FROM captured
  WHERE type = 'label' AND arrival >= ${time(Math.min(...windows.map(({ since }) => since)))}
)
SELECT DISTINCT w.w FROM captured p
  JOIN windows w ON p.model = w.model AND p.time >= w.start_time AND p.time < w.end_time AND p.arrival >= w.reach AND p.arrival < w.taken_until
  LEFT JOIN news l ON l.model = p.model AND l.id = p.id AND l.arrival >= w.since AND l.arrival < w.cut
WHERE p.type = 'inference' AND (p.arrival >= w.since OR l.id IS NOT NULL)`;
}

function models(of: readonly { readonly model: string }[]): string {
  return [...new Set(of.map(({ model }) => model))].sort().map(text).join(', ');
}

function orphanTables(orphans: readonly OrphanSpan[]): string {
  const row = ({ model, from, to, since, until }: OrphanSpan, i: number): string =>
    `(${i}, ${text(model)}, ${time(from)}, ${time(to)}, ${time(since)}, ${time(until)})`;
  return `orphan_spans AS (
  SELECT * FROM (VALUES
    ${orphans.map(row).join(',\n    ')}
  ) AS t (w, model, from_time, to_time, since_time, until_time)
),
orphaned AS (
  SELECT o.w FROM captured l JOIN orphan_spans o ON l.type = 'label' AND l.truth IS NOT NULL AND l.model = o.model AND l.arrival >= o.from_time AND l.arrival < o.to_time
  LEFT JOIN (SELECT DISTINCT p.model, p.id, s.w FROM predictions p JOIN orphan_spans s
    ON p.model = s.model AND p.arrival >= s.since_time AND p.arrival < s.until_time) AS known
    ON known.model = l.model AND known.id = l.id AND known.w = o.w
  WHERE known.id IS NULL
)`;
}

interface Selected {
  readonly from: string;
  readonly values: Readonly<Record<string, string>>;
  readonly version?: string;
}

/** One part of the union: every part has all columns, those without meaning NULL. Sums are text, since they may exceed 2^53. */
function select(kind: LabelRowKind, { from, values, version = 'version' }: Selected): string {
  const column = (name: string, type: string): string => `${name in values ? values[name] : 'NULL'} AS ${type}`;
  return `SELECT ${text(kind)} AS kind, w, ${version} AS version, ${[
    ...KEYS.map(
      (name) =>
        `CAST(${column(name, name === 'score_bin' || name === 'weight_code' ? 'BIGINT' : 'VARCHAR')}) AS ${name}`,
    ),
    ...SUMS.map((name) => `CAST(${column(name, 'VARCHAR')}) AS ${name}`),
  ].join(', ')} FROM ${from}`;
}

function section(
  kind: 'classification' | 'regression',
  { keys, sums }: { readonly keys: readonly CountColumn[]; readonly sums: readonly CountColumn[] },
  source: string,
): string {
  const filled = ({ sql }: CountColumn): string => sql.replace(/\{(score|weight|truth|predicted|center|unit)\}/g, '$1');
  const named = [...keys, ...sums].map((column) => `${filled(column)} AS ${column.name}`);
  // Keys that have a column's own name keep its meaning: truth and predicted are taken as they are.
  const groups = ['w', 'version', ...keys.map(filled)];
  return select(kind, {
    from: `(SELECT w, version, ${named.join(', ')} FROM ${source} GROUP BY ${groups.join(', ')}) AS t`,
    values: Object.fromEntries([...keys, ...sums].map(({ name }) => [name, name])),
  });
}

const NO_WINDOW: LabelWindow = {
  model: '',
  start: 0,
  end: 0,
  cut: 0,
  beyond: 0,
  task: 'none',
  fixedPoint: { center: 0, unit: 1 },
};

function windowRow({ model, start, end, cut, beyond, task, fixedPoint }: LabelWindow, index: number): string {
  return `(${[
    index,
    text(model),
    time(start),
    time(end),
    time(start - DUPLICATE_REACH),
    time(cut),
    time(Math.min(cut, beyond)),
    text(task),
    number(fixedPoint.center),
    number(fixedPoint.unit),
  ].join(', ')})`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function number(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

function time(ms: number): string {
  return `TIMESTAMP '${new Date(ms).toISOString().slice(0, 23).replace('T', ' ')}'`;
}
