/**
 * Counts of a table window by window in the bins of a shape: what `judgeWindow` reads, for every window from a few passes over the
 * data. What is held is bounded by windows × bins: numbers are counted in their verdict bins, each put into its first fine bin.
 */

import { double, identifier } from '../adapters/duckdb/load.ts';
import { type CategoryBinning, categoryBinning, numberBinning, type WindowMap } from '../adapters/duckdb/summaries.ts';
import { numberSql, presentSql, type Table, type TableColumn, textSql } from '../adapters/duckdb/table.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { LATENCY_FIRST, LATENCY_LAST, LATENCY_SCALE } from '../engine/latency-histogram.ts';
import { latencyLimits } from '../engine/latency-verdict.ts';
import type { Shape, ShapeColumn } from '../engine/shape.ts';
import { type ColumnCells, CountedWindows } from './counted-windows.ts';
import { weightOf } from './performance-of-table.ts';

/** Columns counted in one pass. */
const PER_PASS = 24;
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
  readonly column: ShapeColumn;
  readonly source: TableColumn | undefined;
  readonly cells: ColumnCells;
  /** Bins that are counted; not finite or unseen, wrong type and missing follow. */
  readonly bins: number;
  readonly lookup: CategoryBinning | null;
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
  const cells: ColumnCells[] = [];
  for (let from = 0; from < shape.columns.length; from += PER_PASS) {
    progress(`counting windows of ${shape.columns[from]?.name ?? ''}`);
    const counted: Counting[] = [];
    for (const column of shape.columns.slice(from, from + PER_PASS)) counted.push(await prepare(table, column, count));
    await countCells(request, counted, weight);
    await addMoments(request, counted, weight);
    for (const one of counted) await nameUnseen(request, one);
    cells.push(...counted.map((one) => one.cells));
  }
  return new CountedWindows({ shape, rows, weighted, cells, latency: await latencies(request, count) });
}

async function prepare(table: Table, column: ShapeColumn, count: number): Promise<Counting> {
  const source = table.column(column.name);
  const cells: ColumnCells = {
    windows: Array.from({ length: count }, () => []),
    moments: column.type === 'numeric' ? new Float64Array(3 * count) : null,
    center: 0,
    unit: 1,
    unseen: new Map(),
  };
  const places = column.type === 'numeric' ? column.groupCount : column.bins;
  if (column.type === 'numeric') {
    const { mean, std } = column.baseline ?? { mean: null, std: null };
    Object.assign(cells, { center: mean ?? 0, unit: std !== null && std > 0 ? std : 1 });
  }
  const lookup =
    column.type === 'categorical' && source !== undefined
      ? await categoryBinning(
          table,
          source,
          column.categories,
          column.categories.map((_, bin) => bin),
          column.categories.length,
        )
      : null;
  return { column, source, cells, bins: places, lookup };
}

/** One number a row and column, the column's place in it: grouped once, over all columns of the pass. */
async function countCells(
  { table, windows }: WindowCountsRequest,
  counted: readonly Counting[],
  weight: string | null,
) {
  const offsets: number[] = [];
  let slots = 0;
  for (const { bins } of counted) {
    offsets.push(slots);
    slots += bins + 3;
  }
  const keys = counted.map((one, i) => `CAST(${offsets[i]} + ${cellSql(one)} AS INTEGER)`);
  const joins = counted.map(({ lookup }) => lookup?.join ?? '').join(' ');
  const weights = weight === null ? '' : `, ${weight} AS mlmon_m`;
  const sums = weight === null ? '' : ', sum(mlmon_m) AS m, sum(mlmon_m * mlmon_m) AS s';
  const found = await table.db.rows(
    `SELECT w, k, count(*) AS n${sums} FROM (SELECT ${windows.column} AS w, unnest([${keys.join(', ')}]) AS k${weights} FROM ${windows.relation} ${joins} WHERE ${windows.column} IS NOT NULL) GROUP BY 1, 2`,
  );
  const columnOf = counted.flatMap(({ bins }, i) => new Array<number>(bins + 3).fill(i));
  for (const row of found) {
    const key = Number(row['k']);
    const i = columnOf[key] ?? 0;
    const rows = Number(row['n']);
    counted[i]?.cells.windows[Number(row['w'])]?.push({
      place: key - (offsets[i] ?? 0),
      rows,
      weight: weight === null ? rows : Number(row['m']),
      squares: weight === null ? rows : Number(row['s']),
    });
  }
}

function cellSql({ column, source, bins, lookup }: Counting): string {
  if (source === undefined) return String(bins + 2);
  if (column.type === 'categorical') return `coalesce(${lookup?.bin}, ${bins + 2})`;
  const { bin } = numberBinning(source, column.edges, Array.from(column.groups));
  return `coalesce(${bin}, CASE WHEN ${numberSql(source)} IS NOT NULL THEN ${bins} WHEN ${presentSql(source)} THEN ${bins + 1} ELSE ${bins + 2} END)`;
}

/** Sums around the baseline's mean, in its standard deviations, so that nothing cancels. */
async function addMoments(
  { table, windows }: WindowCountsRequest,
  counted: readonly Counting[],
  weight: string | null,
) {
  const numbers = counted.filter(({ column, source }) => column.type === 'numeric' && source !== undefined);
  if (numbers.length === 0) return;
  const sums = numbers.flatMap(({ source, cells }, i) => {
    if (source === undefined) return [];
    const x = numberSql(source);
    const d = `((${x} - ${double(cells.center)}) / ${double(cells.unit)})`;
    const finite = `FILTER (WHERE isfinite(${x}))`;
    const m = weight ?? 'CAST(1 AS DOUBLE)';
    return [
      `fsum(${m}) ${finite} AS m${i}`,
      `fsum(${m} * ${d}) ${finite} AS a${i}`,
      `fsum(${m} * ${d} * ${d}) ${finite} AS b${i}`,
    ];
  });
  const found = await table.db.rows(
    `SELECT ${windows.column} AS w, ${sums.join(', ')} FROM ${windows.relation} WHERE ${windows.column} IS NOT NULL GROUP BY 1`,
  );
  for (const row of found) {
    const at = 3 * Number(row['w']);
    numbers.forEach(({ cells }, i) => {
      for (const [k, name] of ['m', 'a', 'b'].entries())
        if (cells.moments !== null) cells.moments[at + k] = Number(row[`${name}${i}`] ?? 0);
    });
  }
}

async function nameUnseen({ table, windows }: WindowCountsRequest, { column, source, cells, bins, lookup }: Counting) {
  if (column.type !== 'categorical' || source === undefined || lookup === null) return;
  if (!cells.windows.some((window) => window.some(({ place }) => place === bins))) return;
  const value = textSql(source);
  const found = await table.db.rows(
    `SELECT w, v, n FROM (SELECT ${windows.column} AS w, ${value} AS v, count(*) AS n FROM ${windows.relation} ${lookup.join} WHERE ${windows.column} IS NOT NULL AND ${lookup.known} IS NULL AND ${value} IS NOT NULL GROUP BY 1, 2) QUALIFY row_number() OVER (PARTITION BY w ORDER BY n DESC, v) <= ${UNSEEN} ORDER BY w, n DESC, v`,
  );
  for (const row of found) {
    const w = Number(row['w']);
    const named = cells.unseen.get(w) ?? [];
    named.push([String(row['v']), Number(row['n'])]);
    cells.unseen.set(w, named);
  }
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
