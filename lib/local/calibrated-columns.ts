/** Calibrates columns on the windows of the table that they were made from. */
import { categoryBinning, type WindowMap } from '../adapters/duckdb/summaries.ts';
import type { Table, TableColumn } from '../adapters/duckdb/table.ts';
import type { ColumnBaseline } from '../contracts/baseline.ts';
import type { Problem } from '../contracts/problem.ts';
import { baselineFindings } from '../engine/baseline-findings.ts';
import { type BaselineBlock, type CalibrationWindow, calibrate } from '../engine/calibration.ts';
import { ownCategories } from '../engine/verdict-bins.ts';
import { type CellColumn, type ColumnCells, groupBounds, numberCellSql, readCells } from './window-cells.ts';

/** Columns whose cells are held at once. */
const TOGETHER = 64;

export interface UncalibratedColumn {
  readonly column: ColumnBaseline;
  readonly source: TableColumn;
}

export interface CalibrationOptions {
  readonly window: CalibrationWindow;
  /** What is odd about the windows is added. */
  readonly findings: Problem[];
  readonly progress: (what: string) => void;
}

/** In the order given. */
export async function calibratedColumns(
  table: Table,
  columns: readonly UncalibratedColumn[],
  windows: WindowMap,
  { window, findings, progress }: CalibrationOptions,
): Promise<ColumnBaseline[]> {
  const calibrated: ColumnBaseline[] = [];
  for (let from = 0; from < columns.length; from += TOGETHER) {
    const together = columns.slice(from, from + TOGETHER);
    progress(`counting windows of ${together[0]?.column.name ?? ''}`);
    const counted: CellColumn[] = [];
    for (const one of together) counted.push(await cellColumn(table, one));
    const cells = await readCells({ table, windows, columns: counted, weight: null });
    together.forEach(({ column }, i) => {
      progress(`calibrating ${column.name}`);
      const blocks = blocksOf(windows.starts, counted[i]!, cells[i]!);
      const made = { ...column, calibration: calibrate(column, blocks, window) };
      findings.push(...baselineFindings(made, blocks, window));
      calibrated.push(made);
    });
  }
  return calibrated;
}

/** Verdict bins. */
async function cellColumn(table: Table, { column, source }: UncalibratedColumn): Promise<CellColumn> {
  if (column.type === 'numeric') {
    const { edges, verdictBin } = column.bins;
    return {
      sql: numberCellSql(source),
      join: '',
      bounds: groupBounds(edges, verdictBin),
      bins: (verdictBin.at(-1) ?? 0) + 1,
      moments: null,
    };
  }
  const rest = column.other > 0 ? ownCategories(column.counts, column.count) : null;
  const { bin, bins, join } = await categoryBinning(table, source, column.categories, column.verdictBin, rest);
  return { sql: `CAST(${bin} AS DOUBLE)`, join, bounds: null, bins, moments: null };
}

/** Verdict bins, and last what is in none of them. */
function blocksOf(starts: readonly number[], { bins }: CellColumn, { offsets, places, rows }: ColumnCells) {
  return starts.map((start, window): BaselineBlock => {
    const counts = new Float64Array(bins + 1);
    for (let i = offsets[window]!; i < offsets[window + 1]!; i++) counts[Math.min(bins, places[i]!)]! += rows[i]!;
    return { start, counts };
  });
}
