/**
 * Kullback–Leibler divergence of the reference from the current side, Σ p ln(p/q) − p + q over bins, natural logarithm; 0 when equal, no
 * upper bound. The additions cancel over the bins unless one is empty: an empty bin counts as half a row, as in psi.ts, so that the shares
 * add up to a little more than one, and without them a divergence might be negative (Csiszár's I-divergence of measures). Edge cases as there.
 */
import { binnedDistance } from './binned-distance.ts';
import type { BinnedPair, Outcome } from './outcome.ts';

/** Binned counts. */
export function klOfCounts(pair: BinnedPair): Outcome {
  return binnedDistance({ name: 'kl', factor: 1 / 2, of: divergence, composition: term }, pair);
}

const term = (n: number, m: number) => (x: number, y: number) => {
  const p = (x === 0 ? 0.5 : x) / n;
  const q = (y === 0 ? 0.5 : y) / m;
  return p * Math.log(p / q) - p + q;
};

function divergence(reference: ArrayLike<number>, n: number, current: ArrayLike<number>, m: number): number {
  const part = term(n, m);
  let total = 0;
  for (let i = 0; i < reference.length; i++)
    if (reference[i] !== 0 || current[i] !== 0) total += part(reference[i]!, current[i]!);
  return Math.max(0, total);
}
