/**
 * The profile: a mergeable summary of the events of one model version, small whatever their number. Its bytes are a function
 * of the multiset of events and of the shape: order, batches and the tree of merges leave no trace.
 *
 * All counts of all columns lie in one array; the shape says where. Missing is never counted: it is the rows less what was
 * counted. A feature counts once an event: its value of the right type, else one of the wrong type, else its `invalid` text.
 */
import { ByteReader, ByteWriter, CHECKSUM_BYTES, checksum, sameBytes, UnsupportedVersionError } from './bytes.ts';
import type { SegmentCounts, WindowCounts } from './column-counts.ts';
import { type ColumnView, NO_DETAILS, type ViewPlace, type ViewSource, viewColumn } from './column-view.ts';
import type { ReadEvent } from './event-reader.ts';
import { IdSketch } from './id-sketch.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { MOMENT_LIMIT, MomentSums } from './moments.ts';
import { Segmentation, SegmentValue } from './segment-counts.ts';
import type { CategoricalShapeColumn, NumericShapeColumn, Shape, ShapeColumn } from './shape.ts';
import { SmallestHash } from './smallest-hash.ts';
import { asSquare, asWeight, squareUnits, WeightSums, weightUnits } from './weights.ts';

export const PROFILE_VERSION = 1;
/** Unseen categories of a column with counts of their own; all of them are in the total. */
export const UNSEEN_KEPT = 32;
/** Names of unknown features with counts of their own. */
export const NEW_FEATURES_KEPT = 16;
const MAGIC = 0x464c4d70;

/** Two profiles, or a profile and a shape, were made by different rules and cannot be joined. */
export class ShapeMismatchError extends Error {
  override readonly name = 'ShapeMismatchError';
}

interface Tally {
  count: number;
}
const newTally = (): Tally => ({ count: 0 });

export class Profile implements WindowCounts {
  readonly shape: Shape;
  rows = 0;
  latency = new LatencyHistogram();
  private counts: Float64Array;
  /** Of the slots, then of the rows; present once a weight was not 1. */
  private weights: WeightSums | null = null;
  private moments: MomentSums;
  private readonly min: Float64Array;
  private readonly max: Float64Array;
  private readonly clamped: Float64Array;
  private readonly unseen: (SmallestHash<Tally> | null)[];
  private ids = new IdSketch();
  private strangers = new SmallestHash<Tally>(NEW_FEATURES_KEPT);
  private strangerRows = 0;
  private segmentations: Segmentation[];
  /** Of the event being folded: for each column the slot that counted it or -1, and the fixed-point value or NaN. */
  private readonly touched: Int32Array;
  private readonly fixed: Float64Array;
  /** For each column the one that followed it in the last event; guesses only. The last two are the beginnings of the maps. */
  private readonly following: Int32Array;

  constructor(shape: Shape) {
    const columns = shape.columns.length;
    this.shape = shape;
    this.counts = new Float64Array(shape.slots + 1);
    this.moments = new MomentSums(columns);
    this.min = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
    this.max = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
    this.clamped = new Float64Array(columns);
    this.unseen = shape.columns.map(() => null);
    this.segmentations = shape.segments.map((rule) => new Segmentation(shape, rule));
    this.touched = new Int32Array(columns).fill(-1);
    this.fixed = new Float64Array(columns).fill(Number.NaN);
    this.following = new Int32Array(columns + 2);
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
    const detailed = this.weights !== null || event.weight !== 1 || this.segmentations.length > 0;
    if (detailed) {
      if (event.weight !== 1) this.promote();
      this.touched.fill(-1);
      this.fixed.fill(Number.NaN);
    }
    this.rows++;
    this.moments.row();
    if (event.numeric !== null) this.foldMap(event.numeric, event, this.touched.length);
    if (event.categorical !== null) this.foldMap(event.categorical, event, this.touched.length + 1);
    if (event.invalid !== null) this.foldInvalid(event.invalid, event);
    const { score, prediction } = this.shape;
    if (score !== null && event.score !== null) this.foldValue(score, event.score);
    if (prediction !== null && event.predicted !== null) this.foldPrediction(prediction, event.predicted);
    this.ids.add(event.id);
    if (event.latencyMs !== null) this.latency.add(event.latencyMs);
    if (detailed) this.foldDetails(event);
  }

