/**
 * Population stability index: Σ (p − q) · ln(p / q) over bins, natural logarithm; 0 when equal, no upper bound.
 *
 * An empty bin has no logarithm. `half-row` (default): it counts as half a row, share 1/(2n). `evidently`: as Evidently 0.7 fills, per side,
 * 0.0001, or a millionth of the smallest share above zero when that is at most 0.0001. Nothing is renormalised. A bin empty on both
 * sides counts for nothing under either.
 *
 * p-value: divergence-null.ts. Empty side: reason; all rows in one bin: 0, p 1, `constant`; unseen category: a bin empty in the reference.
 */
import { binnedByReference } from './bins.ts';
import { type Divergence, type DivergenceLaw, divergencePValue, givenCountsPValue } from './divergence-null.ts';
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import type { RawValue } from './sample.ts';
import { sharesOf } from './shares.ts';

export interface PsiOptions {
  readonly zeros?: 'half-row' | 'evidently';
  /** Of the p-value, with `half-row`. @default limit */
  readonly law?: DivergenceLaw;
}

const HALF_ROW: Divergence = {
  name: 'psi',
  factor: 1,
  of: (reference, n, current, m) => index(reference, n, current, m, 0.5 / n, 0.5 / m),
};

const terms = (n: number, m: number) => (x: number, y: number) => {
  const p = (x === 0 ? 0.5 : x) / n;
  const q = (y === 0 ? 0.5 : y) / m;
  return (p - q) * Math.log(p / q);
};

/** Binned counts. O(bins) and the null. */
export function psiOfCounts(pair: BinnedPair, options: PsiOptions = {}): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  if (shares.reason !== null) return undecided(shares.reason, n, m, 'psi');
  if (shares.used < 2) return identical(n, m, 'psi');
  const divergence: Divergence =
    options.zeros === 'evidently'
      ? {
          name: 'psi-evidently',
          factor: 1,
          of: (reference, size, current, other) =>
            index(reference, size, current, other, smallFill(reference, size), smallFill(current, other)),
        }
      : HALF_ROW;
  // Shares at effective sizes are the counts that the definition sees; without weights they are the counts themselves.
  const reference = shares.reference.map((share) => share * n);
  const current = shares.current.map((share) => share * m);
  const statistic = Math.max(0, divergence.of(reference, n, current, m));
  const { pValue, method } =
    options.law === 'given-counts' && divergence === HALF_ROW
      ? givenCountsPValue(divergence, pair, shares, statistic, terms)
      : divergencePValue(divergence, pair, shares, statistic);
  return { statistic, pValue, referenceSize: n, currentSize: m, method };
}

/** Raw numbers in `bins` (10) bins of equal reference share. For categories: `categoryCounts`, then `psiOfCounts`. */
export function psi(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: PsiOptions & { readonly bins?: number } = {},
): Outcome {
  return psiOfCounts(binnedByReference(reference, current, options.bins ?? 10), options);
}

function index(
  reference: ArrayLike<number>,
  n: number,
  current: ArrayLike<number>,
  m: number,
  emptyReference: number,
  emptyCurrent: number,
): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    if (reference[i] === 0 && current[i] === 0) continue;
    const p = reference[i] === 0 ? emptyReference : reference[i]! / n;
    const q = current[i] === 0 ? emptyCurrent : current[i]! / m;
    sum += (p - q) * Math.log(p / q);
  }
  return sum;
}

function smallFill(counts: ArrayLike<number>, n: number): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < counts.length; i++) if (counts[i]! > 0) smallest = Math.min(smallest, counts[i]! / n);
  return smallest <= 0.0001 ? smallest / 1_000_000 : 0.0001;
}
