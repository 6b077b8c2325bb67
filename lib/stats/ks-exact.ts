/**
 * Exact two-sided p-value of the two-sample Kolmogorov–Smirnov statistic: the share of all orders of the pooled sample whose lattice
 * path leaves the band |i/n − j/m| < d (Hodges 1958; Kim & Jennrich 1973). Sums of positive terms only: accurate when tiny.
 */
import { BoundedCache } from './bounded-cache.ts';

const known = new BoundedCache<number>(4_096);

/**
 * P(D ≥ d) for sizes n, m ≥ 1, no ties. d is taken as the next multiple of 1/lcm(n, m).
 * O(n) for n = m, else O(n · band); 1 at d = 0.
 */
export function ksExactPValue(n: number, m: number, d: number): number {
  const step = greatestCommonDivisor(n, m);
  const multiple = (n / step) * m;
  const h = Math.round(d * multiple);
  if (h <= 0) return 1;
  // P ≤ e · exp(−2z²) (Dvoretzky, Kiefer & Wolfowitz, two samples): below the smallest double.
  if ((2 * d * d * n * m) / (n + m) > 800) return 0;
  const [larger, smaller] = [Math.max(n, m), Math.min(n, m)];
  return known.get(`${larger}|${smaller}|${h}`, () =>
    Math.min(1, n === m ? equalSizes(n, h) : outsideBand(larger, smaller, step, h)),
  );
}

/** The least common multiple of the sizes, in whose units differences of the two empirical laws are whole. */
export function leastCommonMultiple(n: number, m: number): number {
  return (n / greatestCommonDivisor(n, m)) * m;
}

/** 2 Σ_{k ≥ 1} (−1)^{k−1} C(2n, n − kh) / C(2n, n), nested so that nothing cancels. */
function equalSizes(n: number, h: number): number {
  let p = 0;
  for (let k = Math.floor(n / h); k >= 1; k--) {
    // ratio of C(2n, n − kh) to C(2n, n − (k − 1)h)
    let ratio = 1;
    for (let j = 0; j < h; j++) ratio *= (n - (k - 1) * h - j) / (n + (k - 1) * h + j + 1);
    p = ratio * (1 - p);
  }
  return 2 * p;
}

/** m > n. A[j] = probability that a path to (i, j) has left the band; by the last step, (i·A(i−1, j) + j·A(i, j−1)) / (i + j). */
function outsideBand(m: number, n: number, step: number, h: number): number {
  const mg = m / step;
  const ng = n / step;
  const left = new Float64Array(n + 1).fill(1);
  for (let j = 0; j <= n && mg * j < h; j++) left[j] = 0;
  let previousLow = 0;
  for (let i = 1; i <= m; i++) {
    // inside: |ng·i − mg·j| < h
    const low = Math.max(0, Math.floor((ng * i - h) / mg) + 1);
    const high = Math.min(n, Math.ceil((ng * i + h) / mg) - 1);
    if (low > high) return 1;
    for (let j = previousLow; j < low; j++) left[j] = 1;
    let value = low === 0 ? 0 : 1;
    for (let j = low; j <= high; j++) {
      value = j === 0 ? left[0]! : (left[j]! * i + value * j) / (i + j);
      left[j] = value;
    }
    previousLow = low;
  }
  return left[n]!;
}

/**
 * The same where values tie or are binned: P(D ≥ d) given the pooled counts of the distinct values (Schröer & Trenkler 1995),
 * that is, the null of the binned statistic itself. The path is held against the band only where a run of ties ends. O(n · m).
 */
export function ksExactTiedPValue(n: number, m: number, d: number, pooledCounts: ArrayLike<number>): number {
  const multiple = leastCommonMultiple(n, m);
  const h = Math.round(d * multiple);
  if (h <= 0) return 1;
  const ends = new Uint8Array(n + m + 1);
  let total = 0;
  for (let i = 0; i < pooledCounts.length; i++) {
    total += pooledCounts[i]!;
    ends[total] = 1;
  }
  const perI = multiple / n;
  const perJ = multiple / m;
  const left = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      let value = 0;
      if (i > 0 || j > 0)
        value = i === 0 ? left[j - 1]! : j === 0 ? left[0]! : (left[j]! * i + left[j - 1]! * j) / (i + j);
      left[j] = ends[i + j] === 1 && Math.abs(perI * i - perJ * j) >= h ? 1 : value;
    }
  }
  return Math.min(1, left[m]!);
}

function greatestCommonDivisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y > 0) [x, y] = [y, x % y];
  return x;
}
