/**
 * Rows by window and bin of many columns in one pass over a table: DuckDB hands out the values, this thread puts them into bins, which
 * is a third of the work of grouping by both. What is held is bounded by windows × bins that have rows.
 */
import type { DoubleBlock } from '../adapters/duckdb/load.ts';
import type { WindowMap } from '../adapters/duckdb/summaries.ts';
import { numberSql, presentSql, type Table, type TableColumn } from '../adapters/duckdb/table.ts';

/** Counters held at once while counting: 4 bytes each, 20 with weights. More are counted in further passes. */
const MOST_COUNTERS = 8_000_000;
/** Columns of a pass at most. */
const PER_PASS = 64;
/** Places after the bins. */
const AFTER = { other: 0, invalid: 1, missing: 2 } as const;
export const PLACES_AFTER = 3;

/** A column to be counted. */
export interface CellColumn {
  /** A double. Numbers: the value, see `numberCellSql`. Categories: the place itself. */
  readonly sql: string;
  /** Put after the relation. */
  readonly join: string;
  /** Numbers: bin i holds [bounds[i - 1], bounds[i]); ascending. `null` for categories. */
  readonly bounds: ArrayLike<number> | null;
  /** Bins; the places after them are: not finite or unseen, of the wrong type, missing. */
  readonly bins: number;
  /** Of numbers: sums of (x - center) / unit and of its square are kept. */
  readonly moments: { readonly center: number; readonly unit: number } | null;
}

/** Places with rows, window after window: those of window w lie from `offsets[w]` to `offsets[w + 1]`. */
export interface ColumnCells {
  readonly offsets: Uint32Array;
  readonly places: Uint16Array;
  readonly rows: Float64Array;
  /** Σw and Σw² of those rows; `null` without weights. */
  readonly weights: { readonly sums: Float64Array; readonly squares: Float64Array } | null;
  /** By window Σw, Σwd, Σwd², d = (x - center) / unit; `null` where none were asked for. */
  readonly moments: Float64Array | null;
}

export interface CellsRequest {
  readonly table: Table;
  readonly windows: WindowMap;
  readonly columns: readonly CellColumn[];
  /** SQL of a row's weight; `null`: every row counts once. */
  readonly weight: string | null;
  /** Tests bring small ones. */
  readonly mostCounters?: number;
}

/** A number as it is counted: infinity where it is not finite, -infinity where it is no number, NULL where there is none. */
export function numberCellSql(column: TableColumn): string {
  const x = numberSql(column);
  const odd = `WHEN ${x} IS NOT NULL THEN CAST('Infinity' AS DOUBLE)`;
  const wrong = column.kind === 'numeric' ? '' : ` WHEN ${presentSql(column)} THEN CAST('-Infinity' AS DOUBLE)`;
  return `CASE WHEN isfinite(${x}) THEN ${x} ${odd}${wrong} END`;
}

/** Bounds between groups of neighbouring bins. Group numbers start at 0 and rise by one. */
export function groupBounds(edges: ArrayLike<number>, groups: ArrayLike<number>): number[] {
  return Array.from(edges).filter((_, bin) => groups[bin] !== groups[bin + 1]);
}

export async function readCells(request: CellsRequest): Promise<ColumnCells[]> {
  const { columns, windows } = request;
  const count = windows.starts.length;
  const most = (request.mostCounters ?? MOST_COUNTERS) / (request.weight === null ? 1 : 5);
  const cells: ColumnCells[] = [];
  for (let from = 0; from < columns.length; ) {
    let counters = 0;
    let to = from;
    while (to < columns.length && to - from < PER_PASS) {
      counters += count * (columns[to]!.bins + PLACES_AFTER);
      if (counters > most && to > from) break;
      to++;
    }
    const together = columns.slice(from, to);
    const parts = together.map((column) => new CellParts(column, count, request.weight !== null));
    const step = together.length > 1 ? count : Math.max(1, Math.floor(most / (together[0]!.bins + PLACES_AFTER)));
    for (let first = 0; first < count; first += step)
      await countPass(request, together, parts, { from: first, to: Math.min(count, first + step) });
    cells.push(...parts.map((part) => part.cells()));
    from = to;
  }
  return cells;
}

interface WindowRange {
  readonly from: number;
  readonly to: number;
}

async function countPass(
  { table, windows, weight }: CellsRequest,
  columns: readonly CellColumn[],
  parts: readonly CellParts[],
  range: WindowRange,
): Promise<void> {
  const all = range.from === 0 && range.to === windows.starts.length;
  const counters = columns.map((column, i) => new Counters(column, range, weight !== null, parts[i]!.moments));
  const values = columns.map(({ sql }, i) => `${sql} AS mlmon_v${i}`);
  const own = weight === null ? '1::DOUBLE' : `CAST(${weight} AS DOUBLE)`;
  const inside = all ? '' : ` AND ${windows.column} >= ${range.from} AND ${windows.column} < ${range.to}`;
  let buffers: Float64Array[] = [];
  const take = (block: DoubleBlock): void => {
    if ((buffers[0]?.length ?? 0) < block.rows)
      buffers = Array.from({ length: 3 }, () => new Float64Array(Math.max(2_048, block.rows)));
    const [window, weights, value] = buffers as [Float64Array, Float64Array, Float64Array];
    block.copy(0, window, 0);
    if (weight !== null) block.copy(1, weights, 0);
    for (let i = 0; i < columns.length; i++) {
      block.copy(2 + i, value, 0);
      counters[i]!.add(block.rows, window, value, weight === null ? null : weights);
    }
  };
  await table.db.eachBlock(
    `SELECT CAST(${windows.column} AS DOUBLE) AS mlmon_w, ${own} AS mlmon_m, ${values.join(', ')} FROM ${windows.relation} ${columns.map(({ join }) => join).join(' ')} WHERE ${windows.column} IS NOT NULL${inside}`,
    take,
  );
  counters.forEach((counter, i) => {
    parts[i]!.append(counter);
  });
}

