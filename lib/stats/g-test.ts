/**
 * The likelihood-ratio test of the 2 × k table, G = 2 Σ O ln(O/E), chi-square with k − 1 degrees of freedom. `yates`: the continuity
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
      if (observed > 0) sum += observed * Math.log(observed / expected);
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