  merge(other: Profile): void {
    if (other.shapeDigest !== this.shapeDigest)
      throw new ShapeMismatchError(`a profile of shape ${other.shapeDigest} cannot be merged into ${this.shapeDigest}`);
    if (other.weights !== null) this.promote();
    this.weights?.merge(other.weights ?? WeightSums.ofCounts(other.withRows()));
    const weighted = this.weights !== null;
    this.rows += other.rows;
    for (let slot = 0; slot < this.counts.length; slot++) this.counts[slot]! += other.counts[slot]!;
    this.moments.merge(other.moments);
    for (let column = 0; column < this.min.length; column++) {
      this.min[column] = Math.min(this.min[column]!, other.min[column]!);
      this.max[column] = Math.max(this.max[column]!, other.max[column]!);
      this.clamped[column]! += other.clamped[column]!;
      for (const { text, value } of other.unseen[column]?.sorted() ?? []) this.addUnseen(column, text, value.count);
    }
    this.ids.merge(other.ids);
    this.latency.merge(other.latency);
    this.strangerRows += other.strangerRows;
    for (const { text, value } of other.strangers.sorted()) add(this.strangers, text, value.count);
    this.segmentations.forEach((segmentation, i) => {
      segmentation.merge(other.segmentations[i]!, weighted);
    });
  }

  column(index: number): ColumnView {
    const column = this.shape.columns[index];
    if (column === undefined)
      throw new RangeError(`there is no column ${index}; expected 0 to ${this.shape.columns.length - 1}`);
    const source = this.source();
    const place: ViewPlace = { offset: column.offset, count: column.bins, shownIn: null };
    if (column.type === 'categorical') {
      const unseenTop = (this.unseen[index]?.sorted() ?? [])
        .map(({ text, value }) => [text, value.count] as const)
        .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
      return viewColumn(column, source, place, { ...NO_DETAILS, unseenTop });
    }
    const any = this.min[index]! <= this.max[index]!;
    return viewColumn(column, source, place, {
      moments: this.momentsOf(column),
      min: any ? this.min[index]! + 0 : null,
      max: any ? this.max[index]! + 0 : null,
      clamped: this.clamped[index]!,
      unseenTop: [],
    });
  }

  /** The kept values of each segmentation and what is left over of it. Counts are those of groups of bins. */
  segments(): (SegmentCounts & { column(index: number): ColumnView })[] {
    if (this.segmentations.length === 0) return [];
    const all = this.grouped();
    return this.segmentations.flatMap((segmentation) =>
      [...segmentation.values(), segmentation.leftOver(all)].map(({ name, value }) => ({
        segment: name,
        rows: value.rows,
        column: (index: number) => this.segmentColumn(value, index),
      })),
    );
  }

  /** Exact up to 1,024; then an estimate with a standard error of 0.8 %. */
  distinctIds(): number {
    return this.ids.estimate();
  }

  /** Features that the shape does not know: those with the smallest hash, most frequent first. */
  newFeatures(): { readonly name: string; readonly rows: number }[] {
    return this.strangers
      .sorted()
      .map(({ text, value }) => ({ name: text, rows: value.count }))
      .sort((a, b) => b.rows - a.rows || (a.name < b.name ? -1 : 1));
  }

  /** Values of unknown features, those not listed by `newFeatures` included. */
  get newFeatureValues(): number {
    return this.strangerRows;
  }

  /** Canonical: equal for profiles of the same events and shape. */
  encode(): Uint8Array {
    const writer = new ByteWriter();
    writer.uint32(MAGIC);
    writer.byte(PROFILE_VERSION);
    writer.byte(this.weights === null ? 0 : 1);
    writer.raw(Buffer.from(this.shapeDigest, 'hex'));
    writer.varint(this.rows);
    writer.counts(this.counts.subarray(0, this.shape.slots));
    this.weights?.write(writer, this.withRows());
    this.moments.write(writer);
    for (const column of this.shape.columns) {
      if (column.type === 'numeric') this.writeNumeric(writer, column);
      else writeTallies(writer, this.unseen[column.index] ?? null);
    }
    this.ids.write(writer);
    this.latency.write(writer);
    writer.varint(this.strangerRows);
    writeTallies(writer, this.strangers);
    for (const segmentation of this.segmentations) segmentation.write(writer);
    const body = writer.finish();
    writer.raw(checksum(body));
    return writer.finish();
  }

