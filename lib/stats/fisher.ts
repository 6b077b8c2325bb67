/**
 * Fisher's exact test of a 2 × 2 table: with both margins fixed, the first cell is hypergeometric. Two-sided: all tables at most as likely
 * as the observed one. Statistic: the odds ratio ad/(bc), as SciPy's `fisher_exact`.
 *
 * `fisherOfCounts` takes two bins; more: no number, reason `too-many-bins`; more than five million tables: `too-many-rows`. An empty side: reason; one bin: 0 (no odds), p 1, `constant`.
 */
import type { Alternative } from './mann-whitney.ts';
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import { sharesOf } from './shares.ts';
import { logChoose } from './special.ts';

/** Tables as likely as the observed one up to rounding count as such. */
const SLACK = 1e-7;
/** Tables with the same margins; beyond that the z-test is as good. */
const MOST_TABLES = 5_000_000;

export function fisherOfCounts(pair: BinnedPair): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  if (shares.reason !== null) return undecided(shares.reason, n, m, 'exact');
  if (shares.used < 2) return identical(n, m, 'exact');
  if (shares.used > 2) return undecided('too-many-bins', n, m, 'exact');
  const used = Array.from(shares.pooled.keys()).filter((i) => shares.pooled[i]! > 0) as [number, number];
  const cell = (counts: ArrayLike<number>, i: number): number => Math.round(counts[i]!);
  const column = Math.min(...used.map((i) => cell(pair.reference, i) + cell(pair.current, i)));
  if (Math.min(n, m, column) > MOST_TABLES) return undecided('too-many-rows', n, m, 'exact');
  const { oddsRatio, pValue } = fisherExact([
    [cell(pair.reference, used[0]), cell(pair.reference, used[1])],
    [cell(pair.current, used[0]), cell(pair.current, used[1])],
  ]);
  return { statistic: oddsRatio, pValue, referenceSize: n, currentSize: m, method: 'exact' };
}

/** Whole numbers ≥ 0. `oddsRatio` is NaN where a margin is 0, ∞ where only b or c is. O(smaller margin). */
export function fisherExact(
  [[a, b], [c, d]]: readonly [readonly [number, number], readonly [number, number]],
  alternative: Alternative = 'two-sided',
): { readonly oddsRatio: number; readonly pValue: number } {
  if (a + b === 0 || c + d === 0 || a + c === 0 || b + d === 0) return { oddsRatio: Number.NaN, pValue: 1 };
  const oddsRatio = (a * d) / (b * c);
  const row = a + b;
  const column = a + c;
  const total = a + b + c + d;
  const low = Math.max(0, column - (total - row));
  const high = Math.min(row, column);
  const all = logChoose(total, column);
  const log = (x: number): number => logChoose(row, x) + logChoose(total - row, column - x) - all;
  const observed = log(a);
  let sum = 0;
  for (let x = low; x <= high; x++) {
    const probability = log(x);
    const counts =
      alternative === 'less' ? x <= a : alternative === 'greater' ? x >= a : probability <= observed + SLACK;
    if (counts) sum += Math.exp(probability);
  }
  return { oddsRatio, pValue: Math.min(1, sum) };
}
