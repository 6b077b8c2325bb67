/**
 * The coarse bins that the verdict is taken on, from a column's baseline: those of the baseline itself, a number's two outer
 * bins (out of range) always apart, then for categories `unseen`, then `missing`.
 *
 * Where the vocabulary was cut (`other` > 0) an unseen category cannot be told from one of `other`, and counts as that.
 */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import type { ColumnCounts } from './column-counts.ts';

/** Categories of so many baseline rows have a bin of their own; in a small baseline those of one row in a hundred, and ten rows. */
const OWN_BIN_ROWS = 200;
const OWN_BIN_SHARE = 0.01;
const OWN_BIN_LEAST = 10;

/** How many of the categories have a bin of their own. `counts` descend; `rows` with a value, those of no named category included. */
export function ownCategories(counts: readonly number[], rows: number): number {
  const least = leastOwn(rows);
  const first = counts.findIndex((count) => count < least);
  return first < 0 ? counts.length : first;
}

function leastOwn(rows: number): number {
  return Math.ceil(Math.min(OWN_BIN_ROWS, Math.max(OWN_BIN_LEAST, OWN_BIN_SHARE * rows)));
}

export interface VerdictBins {
  readonly type: 'numeric' | 'categorical';
  /** Number of bins, the special ones included. */
  readonly size: number;
  /** Bins of values, in order; they come first. */
  readonly values: number;
  /** `null` where there is none. */
  readonly other: number | null;
  readonly unseen: number | null;
  readonly missing: number;
  /** For each bin of the profile (fine bin or category) its bin here. */
  readonly ofFine: Uint16Array;
  /** For each verdict bin of the baseline (`verdictBin`) its bin here. */
  readonly ofVerdict: Uint16Array;
  /** Rows of the baseline in each bin; not finite counts as missing. */
  readonly baseline: Float64Array;
  readonly rows: number;
  /** Share of unseen categories to be expected: those seen once, over all rows (Good and Turing's estimate); 0 for numbers. */
  readonly expectedUnseen: number;
  /**
   * Rows of the baseline in each bin whose category was seen once. Such a category is as likely to stay away from other rows as
   * an unseen one is to come: the bin's share is to be expected smaller by them. `null` for numbers, or where there are none.
   */
  readonly seenOnce: Float64Array | null;
  /** Rows that `other` is to be expected to have beside those of the baseline: the counts chose which categories are in it. */
  readonly keptOut: number;
  /**
   * Variance that the expected rows of each bin have from baseline to baseline beside that of sampling, rows squared: chance chooses which
   * categories come often enough for a bin of their own, and which not at all. `null` for numbers, or where it chooses nothing.
   */
  readonly choice: Float64Array | null;
}

export function verdictBins(column: ColumnBaseline): VerdictBins {
  return column.type === 'numeric' ? numericBins(column) : categoricalBins(column);
}

/** Verdict bins of the baseline's own numbering: what a block of `calibrate` holds, before its `missing`. */
export function verdictBinCount(column: ColumnBaseline): number {
  return verdictBins(column).ofVerdict.length;
}

function numericBins(column: Extract<ColumnBaseline, { type: 'numeric' }>): VerdictBins {
  const { verdictBin } = column.bins;
  const fine = verdictBin.length;
  const last = fine - 1;
  const belowShared = fine > 1 && verdictBin[0] === verdictBin[1] ? 1 : 0;
  const aboveShared = fine > 2 && verdictBin[last] === verdictBin[last - 1];
  const declared = (verdictBin[last] ?? 0) + 1;
  const values = declared + belowShared + (aboveShared ? 1 : 0);
  const ofFine = Uint16Array.from(verdictBin, (bin) => bin + belowShared);
  ofFine[0] = 0;
  if (aboveShared) ofFine[last] = values - 1;
  const baseline = new Float64Array(values + 1);
  for (let i = 0; i < fine; i++) baseline[ofFine[i]!]! += column.counts[i] ?? 0;
  baseline[values] = column.missing + column.nonFinite;
  return {
    type: 'numeric',
    size: values + 1,
    values,
    other: null,
    unseen: null,
    missing: values,
    ofFine,
    ofVerdict: Uint16Array.from({ length: declared }, (_, bin) => bin + belowShared),
    baseline,
    rows: total(baseline),
    expectedUnseen: 0,
    seenOnce: null,
    keptOut: 0,
    choice: null,
  };
}

