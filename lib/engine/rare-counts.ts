/** Counts of a set that is expected in few rows: the negative binomial law with mean μ and variance μ + μ²/k. */
import { logGamma, regularizedBeta } from '../stats/special.ts';

/** log P(X = x), x ≥ 0 (whole in a baseline), μ ≥ 0, k > 0. */
export function negativeBinomialLog(x: number, mean: number, k: number): number {
  const none = -k * Math.log1p(mean / k);
  if (x === 0) return none;
  let choose = 0;
  if (Number.isInteger(x) && x <= 40) for (let i = 0; i < x; i++) choose += Math.log((k + i) / (i + 1));
  else choose = logGamma(x + k) - logGamma(k) - logGamma(x + 1);
  return choose + none + x * Math.log(Math.max(mean, 1e-12) / (k + mean));
}

/** The smaller tail at x, at most ½, of mean μ and variance μ + dispersion·μ². x ≥ 0 need not be whole (effective rows). */
export function rareTail(x: number, mean: number, dispersion: number): number {
  const k = 1 / Math.max(dispersion, 1e-7);
  // Together they are at least 1: where one is below a half, it is the smaller.
  const likely = x > mean ? atLeast(x, mean, k) : atMost(x, mean, k);
  if (likely < 0.5) return likely;
  return Math.min(likely, x > mean ? atMost(x, mean, k) : atLeast(x, mean, k), 0.5);
}

/** Both tails at x: twice the smaller, or that alone where the other side has nothing as unlikely, not even no row at all. */
export function rareTwoSided(x: number, mean: number, dispersion: number): number {
  const tail = rareTail(x, mean, dispersion);
  const none = atMost(0, mean, 1 / Math.max(dispersion, 1e-7));
  return x > mean && none > tail ? tail : 2 * tail;
}

/** Of effective rows between 0 and 1 the continuous law between those two: part of a row is no whole one. */
function atLeast(x: number, mean: number, k: number): number {
  return x > 0 ? regularizedBeta(mean / (k + mean), x, k) : 1;
}

function atMost(x: number, mean: number, k: number): number {
  return regularizedBeta(k / (k + mean), k, x + 1);
}
