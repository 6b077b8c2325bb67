/** Reads the counts of one column out of a profile or a segment, in the words of the verdict. */
import type { ColumnCounts, WeightedCounts } from './column-counts.ts';
import type { Moments } from './moments.ts';
import type { ShapeColumn } from './shape.ts';
import { asSquare, asWeight, SQUARE_UNITS, WEIGHT_UNITS, type WeightSums } from './weights.ts';

/** What ColumnCounts has, and what only the quality and the page ask for. */
export interface ColumnView extends ColumnCounts {
  readonly column: ShapeColumn;
  /** Σ bins: values that are compared with the baseline, unseen categories not among them. */
  readonly values: number;
  /** Of finite values; `null` for categories and without values. */
  readonly min: number | null;
  readonly max: number | null;
  /** Values so far from the baseline that mean and deviation take them as nearer. */
  readonly clamped: number;
}

export interface ViewSource {
  readonly rows: number;
  readonly counts: Float64Array;
  readonly weights: WeightSums | null;
  /** Slot in which rows are counted. */
  readonly rowsSlot: number;
  /** Rows of weight 1 that the column has beyond those of the slot; negative where it has fewer. Counted in `rows` already. */
  readonly beyondSlot: number;
}

/** Where the column's counts begin in the source, and to which bin each of them belongs (`null`: one to one). */
export interface ViewPlace {
  readonly offset: number;
  readonly count: number;
  /** For each slot of the place the bin that its count is shown in. */
  readonly shownIn: Uint16Array | null;
}

export interface ViewDetails {
  readonly moments: Moments | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly clamped: number;
  readonly unseenTop: readonly (readonly [category: string, count: number])[];
}

export const NO_DETAILS: ViewDetails = { moments: null, min: null, max: null, clamped: 0, unseenTop: [] };

export function viewColumn(
  column: ShapeColumn,
  source: ViewSource,
  place: ViewPlace,
  details: ViewDetails,
): ColumnView {
  const { counts, weights, rows } = source;
  const bins = new Float64Array(column.bins);
  const bin = (slot: number) => (place.shownIn === null ? slot : place.shownIn[slot]!);
  let values = 0;
  for (let slot = 0; slot < place.count; slot++) {
    const count = counts[place.offset + slot]!;
    bins[bin(slot)] = count;
    values += count;
  }
  const apart = counts[place.offset + place.count]!;
  const invalid = counts[place.offset + place.count + 1]!;
  const numeric = column.type === 'numeric';
  return {
    column,
    n: rows,
    missing: rows - values - apart - invalid,
    nonFinite: numeric ? apart : 0,
    invalid,
    bins,
    values,
    unseen: { total: numeric ? 0 : apart, top: details.unseenTop },
    weighted: weights === null ? null : viewWeights(column, source, weights, place, bin),
    mean: details.moments?.mean ?? null,
    std: details.moments?.std ?? null,
    min: details.min,
    max: details.max,
    clamped: details.clamped,
  };
}

function viewWeights(
  column: ShapeColumn,
  source: ViewSource,
  weights: WeightSums,
  place: ViewPlace,
  bin: (slot: number) => number,
): WeightedCounts {
  const w = new Float64Array(column.bins);
  const w2 = new Float64Array(column.bins);
  let missing = weights.weight(source.rowsSlot) + BigInt(source.beyondSlot * WEIGHT_UNITS);
  let missingSquares = weights.square(source.rowsSlot) + BigInt(source.beyondSlot * SQUARE_UNITS);
  for (let slot = 0; slot < place.count; slot++) {
    const weight = weights.weight(place.offset + slot);
    const square = weights.square(place.offset + slot);
    w[bin(slot)] = asWeight(weight);
    w2[bin(slot)] = asSquare(square);
    missing -= weight;
    missingSquares -= square;
  }
  const apart = place.offset + place.count;
  const numeric = column.type === 'numeric';
  const taken = numeric ? [apart + 1] : [apart, apart + 1];
  for (const slot of taken) {
    missing -= weights.weight(slot);
    missingSquares -= weights.square(slot);
  }
  return {
    w,
    w2,
    missing: [asWeight(missing), asSquare(missingSquares)],
    unseen: numeric ? [0, 0] : [asWeight(weights.weight(apart)), asSquare(weights.square(apart))],
  };
}
