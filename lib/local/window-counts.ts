/**
 * Counts of a table window by window in the bins of a shape: what `judgeWindow` reads, for every window from a few passes over the
 * data. Numbers are counted in their verdict bins, each put into its first fine bin.
 */

import { identifier, wholeText } from '../adapters/duckdb/load.ts';
import { type CategoryBinning, categoryBinning, type WindowMap } from '../adapters/duckdb/summaries.ts';
import { numberSql, type Table, type TableColumn, textSql } from '../adapters/duckdb/table.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { LATENCY_FIRST, LATENCY_LAST, LATENCY_SCALE } from '../engine/latency-histogram.ts';
import { latencyLimits } from '../engine/latency-verdict.ts';
import type { Shape, ShapeColumn } from '../engine/shape.ts';
import { type CountedColumn, CountedWindows } from './counted-windows.ts';
import { weightOf } from './performance-of-table.ts';
import { type CellColumn, type ColumnCells, groupBounds, numberCellSql, readCells } from './window-cells.ts';

/** Unseen categories that are named, a window. */
const UNSEEN = 32;

export interface WindowCountsRequest {
  readonly table: Table;
  readonly shape: Shape;
  readonly windows: WindowMap;
  readonly monitor: Monitor;
  readonly progress?: (what: string) => void;
}

interface Counting {
  readonly source: TableColumn;
  readonly lookup: CategoryBinning | null;
  readonly cells: CellColumn;
}

export async function countWindows(request: WindowCountsRequest): Promise<CountedWindows> {
  const { table, shape, windows, monitor, progress = () => undefined } = request;
  const count = windows.starts.length;
  const weight = weightColumn(table, monitor);
  const rows = new Array<number>(count).fill(0);
  const weighted = new Array<number>(count).fill(0);
  for (const row of await table.db.rows(
    `SELECT ${windows.column} AS w, count(*) AS n, ${weight === null ? 'count(*)' : `sum(${weight})`} AS m FROM ${windows.relation} WHERE ${windows.column} IS NOT NULL GROUP BY 1`,
  )) {
    rows[Number(row['w'])] = Number(row['n']);
    weighted[Number(row['w'])] = Number(row['m']);
  }
  const found: (Counting | null)[] = [];
  for (const column of shape.columns) found.push(await prepare(table, column));
  const counted = found.filter((one): one is Counting => one !== null);
  progress(`counting ${counted.length} ${noun(counted.length, 'column')} by window`);
  const read = await readCells({ table, windows, columns: counted.map(({ cells }) => cells), weight });
  const cells: (CountedColumn | null)[] = [];
  for (const one of found) {
    const own = one === null ? undefined : read[counted.indexOf(one)];
    if (one === null || own === undefined) cells.push(null);
    else cells.push({ ...own, ...(one.cells.moments ?? PLAIN), unseen: await unseenNames(request, one, own) });
  }
  return new CountedWindows({ shape, rows, weighted, cells, latency: await latencies(request, count) });
}

const PLAIN = { center: 0, unit: 1 } as const;

/** `null` when the table does not have the column. */
async function prepare(table: Table, column: ShapeColumn): Promise<Counting | null> {
  const source = table.column(column.name);
  if (source === undefined) return null;
  if (column.type === 'numeric') {
    const { mean, std } = column.baseline ?? { mean: null, std: null };
    const cells: CellColumn = {
      sql: numberCellSql(source),
      join: '',
      bounds: groupBounds(column.edges, column.groups),
      bins: column.groupCount,
      moments: { center: mean ?? 0, unit: std !== null && std > 0 ? std : 1 },
    };
    return { source, lookup: null, cells };
  }
  const { categories, bins } = column;
  const lookup = await categoryBinning(
    table,
    source,
    categories,
    categories.map((_, bin) => bin),
    bins,
  );
  const cells: CellColumn = {
    sql: `CAST(${lookup.bin} AS DOUBLE)`,
    join: lookup.join,
    bounds: null,
    bins,
    moments: null,
  };
  return { source, lookup, cells };
}

