/**
 * Windows of so many rows. The rows are put in order of time and given a clock of their own, on which every window takes one
 * span of a fixed length, so that all that cuts, calibrates and judges spans of time also does so for these. The span is one that has
 * no hours, weekdays or weeks in it.
 */
import { join } from 'node:path';
import { identifier, literal } from '../adapters/duckdb/load.ts';
import { timeRange } from '../adapters/duckdb/summaries.ts';
import { Table, type TableColumn, timeSql } from '../adapters/duckdb/table.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { openingsPerDay } from '../engine/budget.ts';

const DAY = 86_400_000;
/** Of a window on the clock of rows: longer than a day, no part of a week, and of 1970-01-01. */
export const ROW_SPAN = 2 * DAY;

export interface RowTable {
  readonly table: Table;
  /** Rows without a readable time: they have no place. */
  readonly absent: number;
  /** Real time that a window takes on average, milliseconds; `null` when all rows have one time. */
  readonly typicalMs: number | null;
}

/** `null` when no row has a time. Rows of one time stay in the order of the file; data that are in order of time are read where they lie. */
export async function rowTable(table: Table, column: TableColumn, rows: number): Promise<RowTable | null> {
  const { db } = table;
  const time = await timeSql(table, column);
  const range = await timeRange(table, time);
  if (range === null) return null;
  const [at, place, instant] = [
    identifier(db.name('mlmon_file_row')),
    identifier(db.name('mlmon_place')),
    identifier(db.name('mlmon_instant')),
  ];
  const name = identifier(column.name);
  const clock = `make_timestamp(CAST(((${place} - 1) // ${rows}) * ${ROW_SPAN * 1_000} AS BIGINT)) AS ${name}`;
  const dated = `(SELECT *, (${time}) AS ${instant} FROM ${table.relation})`;
  const relation = identifier(db.name('table'));
  const [order] = await db.rows(
    `SELECT count(*) AS n FROM (SELECT ${instant} < lag(${instant}) OVER () AS back FROM ${dated} WHERE ${instant} IS NOT NULL) WHERE back`,
  );
  if (Number(order?.['n']) === 0)
    await db.run(
      `CREATE VIEW ${relation} AS SELECT * EXCLUDE (${place}, ${instant}) REPLACE (${clock}) FROM (SELECT *, row_number() OVER () AS ${place} FROM ${dated} WHERE ${instant} IS NOT NULL)`,
    );
  else {
    // Through a file, so that the rows are put in order once and not for every column.
    const file = join(db.folder, `${db.name('rows')}.parquet`);
    await db.run(
      `COPY (SELECT * EXCLUDE (${at}, ${place}, ${instant}) REPLACE (${clock}) FROM (SELECT *, row_number() OVER (ORDER BY ${instant}, ${at}) AS ${place} FROM (SELECT *, row_number() OVER () AS ${at} FROM ${dated}) WHERE ${instant} IS NOT NULL)) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    await db.run(`CREATE VIEW ${relation} AS SELECT * FROM read_parquet(${literal(file)})`);
  }
  const columns = table.columns.map(
    (one): TableColumn => (one === column ? { name: one.name, sqlType: 'TIMESTAMP', kind: 'time' } : one),
  );
  const placed = table.rows - range.absent;
  const ms = ((range.to - range.from) / Math.max(1, placed)) * rows;
  return {
    table: new Table(db, table.shown, relation, columns, placed),
    absent: range.absent,
    typicalMs: ms > 0 ? ms : null,
  };
}

/** The monitor on the clock of rows: the same budget a month of real time, the same M of N. */
export function monitorOfRows(monitor: Monitor, rows: number, typicalMs: number): Monitor {
  const perDay = (openingsPerDay(monitor.budget) * typicalMs) / ROW_SPAN;
  return {
    ...monitor,
    budget: `${Math.max(1e-9, perDay * 1_000).toFixed(9)} per 1000d`,
    window: {
      ...monitor.window,
      every: '2d',
      timezone: 'UTC',
      minimumRows: Math.min(monitor.window.minimumRows, rows),
    },
    drift: { ...monitor.drift, scales: [] },
    alerts: { ...monitor.alerts, after: monitor.alerts.after ?? (typicalMs < DAY ? '2 of 3' : '1 of 1') },
  };
}

/** The row that an instant of the clock of rows stands for. */
export function rowAt(ms: number, rows: number, total: number): number {
  return Math.min(total, Math.round(ms / ROW_SPAN) * rows);
}
