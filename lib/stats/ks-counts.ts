/**
 * Two-sample Kolmogorov–Smirnov on binned counts: the largest distance of the cumulated shares at the bin points. It is at most
 * the raw statistic, and at least that less the heavier side's heaviest bin.
 *
 * p-value: the null of the binned statistic. Exact given the pooled counts while n·m ≤ 10^6 and nothing is weighted; the Brownian
 * bridge at the bin points otherwise; with no bin above 2 % the whole bridge (Kolmogorov's law), an upper bound.
 * Weighted: effective sizes. Edge cases as in ks.ts; all rows in one bin: statistic 0, p 1, reason `constant`.
 */
import { bridgeMaximumSurvival, bridgeSupremumSurvival } from './bridge.ts';
import { ksExactTiedPValue } from './ks-exact.ts';
import { type BinnedPair, identical, type Outcome, undecided, wholeCounts } from './outcome.ts';
import { sharesOf } from './shares.ts';

const EXACT_PATHS = 1_000_000;
const FINE_BIN = 0.02;

/** Bins ascend. O(bins) and the null. */
export function ksOfCounts(pair: BinnedPair): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  if (shares.reason !== null) return undecided(shares.reason, n, m, 'bridge');
  if (shares.used < 2) return identical(n, m, 'bridge');
  const points: number[] = [];
  let statistic = 0;
  let heaviest = 0;
  let f = 0;
  let g = 0;
  let t = 0;
  for (let i = 0; i < shares.pooled.length; i++) {
    f += shares.reference[i]!;
    g += shares.current[i]!;
    t += shares.pooled[i]!;
    points.push(t);
    heaviest = Math.max(heaviest, shares.pooled[i]!);
    statistic = Math.max(statistic, Math.abs(f - g));
  }
  statistic = Math.min(1, statistic);
  const answer = (method: string, pValue: number): Outcome => ({
    statistic,
    pValue: Math.min(1, Math.max(0, pValue)),
    referenceSize: n,
    currentSize: m,
    method,
  });
  if (n * m <= EXACT_PATHS && wholeCounts(pair)) {
    const pooled = Array.from(pair.reference, (count, i) => count + pair.current[i]!);
    return answer('exact', ksExactTiedPValue(n, m, statistic, pooled));
  }
  const z = statistic * Math.sqrt((n * m) / (n + m));
  if (heaviest <= FINE_BIN) return answer('bridge-bound', bridgeSupremumSurvival(z));
  return answer('bridge', bridgeMaximumSurvival(points, z));
}
