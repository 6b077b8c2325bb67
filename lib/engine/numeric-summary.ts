/**
 * What is kept of the numeric columns beside their bins: least and greatest value, and the exact sums of the moments.
 * A value is binned and summed here; the counts themselves lie with those of the other columns.
 */
import { TALLY_LIMIT } from './bin-table.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { type FixedBin, FixedBins } from './fixed-bins.ts';
import { MOMENT_LIMIT, MomentSums, type Moments } from './moments.ts';
import type { ColumnTable, NumericShapeColumn, Shape } from './shape.ts';
import type { WeightSums } from './weights.ts';

/** Values of a column that are counted together: its edges and counts then stay in the nearest cache meanwhile. */
const DEPTH = TALLY_LIMIT;

/** Maps of an unexpected order after which the order is learned anew. */
const PATIENCE = 4;
/** Features left out in a row that are looked past before names are looked up. */
const SKIPPED = 8;

const NO_VALUES = new Float64Array();

/** Numeric features in the order of the shape. Never changed: a summary that learns another order makes its own. */
interface Layout {
  readonly names: readonly string[];
  readonly columns: Int32Array;
}

const layouts = new WeakMap<Shape, Layout>();

function layoutOf(shape: Shape): Layout {
  let layout = layouts.get(shape);
  if (layout === undefined) {
    const features = shape.columns.filter(({ type, role }) => type === 'numeric' && role === 'feature');
    layout = {
      names: features.map(({ index }) => shape.table.names[index]!),
      columns: Int32Array.from(features, ({ index }) => index),
    };
    layouts.set(shape, layout);
  }
  return layout;
}

export interface NumericDetails {
  readonly moments: Moments | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Values taken as nearer to the center than they are. */
  readonly clamped: number;
}

export class NumericSummaries {
  private readonly shape: Shape;
  private readonly table: ColumnTable;
  private moments: MomentSums;
  private readonly min: Float64Array;
  private readonly max: Float64Array;
  private readonly clamped: Float64Array;
  private readonly counts: Float64Array;
  /** Values that are not counted yet, DEPTH places a column (none before the first event), and how many of them there are. */
  private waiting: Float64Array = NO_VALUES;
  private readonly waitingSizes: Int32Array;
  /** Numeric features in the order in which producers send them, a guess: first that of the shape. */
  private layoutNames: readonly string[];
  private layoutColumns: Int32Array;
  private strangeOrders = 0;
  /** Columns that the event at hand was pushed to. */
  private readonly pushed: Int32Array;
  /** By column, those of numbers: while a baseline is learned. */
  private readonly learned: readonly FixedBins[] | null;
  /** Of each column after the last `add`; read for the event at hand only. */
  readonly fixed: Float64Array;

  /** `counts`: where bins are counted, as the shape lays them out. */
  constructor(shape: Shape, counts: Float64Array) {
    const { length } = shape.columns;
    this.shape = shape;
    this.table = shape.table;
    this.moments = new MomentSums(length);
    this.min = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
    this.clamped = new Float64Array(length);
    this.fixed = new Float64Array(length);
    this.counts = counts;
    this.waitingSizes = new Int32Array(length);
    this.pushed = new Int32Array(length);
    this.learned = shape.learning ? shape.columns.map(() => new FixedBins()) : null;
    const { names, columns } = layoutOf(shape);
    this.layoutColumns = columns;
    this.layoutNames = names;
  }

  /** To be called for each event, before its values. */
  event(): void {
    // Most profiles are read and merged, and never see an event.
    if (this.waiting.length === 0) this.waiting = new Float64Array(this.waitingSizes.length * DEPTH);
    this.moments.row();
  }

  /**
   * Pushes the finite numbers of a map, if all of it is as expected: names in the order of the layout (some may be left out),
   * numbers or null. Otherwise does nothing and returns false. No calls in the loop, for the sake of speed.
   */
  pushAll(map: Readonly<Record<string, unknown>>): boolean {
    const { layoutNames, layoutColumns, waiting, waitingSizes, pushed } = this;
    let place = 0;
    let count = 0;
    for (const name in map) {
      const value = map[name];
      for (let skipped = 0; layoutNames[place] !== name; skipped++) {
        if (skipped === SKIPPED) {
          this.strangeOrders++;
          return false;
        }
        place++;
      }
      const column = layoutColumns[place]!;
      place++;
      if (typeof value === 'number') {
        // A number less itself is 0 unless it is not finite.
        if (value - value !== 0) return false;
        waiting[column * DEPTH + waitingSizes[column]!] = value;
        pushed[count++] = column;
      } else if (value !== null) return false;
    }
    let full = false;
    for (let i = 0; i < count; i++) {
      const column = pushed[i]!;
      const size = waitingSizes[column]! + 1;
      waitingSizes[column] = size;
      if (size === DEPTH) full = true;
    }
    if (full) this.settleFull();
    return true;
  }

  /** Counts a finite value, not necessarily at once: `settle` before anything is read. */
  push(column: number, value: number): void {
    const size = this.waitingSizes[column]!;
    this.waiting[column * DEPTH + size] = value;
    this.waitingSizes[column] = size + 1;
    if (size + 1 === DEPTH) this.settleColumn(column);
  }

  /** Counts what is waiting. */
  settle(): void {
    for (let column = 0; column < this.waitingSizes.length; column++) this.settleColumn(column);
  }

