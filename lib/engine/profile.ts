/**
 * The profile: a mergeable summary of the events of one model version, small whatever their number. Its bytes are a function
 * of the multiset of events and of the shape: order, batches and the tree of merges leave no trace.
 *
 * All counts of all columns lie in one array; the shape says where. Missing is never counted: it is the rows less what was
 * counted. A feature counts once an event: its value of the right type, else one of the wrong type, else its `invalid` text.
 */
import { type ByteReader, ByteWriter, checksum } from './bytes.ts';
import { CategorySummaries } from './category-summary.ts';
import type { WindowCounts } from './column-counts.ts';
import { type ColumnView, NO_DETAILS, viewColumn } from './column-view.ts';
import type { ReadEvent } from './event-reader.ts';
import type { FixedBin } from './fixed-bins.ts';
import { IdSketch } from './id-sketch.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { NameCounts } from './name-counts.ts';
import { NumericSummaries } from './numeric-summary.ts';
import { type ProfileHeader, readProfileHeader, ShapeMismatchError, writeProfileHeader } from './profile-header.ts';
import { Segmentation } from './segment-counts.ts';
import { type SegmentView, segmentViews } from './segment-views.ts';
import { columnAt, type Shape, type ShapeColumn } from './shape.ts';
import { asSquare, asWeight, SQUARE_UNITS, squareUnits, WEIGHT_UNITS, WeightSums, weightUnits } from './weights.ts';

/** Names of unknown features with counts of their own. */
export const NEW_FEATURES_KEPT = 16;

type ValueMap = Readonly<Record<string, unknown>>;

export class Profile implements WindowCounts {
  readonly shape: Shape;
  rows = 0;
  /** Rows that are requests of which the response comes apart: columns of the prediction have no row for them. */
  private requests = 0;
  /** Responses that came apart: rows of those columns alone. */
  private responses = 0;
  latency = new LatencyHistogram();
  private readonly counts: Float64Array;
  /** Of the slots, then of the rows; present once a weight was not 1. */
  private weights: WeightSums | null = null;
  private readonly numbers: NumericSummaries;
  private categories: CategorySummaries;
  private ids = new IdSketch();
  private strangers = new NameCounts(NEW_FEATURES_KEPT);
  private strangerRows = 0;
  private segmentations: Segmentation[];
  /** Whether the slots of each event are needed, for its weight or its segments. */
  private detailed: boolean;
  /** Of the event being folded: for each column the slot that counted it, or -1. */
  private readonly touched: Int32Array;
  /** For each categorical column the one that followed it in the last event; guesses only. The last one is the beginning. */
  private readonly following: Int32Array;

  constructor(shape: Shape) {
    this.shape = shape;
    this.counts = new Float64Array(shape.slots + 1);
    this.numbers = new NumericSummaries(shape, this.counts);
    this.categories = new CategorySummaries(shape);
    this.segmentations = shape.segments.map((rule) => new Segmentation(shape, rule));
    this.detailed = shape.segments.length > 0;
    this.touched = new Int32Array(shape.columns.length);
    this.following = new Int32Array(shape.columns.length + 1);
  }

  get shapeDigest(): string {
    return this.shape.digest;
  }

  /** Σw; the rows when every weight was 1. */
  get weightedRows(): number {
    return this.weights === null ? this.rows : asWeight(this.weights.weight(this.shape.slots));
  }

  /** (Σw)² / Σw²: how many rows of equal weight would tell as much. */
  get effectiveRows(): number {
    if (this.weights === null) return this.rows;
    return this.weightedRows ** 2 / asSquare(this.weights.square(this.shape.slots));
  }

  /** Adds an inference. Labels have no place in a profile: TypeError. */
  fold(event: ReadEvent): void {
    if (event.kind !== 'inference') throw new TypeError('fold: an inference is required, got a label');
    if (event.weight !== 1) this.promote();
    if (this.detailed) this.touched.fill(-1);
    if (event.half === 'response') {
      this.foldResponse(event);
      return;
    }
    if (event.half === 'request') this.requests++;
    this.rows++;
    this.numbers.event();
    if (event.numeric !== null && (this.detailed || !this.numbers.pushAll(event.numeric)))
      this.foldNumeric(event.numeric, event);
    if (event.categorical !== null) this.foldCategorical(event.categorical, event);
    if (event.invalid !== null) this.foldInvalid(event.invalid, event);
    this.foldPrediction(event);
    this.ids.add(event.id);
    if (event.latencyMs !== null) this.latency.add(event.latencyMs);
    if (this.detailed) this.foldDetails(event);
  }