/** By window, most frequent first. */
async function unseenNames(
  { table, windows }: WindowCountsRequest,
  { source, lookup, cells: { bins } }: Counting,
  { places }: ColumnCells,
): Promise<Map<number, [string, number][]>> {
  const unseen = new Map<number, [string, number][]>();
  if (lookup === null || !places.includes(bins)) return unseen;
  const value = textSql(source);
  const found = await table.db.rows(
    `SELECT w, ${wholeText('v')} AS v, n FROM (SELECT ${windows.column} AS w, ${value} AS v, count(*) AS n FROM ${windows.relation} ${lookup.join} WHERE ${windows.column} IS NOT NULL AND ${lookup.known} IS NULL AND ${value} IS NOT NULL GROUP BY 1, 2) AS r QUALIFY row_number() OVER (PARTITION BY w ORDER BY n DESC, r.v) <= ${UNSEEN} ORDER BY w, n DESC, r.v`,
  );
  for (const row of found) {
    const w = Number(row['w']);
    const named = unseen.get(w) ?? [];
    named.push([String(row['v']), Number(row['n'])]);
    unseen.set(w, named);
  }
  return unseen;
}

/** Latency buckets by window; `null` when the monitor sets no limit or the data has no latency. */
async function latencies({ table, windows, monitor }: WindowCountsRequest, count: number) {
  const { latency } = monitor.columns;
  const column = latency === undefined ? undefined : table.column(latency);
  if (column === undefined || latencyLimits(monitor) === 0) return null;
  const x = numberSql(column);
  const bucket = `CASE WHEN ${x} > 0 THEN least(${LATENCY_LAST}, greatest(${LATENCY_FIRST}, CAST(ceil(log2(${x}) * ${2 ** LATENCY_SCALE}) AS INTEGER) - 1)) END`;
  const found = await table.db.rows(
    `SELECT ${windows.column} AS w, ${bucket} AS b, count(*) AS n FROM ${windows.relation} WHERE ${windows.column} IS NOT NULL AND isfinite(${x}) AND ${x} >= 0 GROUP BY 1, 2`,
  );
  const byWindow = Array.from({ length: count }, () => new Map<number | null, number>());
  for (const row of found)
    byWindow[Number(row['w'])]?.set(
      row['b'] === null || row['b'] === undefined ? null : Number(row['b']),
      Number(row['n']),
    );
  return byWindow;
}

function weightColumn(table: Table, monitor: Monitor): string | null {
  const { weight } = monitor.columns;
  const column = weight === undefined ? undefined : table.column(weight);
  return column === undefined ? null : weightOf(column);
}

/** Distinct ids in each of `groups` of windows, rows without an id each their own; `null` when no column is the id. */
export async function distinctIds(
  { table, windows, monitor }: WindowCountsRequest,
  groups: readonly { readonly from: number; readonly to: number }[],
): Promise<number[] | null> {
  const { id } = monitor.columns;
  const column = id === undefined ? undefined : table.column(id);
  if (column === undefined) return null;
  const map = identifier(table.db.name('groups'));
  await table.db.run(`CREATE TEMP TABLE ${map} (mlmon_g INTEGER, mlmon_from INTEGER, mlmon_to INTEGER)`);
  for (let at = 0; at < groups.length; at += 1_000) {
    const values = groups.slice(at, at + 1_000).map(({ from, to }, i) => `(${at + i}, ${from}, ${to})`);
    await table.db.run(`INSERT INTO ${map} VALUES ${values.join(', ')}`);
  }
  const value = textSql(column);
  const found = await table.db.rows(
    `SELECT g, count(DISTINCT v) + count(*) - count(v) AS n FROM (SELECT mlmon_g AS g, ${value} AS v FROM (SELECT unnest(range(mlmon_from, mlmon_to)) AS mlmon_w, mlmon_g FROM ${map}) JOIN ${windows.relation} ON mlmon_w = ${windows.column}) GROUP BY 1`,
  );
  const distinct = new Array<number>(groups.length).fill(0);
  for (const row of found) distinct[Number(row['g'])] = Number(row['n']);
  return distinct;
}
