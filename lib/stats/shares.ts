/** Binned counts turned to shares, with the sizes and the variance that weights imply. */
import type { BinnedPair, OutcomeReason } from './outcome.ts';

export interface Shares {
  readonly reference: Float64Array;
  readonly current: Float64Array;
  /** Shares of the sides pooled in proportion to their effective sizes: the common law under the null. */
  readonly pooled: Float64Array;
  /** Effective rows: Σ counts, or (Σw)² / Σw². */
  readonly referenceSize: number;
  readonly currentSize: number;
  /** Bins in which either side has something. */
  readonly used: number;
  readonly reason: OutcomeReason | null;
}

/** `reason` is set, and shares are zeros, when a side is empty or counts are unusable. Sizes are always defined. */
export function sharesOf(pair: BinnedPair): Shares {
  const bins = pair.reference.length;
  const a = side(pair.reference, pair.referenceSquares);
  const b = side(pair.current, pair.currentSquares);
  const invalid = a === null || b === null || pair.current.length !== bins;
  const reason = invalid
    ? 'invalid-counts'
    : a.total === 0
      ? 'empty-reference'
      : b.total === 0
        ? 'empty-current'
        : null;
  const reference = new Float64Array(bins);
  const current = new Float64Array(bins);
  const pooled = new Float64Array(bins);
  const n = a?.size ?? 0;
  const m = b?.size ?? 0;
  let used = 0;
  if (!invalid && reason === null) {
    for (let i = 0; i < bins; i++) {
      reference[i] = pair.reference[i]! / a.total;
      current[i] = pair.current[i]! / b.total;
      pooled[i] = (n * reference[i]! + m * current[i]!) / (n + m);
      if (pooled[i]! > 0) used++;
    }
  }
  return { reference, current, pooled, referenceSize: n, currentSize: m, used, reason };
}

function side(
  counts: ArrayLike<number>,
  squares: ArrayLike<number> | undefined,
): { readonly total: number; readonly size: number } | null {
  let total = 0;
  let square = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (!(count >= 0) || count === Number.POSITIVE_INFINITY) return null;
    total += count;
  }
  if (squares === undefined) return { total, size: total };
  if (squares.length !== counts.length) return null;
  for (let i = 0; i < squares.length; i++) {
    const value = squares[i]!;
    if (!(value >= 0) || value === Number.POSITIVE_INFINITY) return null;
    square += value;
  }
  return { total, size: square > 0 ? (total * total) / square : 0 };
}

/**
 * The law of Σ (p − q)² / π under the null as c · χ²_ν, two moments matched (Rao & Scott 1981, second order; Satterthwaite).
 * Without weights exactly c = 1/n + 1/m and ν = bins − 1. With weights the covariance of the shares is linearised,
 * Cov(p_a, p_b) = (δ_ab S_a − p_a S_b − p_b S_a + p_a p_b S) / (Σw)² with S_a = Σw² in bin a. O(bins²) with weights.
 */
export function quadraticLaw(pair: BinnedPair, shares: Shares): { readonly scale: number; readonly df: number } {
  const n = shares.referenceSize;
  const m = shares.currentSize;
  if (pair.referenceSquares === undefined && pair.currentSquares === undefined)
    return { scale: 1 / n + 1 / m, df: shares.used - 1 };
  const rows = [
    { shares: shares.reference, squares: pair.referenceSquares ?? pair.reference, counts: pair.reference },
    { shares: shares.current, squares: pair.currentSquares ?? pair.current, counts: pair.current },
  ].map(({ squares, counts }) => {
    const total = sum(counts);
    return { squares, all: sum(squares) / total ** 2, over: total ** 2 };
  });
  let trace = 0;
  let square = 0;
  const { pooled } = shares;
  for (let a = 0; a < pooled.length; a++) {
    if (pooled[a] === 0) continue;
    for (let b = 0; b <= a; b++) {
      if (pooled[b] === 0) continue;
      let covariance = 0;
      for (const { squares, all, over } of rows) {
        const sa = squares[a]! / over;
        const sb = squares[b]! / over;
        covariance += (a === b ? sa : 0) - pooled[a]! * sb - pooled[b]! * sa + pooled[a]! * pooled[b]! * all;
      }
      if (a === b) trace += covariance / pooled[a]!;
      square += ((a === b ? 1 : 2) * covariance ** 2) / (pooled[a]! * pooled[b]!);
    }
  }
  return { scale: square / trace, df: trace ** 2 / square };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
