/** What all distances of two binned samples have in common: checks, sizes, and a p-value from divergence-null.ts. */
import { type Composition, type Divergence, givenCountsPValue } from './divergence-null.ts';
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import { sharesOf } from './shares.ts';

export interface BinnedDistance extends Divergence {
  readonly composition: Composition;
  /** From the value of `of` to the statistic: monotone, so that the p-value is the same. */
  readonly shown?: (value: number) => number;
}

/** O(bins) and the null. Infinite values answer no number, reason `infinite`. */
export function binnedDistance(distance: BinnedDistance, pair: BinnedPair): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  if (shares.reason !== null) return undecided(shares.reason, n, m, distance.name);
  if (shares.used < 2) return identical(n, m, distance.name);
  // Shares at effective sizes are the counts that the definition sees; without weights they are the counts themselves.
  const value = distance.of(
    shares.reference.map((share) => share * n),
    n,
    shares.current.map((share) => share * m),
    m,
  );
  if (!Number.isFinite(value)) return undecided('infinite', n, m, distance.name);
  const { pValue, method } = givenCountsPValue(distance, pair, shares, value, distance.composition);
  const statistic = distance.shown === undefined ? value : distance.shown(value);
  return { statistic, pValue, referenceSize: n, currentSize: m, method: `${distance.name}, ${method}` };
}