  /** Throws CorruptPackError, UnsupportedVersionError or ShapeMismatchError, nothing else, whatever the bytes. */
  static decode(bytes: Uint8Array, shape: Shape): Profile {
    const reader = new ByteReader(bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES)), 'profile');
    if (reader.remaining < 14 || reader.uint32() !== MAGIC) throw reader.corrupt('this is no profile');
    const version = reader.byte();
    if (version > PROFILE_VERSION)
      throw new UnsupportedVersionError(
        `profile: written in version ${version} of the format, this release reads up to ${PROFILE_VERSION}; upgrade it`,
      );
    const body = bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
    if (version !== PROFILE_VERSION || !sameBytes(checksum(body), bytes.subarray(body.length)))
      throw reader.corrupt('the checksum does not fit');
    const flags = reader.byte();
    if (flags > 1) throw reader.corrupt('unknown flags');
    const digest = Buffer.from(reader.raw(8)).toString('hex');
    if (digest !== shape.digest)
      throw new ShapeMismatchError(`a profile of shape ${digest} cannot be read with shape ${shape.digest}`);
    const profile = new Profile(shape);
    profile.read(reader, flags === 1);
    reader.end();
    return profile;
  }

  private read(reader: ByteReader, weighted: boolean): void {
    const { shape } = this;
    this.rows = reader.varint();
    reader.counts(this.counts.subarray(0, shape.slots));
    for (const column of shape.columns) {
      let sum = 0;
      for (let slot = 0; slot < column.bins + 2; slot++) sum += this.counts[column.offset + slot]!;
      if (sum > this.rows) throw reader.corrupt(`more values than rows in column ${column.index}`);
    }
    if (weighted) this.weights = WeightSums.read(reader, this.withRows());
    this.moments = MomentSums.read(reader, shape.columns.length, weighted);
    for (const column of shape.columns) {
      if (column.type === 'numeric') this.readNumeric(reader, column);
      else this.unseen[column.index] = readTallies(reader, UNSEEN_KEPT, this.counts[column.offset + column.bins]!);
    }
    this.ids = IdSketch.read(reader);
    this.latency = LatencyHistogram.read(reader);
    this.strangerRows = reader.varint();
    this.strangers = readTallies(reader, NEW_FEATURES_KEPT, this.strangerRows) ?? this.strangers;
    this.segmentations = shape.segments.map((rule) => Segmentation.read(reader, shape, rule, weighted));
  }

  private foldMap(map: Readonly<Record<string, unknown>>, event: ReadEvent, beginning: number): void {
    const { columns, features } = this.shape;
    const { following } = this;
    let previous = beginning;
    for (const name in map) {
      const value = map[name];
      let column = columns[following[previous]!];
      if (column === undefined || column.name !== name || column.role !== 'feature') {
        column = features.get(name);
        if (column === undefined) {
          if (value !== null) this.foldStranger(name, map, event);
          continue;
        }
        following[previous] = column.index;
      }
      previous = column.index;
      if (value === null) continue;
      if (column.type === 'numeric') {
        if (typeof value === 'number' && map === event.numeric) this.foldNumber(column, value);
        else this.foldWrongType(column, map, event);
      } else if (typeof value === 'string' && map === event.categorical) this.foldCategory(column, value);
      else this.foldWrongType(column, map, event);
    }
  }

  private foldNumber(column: NumericShapeColumn, value: number): void {
    const { index } = column;
    if (!Number.isFinite(value)) {
      this.touch(index, column.offset + column.bins);
      return;
    }
    this.touch(index, column.offset + column.lookup.find(value));
    if (value < this.min[index]!) this.min[index] = value;
    if (value > this.max[index]!) this.max[index] = value;
    const { moments } = column;
    if (moments === null) return;
    let q = Math.round((value - moments.center) / moments.unit);
    if (q > MOMENT_LIMIT || q < -MOMENT_LIMIT) {
      q = q > 0 ? MOMENT_LIMIT : -MOMENT_LIMIT;
      this.clamped[index]! += 1;
    }
    this.fixed[index] = q;
    this.moments.add(index, q);
  }

  private foldCategory(column: CategoricalShapeColumn, value: string): void {
    const bin = column.vocabulary.get(value);
    if (bin !== undefined) {
      this.touch(column.index, column.offset + bin);
      return;
    }
    this.touch(column.index, column.offset + column.bins);
    this.addUnseen(column.index, value, 1);
  }

  private foldValue(column: ShapeColumn, value: string | number): void {
    if (column.type === 'numeric') {
      if (typeof value === 'number') this.foldNumber(column, value);
      else this.touch(column.index, column.offset + column.bins + 1);
    } else if (typeof value === 'string') this.foldCategory(column, value);
    else this.touch(column.index, column.offset + column.bins + 1);
  }

  /** A class may be sent as a number (0, 1): it is the same class as its text. */
  private foldPrediction(column: ShapeColumn, value: string | number): void {
    this.foldValue(column, column.type === 'categorical' ? String(value) : value);
  }

  /** `map` holds a value of the wrong type: it counts unless the other map has one of the right type. */
  private foldWrongType(column: ShapeColumn, map: Readonly<Record<string, unknown>>, event: ReadEvent): void {
    const right = column.type === 'numeric' ? event.numeric : event.categorical;
    if (map !== right && holds(right, column.name)) return;
    this.touch(column.index, column.offset + column.bins + 1);
  }

  private foldInvalid(invalid: Readonly<Record<string, string>>, event: ReadEvent): void {
    for (const name in invalid) {
      if (holds(event.numeric, name) || holds(event.categorical, name)) continue;
      const column = this.shape.features.get(name);
      if (column === undefined) this.foldStranger(name, invalid, event);
      else this.touch(column.index, column.offset + column.bins + 1);
    }
  }

  /** Once an event: the numeric map comes before the categorical one. */
  private foldStranger(name: string, map: Readonly<Record<string, unknown>>, event: ReadEvent): void {
    if (this.shape.ignored.has(name)) return;
    if (map === event.categorical && holds(event.numeric, name)) return;
    this.strangerRows++;
    add(this.strangers, name, 1);
  }

  private touch(column: number, slot: number): void {
    this.counts[slot]! += 1;
    this.touched[column] = slot;
  }

  private addUnseen(column: number, category: string, count: number): void {
    let kept = this.unseen[column];
    if (kept === null || kept === undefined) {
      kept = new SmallestHash<Tally>(UNSEEN_KEPT);
      this.unseen[column] = kept;
    }
    add(kept, category, count);
  }

  /** Weights and segments of the event just counted. */
  private foldDetails(event: ReadEvent): void {
    const { touched, fixed, weights } = this;
    const weight = weightUnits(event.weight);
    const square = squareUnits(weight);
    if (weights !== null) {
      weights.add(this.shape.slots, weight, square);
      for (let column = 0; column < touched.length; column++) {
        const slot = touched[column]!;
        if (slot < 0) continue;
        weights.add(slot, weight, square);
        const q = fixed[column]!;
        if (!Number.isNaN(q)) this.moments.addWeighted(column, q, weight);
      }
    }
    for (let i = 0; i < this.segmentations.length; i++) {
      const { by } = this.shape.segments[i]!;
      const named = ownText(event.segment, by) ?? ownText(event.categorical, by);
      const value = named === null ? null : this.segmentations[i]!.find(named, weights !== null);
      if (value === null) continue;
      const { counts } = value;
      const { groupOf } = this.shape;
      counts[counts.length - 1]! += 1;
      value.weights?.add(counts.length - 1, weight, square);
      for (let column = 0; column < touched.length; column++) {
        const slot = touched[column]!;
        if (slot < 0) continue;
        counts[groupOf[slot]!]! += 1;
        value.weights?.add(groupOf[slot]!, weight, square);
      }
    }
  }

  private promote(): void {
    if (this.weights !== null) return;
    this.weights = WeightSums.ofCounts(this.withRows());
    this.moments.promote();
    for (const segmentation of this.segmentations) segmentation.promote();
  }

  /** The counts, with the rows in the slot after them. */
  private withRows(): Float64Array {
    this.counts[this.shape.slots] = this.rows;
    return this.counts;
  }

  private source(): ViewSource {
    return { rows: this.rows, counts: this.counts, weights: this.weights, rowsSlot: this.shape.slots };
  }

  private momentsOf(column: NumericShapeColumn): { readonly mean: number; readonly std: number } | null {
    if (column.moments === null) return null;
    const { center, unit } = column.moments;
    let count = 0;
    let weight = 0n;
    for (let bin = 0; bin < column.bins; bin++) {
      count += this.counts[column.offset + bin]!;
      if (this.weights !== null) weight += this.weights.weight(column.offset + bin);
    }
    return this.weights === null
      ? this.moments.of(column.index, count, center, unit)
      : this.moments.weightedOf(column.index, weight, center, unit);
  }

  /** All rows, as if they were the value of a segment. */
  private grouped(): SegmentValue {
    const all = new SegmentValue(this.shape);
    const { groupOf, slots, groupSlots } = this.shape;
    if (this.weights !== null) all.weights = new WeightSums(groupSlots + 1);
    for (let slot = 0; slot < slots; slot++) {
      all.counts[groupOf[slot]!]! += this.counts[slot]!;
      if (this.weights !== null) all.weights?.addFrom(groupOf[slot]!, this.weights, slot);
    }
    all.counts[groupSlots] = this.rows;
    if (this.weights !== null) all.weights?.addFrom(groupSlots, this.weights, slots);
    return all;
  }

  private segmentColumn(value: SegmentValue, index: number): ColumnView {
    const column = this.shape.columns[index];
    if (column === undefined)
      throw new RangeError(`there is no column ${index}; expected 0 to ${this.shape.columns.length - 1}`);
    const source: ViewSource = {
      rows: value.rows,
      counts: value.counts,
      weights: value.weights,
      rowsSlot: this.shape.groupSlots,
    };
    const place = { offset: column.groupOffset, count: column.groupCount, shownIn: column.firstOfGroup };
    return viewColumn(column, source, place, NO_DETAILS);
  }

  private writeNumeric(writer: ByteWriter, { index }: NumericShapeColumn): void {
    const any = this.min[index]! <= this.max[index]!;
    writer.byte(any ? 1 : 0);
    if (!any) return;
    writer.double(this.min[index]! + 0);
    writer.double(this.max[index]! + 0);
    writer.varint(this.clamped[index]!);
  }

  private readNumeric(reader: ByteReader, { index }: NumericShapeColumn): void {
    const any = reader.byte();
    if (any > 1) throw reader.corrupt('neither with values nor without');
    if (any === 0) return;
    this.min[index] = reader.double();
    this.max[index] = reader.double();
    this.clamped[index] = reader.varint();
    if (this.min[index]! > this.max[index]!) throw reader.corrupt('a minimum above its maximum');
  }
}

