/** A table of past predictions as the events and labels that would have been sent, in order of time. */
import { timeRange } from '../adapters/duckdb/summaries.ts';
import { numberSql, type Table, type TableColumn, textSql, timeSql } from '../adapters/duckdb/table.ts';
import type { ColumnBaseline } from '../contracts/baseline.ts';
import { EVENT_LIMITS, type InferenceEvent, type LabelEvent } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import { chooseColumns } from './table-columns.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface HistoryRequest {
  readonly table: Table;
  readonly monitor: Monitor;
  /** Columns of the baseline: which features there are, when the monitor does not list them. */
  readonly baseline: readonly ColumnBaseline[] | null;
  /** Version of events that name none. */
  readonly version: string;
  /** How long after its prediction a label arrives, milliseconds. */
  readonly labelDelay: number;
}

/** What arrives within one hour. */
export interface HistoryStep {
  /** End of the hour, milliseconds since 1970. */
  readonly end: number;
  readonly events: readonly (InferenceEvent | LabelEvent)[];
}

export interface History {
  readonly from: number;
  readonly to: number;
  /** Rows without a readable time: they cannot be sent. */
  readonly absent: number;
  /** Hours in which something arrives, in order; labels last as long as they are due. */
  steps(): AsyncGenerator<HistoryStep>;
}

/** @throws ProblemError when there is no time column or no time in it */
export async function historyOf(request: HistoryRequest): Promise<History> {
  const { table, monitor } = request;
  const features = monitor.features ?? inferred(request.baseline);
  const columns = chooseColumns(table, {
    columns: monitor.columns,
    features,
    task: monitor.task,
    optional: ['truth', 'weight', 'latency', 'version', 'id', 'score', 'prediction'],
  });
  if (columns.time === null)
    throw new ProblemError([
      {
        code: 'no-time-column',
        path: 'columns.time',
        message: 'history needs to know when each event happened',
        fix: `name the time column of ${table.shown} in the monitor: columns: { time: … }`,
      },
    ]);
  const time = await timeSql(table, columns.time);
  const range = await timeRange(table, time);
  if (range === null)
    throw new ProblemError([
      {
        code: 'no-times',
        path: columns.time.name,
        message: 'holds no time that can be read',
        expected: 'timestamps, RFC 3339 text, or seconds since 1970',
      },
    ]);
  const fields = fieldsOf(
    request,
    columns.watched.filter(({ role }) => role === 'feature'),
  );
  const select = `SELECT ${[`(${time}) AS mlmon_time`, ...fields.map(({ sql }, i) => `${sql} AS mlmon_${i}`)].join(', ')} FROM ${table.relation}`;
  return {
    ...range,
    async *steps() {
      const labels = new Map<number, LabelEvent[]>();
      for (let day = Math.floor(range.from / DAY) * DAY; day <= range.to || labels.size > 0; day += DAY) {
        const rows =
          day > range.to
            ? []
            : await table.db.rows(
                `SELECT * FROM (${select}) WHERE mlmon_time >= ${day} AND mlmon_time < ${day + DAY} ORDER BY mlmon_time`,
              );
        let next = 0;
        for (let end = day + HOUR; end <= day + DAY; end += HOUR) {
          const events: (InferenceEvent | LabelEvent)[] = [];
          for (; next < rows.length && Number(rows[next]?.['mlmon_time']) < end; next++) {
            const { event, truth } = eventOf(request, rows[next] ?? {}, fields, `${day / DAY}-${next}`);
            events.push(event);
            if (truth === null) continue;
            const due = Date.parse(event.time) + request.labelDelay;
            const label: LabelEvent = {
              type: 'label',
              id: event.id,
              model: event.model,
              time: new Date(due).toISOString(),
              truth,
            };
            const hour = Math.floor(due / HOUR) * HOUR;
            labels.set(hour, [...(labels.get(hour) ?? []), label]);
          }
          events.push(...(labels.get(end - HOUR) ?? []));
          labels.delete(end - HOUR);
          if (events.length > 0) yield { end, events };
        }
      }
    },
  };
}

