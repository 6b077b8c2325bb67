/** Hellinger distance, sqrt(1 − Σ sqrt(p·q)) over bins: 0 when equal, 1 when nothing is shared. Edge cases as in psi.ts. */
import { binnedDistance } from './binned-distance.ts';
import type { BinnedPair, Outcome } from './outcome.ts';

/** Binned counts. */
export function hellingerOfCounts(pair: BinnedPair): Outcome {
  return binnedDistance(
    {
      name: 'hellinger',
      factor: 1 / 8,
      of: square,
      shown: Math.sqrt,
      composition: (n, m) => (x, y) => (Math.sqrt(x / n) - Math.sqrt(y / m)) ** 2 / 2,
    },
    pair,
  );
}

/** Half the squared distance of the square roots: without the cancellation of 1 − Σ. */
function square(reference: ArrayLike<number>, n: number, current: ArrayLike<number>, m: number): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) sum += (Math.sqrt(reference[i]! / n) - Math.sqrt(current[i]! / m)) ** 2;
  return Math.min(1, sum / 2);
}
