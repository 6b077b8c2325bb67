/**
 * The handful of linear functions of the bins that the verdict looks at. One chi-square over all bins would mix directions
 * that real traffic moves in with directions that it does not; each score has a null of its own instead (docs/decisions/0003).
 *
 * Numbers: location and spread (first and second orthonormal polynomial in the cumulated share), the cumulated tails, each
 * bin of at least 1.5 %, missing. Categories: each bin and missing. Weights say how the column's level is split over them, and
 * over two more that need no null of their own: values outside the baseline's range (outside-score.ts), and the mix of
 * categories (mix-score.ts).
 */

export type ScoreAspect =
  | { readonly kind: 'location' }
  | { readonly kind: 'spread' }
  /** Lowest or highest bins, nominally of this share. */
  | { readonly kind: 'low-tail' | 'high-tail'; readonly share: number }
  | { readonly kind: 'bin'; readonly bin: number }
  | { readonly kind: 'missing' }
  /** Many categories at once, each a little. */
  | { readonly kind: 'mix' };

export interface ScoreSet {
  /** Orthonormal under the baseline's shares: mean 0, variance 1 for one row. They are the first scores. */
  readonly polynomials: readonly Float64Array[];
  /** Bins of each set; these scores follow. */
  readonly sets: readonly Int32Array[];
  /** Positive, one a score; with `outside` and `mix` their sum is 1. */
  readonly weights: Float64Array;
  readonly aspects: readonly ScoreAspect[];
  /** Polynomials describe the shape of a number; a shift moves the other scores too. */
  readonly ordered: boolean;
  /** Bins of a number below and above all values of the baseline, where there are tails to tell how such values come. */
  readonly outside: { readonly bins: readonly [number, number]; readonly weight: number } | null;
  /** Weight of the mix of categories; 0 where there are few. */
  readonly mix: number;
}

const POLYNOMIALS: readonly (readonly [ScoreAspect, number])[] = [
  [{ kind: 'location' }, 0.35],
  [{ kind: 'spread' }, 0.15],
];
/** Where the location is the share of the rarer of two values, and judged as such (score-judge.ts). */
const FLAG_WEIGHT = 0.01;
/** Share of one bin from which the shape is that of a crowd. */
export const CROWDED = 0.5;
const TAILS = [0.001, 0.01];
const TAILS_WEIGHT = 0.05;
/** What values outside the range get, half of it from the four tails. */
const OUTSIDE_WEIGHT = 0.1;
/** A tail is the whole bins that come nearest below its share times this. */
export const TAIL_SLACK = 1.5;
const BINS_WEIGHT = 0.2;
const BIN_SHARE = 0.015;
const CATEGORIES_WEIGHT = 0.9;
const MIX_WEIGHT = 0.2;
/** Fewer categories show a change of their mix one by one. */
const MIXED = 8;
const MISSING_WEIGHT = 0.15;

/** `shares`: of the baseline, one a bin, the last being `missing` if so said. Shares sum to 1. */
export function numericScores(shares: ArrayLike<number>, hasMissing: boolean): ScoreSet {
  const size = shares.length;
  const core = hasMissing ? size - 1 : size;
  const inner = normalised(shares, core);
  const collector = new Collector();
  const isFlag = inner.filter((share) => share > 0).length === 2 && inner.some((share) => share > CROWDED);
  orthonormal(inner, size).forEach((polynomial, i) => {
    const [aspect, weight] = POLYNOMIALS[i]!;
    collector.polynomial(aspect, isFlag ? FLAG_WEIGHT : weight, polynomial);
  });
  const cumulated = cumulate(inner);
  const outside = rangeOf(shares, core);
  const tailWeight = outside === null ? TAILS_WEIGHT : TAILS_WEIGHT - OUTSIDE_WEIGHT / 8;
  const tails: string[] = [];
  for (const kind of ['low-tail', 'high-tail'] as const)
    for (const share of TAILS) {
      const bins: number[] = [];
      for (let bin = 0; bin < core; bin++) {
        const inside =
          kind === 'low-tail'
            ? cumulated[bin]! <= share * TAIL_SLACK
            : (bin === 0 ? 0 : cumulated[bin - 1]!) >= 1 - share * TAIL_SLACK;
        if (inside) bins.push(bin);
      }
      // Without any value in the baseline there are no tails, only values that appear.
      if (bins.length === 0 || bins.length === core || tails.includes(bins.join())) continue;
      tails.push(bins.join());
      collector.set({ kind, share }, tailWeight, bins);
    }
  const large = Array.from(inner.keys()).filter((bin) => inner[bin]! > BIN_SHARE);
  for (const bin of large) collector.set({ kind: 'bin', bin }, BINS_WEIGHT / large.length, [bin]);
  if (hasMissing) collector.set({ kind: 'missing' }, MISSING_WEIGHT, [size - 1]);
  return collector.finish(true, outside === null ? 0 : OUTSIDE_WEIGHT, outside);
}

