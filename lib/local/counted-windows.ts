/** Counts of many windows, kept sparse, and any run of neighbouring windows put together as one. */
import type { ColumnCounts, LatencyCounts, WeightedCounts, WindowCounts } from '../engine/column-counts.ts';
import { LATENCY_SCALE } from '../engine/latency-histogram.ts';
import type { Shape, ShapeColumn } from '../engine/shape.ts';
import type { ColumnCells } from './window-cells.ts';

/** Unseen categories that are named, of a run of windows. */
const UNSEEN = 32;

export interface CountedColumn extends ColumnCells {
  /** Of its moments. */
  readonly center: number;
  readonly unit: number;
  /** Unseen categories by window, most frequent first. */
  readonly unseen: ReadonlyMap<number, readonly [string, number][]>;
}

export interface CountedInput {
  readonly shape: Shape;
  readonly rows: readonly number[];
  readonly weighted: readonly number[];
  /** By column of the shape; `null` where the data do not have it. */
  readonly cells: readonly (CountedColumn | null)[];
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
      column: (index) => {
        const counted = cells[index] ?? null;
        const column = shape.columns[index]!;
        return counted === null ? absentColumn(column, total) : columnCounts(column, counted, from, to);
      },
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

/** Not in the data at all: missing in every row. */
function absentColumn({ bins }: ShapeColumn, rows: number): ColumnCounts {
  return {
    n: rows,
    missing: rows,
    nonFinite: 0,
    invalid: 0,
    bins: new Float64Array(bins),
    unseen: { total: 0, top: [] },
    weighted: null,
    mean: null,
    std: null,
  };
}

function columnCounts(column: ShapeColumn, cells: CountedColumn, from: number, to: number): ColumnCounts {
  const numeric = column.type === 'numeric';
  const places = numeric ? column.groupCount : column.bins;
  const bins = new Float64Array(column.bins);
  // Not finite or unseen, wrong type, missing.
  const rest = [0, 0, 0] as [number, number, number];
  const { offsets, places: placeOf, rows } = cells;
  let n = 0;
  for (let i = offsets[from]!; i < offsets[to]!; i++) {
    const place = placeOf[i]!;
    const count = rows[i]!;
    n += count;
    if (place >= places) rest[place - places]! += count;
    else bins[numeric ? column.firstOfGroup[place]! : place]! += count;
  }
  const [other, invalid, missing] = rest;
  return {
    n,
    missing,
    nonFinite: numeric ? other : 0,
    invalid,
    bins,
    unseen: numeric ? { total: 0, top: [] } : { total: other, top: other === 0 ? [] : topUnseen(cells, from, to) },
    weighted: weightedCounts(column, cells, from, to),
    ...momentsOf(cells, from, to),
  };
}

/** `null` when every weight is 1. */
function weightedCounts(
  column: ShapeColumn,
  { offsets, places: placeOf, rows, weights }: CountedColumn,
  from: number,
  to: number,
): WeightedCounts | null {
  if (weights === null) return null;
  const numeric = column.type === 'numeric';
  const places = numeric ? column.groupCount : column.bins;
  const w = new Float64Array(column.bins);
  const w2 = new Float64Array(column.bins);
  const rest: [number, number][] = [
    [0, 0],
    [0, 0],
    [0, 0],
  ];
  let isWeighted = false;
  for (let i = offsets[from]!; i < offsets[to]!; i++) {
    const [sum, square] = [weights.sums[i]!, weights.squares[i]!];
    if (sum !== rows[i] || square !== rows[i]) isWeighted = true;
    const other = rest[placeOf[i]! - places];
    if (other !== undefined) {
      other[0] += sum;
      other[1] += square;
      continue;
    }
    const bin = numeric ? column.firstOfGroup[placeOf[i]!]! : placeOf[i]!;
    w[bin]! += sum;
    w2[bin]! += square;
  }
  if (!isWeighted) return null;
  const [other, , missing] = rest as [[number, number], [number, number], [number, number]];
  return {
    w,
    w2,
    missing: numeric ? [missing[0] + other[0], missing[1] + other[1]] : missing,
    unseen: numeric ? [0, 0] : other,
  };
}

function momentsOf(
  { moments, center, unit }: CountedColumn,
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

function topUnseen({ unseen }: CountedColumn, from: number, to: number): (readonly [string, number])[] {
  if (to - from === 1) return [...(unseen.get(from) ?? [])];
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
