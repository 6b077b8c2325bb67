/**
 * Counts of the values of one segmentation (`by: carrier`), beside those of all rows. Each value that is kept has a count a
 * group of bins; what is left over is the difference to all rows, so it costs nothing and cannot drift apart.
 * Kept are the values that the shape names, else those with the smallest hash: the same whatever the order.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { OTHER_SEGMENT, type Shape, type ShapeSegment } from './shape.ts';
import { SmallestHash } from './smallest-hash.ts';
import { WeightSums } from './weights.ts';

/** Counts of the rows of one value: `shape.groupSlots` of them, then the number of rows. */
export class SegmentValue {
  private readonly groupOf: Int32Array;
  readonly counts: Float64Array;
  weights: WeightSums | null = null;

  constructor(shape: Shape) {
    this.groupOf = shape.groupOf;
    this.counts = new Float64Array(shape.groupSlots + 1);
  }

  /** One event. `touched`: for each column the slot of the profile that counted it, or -1. Weights in whole units. */
  add(touched: Int32Array, weight: number, square: number): void {
    const { counts, groupOf, weights } = this;
    const rows = counts.length - 1;
    counts[rows]! += 1;
    weights?.add(rows, weight, square);
    for (let column = 0; column < touched.length; column++) {
      const slot = touched[column]!;
      if (slot < 0) continue;
      counts[groupOf[slot]!]! += 1;
      weights?.add(groupOf[slot]!, weight, square);
    }
  }

  get rows(): number {
    return this.counts[this.counts.length - 1]!;
  }

  promote(): void {
    this.weights ??= WeightSums.ofCounts(this.counts);
  }

  merge(other: SegmentValue): void {
    if (other.weights !== null) this.promote();
    this.weights?.merge(other.weights ?? WeightSums.ofCounts(other.counts));
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += other.counts[i]!;
  }
}

export class Segmentation {
  private readonly shape: Shape;
  private readonly rule: ShapeSegment;
  private readonly named: ReadonlySet<string> | null;
  private readonly kept: SmallestHash<SegmentValue>;

  constructor(shape: Shape, rule: ShapeSegment) {
    this.shape = shape;
    this.rule = rule;
    this.named = rule.values === null ? null : new Set(rule.values);
    this.kept = new SmallestHash(Math.max(rule.top, 1));
  }

  /** Where the rows of `value` are counted; `null` when it is part of what is left over. */
  find(value: string, weighted: boolean): SegmentValue | null {
    if (value === OTHER_SEGMENT || (this.named !== null && !this.named.has(value))) return null;
    const found = this.kept.claim(value, () => new SegmentValue(this.shape));
    if (weighted) found?.promote();
    return found;
  }

  promote(): void {
    for (const { value } of this.kept.sorted()) value.promote();
  }

  merge(other: Segmentation, weighted: boolean): void {
    for (const { text, value } of other.kept.sorted()) this.find(text, weighted)?.merge(value);
  }

  /** `by=value`, in the baseline's order, else ascending by name. */
  values(): { readonly name: string; readonly value: SegmentValue }[] {
    const found = this.kept.sorted().map(({ text, value }) => ({ text, value }));
    const rank = (text: string) => this.rule.values?.indexOf(text) ?? 0;
    found.sort((a, b) => rank(a.text) - rank(b.text) || (a.text < b.text ? -1 : 1));
    return found.map(({ text, value }) => ({ name: `${this.rule.by}=${text}`, value }));
  }

  /** `by=other`: all rows less those kept. `all` as the counts of a SegmentValue. */
  leftOver(all: SegmentValue): { readonly name: string; readonly value: SegmentValue } {
    const rest = new SegmentValue(this.shape);
    rest.counts.set(all.counts);
    for (const { value } of this.kept.sorted())
      for (let i = 0; i < rest.counts.length; i++) rest.counts[i]! -= value.counts[i]!;
    if (all.weights !== null) {
      rest.weights = new WeightSums(rest.counts.length);
      rest.weights.merge(all.weights);
      for (const { value } of this.kept.sorted()) if (value.weights !== null) rest.weights.subtract(value.weights);
    }
    return { name: `${this.rule.by}=${OTHER_SEGMENT}`, value: rest };
  }

  write(writer: ByteWriter): void {
    const kept = this.kept.sorted();
    writer.varint(kept.length);
    for (const { text, value } of kept) {
      writer.text(text);
      writer.counts(value.counts);
      value.weights?.write(writer, value.counts);
    }
  }

  static read(reader: ByteReader, shape: Shape, rule: ShapeSegment, weighted: boolean): Segmentation {
    const segmentation = new Segmentation(shape, rule);
    const size = reader.varint();
    if (size > segmentation.kept.limit) throw reader.corrupt('too many values of a segment');
    for (let i = 0; i < size; i++) {
      const value = segmentation.find(reader.text(), false);
      if (value === null || segmentation.kept.size !== i + 1) throw reader.corrupt('an unexpected value of a segment');
      reader.counts(value.counts);
      if (weighted) value.weights = WeightSums.read(reader, value.counts);
    }
    return segmentation;
  }
}
