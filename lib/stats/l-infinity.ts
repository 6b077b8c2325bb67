/** L∞: the largest difference of shares over bins, max |p − q|, 0 … 1. p-value: divergence-null.ts. Edge cases as in psi.ts. */
import { binnedDistance } from './binned-distance.ts';
import type { BinnedPair, Outcome } from './outcome.ts';

/** Binned counts. */
export function lInfinityOfCounts(pair: BinnedPair): Outcome {
  return binnedDistance({ name: 'l-infinity', factor: null, of: largestDifference, composition: 'largest' }, pair);
}

export function largestDifference(
  reference: ArrayLike<number>,
  n: number,
  current: ArrayLike<number>,
  m: number,
): number {
  let largest = 0;
  for (let i = 0; i < reference.length; i++) largest = Math.max(largest, Math.abs(reference[i]! / n - current[i]! / m));
  return largest;
}