/** The outer bins, when the baseline has rows in none of the two and enough beside them for tails of a thousandth. */
function rangeOf(shares: ArrayLike<number>, core: number): readonly [number, number] | null {
  if (core < 5 || shares[0] !== 0 || shares[core - 1] !== 0) return null;
  const inTail = (share: number) => share > 0 && share <= TAILS[0]! * TAIL_SLACK;
  return inTail(shares[1]!) || inTail(shares[core - 2]!) ? [0, core - 1] : null;
}

/** `withMix`: the mix of many categories is judged beside each of them. */
export function categoricalScores(shares: ArrayLike<number>, hasMissing: boolean, withMix = true): ScoreSet {
  const core = hasMissing ? shares.length - 1 : shares.length;
  const collector = new Collector();
  let used = 0;
  for (let bin = 0; bin < core; bin++) if (shares[bin]! > 0) used++;
  const mix = withMix && used >= MIXED ? MIX_WEIGHT : 0;
  for (let bin = 0; bin < core; bin++) collector.set({ kind: 'bin', bin }, (CATEGORIES_WEIGHT - mix) / core, [bin]);
  if (hasMissing) collector.set({ kind: 'missing' }, MISSING_WEIGHT, [shares.length - 1]);
  return collector.finish(false, mix);
}

/** Share of the baseline in each set, kept within [0.5/m, 1 − 0.5/m]. */
export function setShares(scores: ScoreSet, shares: ArrayLike<number>, rows: number): Float64Array {
  const least = 0.5 / rows;
  return Float64Array.from(scores.sets, (bins) => Math.min(1 - least, Math.max(least, sumOver(shares, bins))));
}

export function sumOver(values: ArrayLike<number>, bins: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < bins.length; i++) sum += values[bins[i]!]!;
  return sum;
}

/** Σ h_b x_b. */
export function dot(polynomial: Float64Array, values: ArrayLike<number>): number {
  let sum = 0;
  for (let b = 0; b < polynomial.length; b++) sum += polynomial[b]! * values[b]!;
  return sum;
}

class Collector {
  private readonly polynomials: Float64Array[] = [];
  private readonly sets: Int32Array[] = [];
  private readonly weights: number[] = [];
  private readonly aspects: ScoreAspect[] = [];

  polynomial(aspect: ScoreAspect, weight: number, values: Float64Array): void {
    this.polynomials.push(values);
    this.weights.push(weight);
    this.aspects.push(aspect);
  }

  set(aspect: ScoreAspect, weight: number, bins: readonly number[]): void {
    this.sets.push(Int32Array.from(bins));
    this.weights.push(weight);
    this.aspects.push(aspect);
  }

  /** `more`: weight of what is judged besides, in the unit of the weights given. */
  finish(ordered: boolean, more: number, outside: readonly [number, number] | null = null): ScoreSet {
    const all = this.weights.reduce((sum, weight) => sum + weight, more);
    return {
      polynomials: this.polynomials,
      sets: this.sets,
      weights: Float64Array.from(this.weights, (weight) => weight / all),
      aspects: this.aspects,
      ordered,
      outside: outside === null ? null : { bins: outside, weight: more / all },
      mix: ordered ? 0 : more / all,
    };
  }
}

/** Gram–Schmidt of 1, x, x² under `inner`, x being the mid-ridit; the constant is left out. Zero for `missing`. */
function orthonormal(inner: Float64Array, size: number): Float64Array[] {
  const cumulated = cumulate(inner);
  const x = inner.map((share, b) => cumulated[b]! - share / 2 - 0.5);
  const used = inner.reduce((count, share) => count + (share > 0 ? 1 : 0), 0);
  const basis: Float64Array[] = [];
  for (let degree = 0; degree < Math.min(3, used); degree++) {
    const vector = x.map((value) => value ** degree);
    const along = basis.map((previous) => inner.reduce((sum, share, b) => sum + share * vector[b]! * previous[b]!, 0));
    basis.forEach((previous, i) => {
      for (let b = 0; b < vector.length; b++) vector[b]! -= along[i]! * previous[b]!;
    });
    const norm = Math.sqrt(inner.reduce((sum, share, b) => sum + share * vector[b]! ** 2, 0));
    if (norm > 1e-6) basis.push(vector.map((value) => value / norm));
  }
  return basis.slice(1).map((vector) => {
    const padded = new Float64Array(size);
    padded.set(vector);
    return padded;
  });
}

function normalised(shares: ArrayLike<number>, core: number): Float64Array {
  const inner = new Float64Array(core);
  let sum = 0;
  for (let b = 0; b < core; b++) sum += shares[b]!;
  if (sum > 0) for (let b = 0; b < core; b++) inner[b] = shares[b]! / sum;
  return inner;
}

function cumulate(values: Float64Array): Float64Array {
  let sum = 0;
  return values.map((value) => (sum += value));
}