  /** The half that is no row: what it tells belongs to the columns of the prediction. */
  private foldResponse(event: ReadEvent): void {
    this.responses++;
    this.numbers.event();
    this.foldPrediction(event);
    if (event.latencyMs !== null) this.latency.add(event.latencyMs);
    if (this.weights !== null) this.foldWeights(this.weights, WEIGHT_UNITS, SQUARE_UNITS);
  }

  private foldPrediction(event: ReadEvent): void {
    const { score, prediction } = this.shape;
    if (score !== null && event.score !== null) this.foldValue(score.index, event.score);
    if (prediction !== null && event.predicted !== null) {
      // A class may be sent as a number (0, 1): it is the same class as its text.
      const { predicted } = event;
      this.foldValue(
        prediction.index,
        typeof predicted === 'number' && prediction.type === 'categorical' ? String(predicted) : predicted,
      );
    }
  }

  merge(other: Profile): void {
    if (other.shapeDigest !== this.shapeDigest)
      throw new ShapeMismatchError(`a profile of shape ${other.shapeDigest} cannot be merged into ${this.shapeDigest}`);
    this.numbers.settle();
    other.numbers.settle();
    if (other.weights !== null) this.promote();
    this.weights?.merge(other.weights ?? WeightSums.ofCounts(other.withRows()));
    this.rows += other.rows;
    this.requests += other.requests;
    this.responses += other.responses;
    for (let slot = 0; slot < this.counts.length; slot++) this.counts[slot]! += other.counts[slot]!;
    this.numbers.merge(other.numbers);
    this.categories.merge(other.categories);
    this.ids.merge(other.ids);
    this.latency.merge(other.latency);
    this.strangerRows += other.strangerRows;
    this.strangers.merge(other.strangers);
    for (const [i, segmentation] of this.segmentations.entries())
      segmentation.merge(other.segmentations[i]!, this.weights !== null);
  }

  column(index: number): ColumnView {
    const column = columnAt(this.shape, index);
    this.numbers.settle();
    const place = { offset: column.offset, count: column.bins, shownIn: null };
    const details =
      column.type === 'numeric'
        ? { ...this.numbers.details(column, this.counts, this.weights), unseenTop: [] }
        : { ...NO_DETAILS, unseenTop: this.categories.top(index) };
    const { counts, weights } = this;
    const beyondSlot = this.beyondRows(column);
    const source = { rows: this.rows + beyondSlot, counts, weights, rowsSlot: this.shape.slots, beyondSlot };
    return viewColumn(column, source, place, details);
  }

  /** Counts of a number in bins that need no data, ascending; `null` unless a baseline is learned. */
  fixedBins(index: number): FixedBin[] | null {
    this.numbers.settle();
    return columnAt(this.shape, index).type === 'numeric' ? this.numbers.fixedBins(index) : null;
  }

  /** The kept values of each segmentation and what is left over of it. Counts are those of groups of bins, shown in their first. */
  segments(): SegmentView[] {
    if (this.segmentations.length === 0) return [];
    this.numbers.settle();
    const { shape, counts, weights } = this;
    return segmentViews(this.segmentations, { shape, counts, weights, rows: this.rows });
  }

  /** Exact up to 1,024; then an estimate with a standard error of 0.8 %. */
  distinctIds(): number {
    return this.ids.estimate();
  }

  /** Features that the shape does not know, with the rows that carried them: the 16 with the smallest hash, most frequent first. */
  newFeatures(): { readonly name: string; readonly rows: number }[] {
    return this.strangers.top().map(([name, rows]) => ({ name, rows }));
  }

