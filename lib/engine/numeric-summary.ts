/**
 * What is kept of the numeric columns beside their bins: least and greatest value, and the exact sums of the moments.
 * A value is binned and summed here; the counts themselves lie with those of the other columns.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { MOMENT_LIMIT, MomentSums, type Moments } from './moments.ts';
import type { ColumnTable, NumericShapeColumn, Shape } from './shape.ts';
import type { WeightSums } from './weights.ts';

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
  /** Of each column after the last `add`; read for the event at hand only. */
  readonly fixed: Float64Array;

  constructor(shape: Shape) {
    const { length } = shape.columns;
    this.shape = shape;
    this.table = shape.table;
    this.moments = new MomentSums(length);
    this.min = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
    this.clamped = new Float64Array(length);
    this.fixed = new Float64Array(length);
  }

  /** To be called for each event, before its values. */
  event(): void {
    this.moments.row();
  }

  /** Adds a finite value. Returns its bin. */
  add(column: number, value: number): number {
    if (value < this.min[column]!) this.min[column] = value;
    if (value > this.max[column]!) this.max[column] = value;
    const { centers, inverses, bins } = this.table;
    const inverse = inverses[column]!;
    if (inverse !== 0) {
      let q = Math.round((value - centers[column]!) * inverse);
      if (q > MOMENT_LIMIT || q < -MOMENT_LIMIT) {
        q = q > 0 ? MOMENT_LIMIT : -MOMENT_LIMIT;
        this.clamped[column]! += 1;
      }
      this.fixed[column] = q;
      this.moments.add(column, q);
    }
    return bins.find(column, value);
  }

  /** The value added last to this column, with its weight in whole units. */
  addWeighted(column: number, weight: number): void {
    if (this.table.inverses[column] !== 0) this.moments.addWeighted(column, this.fixed[column]!, weight);
  }

  promote(): void {
    this.moments.promote();
  }

  merge(other: NumericSummaries): void {
    this.moments.merge(other.moments);
    for (let column = 0; column < this.min.length; column++) {
      this.min[column] = Math.min(this.min[column]!, other.min[column]!);
      this.max[column] = Math.max(this.max[column]!, other.max[column]!);
      this.clamped[column]! += other.clamped[column]!;
    }
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
    }
  }

  static read(reader: ByteReader, shape: Shape, weighted: boolean): NumericSummaries {
    const summaries = new NumericSummaries(shape);
    summaries.moments = MomentSums.read(reader, shape.columns.length, weighted);
    for (const column of shape.columns) {
      if (column.type !== 'numeric') continue;
      const any = reader.byte();
      if (any > 1) throw reader.corrupt('neither with values nor without');
      if (any === 0) continue;
      const min = reader.double();
      const max = reader.double();
      if (min > max) throw reader.corrupt('a minimum above its maximum');
      summaries.min[column.index] = min;
      summaries.max[column.index] = max;
      summaries.clamped[column.index] = reader.varint();
    }
    return summaries;
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
