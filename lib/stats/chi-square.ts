/**
 * Pearson's chi-square test that two binned samples come from one law: the 2 × k contingency table. Both sides are samples; the
 * reference is never taken as exact (a goodness-of-fit test against it would reject for its noise).
 *
 * Small expected counts: bins are put together, rarest first, until the pooled rest and every bin left expect at least
 * `minimumExpected` (5) rows on the smaller side; 0 switches that off. Fewer than two bins left: reason `too-few-bins`.
 * `yates`: the continuity correction, only with two bins, as SciPy does (never larger than the difference itself).
 * Weighted: the Rao–Scott statistic, X² over shares at effective sizes with the law of `quadraticLaw`.
 */
import { conditionalSumTail } from './conditional-sum.ts';
import { type BinnedPair, identical, type Outcome, undecided, wholeCounts } from './outcome.ts';
import { quadraticLaw, type Shares, sharesOf } from './shares.ts';
import { chiSquareSurvival } from './special.ts';

export interface ChiSquareOptions {
  readonly minimumExpected?: number;
  readonly yates?: boolean;
  /** `given-counts`: of counts that are whole, where Cochran's rule does not allow the chi-square law, its p-value is that given the counts. */
  readonly sparse?: 'given-counts';
}

/** Binned counts or `categoryCounts`. O(k log k). */
export function chiSquareOfCounts(pair: BinnedPair, options: ChiSquareOptions = {}): Outcome {
  const all = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = all;
  if (all.reason !== null) return undecided(all.reason, n, m, 'contingency');
  if (all.used < 2) return identical(n, m, 'contingency');
  const minimum = options.minimumExpected ?? 5;
  const pooled = minimum > 0 ? putTogether(pair, all.pooled, Math.min(n, m), minimum) : pair;
  const shares = sharesOf(pooled);
  const method = shares.used < all.used ? 'contingency, small bins put together' : 'contingency';
  if (shares.used < 2) return undecided('too-few-bins', n, m, method);
  const weighted = pair.referenceSquares !== undefined || pair.currentSquares !== undefined;
  const half = options.yates === true && shares.used === 2 && !weighted;
  let sum = 0;
  for (let i = 0; i < shares.pooled.length; i++) {
    const share = shares.pooled[i]!;
    if (share === 0) continue;
    for (const [size, side] of [
      [n, shares.reference],
      [m, shares.current],
    ] as const) {
      const expected = size * share;
      const distance = Math.abs(size * side[i]! - expected);
      sum += (half ? distance - Math.min(0.5, distance) : distance) ** 2 / expected;
    }
  }
  if (!weighted) {
    const df = shares.used - 1;
    const isGiven = options.sparse !== undefined && isSparse(shares, Math.min(n, m)) && wholeCounts(pair);
    return {
      statistic: sum,
      pValue: isGiven ? givenCounts(pair, n, m) : chiSquareSurvival(sum, df),
      referenceSize: n,
      currentSize: m,
      method,
      degreesOfFreedom: df,
    };
  }
  const law = quadraticLaw(pooled, shares);
  // X² = Σ (p − q)² / π over 1/n + 1/m.
  const statistic = (sum * (1 / n + 1 / m)) / law.scale;
  return {
    statistic,
    pValue: chiSquareSurvival(statistic, law.df),
    referenceSize: n,
    currentSize: m,
    method: `${method}, Rao–Scott`,
    degreesOfFreedom: law.df,
  };
}

/** Cochran (1954): every bin expects a row on the smaller side, and four of five expect five. */
export function isSparse({ pooled, used }: Shares, smaller: number): boolean {
  let few = 0;
  for (let i = 0; i < pooled.length; i++) {
    const expected = pooled[i]! * smaller;
    if (expected === 0) continue;
    if (expected < 1) return true;
    if (expected < 5) few++;
  }
  return few > used / 5;
}

function givenCounts(pair: BinnedPair, n: number, m: number): number {
  const term = (x: number, y: number): number => {
    const expected = ((x + y) * n) / (n + m);
    return ((x - expected) ** 2 * (n + m)) / (expected * m);
  };
  let observed = 0;
  for (let i = 0; i < pair.reference.length; i++) {
    const [x, y] = [pair.reference[i]!, pair.current[i]!];
    if (x + y > 0) observed += term(x, y);
  }
  return conditionalSumTail(pair, { name: 'chi-square', term }, observed);
}

function putTogether(pair: BinnedPair, shares: Float64Array, smaller: number, minimum: number): BinnedPair {
  const order = Array.from(shares.keys())
    .filter((i) => shares[i]! > 0)
    .sort((a, b) => shares[a]! - shares[b]! || a - b);
  let rest = 0;
  let taken = 0;
  while (taken < order.length) {
    const expected = shares[order[taken]!]! * smaller;
    if (expected >= minimum && (rest === 0 || rest >= minimum)) break;
    rest += expected;
    taken++;
  }
  if (taken < 2) return pair;
  const together = new Set(order.slice(0, taken));
  const fold = (values: ArrayLike<number>): number[] => {
    let sum = 0;
    const kept: number[] = [];
    for (let i = 0; i < values.length; i++) {
      if (together.has(i)) sum += values[i]!;
      else kept.push(values[i]!);
    }
    return [...kept, sum];
  };
  return {
    reference: fold(pair.reference),
    current: fold(pair.current),
    ...(pair.referenceSquares && { referenceSquares: fold(pair.referenceSquares) }),
    ...(pair.currentSquares && { currentSquares: fold(pair.currentSquares) }),
  };
}
