/**
 * The capture columns as the query port knows them, made from the Glue tables in which everything is text: times in UTC to the
 * millisecond, numbers, the weight that an absent one stands for. Functions are those that Trino, DuckDB and Spark share.
 *
 * - A sender that set no arrival arrived with the hour of its object: its event time within that hour, else the nearer end.
 *   The order of such records within the hour is that of their event times.
 * - A number written with a fraction of zeros or an exponent, as other languages write whole numbers, is the same class as the
 *   whole number: `1.0`, `1e0` and `1` are one class. Firehose does not tell a text from a number, so a text `1.0` is one too.
 * - Lines that are no events (contracts/event.ts), and that Firehose could convert all the same, are left out as far as their
 *   scalar columns show it; the profiler has put them into quarantine.
 */
import { redrivenTable } from '../../contracts/capture.ts';
import { EVENT_LIMITS } from '../../contracts/event.ts';
import { hoursOf, partitionPredicate } from './partitions.ts';

export interface CaptureTables {
  readonly database: string;
  readonly table: string;
}

const MAPS = ['segment', 'numeric', 'categorical', 'invalid'] as const;
const TEXTS = ['id', 'type', 'source', 'model', 'version', 'policy_key'] as const;
/** Columns that the tables have under the same name. */
const RAW = [...TEXTS, 'time', 'arrival', ...MAPS, 'score', 'predicted', 'latency_ms', 'weight', 'truth'] as const;

const RFC_3339 =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$';

/** A relation in parentheses with the capture columns over exactly the hours of these objects; without objects it has no rows. */
export function captureRelation(objects: readonly string[], tables: CaptureTables): string {
  const hours = hoursOf(objects);
  const parts = [
    ...(hours.captured.length === 0 ? [] : [hourRows(tables.table, tables, hours.captured)]),
    ...(hours.redriven.length === 0 ? [] : [hourRows(redrivenTable(tables.table), tables, hours.redriven)]),
  ];
  if (parts.length === 0) return NOTHING;
  return `(
  SELECT ${NORMALISED.join(',\n    ')}
  FROM (
    SELECT ${[...TEXTS, ...MAPS].join(', ')}, hour_start,
      ${instant('time_text')} AS time_read, ${instant('arrival_text')} AS arrival_read,
      ${number('score_text')} AS score_read, ${number('latency_text')} AS latency_read, ${number('weight_text')} AS weight_read,
      arrival_text, score_text, latency_text, weight_text, predicted_text, truth_text
    FROM (
      ${parts.join('\n      UNION ALL ')}
    ) AS raw_rows
  ) AS read_rows
  WHERE ${IS_EVENT.join(' AND ')}
)`;
}

function hourRows(table: string, { database }: CaptureTables, hours: readonly number[]): string {
  const renamed: Readonly<Record<string, string>> = { latency_ms: 'latency_text' };
  const columns = RAW.map((name) => {
    if ((TEXTS as readonly string[]).includes(name) || (MAPS as readonly string[]).includes(name)) return name;
    return `CAST(${name} AS VARCHAR) AS ${renamed[name] ?? `${name}_text`}`;
  });
  return `SELECT ${columns.join(', ')}, CAST(dt || ' ' || hr || ':00:00' AS TIMESTAMP) AS hour_start FROM ${quoted(database)}.${quoted(table)}
      WHERE ${partitionPredicate(hours)}`;
}