  /** Counts a finite value at once. Returns its slot. */
  add(column: number, value: number): number {
    if (value < this.min[column]!) this.min[column] = value;
    if (value > this.max[column]!) this.max[column] = value;
    const { centers, inverses, bins, offsets } = this.table;
    const inverse = inverses[column]!;
    if (inverse !== 0) {
      let q = Math.floor((value - centers[column]!) * inverse + 0.5);
      if (q > MOMENT_LIMIT || q < -MOMENT_LIMIT) {
        q = q > 0 ? MOMENT_LIMIT : -MOMENT_LIMIT;
        this.clamped[column]! += 1;
      }
      this.fixed[column] = q;
      this.moments.add(column, q);
    }
    this.learned?.[column]?.add(value);
    const slot = offsets[column]! + bins.find(column, value);
    this.counts[slot]! += 1;
    return slot;
  }

  /** The value added last to this column, with its weight in whole units. */
  addWeighted(column: number, weight: number): void {
    if (this.table.inverses[column] !== 0) this.moments.addWeighted(column, this.fixed[column]!, weight);
  }

  promote(): void {
    this.moments.promote();
  }

  /** Both settled. */
  merge(other: NumericSummaries): void {
    this.moments.merge(other.moments);
    for (let column = 0; column < this.min.length; column++) {
      this.min[column] = Math.min(this.min[column]!, other.min[column]!);
      this.max[column] = Math.max(this.max[column]!, other.max[column]!);
      this.clamped[column]! += other.clamped[column]!;
      const learned = other.learned?.[column];
      if (learned !== undefined) this.learned?.[column]?.merge(learned);
    }
  }

  /** Settled. Ascending; `null` unless a baseline is learned. */
  fixedBins(column: number): FixedBin[] | null {
    return this.learned?.[column]?.bins() ?? null;
  }

  details(column: NumericShapeColumn, counts: Float64Array, weights: WeightSums | null): NumericDetails {
    const { index } = column;
    const min = this.min[index]!;
    const max = this.max[index]!;
    const any = min <= max;
    return {
      moments: any ? this.momentsOf(column, counts, weights) : null,
      // Zero has one sign here: which of two came first must not show.
      min: any ? min + 0 : null,
      max: any ? max + 0 : null,
      clamped: this.clamped[index]!,
    };
  }

  write(writer: ByteWriter): void {
    this.moments.write(writer);
    for (const column of this.shape.columns) {
      if (column.type !== 'numeric') continue;
      const min = this.min[column.index]!;
      const max = this.max[column.index]!;
      writer.byte(min <= max ? 1 : 0);
      if (min > max) continue;
      writer.double(min + 0);
      writer.double(max + 0);
      writer.varint(this.clamped[column.index]!);
      this.learned?.[column.index]?.write(writer);
    }
  }

  /** Into an empty one. */
  read(reader: ByteReader, weighted: boolean): void {
    this.moments = MomentSums.read(reader, this.shape.columns.length, weighted);
    for (const column of this.shape.columns) {
      if (column.type !== 'numeric') continue;
      const any = reader.byte();
      if (any > 1) throw reader.corrupt('neither with values nor without');
      if (any === 0) continue;
      const min = reader.double();
      const max = reader.double();
      if (min > max) throw reader.corrupt('a minimum above its maximum');
      this.min[column.index] = min;
      this.max[column.index] = max;
      this.clamped[column.index] = reader.varint();
      this.learned?.[column.index]?.merge(FixedBins.read(reader, this.counts[column.offset]!));
    }
  }

  /** After `pushAll` refused a map several times for its order, takes over that order. */
  learnOrder(map: Readonly<Record<string, unknown>>): void {
    if (this.strangeOrders < PATIENCE) return;
    this.strangeOrders = 0;
    const { names, numeric } = this.table;
    const isNumber = (column: number) => numeric[column] === 1 && names[column] !== '';
    const seen = Object.keys(map).map((name) => this.shape.features.get(name)?.index ?? -1);
    const order = new Set([...seen, ...this.layoutColumns].filter((column) => column >= 0 && isNumber(column)));
    this.layoutColumns = Int32Array.from(order);
    this.layoutNames = Array.from(order, (column) => names[column]!);
  }

  private settleFull(): void {
    for (let column = 0; column < this.waitingSizes.length; column++)
      if (this.waitingSizes[column] === DEPTH) this.settleColumn(column);
  }

  private settleColumn(column: number): void {
    const size = this.waitingSizes[column]!;
    if (size === 0) return;
    this.waitingSizes[column] = 0;
    const { centers, inverses, bins, offsets } = this.table;
    const { waiting } = this;
    const from = column * DEPTH;
    const to = from + size;
    bins.tally(column, waiting, from, to, this.counts, offsets[column]!);
    this.learned?.[column]?.addAll(waiting, from, to);
    let min = this.min[column]!;
    let max = this.max[column]!;
    for (let i = from; i < to; i++) {
      const value = waiting[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.min[column] = min;
    this.max[column] = max;
    const inverse = inverses[column]!;
    if (inverse !== 0)
      this.clamped[column]! += this.moments.addValues(column, waiting, from, to, centers[column]!, inverse);
  }

  private momentsOf(column: NumericShapeColumn, counts: Float64Array, weights: WeightSums | null): Moments | null {
    if (column.moments === null) return null;
    const { center, unit } = column.moments;
    let count = 0;
    let weight = 0n;
    for (let slot = column.offset; slot < column.offset + column.bins; slot++) {
      count += counts[slot]!;
      if (weights !== null) weight += weights.weight(slot);
    }
    return weights === null
      ? this.moments.of(column.index, BigInt(count), center, unit)
      : this.moments.weightedOf(column.index, weight, center, unit);
  }
}
