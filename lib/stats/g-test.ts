/**
 * Tests of the 2 × k table by a power divergence (Cressie & Read 1984), 2/(λ(λ + 1)) Σ O((O/E)^λ − 1), chi-square with k − 1 degrees of
 * freedom; λ = 0 is the likelihood ratio, G = 2 Σ O ln(O/E), λ = 1 Pearson's statistic. `yates`: the continuity
 * correction, with two bins only, as SciPy's `chi2_contingency(lambda_='log-likelihood')` applies it by default.
 * Bins empty on both sides count for nothing; empty side: reason; one bin: 0, p 1, `constant`. Weights: effective sizes.
 */
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import { sharesOf } from './shares.ts';
import { chiSquareSurvival } from './special.ts';

export interface GTestOptions {
  /** @default false */
  readonly yates?: boolean;
}

/** Binned counts. O(k). */
export function gTestOfCounts(pair: BinnedPair, options: GTestOptions = {}): Outcome {
  return powerDivergenceOfCounts(pair, { ...options, power: 0 });
}

/** Infinite where a count is 0 and λ at most −1. */
export function powerDivergenceOfCounts(pair: BinnedPair, options: GTestOptions & { readonly power: number }): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  if (shares.reason !== null) return undecided(shares.reason, n, m, 'likelihood-ratio');
  if (shares.used < 2) return identical(n, m, 'likelihood-ratio');
  const half = options.yates === true && shares.used === 2;
  let sum = 0;
  for (let i = 0; i < shares.pooled.length; i++) {
    const share = shares.pooled[i]!;
    if (share === 0) continue;
    for (const [size, side] of [
      [n, shares.reference],
      [m, shares.current],
    ] as const) {
      const expected = size * share;
      const exact = size * side[i]!;
      const difference = expected - exact;
      const observed = half ? exact + Math.sign(difference) * Math.min(0.5, Math.abs(difference)) : exact;
      sum += termOf(observed, expected, options.power);
    }
  }
  const degreesOfFreedom = shares.used - 1;
  const statistic = Math.max(0, 2 * sum);
  return {
    statistic,
    pValue: chiSquareSurvival(statistic, degreesOfFreedom),
    referenceSize: n,
    currentSize: m,
    method: 'likelihood-ratio',
    degreesOfFreedom,
  };
}

/** Half of what a cell adds. The part that is linear in it cancels over the table. */
function termOf(observed: number, expected: number, power: number): number {
  if (power === 0) return observed > 0 ? observed * Math.log(observed / expected) : 0;
  if (power === -1) return observed > 0 ? expected * Math.log(expected / observed) : Number.POSITIVE_INFINITY;
  return (observed * ((observed / expected) ** power - 1)) / (power * (power + 1));
}