function categoricalBins(column: Extract<ColumnBaseline, { type: 'categorical' }>): VerdictBins {
  const { verdictBin, counts } = column;
  const members: number[] = [];
  for (const bin of verdictBin) members[bin] = (members[bin] ?? 0) + 1;
  let declared = members.length;
  const shared = members.findIndex((count) => count > 1);
  let other: number | null = shared >= 0 ? shared : null;
  if (other === null && column.other > 0)
    other = ownCategories(counts, column.count) < counts.length ? declared - 1 : declared++;
  const unseen = column.other > 0 ? null : declared;
  const values = declared;
  const missing = values + (unseen === null ? 0 : 1);
  const baseline = new Float64Array(missing + 1);
  const seenOnce = new Float64Array(missing + 1);
  verdictBin.forEach((bin, i) => {
    baseline[bin]! += counts[i] ?? 0;
    if (counts[i] === 1) seenOnce[bin]!++;
  });
  const once = unseen === null ? 0 : total(seenOnce);
  if (other !== null) baseline[other]! += column.other;
  baseline[missing] = column.missing;
  const rows = total(baseline);
  const near = other === null ? null : nearBoundary(column);
  const choice = baseline.map((count) => (near !== null && count <= 2 * near.boundary ? near.ownChoice : 0));
  choice[missing] = 0;
  const ofUnseen = once === 0 ? 0 : 2 * counts.filter((count) => count === 2).length;
  if (unseen !== null) choice[unseen] = ofUnseen;
  if (other !== null && near !== null) choice[other] = ofUnseen + near.otherChoice;
  return {
    type: 'categorical',
    size: missing + 1,
    values,
    other,
    unseen,
    missing,
    ofFine: Uint16Array.from(verdictBin),
    ofVerdict: Uint16Array.from({ length: declared }, (_, bin) => bin),
    baseline,
    rows,
    expectedUnseen: once === 0 ? 0 : once / rows,
    seenOnce: once === 0 ? null : seenOnce,
    keptOut: near?.keptOut ?? 0,
    choice: choice.some((variance) => variance > 0) ? choice : null,
  };
}

interface NearBoundary {
  /** Categories that came fewer times have no bin of their own. */
  readonly boundary: number;
  /** As in `VerdictBins`. */
  readonly keptOut: number;
  /** `VerdictBins.choice` of the rarer ones together, and of each with a bin of its own near the boundary. */
  readonly otherChoice: number;
  readonly ownChoice: number;
}

/**
 * Categories that came often enough by chance have a bin of their own, those that came seldom by chance are put together. Of categories
 * with λ_c rows to be expected those below the boundary L have Σ_c L·P(X_c = L) fewer than that in all, whatever the λ_c (L = 1 is Good
 * and Turing's estimate of the unseen): L times how many categories have just L rows, for which the geometric mean of those on either side stands.
 *
 * Such an estimate less the truth has the variance Σ_c E[(X_c − λ_c)² · 1(X_c < L)] + L² P(X_c = L), of which
 * Σ_{x ≤ L} x·N_x + L(L + 1)·N_{L+1} is an unbiased estimate, N_x being how many categories came x times (N₁ + 2 N₂ for L = 1: Esty 1983). The
 * first sum is the sampling noise of as many rows, the second is what choosing adds; the mean over both sides takes from it what it smooths.
 *
 * Of one that came x times E[λ] = (x + 1) N_{x+1} / N_x rows were to be expected (Robbins 1956), fewer than it had where N falls steeply.
 */