function add(tallies: SmallestHash<Tally>, text: string, count: number): void {
  const tally = tallies.claim(text, newTally);
  if (tally !== null) tally.count += count;
}

function writeTallies(writer: ByteWriter, tallies: SmallestHash<Tally> | null): void {
  const sorted = tallies?.sorted() ?? [];
  writer.varint(sorted.length);
  for (const { text, value } of sorted) {
    writer.text(text);
    writer.varint(value.count);
  }
}

/** `total`: what the counts must not exceed together. */
function readTallies(reader: ByteReader, limit: number, total: number): SmallestHash<Tally> | null {
  const size = reader.varint();
  if (size > limit) throw reader.corrupt('too many names');
  if (size === 0) return null;
  const tallies = new SmallestHash<Tally>(limit);
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const text = reader.text();
    const count = reader.varint();
    sum += count;
    add(tallies, text, count);
    if (count === 0 || sum > total || tallies.size !== i + 1) throw reader.corrupt('counts of names do not add up');
  }
  return tallies;
}

function holds(map: Readonly<Record<string, unknown>> | null, name: string): boolean {
  return map !== null && Object.hasOwn(map, name) && map[name] !== null;
}

function ownText(map: Readonly<Record<string, unknown>> | null, name: string): string | null {
  if (map === null || !Object.hasOwn(map, name)) return null;
  const value = map[name];
  return typeof value === 'string' ? value : null;
}
