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
import { EVENT_LIMITS, PREDICTION_TYPES } from '../contracts/event.ts';
import {
  CLASSIFICATION_COLUMNS,
  type CountColumn,
  type FixedPoint,
  REGRESSION_COLUMNS,
} from '../engine/performance-counts.ts';
import { modelsAre, type NamedSpan, namedSpans, number, text, time } from './span-table.ts';

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

/** Kinds of rows: which columns of a row have meaning. Every row but `orphans` has its share of the coverage. */
export type LabelRowKind = 'unlabelled' | 'classification' | 'regression' | 'orphans';

/** What a label is joined with; a request alone has no prediction. */
const PREDICTIONS = PREDICTION_TYPES.map((type) => `'${type}'`).join(', ');

const KEYS = ['score_bin', 'truth', 'predicted', 'weight_code'] as const;
const COVERAGE: readonly CountColumn[] = [
  { name: 'predictions', sql: 'count(*)', meaning: 'predictions' },
  { name: 'labels', sql: 'count(label)', meaning: 'those with a label' },
  {
    name: 'conflicts',
    sql: 'sum(CASE WHEN lowest <> highest THEN 1 ELSE 0 END)',
    meaning: 'those with several truths',
  },
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

const notFuture = `time <= arrival + INTERVAL '${EVENT_LIMITS.futureMs / 60_000}' MINUTE`;
const LARGEST = '1.7976931348623157e308';

/** Rows have `kind`, `w` (index into `windows` or `orphans`), `version`, the keys and the sums of performance-counts.ts, and those of the coverage. */
export function labelQuery(windows: readonly LabelWindow[], orphans: readonly OrphanSpan[]): string {
  const range = arrivalRange(windows, orphans);
  const isRegression = windows.some(({ task }) => task === 'regression');
  const isClassification = windows.some(({ task }) => task !== 'regression');
  const sums = new Map(
    [
      ...COVERAGE,
      ...(isClassification ? CLASSIFICATION_COLUMNS.sums : []),
      ...(isRegression ? REGRESSION_COLUMNS.sums : []),
    ].map((column) => [column.name, column]),
  );
  const parts = [
    ...(windows.length === 0 ? [] : [countsOf([...sums.values()])]),
    ...(orphans.length === 0 ? [] : [orphanCounts([...sums.keys()])]),
  ];
  return `WITH ${[
    `captured AS (
  SELECT type, model, version, id, time, arrival, score, predicted, weight, truth FROM {capture}
  WHERE ${modelsAre([...windows, ...orphans])} AND arrival >= ${time(range.from)} AND arrival < ${time(range.to)}
)`,
    ...(windows.length === 0 ? [] : [windowTables(windows)]),
    ...(orphans.length === 0 ? [] : [orphanTables(orphans)]),
  ].join(',\n')}
${parts.join('\nUNION ALL\n')}`;
}

function windowTables(windows: readonly LabelWindow[]): string {
  return `${namedSpans('windows', windows.map(windowRow), WINDOW_COLUMNS)},
counted AS (
  SELECT w.w, w.cut, w.reach, w.task, w.center, w.unit, p.model, p.version, p.id, p.predicted, p.weight,
    CASE WHEN w.task = 'binary-classification' THEN p.score ELSE CAST(NULL AS DOUBLE) END AS score
  FROM (
    SELECT model, version, id, arrival, time, score, predicted, weight,
      LAG(arrival) OVER (PARTITION BY model, version, id ORDER BY arrival, time, score NULLS LAST, predicted NULLS LAST, weight) AS previous
    FROM captured WHERE type IN (${PREDICTIONS}) AND ${notFuture}
  ) AS p JOIN windows w ON p.model = w.model
    AND p.time >= w.start_time AND p.time < w.end_time AND p.arrival >= w.reach AND p.arrival < w.taken_until
  WHERE p.previous IS NULL OR p.previous < w.reach
),
labelled AS (
  SELECT k.w, k.version, k.task, k.center, k.unit, k.score, k.predicted, k.weight, l.truth,
    ROW_NUMBER() OVER (PARTITION BY k.w, k.version, k.id ORDER BY l.arrival DESC, l.time DESC, l.truth DESC) AS place,
    MIN(l.truth) OVER (PARTITION BY k.w, k.version, k.id) AS lowest,
    MAX(l.truth) OVER (PARTITION BY k.w, k.version, k.id) AS highest
  FROM counted k LEFT JOIN (
    SELECT model, id, arrival, time, truth FROM captured WHERE type = 'label' AND truth IS NOT NULL
  ) AS l ON l.model = k.model AND l.id = k.id AND l.arrival >= k.reach AND l.arrival < k.cut
),
latest AS (
  SELECT w, version, task, center, unit, score, predicted, weight, truth AS label, lowest, highest,
    CASE WHEN task = 'regression' THEN TRY_CAST(truth AS DOUBLE) ELSE CAST(NULL AS DOUBLE) END AS true_number,
    CASE WHEN task = 'regression' THEN TRY_CAST(predicted AS DOUBLE) ELSE CAST(NULL AS DOUBLE) END AS predicted_number
  FROM labelled WHERE place = 1
),
kinds AS (
  SELECT w, version, center, unit, score, predicted, weight, label, lowest, highest, true_number, predicted_number,
    CASE WHEN label IS NULL THEN 'unlabelled' WHEN task <> 'regression' THEN 'classification'
      WHEN abs(true_number) <= ${LARGEST} AND abs(predicted_number) <= ${LARGEST} THEN 'regression' ELSE 'unlabelled' END AS kind
  FROM latest
)`;
}

/** One row for each group of each window: keys where the kind has them, all sums. */
function countsOf(sums: readonly CountColumn[]): string {
  const key = (name: (typeof KEYS)[number]): string => {
    const ofClass = CLASSIFICATION_COLUMNS.keys.find((column) => column.name === name);
    const ofNumber = REGRESSION_COLUMNS.keys.find((column) => column.name === name);
    const when = (kind: LabelRowKind, column: CountColumn | undefined): string =>
      column === undefined ? '' : ` WHEN kind = '${kind}' THEN ${filled(column, CLASSES)}`;
    return `CASE${when('classification', ofClass)}${when('regression', ofNumber)} ELSE NULL END`;
  };
  const columns = [
    ...KEYS.map((name) => `${key(name)} AS ${name}_key`),
    ...sums.map(
      (column) =>
        `${filled(column, REGRESSION_COLUMNS.sums.includes(column) ? NUMBERS : CLASSES)} AS ${column.name}_sum`,
    ),
  ];
  return `SELECT kind, w, version, ${[
    ...KEYS.map((name) => `${name}_key AS ${name}`),
    ...sums.map(({ name }) => `CAST(${name}_sum AS VARCHAR) AS ${name}`),
  ].join(', ')} FROM (
  SELECT kind, w, version, ${columns.join(',\n    ')}
  FROM kinds GROUP BY kind, w, version, ${KEYS.map(key).join(', ')}
) AS t`;
}

/** What the placeholders of the expressions stand for. */
const CLASSES: Readonly<Record<string, string>> = { truth: 'label' };
const NUMBERS: Readonly<Record<string, string>> = { truth: 'true_number', predicted: 'predicted_number' };

function filled({ sql }: CountColumn, names: Readonly<Record<string, string>>): string {
  return sql.replace(/\{(score|weight|truth|predicted|center|unit)\}/g, (_, name: string) => names[name] ?? name);
}

function orphanCounts(sums: readonly string[]): string {
  const types = { score_bin: 'BIGINT', truth: 'VARCHAR', predicted: 'VARCHAR', weight_code: 'BIGINT' } as const;
  return `SELECT 'orphans' AS kind, w, CAST(NULL AS VARCHAR) AS version, ${[
    ...KEYS.map((name) => `CAST(NULL AS ${types[name]}) AS ${name}`),
    ...sums.map((name) => `CAST(${name === 'labels' ? 'count(*)' : 'NULL'} AS VARCHAR) AS ${name}`),
  ].join(', ')} FROM orphaned GROUP BY w`;
}

/** Rows `w`: the windows for which a label, or a prediction, has arrived since they were computed. Reads few columns. */
export function touchedQuery(windows: readonly SeenWindow[]): string {
  const range = arrivalRange(windows, []);
  const rows = windows.map((window, i): NamedSpan => {
    const row = windowRow(window, i);
    return { ...row, span: [...row.span, time(window.since)] };
  });
  return `WITH ${namedSpans('windows', rows, [...WINDOW_COLUMNS, 'since'])},
captured AS (
  SELECT type, model, id, time, arrival FROM {capture}
  WHERE ${modelsAre(windows)} AND arrival >= ${time(range.from)} AND arrival < ${time(range.to)}
),
news AS (
  SELECT DISTINCT model, id, arrival FROM captured
  WHERE type = 'label' AND arrival >= ${time(Math.min(...windows.map(({ since }) => since)))}
)
SELECT DISTINCT w.w FROM captured p
  JOIN windows w ON p.model = w.model AND p.time >= w.start_time AND p.time < w.end_time AND p.arrival >= w.reach AND p.arrival < w.taken_until
  LEFT JOIN news l ON l.model = p.model AND l.id = p.id AND l.arrival >= w.since AND l.arrival < w.cut
WHERE p.type IN (${PREDICTIONS}) AND (p.arrival >= w.since OR l.id IS NOT NULL)`;
}

function orphanTables(orphans: readonly OrphanSpan[]): string {
  const rows = orphans.map(
    ({ model, from, to, since, until }, w): NamedSpan => ({ w, model, span: [from, to, since, until].map(time) }),
  );
  return `${namedSpans('orphan_spans', rows, ['from_time', 'to_time', 'since_time', 'until_time'])},
orphaned AS (
  SELECT o.w FROM (
    SELECT DISTINCT s.w, c.model, c.id, c.arrival, c.time, c.truth FROM captured c JOIN orphan_spans s
      ON c.type = 'label' AND c.truth IS NOT NULL AND c.model = s.model AND c.arrival >= s.from_time AND c.arrival < s.to_time
  ) AS o LEFT JOIN (
    SELECT DISTINCT s.w, c.model, c.id FROM captured c JOIN orphan_spans s
      ON c.type IN (${PREDICTIONS}) AND c.model = s.model AND c.arrival >= s.since_time AND c.arrival < s.until_time
    WHERE c.time <= c.arrival + INTERVAL '${EVENT_LIMITS.futureMs / 60_000}' MINUTE
  ) AS known ON known.w = o.w AND known.model = o.model AND known.id = o.id
  WHERE known.id IS NULL
)`;
}

const WINDOW_COLUMNS = ['start_time', 'end_time', 'reach', 'cut', 'taken_until', 'task', 'center', 'unit'];

function windowRow({ model, start, end, cut, beyond, task, fixedPoint }: LabelWindow, w: number): NamedSpan {
  const times = [start, end, start - DUPLICATE_REACH, cut, Math.min(cut, beyond)].map(time);
  return { w, model, span: [...times, text(task), number(fixedPoint.center), number(fixedPoint.unit)] };
}