function nearBoundary({ counts, count, other }: Extract<ColumnBaseline, { type: 'categorical' }>): NearBoundary {
  const boundary = leastOwn(count);
  const reach = Math.ceil(Math.sqrt(boundary) / 2);
  const within = (from: number, to: number): number => counts.filter((rows) => rows >= from && rows <= to).length;
  const below = within(boundary - reach, boundary - 1);
  const above = within(boundary + 1, boundary + reach);
  // Where categories without a name may be within reach, only those above the boundary tell.
  if (other > 0 && (counts.at(-1) ?? 0) >= boundary - reach) {
    const there = above / reach;
    return {
      boundary,
      keptOut: boundary * there,
      otherChoice: (boundary + boundary ** 2 / reach) * there,
      ownChoice: 0,
    };
  }
  const there = Math.sqrt(below * above) / reach;
  // Half a category more, since few tell little.
  const fall = ((within(boundary, boundary + reach - 1) + 0.5) / (below + 0.5)) ** (1 / reach);
  return {
    boundary,
    keptOut: boundary * there,
    otherChoice: (boundary + boundary ** 2 / (2 * reach)) * there,
    ownChoice: Math.max(0, boundary - (boundary + 1) * fall) ** 2,
  };
}

/** Of a row with the heaviest bin's weight, that each bin is taken to have besides: one with few rows tells little of its own. */
const PRIOR_ROW = 0.5;

/** Counts of a window in the verdict's bins, scaled to effective rows when weights differ. */
export interface BinnedWindow {
  readonly counts: Float64Array;
  /** Effective rows, (Σw)² / Σw²; type errors are no part of it. */
  readonly rows: number;
  /** What a row in each bin weighs, as Σw² / Σw, relative to the window's own Σw² / Σw; `null` when nothing was weighted. */
  readonly spread: Float64Array | null;
}

/** `null` when the counts are no counts: negative, not finite, or of another number of bins. */
export function binWindow(bins: VerdictBins, column: ColumnCounts): BinnedWindow | null {
  const { weighted } = column;
  const source = weighted === null ? column.bins : weighted.w;
  if (source.length !== bins.ofFine.length) return null;
  const counts = new Float64Array(bins.size);
  for (let i = 0; i < source.length; i++) {
    const count = source[i]!;
    if (!(count >= 0)) return null;
    counts[bins.ofFine[i]!]! += count;
  }
  const missing = weighted === null ? column.missing + column.nonFinite : weighted.missing[0];
  const unseen = weighted === null ? column.unseen.total : weighted.unseen[0];
  if (!(missing >= 0) || !(unseen >= 0)) return null;
  counts[bins.missing]! += missing;
  const place = bins.unseen ?? bins.other;
  if (place !== null) counts[place]! += unseen;
  const sum = total(counts);
  if (!Number.isFinite(sum)) return null;
  if (weighted === null || sum === 0) return { counts, rows: sum, spread: null };
  const squares = new Float64Array(bins.size);
  for (let i = 0; i < weighted.w2.length; i++) squares[bins.ofFine[i]!]! += weighted.w2[i]!;
  squares[bins.missing]! += weighted.missing[1];
  if (place !== null) squares[place]! += weighted.unseen[1];
  const allSquares = total(squares);
  if (!(allSquares > 0) || !Number.isFinite(allSquares)) return null;
  const rows = sum ** 2 / allSquares;
  const average = allSquares / sum;
  const heaviest = counts.reduce((most, w, bin) => (w > 0 ? Math.max(most, squares[bin]! / w) : most), 0);
  const prior = PRIOR_ROW * heaviest;
  const spread = counts.map((w, bin) => (squares[bin]! + prior * heaviest) / (w + prior) / average);
  for (let i = 0; i < counts.length; i++) counts[i]! *= rows / sum;
  return { counts, rows, spread };
}

function total(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
