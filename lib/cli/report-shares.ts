/** What a report draws of one column: shares of its rows on both sides, by ranges of equal width or by value. */
import type { ColumnBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { ColumnCounts } from '../engine/column-counts.ts';
import { type VerdictBins, verdictBins } from '../engine/verdict-bins.ts';
import { binLabel, numberText } from '../engine/verdict-words.ts';

export interface Share {
  readonly label: string;
  /** Of the side's rows with a value, 0..1. */
  readonly reference: number;
  readonly current: number;
}

export type Shares =
  | {
      readonly kind: 'ranges';
      readonly low: number;
      readonly high: number;
      readonly cells: readonly Share[];
      /** What lies outside of `low` to `high`; `null` where there is nothing. */
      readonly below: Share | null;
      readonly above: Share | null;
    }
  | { readonly kind: 'values'; readonly cells: readonly Share[] };

/** So many values of a number are drawn one by one. */
const MOST_VALUES = 12;
const MOST_CATEGORIES = 10;
const DWARFING = 0.25;
const RANGES = 32;
/** Share of the rows at either end that does not stretch the axis. */
const TAIL = 0.005;

/** `null` where a side has no value. */
export function sharesOf(column: ColumnBaseline, counts: ColumnCounts): Shares | null {
  const bins = verdictBins(column);
  if (column.type === 'categorical') return valuesOf(column, counts, bins);
  const sides = { reference: column.counts, current: counts.bins };
  const values = sum(sides.reference) > 0 && sum(sides.current) > 0;
  if (!values) return null;
  return isOfValues(column, bins) ? valuesOf(column, counts, bins) : rangesOf(column, counts, bins);
}

/** Few values, or one that would dwarf every range. */
function isOfValues(column: NumericBaseline, bins: VerdictBins): boolean {
  let ranges = 0;
  let filled = 0;
  let heaviest = 0;
  for (let bin = 0; bin < bins.values; bin++) {
    const share = bins.baseline[bin]! / bins.rows;
    if (share === 0) continue;
    filled++;
    if (!binLabel(column, bins, bin).startsWith('value ')) ranges++;
    else heaviest = Math.max(heaviest, share);
  }
  return filled <= MOST_VALUES && (ranges === 0 || heaviest > DWARFING);
}

function valuesOf(column: ColumnBaseline, counts: ColumnCounts, bins: VerdictBins): Shares | null {
  const current = new Float64Array(bins.size);
  bins.ofFine.forEach((bin, i) => {
    current[bin]! += counts.bins[i] ?? 0;
  });
  const place = bins.unseen ?? bins.other;
  if (place !== null) current[place]! += counts.unseen.total;
  // Missing values are told in numbers.
  const [n, m] = [sum(bins.baseline.subarray(0, bins.missing)), sum(current.subarray(0, bins.missing))];
  if (n === 0 || m === 0) return null;
  const all: Share[] = [];
  for (let bin = 0; bin < bins.missing; bin++) {
    const share = { reference: bins.baseline[bin]! / n, current: current[bin]! / m };
    if (share.reference > 0 || share.current > 0) all.push({ label: binLabel(column, bins, bin), ...share });
  }
  if (column.type === 'numeric' || all.length <= MOST_CATEGORIES) return { kind: 'values', cells: all };
  const largest = [...all].sort((a, b) => Math.max(b.reference, b.current) - Math.max(a.reference, a.current));
  const kept = new Set(largest.slice(0, MOST_CATEGORIES - 1));
  const rest = all.filter((share) => !kept.has(share));
  return {
    kind: 'values',
    cells: [
      ...all.filter((share) => kept.has(share)),
      {
        label: `${rest.length} more`,
        reference: sum(rest.map(({ reference }) => reference)),
        current: sum(rest.map(({ current: share }) => share)),
      },
    ],
  };
}

function rangesOf(column: NumericBaseline, counts: ColumnCounts, bins: VerdictBins): Shares | null {
  const { edges } = column.bins;
  const reference = normalised(column.counts);
  const current = normalised(counts.bins);
  const pooled = reference.map((share, i) => (share + current[i]!) / 2);
  const [first, last] = [quantileBin(pooled, TAIL), quantileBin(pooled, 1 - TAIL)];
  let low = edges[Math.max(0, first - 1)]!;
  let high = edges[Math.min(edges.length - 1, last)]!;
  let cells = RANGES;
  if (column.integer) {
    const width = Math.max(1, Math.ceil((high - low) / RANGES));
    low = Math.floor(low);
    cells = Math.max(1, Math.ceil((high - low) / width));
    high = low + cells * width;
  }
  if (!(high > low) || !Number.isFinite(high - low)) return valuesOf(column, counts, bins);
  const width = (high - low) / cells;
  const sides = [reference, current].map((shares) => {
    const found = { cells: new Float64Array(cells), below: 0, above: 0 };
    shares.forEach((share, i) => {
      if (share === 0) return;
      const from = i === 0 ? Number.NEGATIVE_INFINITY : edges[i - 1]!;
      const to = i === edges.length ? Number.POSITIVE_INFINITY : edges[i]!;
      if (to <= low) found.below += share;
      else if (from >= high) found.above += share;
      // A range without an end, or one that sticks out, is not spread: where its rows lie is not known.
      else spread(found.cells, share, Math.max(from, low), Math.min(to, high), low, width);
    });
    return found;
  });
  const [a, b] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const outside = (label: string, side: 'below' | 'above'): Share | null =>
    a[side] === 0 && b[side] === 0 ? null : { label, reference: a[side], current: b[side] };
  return {
    kind: 'ranges',
    low,
    high,
    cells: Array.from(a.cells, (share, i) => ({
      label: `${numberText(low + i * width)} to ${numberText(low + (i + 1) * width)}`,
      reference: share,
      current: b.cells[i]!,
    })),
    below: outside(`below ${numberText(low)}`, 'below'),
    above: outside(`above ${numberText(high)}`, 'above'),
  };
}

/** Shares `from` to `to` over the cells in proportion. */
function spread(cells: Float64Array, share: number, from: number, to: number, low: number, width: number): void {
  const last = cells.length - 1;
  const start = Math.min(last, Math.max(0, Math.floor((from - low) / width)));
  const end = Math.min(last, Math.max(start, Math.floor((to - low) / width)));
  if (start === end || !(to > from)) {
    cells[start]! += share;
    return;
  }
  for (let i = start; i <= end; i++) {
    const overlap = Math.min(to, low + (i + 1) * width) - Math.max(from, low + i * width);
    cells[i]! += share * Math.max(0, overlap / (to - from));
  }
}

/** Index of the bin in which the cumulated share passes `share`. */
function quantileBin(shares: readonly number[], share: number): number {
  let cumulated = 0;
  for (let i = 0; i < shares.length; i++) {
    cumulated += shares[i]!;
    if (cumulated >= share) return i;
  }
  return shares.length - 1;
}

function normalised(counts: ArrayLike<number>): number[] {
  const all = sum(counts);
  return Array.from(counts, (count) => (all === 0 ? 0 : count / all));
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
