/** Performance of a table that holds predictions and their truth side by side: counts by window, from the same SQL as captured labels. */
import { identifier } from '../adapters/duckdb/load.ts';
import type { WindowMap } from '../adapters/duckdb/summaries.ts';
import { numberSql, presentSql, type Table, type TableColumn, textSql } from '../adapters/duckdb/table.ts';
import type { Monitor } from '../contracts/monitor.ts';
import {
  CLASSIFICATION_COLUMNS,
  type CountColumn,
  type CountRow,
  type FixedPoint,
  type PerformanceCounts,
  REGRESSION_COLUMNS,
} from '../engine/performance-counts.ts';
import { classificationCountsOf, regressionCountsOf } from '../engine/performance-rows.ts';
import type { TableColumns } from './table-columns.ts';

export interface TablePerformance {
  readonly table: Table;
  readonly task: Monitor['task'];
  readonly columns: Pick<TableColumns, 'truth' | 'score' | 'prediction' | 'weight'>;
  /** `null`: the table is one window. */
  readonly windows: WindowMap | null;
  /** Of a regression. */
  readonly fixedPoint: FixedPoint;
}

/**
 * One entry a window; `null` when there is no truth or no prediction to compare it with. Rows are taken as they are: a table
 * has one row a prediction.
 */
export async function performanceCountsOfTable(request: TablePerformance): Promise<PerformanceCounts[] | null> {
  const { table, task, columns, windows, fixedPoint } = request;
  const { truth, prediction, score } = columns;
  if (
    task === 'none' ||
    truth === null ||
    (prediction === null && (task !== 'binary-classification' || score === null))
  )
    return null;
  const regression = task === 'regression';
  const { keys, sums } = regression ? REGRESSION_COLUMNS : CLASSIFICATION_COLUMNS;
  const cell = (column: TableColumn | null): string => {
    if (column === null) return regression ? 'CAST(NULL AS DOUBLE)' : 'CAST(NULL AS VARCHAR)';
    return regression ? numberSql(column) : textSql(column);
  };
  const values = [
    `${windows === null ? '0' : windows.column} AS mlmon_w`,
    `${presentSql(truth)} AS mlmon_labelled`,
    `${cell(truth)} AS mlmon_truth`,
    `${cell(prediction)} AS mlmon_predicted`,
    `${score === null || task !== 'binary-classification' ? 'CAST(NULL AS DOUBLE)' : numberSql(score)} AS mlmon_score`,
    `${weightOf(columns.weight)} AS mlmon_weight`,
  ];
  const rows = `(SELECT ${values.join(', ')} FROM ${windows?.relation ?? table.relation})`;
  const filled = ({ sql }: CountColumn): string =>
    sql
      .replaceAll('{score}', 'mlmon_score')
      .replaceAll('{weight}', 'mlmon_weight')
      .replaceAll('{truth}', 'mlmon_truth')
      .replaceAll('{predicted}', 'mlmon_predicted')
      .replaceAll('{center}', `CAST(${fixedPoint.center} AS DOUBLE)`)
      .replaceAll('{unit}', `CAST(${fixedPoint.unit} AS DOUBLE)`);
  const usable = regression
    ? 'mlmon_labelled AND isfinite(mlmon_truth) AND isfinite(mlmon_predicted)'
    : 'mlmon_labelled';
  const coverage = await table.db.rows(
    `SELECT mlmon_w AS w, count(*) AS predictions, count(*) FILTER (WHERE mlmon_labelled) AS labels FROM ${rows} WHERE mlmon_w IS NOT NULL GROUP BY 1`,
  );
  const named = (list: readonly CountColumn[]): string =>
    list.map((one) => `${filled(one)} AS ${identifier(one.name)}`).join(', ');
  const counted = await table.db.rows(
    `SELECT mlmon_w AS w, ${named(keys)}, ${named(sums)} FROM ${rows} WHERE mlmon_w IS NOT NULL AND ${usable} GROUP BY ALL`,
  );
  const cells = new Map<number, CountRow[]>();
  for (const row of counted as readonly CountRow[]) {
    const w = Number(row['w']);
    cells.set(w, [...(cells.get(w) ?? []), row]);
  }
  const covered = new Map(coverage.map((row) => [Number(row['w']), row]));
  return Array.from({ length: windows?.starts.length ?? 1 }, (_, w) => {
    const row = covered.get(w);
    const of = { predictions: Number(row?.['predictions'] ?? 0), labels: Number(row?.['labels'] ?? 0), conflicts: 0 };
    return regression
      ? regressionCountsOf(cells.get(w) ?? [], fixedPoint, of)
      : classificationCountsOf(cells.get(w) ?? [], of);
  });
}

/** Absent, zero and negative weights count as 1: the row is there. */
export function weightOf(column: TableColumn | null): string {
  if (column === null) return 'CAST(1 AS DOUBLE)';
  const weight = numberSql(column);
  return `CASE WHEN isfinite(${weight}) AND ${weight} > 0 THEN ${weight} ELSE 1 END`;
}