/** NULL when it is none. */
function instant(column: string): string {
  const fraction = `SUBSTR(COALESCE(REGEXP_EXTRACT(${column}, '[.]([0-9]+)', 1), '') || '000', 1, 3)`;
  const local = `TRY_CAST(SUBSTR(${column}, 1, 10) || ' ' || SUBSTR(${column}, 12, 8) || '.' || ${fraction} AS TIMESTAMP)`;
  const part = (group: number): string =>
    `TRY_CAST(REGEXP_EXTRACT(${column}, '([+-])([0-9][0-9]):([0-9][0-9])$', ${group}) AS INTEGER)`;
  const sign = `CASE WHEN REGEXP_EXTRACT(${column}, '([+-])[0-9][0-9]:[0-9][0-9]$', 1) = '-' THEN -1 ELSE 1 END`;
  return `CASE WHEN REGEXP_EXTRACT(${column}, '${RFC_3339}', 0) = ${column} THEN
        CASE WHEN SUBSTR(${column}, LENGTH(${column}), 1) = 'Z' THEN ${local}
          ELSE ${local} - ${sign} * (60 * ${part(2)} + ${part(3)}) * INTERVAL '1' MINUTE END
      ELSE CAST(NULL AS TIMESTAMP) END`;
}

/** NULL when it is none, or not finite. */
function number(column: string): string {
  return `CASE WHEN ABS(TRY_CAST(${column} AS DOUBLE)) <= 1.7976931348623157e308 THEN TRY_CAST(${column} AS DOUBLE) ELSE CAST(NULL AS DOUBLE) END`;
}

/** A class or a number as text; whole numbers as an integer has them. */
function plain(column: string): string {
  const value = `TRY_CAST(${column} AS DOUBLE)`;
  return `CASE WHEN (${column} LIKE '%.%' OR ${column} LIKE '%e%' OR ${column} LIKE '%E%') AND ABS(${value}) < 1e15 AND ${value} = FLOOR(${value})
      THEN CAST(CAST(${value} AS BIGINT) AS VARCHAR) ELSE ${column} END`;
}

const HOUR_END = `hour_start + INTERVAL '1' HOUR`;

const NORMALISED = [
  ...TEXTS,
  'time_read AS time',
  `CASE WHEN arrival_read IS NOT NULL THEN arrival_read WHEN time_read < hour_start THEN hour_start
      WHEN time_read > ${HOUR_END} THEN ${HOUR_END} ELSE time_read END AS arrival`,
  ...MAPS,
  'score_read AS score',
  `${plain('predicted_text')} AS predicted`,
  'latency_read AS latency_ms',
  `CASE WHEN weight_text IS NULL AND type <> 'label' THEN CAST(1 AS DOUBLE) ELSE weight_read END AS weight`,
  `${plain('truth_text')} AS truth`,
];

/** What the schema of an event asks of its scalar members. */
const IS_EVENT = [
  'time_read IS NOT NULL',
  '(arrival_text IS NULL OR arrival_read IS NOT NULL)',
  `LENGTH(id) BETWEEN 1 AND ${EVENT_LIMITS.idLength}`,
  `(type IN ('inference', 'request', 'response') AND LENGTH(version) BETWEEN 1 AND ${EVENT_LIMITS.idLength} AND truth_text IS NULL
      OR type = 'label' AND LENGTH(truth_text) <= ${EVENT_LIMITS.categoryLength})`,
  `(predicted_text IS NULL OR LENGTH(predicted_text) <= ${EVENT_LIMITS.categoryLength})`,
  '(score_text IS NULL OR score_read IS NOT NULL)',
  '(latency_text IS NULL OR latency_read >= 0)',
  `(weight_text IS NULL OR weight_read > 0 AND weight_read <= ${EVENT_LIMITS.weight})`,
];

const NOTHING = `(SELECT ${[
  ...TEXTS.map((name) => `CAST(NULL AS VARCHAR) AS ${name}`),
  ...['time', 'arrival'].map((name) => `CAST(NULL AS TIMESTAMP) AS ${name}`),
  ...MAPS.map((name) => `CAST(NULL AS MAP(VARCHAR, VARCHAR)) AS ${name}`),
  ...['score', 'latency_ms', 'weight'].map((name) => `CAST(NULL AS DOUBLE) AS ${name}`),
  ...['predicted', 'truth'].map((name) => `CAST(NULL AS VARCHAR) AS ${name}`),
].join(', ')} WHERE 1 = 0)`;

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
