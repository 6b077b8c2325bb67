/**
 * Two-sample Kuiper: V = sup (F − G) + sup (G − F). Like Kolmogorov–Smirnov, and as sensitive in the tails as in the middle.
 *
 * p-value: Q(λ) = 2 Σ (4j²λ² − 1) exp(−2j²λ²) at λ = (√N + 0.155 + 0.24/√N) · V, N = nm/(n + m) (Stephens 1970), asymptotic: rough
 * below some ten rows a side.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | one and the same value everywhere | 0, p 1, `constant` |
 * | ties | statistic exact; p conservative |
 */
import { identical, type Outcome, undecided } from './outcome.ts';
import { type RawValue, sortedFinite } from './sample.ts';

/** O(n log n). */
export function kuiper(reference: ArrayLike<RawValue>, current: ArrayLike<RawValue>): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  if (n === 0) return undecided('empty-reference', n, m, 'asymptotic');
  if (m === 0) return undecided('empty-current', n, m, 'asymptotic');
  if (a[0] === a[n - 1] && a[0] === b[0] && b[0] === b[m - 1]) return identical(n, m, 'asymptotic');
  let i = 0;
  let j = 0;
  let above = 0;
  let below = 0;
  while (i < n && j < m) {
    const x = Math.min(a[i]!, b[j]!);
    while (i < n && a[i] === x) i++;
    while (j < m && b[j] === x) j++;
    const difference = i * m - j * n;
    above = Math.max(above, difference);
    below = Math.max(below, -difference);
  }
  const statistic = (above + below) / (n * m);
  return {
    statistic,
    pValue: kuiperPValue(statistic, (n * m) / (n + m)),
    referenceSize: n,
    currentSize: m,
    method: 'asymptotic',
  };
}

/** P(V ≥ v) at the effective size N. Below λ = 0.4 the series has no digits left, and p is 1. */
export function kuiperPValue(v: number, size: number): number {
  const root = Math.sqrt(size);
  const lambda = (root + 0.155 + 0.24 / root) * v;
  if (lambda < 0.4) return 1;
  let sum = 0;
  for (let j = 1; j < 100; j++) {
    const square = (j * lambda) ** 2;
    const term = (4 * square - 1) * Math.exp(-2 * square);
    sum += term;
    if (term <= 1e-17 * sum) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}