  /** Values of unknown features, those that `newFeatures` does not list included. */
  get newFeatureValues(): number {
    return this.strangerRows;
  }

  /** Canonical: equal for profiles of the same events and shape. */
  encode(): Uint8Array {
    this.numbers.settle();
    const writer = new ByteWriter();
    const halved = this.requests > 0 || this.responses > 0;
    writeProfileHeader(writer, { weighted: this.weights !== null, halved, digest: this.shapeDigest });
    writer.varint(this.rows);
    if (halved) {
      writer.varint(this.requests);
      writer.varint(this.responses);
    }
    writer.counts(this.counts.subarray(0, this.shape.slots));
    this.weights?.write(writer, this.withRows());
    this.numbers.write(writer);
    this.categories.write(writer);
    this.ids.write(writer);
    this.latency.write(writer);
    writer.varint(this.strangerRows);
    this.strangers.write(writer);
    for (const segmentation of this.segmentations) segmentation.write(writer);
    writer.raw(checksum(writer.finish()));
    return writer.finish();
  }

  /** Throws CorruptPackError, UnsupportedVersionError or ShapeMismatchError, nothing else, whatever the bytes. */
  static decode(bytes: Uint8Array, shape: Shape): Profile {
    const { reader, ...header } = readProfileHeader(bytes, shape);
    const profile = new Profile(shape);
    profile.read(reader, header);
    reader.end();
    return profile;
  }

  private read(reader: ByteReader, { weighted, halved }: Pick<ProfileHeader, 'weighted' | 'halved'>): void {
    const { shape, counts } = this;
    this.rows = reader.varint();
    if (halved) {
      this.requests = reader.varint();
      this.responses = reader.varint();
      if (this.requests > this.rows) throw reader.corrupt('more requests than rows');
    }
    reader.counts(counts.subarray(0, shape.slots));
    for (const column of shape.columns) {
      const { index, offset, bins } = column;
      let sum = 0;
      for (let slot = offset; slot < offset + bins + 2; slot++) sum += counts[slot]!;
      if (sum > this.rows + this.beyondRows(column)) throw reader.corrupt(`more values than rows in column ${index}`);
    }
    if (weighted) {
      this.weights = WeightSums.read(reader, this.withRows());
      this.detailed = true;
    }
    this.numbers.read(reader, weighted);
    this.categories = CategorySummaries.read(reader, shape, counts);
    this.ids = IdSketch.read(reader);
    this.latency = LatencyHistogram.read(reader);
    this.strangerRows = reader.varint();
    this.strangers = NameCounts.read(reader, NEW_FEATURES_KEPT, this.strangerRows);
    this.segmentations = shape.segments.map((rule) => Segmentation.read(reader, shape, rule, weighted));
  }

  /** What `pushAll` does not take: all that is unexpected, and events whose slots are needed. */
  private foldNumeric(map: ValueMap, event: ReadEvent): void {
    const { numeric } = this.shape.table;
    for (const name in map) {
      const value = map[name];
      if (value === null) continue;
      const column = this.find(name);
      if (column < 0) this.foldStranger(name);
      else if (typeof value === 'number' && numeric[column] === 1 && Number.isFinite(value))
        this.foldNumber(column, value);
      else this.foldOddNumber(column, value, event);
    }
    this.numbers.learnOrder(map);
  }

  /** Names come in the same order event after event, so each is guessed from the one before. */
  private foldCategorical(map: ValueMap, event: ReadEvent): void {
    const { names, numeric } = this.shape.table;
    const { following } = this;
    let previous = this.touched.length;
    for (const name in map) {
      const value = map[name];
      let column = following[previous]!;
      if (names[column] !== name) {
        column = this.find(name);
        if (column < 0) {
          if (value !== null && !holds(event.numeric, name)) this.foldStranger(name);
          continue;
        }
        following[previous] = column;
      }
      previous = column;
      if (typeof value === 'string' && numeric[column] === 0) this.foldCategory(column, value);
      // A number may have come in its own map; a value of the wrong type counts only when none did.
      else if (value !== null && (numeric[column] === 0 || !holds(event.numeric, name))) this.foldWrongType(column);
    }
  }

