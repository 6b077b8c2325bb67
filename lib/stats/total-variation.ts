/** Total variation, ½ Σ |p − q| over bins: the largest difference of the shares of any set of bins, 0 … 1. p-value: divergence-null.ts. Edge cases as in psi.ts. */
import { binnedDistance } from './binned-distance.ts';
import type { BinnedPair, Outcome } from './outcome.ts';

/** Binned counts. */
export function totalVariationOfCounts(pair: BinnedPair): Outcome {
  return binnedDistance(
    {
      name: 'total-variation',
      factor: null,
      of: totalVariation,
      composition: (n, m) => (x, y) => Math.abs(x / n - y / m) / 2,
    },
    pair,
  );
}

export function totalVariation(reference: ArrayLike<number>, n: number, current: ArrayLike<number>, m: number): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) sum += Math.abs(reference[i]! / n - current[i]! / m);
  return Math.min(1, sum / 2);
}