function inferred(baseline: readonly ColumnBaseline[] | null): Monitor['features'] {
  if (baseline === null) return undefined;
  const features = baseline.filter(({ role }) => role === 'feature');
  return Object.fromEntries(features.map(({ name, type }) => [name, { type, policy: 'keep' as const }]));
}

interface Field {
  readonly sql: string;
  put(event: Draft, value: string | number | bigint | boolean): void;
}

interface Draft {
  id?: string;
  version?: string;
  score?: number;
  predicted?: string | number;
  latency_ms?: number;
  weight?: number;
  truth?: string | number;
  readonly numeric: [string, unknown][];
  readonly categorical: [string, string][];
  readonly segment: [string, string][];
}

function fieldsOf(
  { table, monitor }: HistoryRequest,
  features: readonly {
    readonly name: string;
    readonly type: 'numeric' | 'categorical';
    readonly source: TableColumn;
  }[],
): Field[] {
  const fields: Field[] = [];
  const role = (name: string | undefined, sqlOf: (column: TableColumn) => string, put: Field['put']): void => {
    const column = name === undefined ? undefined : table.column(name);
    if (column !== undefined) fields.push({ sql: sqlOf(column), put });
  };
  const { columns, task } = monitor;
  const number = task === 'regression';
  role(columns.id, textSql, (draft, value) => {
    draft.id = String(value);
  });
  role(columns.version, textSql, (draft, value) => {
    draft.version = String(value);
  });
  role(columns.score, finite, (draft, value) => {
    draft.score = Number(value);
  });
  role(columns.prediction, number ? finite : textSql, (draft, value) => {
    draft.predicted = number ? Number(value) : String(value);
  });
  role(columns.truth, number ? finite : textSql, (draft, value) => {
    draft.truth = number ? Number(value) : String(value);
  });
  role(columns.latency, finite, (draft, value) => {
    if (Number(value) >= 0) draft.latency_ms = Number(value);
  });
  role(columns.weight, finite, (draft, value) => {
    if (Number(value) > 0 && Number(value) <= EVENT_LIMITS.weight) draft.weight = Number(value);
  });
  for (const { name, type, source } of features) {
    if (type === 'categorical')
      fields.push({ sql: textSql(source), put: (draft, value) => draft.categorical.push([name, String(value)]) });
    else {
      // What is no number travels as it is: the collector tells a value of the wrong type from a missing one.
      const sql = source.kind === 'numeric' ? finite(source) : textSql(source);
      fields.push({
        sql,
        put: (draft, value) => {
          const parsed = Number(value);
          draft.numeric.push([name, Number.isFinite(parsed) && String(value).trim() !== '' ? parsed : value]);
        },
      });
    }
  }
  for (const { by } of monitor.segments) role(by, textSql, (draft, value) => draft.segment.push([by, String(value)]));
  return fields;
}

function finite(column: TableColumn): string {
  const value = numberSql(column);
  return `CASE WHEN isfinite(${value}) THEN ${value} END`;
}

function eventOf(
  { monitor, version }: HistoryRequest,
  row: Readonly<Record<string, string | number | bigint | boolean | null>>,
  fields: readonly Field[],
  ordinal: string,
): { readonly event: InferenceEvent; readonly truth: string | number | null } {
  const draft: Draft = { numeric: [], categorical: [], segment: [] };
  fields.forEach((field, i) => {
    const value = row[`mlmon_${i}`];
    if (value !== null && value !== undefined) field.put(draft, value);
  });
  const { numeric, categorical, segment, truth, id, version: own, ...rest } = draft;
  return {
    truth: truth ?? null,
    event: {
      id: id ?? `history-${ordinal}`,
      type: 'inference',
      model: monitor.model,
      version: own ?? version,
      time: new Date(Number(row['mlmon_time'])).toISOString(),
      ...(segment.length > 0 ? { segment: Object.fromEntries(segment) } : {}),
      numeric: Object.fromEntries(numeric) as Record<string, number>,
      categorical: Object.fromEntries(categorical),
      ...rest,
    },
  };
}
