/**
 * Kullback–Leibler divergence of the reference from the current side, Σ p ln(p/q) over bins, natural logarithm; 0 when equal, no upper
 * bound. An empty bin counts as half a row, as in psi.ts. Edge cases as there.
 */
import { binnedDistance } from './binned-distance.ts';
import type { BinnedPair, Outcome } from './outcome.ts';

/** Binned counts. */
export function klOfCounts(pair: BinnedPair): Outcome {
  return binnedDistance({ name: 'kl', factor: 1 / 2, of: divergence, composition: terms }, pair);
}

/** p ln(p/q) − p + q: the additions cancel over the bins, up to filled ones, whose part in the normalisation they are to first order. */
const terms = (n: number, m: number) => (x: number, y: number) => {
  const p = (x === 0 ? 0.5 : x) / n;
  const q = (y === 0 ? 0.5 : y) / m;
  return p * Math.log(p / q) - p + q;
};

function divergence(reference: ArrayLike<number>, n: number, current: ArrayLike<number>, m: number): number {
  let total = 0;
  let sumP = 0;
  let sumQ = 0;
  const terms: [p: number, q: number][] = [];
  for (let i = 0; i < reference.length; i++) {
    if (reference[i] === 0 && current[i] === 0) continue;
    const p = reference[i] === 0 ? 0.5 / n : reference[i]! / n;
    const q = current[i] === 0 ? 0.5 / m : current[i]! / m;
    terms.push([p, q]);
    sumP += p;
    sumQ += q;
  }
  // Filled sides are laws again only when they add up to one; without that a divergence may be negative.
  for (const [p, q] of terms) total += (p / sumP) * Math.log(p / sumP / (q / sumQ));
  return Math.max(0, total);
}
