/** Counts of many windows, kept sparse, and any run of neighbouring windows put together as one. */
import type { ColumnCounts, LatencyCounts, WeightedCounts, WindowCounts } from '../engine/column-counts.ts';
import { LATENCY_SCALE } from '../engine/latency-histogram.ts';
import type { Shape, ShapeColumn } from '../engine/shape.ts';

/** Unseen categories that are named, of a run of windows. */
const UNSEEN = 32;

interface Cell {
  /** Bin; after the bins: not finite or unseen, wrong type, missing. */
  readonly place: number;
  readonly rows: number;
  readonly weight: number;
  readonly squares: number;
}

export interface ColumnCells {
  /** By window: the places with rows. */
  readonly windows: readonly Cell[][];
  /** By window Σw, Σwd, Σwd², d = (x - center) / unit; `null` for categories. */
  readonly moments: Float64Array | null;
  readonly center: number;
  readonly unit: number;
  /** Unseen categories by window, most frequent first. */
  readonly unseen: Map<number, [string, number][]>;
}

export interface CountedInput {
  readonly shape: Shape;
  readonly rows: readonly number[];
  readonly weighted: readonly number[];
  readonly cells: readonly ColumnCells[];
  /** By window: rows by bucket, `null` for zero. */
  readonly latency: readonly ReadonlyMap<number | null, number>[] | null;
}

export class CountedWindows {
  private readonly input: CountedInput;

  constructor(input: CountedInput) {
    this.input = input;
  }

  rowsOf(window: number): number {
    return this.input.rows[window] ?? 0;
  }

  /** Windows `from` up to and without `to` as one. `distinct`: ids in it; `null` when rows have none. */
  between(from: number, to: number, distinct: number | null): WindowCounts {
    const { shape, rows, weighted, cells } = this.input;
    const total = sum(rows, from, to);
    return {
      rows: total,
      weightedRows: sum(weighted, from, to),
      column: (index) => columnCounts(shape.columns[index]!, cells[index]!, from, to),
      segments: () => [],
      latency: this.latency(from, to),
      distinctIds: () => distinct ?? total,
      newFeatures: () => [],
    };
  }

  private latency(from: number, to: number): LatencyCounts {
    const buckets = new Map<number, number>();
    let count = 0;
    let zero = 0;
    for (const window of this.input.latency?.slice(from, to) ?? [])
      for (const [bucket, rows] of window) {
        count += rows;
        if (bucket === null) zero += rows;
        else buckets.set(bucket, (buckets.get(bucket) ?? 0) + rows);
      }
    return { count, zero, scale: LATENCY_SCALE, buckets: [...buckets].sort(([a], [b]) => a - b) };
  }
}

function columnCounts(column: ShapeColumn, cells: ColumnCells, from: number, to: number): ColumnCounts {
  const places = column.type === 'numeric' ? column.groupCount : column.bins;
  const bins = new Float64Array(column.bins);
  const w = new Float64Array(column.bins);
  const w2 = new Float64Array(column.bins);
  // Not finite or unseen, wrong type, missing: rows, Σw, Σw².
  const rest = [0, 1, 2].map(() => ({ rows: 0, weight: 0, squares: 0 }));
  let isWeighted = false;
  for (let window = from; window < to; window++)
    for (const { place, rows, weight, squares } of cells.windows[window] ?? []) {
      if (weight !== rows || squares !== rows) isWeighted = true;
      const other = rest[place - places];
      if (other !== undefined) {
        other.rows += rows;
        other.weight += weight;
        other.squares += squares;
        continue;
      }
      const bin = column.type === 'numeric' ? column.firstOfGroup[place]! : place;
      bins[bin]! += rows;
      w[bin]! += weight;
      w2[bin]! += squares;
    }
  const [first, invalid, missing] = rest as [(typeof rest)[0], (typeof rest)[0], (typeof rest)[0]];
  const numeric = column.type === 'numeric';
  const weighted: WeightedCounts | null = isWeighted
    ? {
        w,
        w2,
        missing: numeric
          ? [missing.weight + first.weight, missing.squares + first.squares]
          : [missing.weight, missing.squares],
        unseen: numeric ? [0, 0] : [first.weight, first.squares],
      }
    : null;
  const inBins = bins.reduce((all, count) => all + count, 0);
  return {
    n: inBins + first.rows + invalid.rows + missing.rows,
    missing: missing.rows,
    nonFinite: numeric ? first.rows : 0,
    invalid: invalid.rows,
    bins,
    unseen: numeric ? { total: 0, top: [] } : { total: first.rows, top: topUnseen(cells, from, to) },
    weighted,
    ...momentsOf(cells, from, to),
  };
}

function momentsOf(
  { moments, center, unit }: ColumnCells,
  from: number,
  to: number,
): { readonly mean: number | null; readonly std: number | null } {
  if (moments === null) return { mean: null, std: null };
  let w = 0;
  let a = 0;
  let b = 0;
  for (let window = from; window < to; window++) {
    w += moments[3 * window]!;
    a += moments[3 * window + 1]!;
    b += moments[3 * window + 2]!;
  }
  const mean = center + (unit * a) / w;
  const std = unit * Math.sqrt(Math.max(0, b / w - (a / w) ** 2));
  return { mean: Number.isFinite(mean) ? mean : null, std: Number.isFinite(std) ? std : null };
}

function topUnseen({ unseen }: ColumnCells, from: number, to: number): [string, number][] {
  if (to - from === 1) return unseen.get(from) ?? [];
  const all = new Map<string, number>();
  for (let window = from; window < to; window++)
    for (const [category, rows] of unseen.get(window) ?? []) all.set(category, (all.get(category) ?? 0) + rows);
  return [...all].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, UNSEEN);
}

function sum(values: readonly number[], from: number, to: number): number {
  let all = 0;
  for (let i = from; i < to; i++) all += values[i]!;
  return all;
}