/** Dense counters of one column over a range of windows. */
class Counters {
  readonly rows: Uint32Array;
  readonly weights: { readonly sums: Float64Array; readonly squares: Float64Array } | null;
  readonly width: number;
  private readonly column: CellColumn;
  private readonly bounds: Float64Array | null;
  private readonly first: number;
  private readonly moments: Float64Array | null;

  constructor(column: CellColumn, { from, to }: WindowRange, weighted: boolean, moments: Float64Array | null) {
    this.column = column;
    this.width = column.bins + PLACES_AFTER;
    this.first = from;
    this.moments = moments;
    this.bounds = column.bounds === null ? null : Float64Array.from(column.bounds);
    const size = (to - from) * this.width;
    this.rows = new Uint32Array(size);
    this.weights = weighted ? { sums: new Float64Array(size), squares: new Float64Array(size) } : null;
  }

  add(count: number, window: Float64Array, value: Float64Array, weight: Float64Array | null): void {
    const { rows, width, first, weights, bounds } = this;
    const { bins } = this.column;
    const missing = bins + AFTER.missing;
    for (let row = 0; row < count; row++) {
      const x = value[row]!;
      const w = window[row]!;
      let place = missing;
      if (bounds === null) {
        if (!Number.isNaN(x)) place = x;
      } else if (x > Number.NEGATIVE_INFINITY && x < Number.POSITIVE_INFINITY) {
        let high = bounds.length;
        place = 0;
        while (place < high) {
          const middle = (place + high) >>> 1;
          if (x < bounds[middle]!) high = middle;
          else place = middle + 1;
        }
        this.addMoment(w, x, weight === null ? 1 : weight[row]!);
      } else if (x === Number.POSITIVE_INFINITY) place = bins + AFTER.other;
      else if (x === Number.NEGATIVE_INFINITY) place = bins + AFTER.invalid;
      const at = (w - first) * width + place;
      rows[at]!++;
      if (weights === null) continue;
      const m = weight![row]!;
      weights.sums[at]! += m;
      weights.squares[at]! += m * m;
    }
  }

  /** Around the baseline's mean, in its standard deviations, so that nothing cancels. */
  private addMoment(window: number, x: number, weight: number): void {
    const { moments } = this;
    if (moments === null) return;
    const { center, unit } = this.column.moments!;
    const d = (x - center) / unit;
    moments[3 * window]! += weight;
    moments[3 * window + 1]! += weight * d;
    moments[3 * window + 2]! += weight * d * d;
  }
}

/** Cells of one column, put together from ranges of windows in their order. */
class CellParts {
  readonly moments: Float64Array | null;
  private readonly offsets: Uint32Array;
  private readonly places: Uint16Array[] = [];
  private readonly rows: Float64Array[] = [];
  private readonly sums: Float64Array[] = [];
  private readonly squares: Float64Array[] = [];
  private readonly weighted: boolean;
  private window = 0;
  private length = 0;

  constructor(column: CellColumn, windows: number, weighted: boolean) {
    this.moments = column.moments === null ? null : new Float64Array(3 * windows);
    this.offsets = new Uint32Array(windows + 1);
    this.weighted = weighted;
  }

  append({ rows, width, weights }: Counters): void {
    let used = 0;
    for (let at = 0; at < rows.length; at++) if (rows[at]! > 0) used++;
    const places = new Uint16Array(used);
    const counts = new Float64Array(used);
    const sums = new Float64Array(weights === null ? 0 : used);
    const squares = new Float64Array(weights === null ? 0 : used);
    let next = 0;
    for (let from = 0; from < rows.length; from += width) {
      for (let place = 0; place < width; place++) {
        if (rows[from + place] === 0) continue;
        places[next] = place;
        counts[next] = rows[from + place]!;
        if (weights !== null) {
          sums[next] = weights.sums[from + place]!;
          squares[next] = weights.squares[from + place]!;
        }
        next++;
      }
      this.window++;
      this.offsets[this.window] = this.length + next;
    }
    this.length += used;
    this.places.push(places);
    this.rows.push(counts);
    this.sums.push(sums);
    this.squares.push(squares);
  }

  cells(): ColumnCells {
    const joined = (parts: readonly Float64Array[]): Float64Array => {
      if (parts.length === 1) return parts[0]!;
      const all = new Float64Array(this.length);
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    };
    const places = new Uint16Array(this.length);
    let at = 0;
    for (const part of this.places) {
      places.set(part, at);
      at += part.length;
    }
    return {
      offsets: this.offsets,
      places,
      rows: joined(this.rows),
      weights: this.weighted ? { sums: joined(this.sums), squares: joined(this.squares) } : null,
      moments: this.moments,
    };
  }
}
