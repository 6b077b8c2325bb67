/**
 * z-test that a share is the same on both sides, with the pooled variance, two-sided: z = (p₁ − p₂) / sqrt(p(1 − p)(1/n + 1/m)).
 * `zProportionsOfCounts` takes two bins and compares the first; more: no number, reason `too-many-bins`. An empty side: reason;
 * one bin: 0, p 1, `constant`.
 */
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import { sharesOf } from './shares.ts';
import { normalSurvival } from './special.ts';

export function zProportionsOfCounts(pair: BinnedPair): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  if (shares.reason !== null) return undecided(shares.reason, n, m, 'pooled');
  if (shares.used < 2) return identical(n, m, 'pooled');
  if (shares.used > 2) return undecided('too-many-bins', n, m, 'pooled');
  const first = shares.pooled.findIndex((share) => share > 0);
  return zOfShares(shares.reference[first]!, n, shares.current[first]!, m);
}

/** Shares p and q of n and m rows. */
export function zOfShares(p: number, n: number, q: number, m: number): Outcome {
  const pooled = (n * p + m * q) / (n + m);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
  if (deviation === 0) return identical(n, m, 'pooled');
  const statistic = (p - q) / deviation;
  return {
    statistic,
    pValue: Math.min(1, 2 * normalSurvival(Math.abs(statistic))),
    referenceSize: n,
    currentSize: m,
    method: 'pooled',
  };
}