  private find(name: string): number {
    return this.shape.features.get(name)?.index ?? -1;
  }

  private foldCategory(column: number, value: string): void {
    const { offsets, ends, vocabularies } = this.shape.table;
    const bin = vocabularies[column]!.find(value);
    if (bin >= 0) this.count(column, offsets[column]! + bin);
    else {
      this.count(column, ends[column]!);
      this.categories.addUnseen(column, value);
    }
  }

  /** What stands in `numeric` and is no finite number of a numeric feature. */
  private foldOddNumber(column: number, value: unknown, event: ReadEvent): void {
    const { numeric, ends, names } = this.shape.table;
    if (numeric[column] === 0) {
      if (!holds(event.categorical, names[column]!)) this.foldWrongType(column);
    } else if (typeof value === 'number') this.count(column, ends[column]!);
    else this.foldWrongType(column);
  }

  private foldValue(column: number, value: string | number): void {
    const { numeric } = this.shape.table;
    if (numeric[column] === 1 && typeof value === 'number' && Number.isFinite(value)) this.foldNumber(column, value);
    else if (numeric[column] === 0 && typeof value === 'string') this.foldCategory(column, value);
    else this.foldWrongType(column);
  }

  private foldNumber(column: number, value: number): void {
    if (this.detailed) this.touched[column] = this.numbers.add(column, value);
    else this.numbers.push(column, value);
  }

  private foldInvalid(invalid: Readonly<Record<string, string>>, event: ReadEvent): void {
    for (const name in invalid) {
      if (holds(event.numeric, name) || holds(event.categorical, name)) continue;
      const column = this.find(name);
      if (column < 0) this.foldStranger(name);
      else this.foldWrongType(column);
    }
  }

  private foldStranger(name: string): void {
    if (this.shape.ignored.has(name)) return;
    this.strangerRows++;
    this.strangers.add(name, 1);
  }

  private foldWrongType(column: number): void {
    this.count(column, this.shape.table.ends[column]! + 1);
  }

  private count(column: number, slot: number): void {
    this.counts[slot]! += 1;
    this.touched[column] = slot;
  }

  /** Weights and segments of the event just counted. */
  private foldDetails(event: ReadEvent): void {
    const { touched, weights, shape } = this;
    const weight = weightUnits(event.weight);
    const square = squareUnits(weight);
    if (weights !== null) {
      weights.add(shape.slots, weight, square);
      this.foldWeights(weights, weight, square);
    }
    for (const [i, { by }] of shape.segments.entries()) {
      const named = ownText(event.segment, by) ?? ownText(event.categorical, by);
      const value = named === null ? null : this.segmentations[i]!.find(named, weights !== null);
      value?.add(touched, weight, square);
    }
  }

  private foldWeights(weights: WeightSums, weight: number, square: number): void {
    const { touched } = this;
    const { numeric, ends } = this.shape.table;
    for (let column = 0; column < touched.length; column++) {
      const slot = touched[column]!;
      if (slot < 0) continue;
      weights.add(slot, weight, square);
      if (numeric[column] === 1 && slot < ends[column]!) this.numbers.addWeighted(column, weight);
    }
  }

  /** Rows that a column has beyond those of the profile: of what a request lacks, and a response alone has. */
  private beyondRows({ role }: ShapeColumn): number {
    return role === 'feature' ? 0 : this.responses - this.requests;
  }

  private promote(): void {
    if (this.weights !== null) return;
    this.detailed = true;
    this.numbers.settle();
    this.weights = WeightSums.ofCounts(this.withRows());
    this.numbers.promote();
    for (const segmentation of this.segmentations) segmentation.promote();
  }

  /** The counts, with the rows in the slot after them. */
  private withRows(): Float64Array {
    this.counts[this.shape.slots] = this.rows;
    return this.counts;
  }
}

function holds(map: ValueMap | null, name: string): boolean {
  return map !== null && Object.hasOwn(map, name) && map[name] !== null;
}

function ownText(map: ValueMap | null, name: string): string | null {
  if (map === null || !Object.hasOwn(map, name)) return null;
  const value = map[name];
  return typeof value === 'string' ? value : null;
}
