/**
 * Two-sample Anderson–Darling (Scholz & Stephens 1987, k samples, midranks): the squared distance of the empirical laws weighted
 * towards the tails, standardised. Definition and p-values as in SciPy's `anderson_ksamp`.
 *
 * p-value: interpolated between the published critical values, hence limited to 0.001 … 0.25.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | one and the same value everywhere | no number, reason `constant` |
 * | fewer than four rows in all | no number, reason `too-few-rows` (no variance) |
 */
import { type Outcome, undecided } from './outcome.ts';
import { type RawValue, sortedFinite } from './sample.ts';

/** Critical values for two samples and their levels. */
const CRITICAL = [
  0.675 - 0.245 - 0.105,
  1.281 + 0.25 - 0.305,
  1.645 + 0.678 - 0.362,
  1.96 + 1.149 - 0.391,
  2.326 + 1.822 - 0.396,
  2.573 + 2.364 - 0.345,
  3.085 + 3.615 - 0.154,
];
const LEVELS = [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001];
const FIT = quadraticFit(CRITICAL, LEVELS.map(Math.log));

/** O(n log n). */
export function andersonDarling(reference: ArrayLike<RawValue>, current: ArrayLike<RawValue>): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  const total = n + m;
  const method = 'interpolated';
  if (n === 0) return undecided('empty-reference', n, m, method);
  if (m === 0) return undecided('empty-current', n, m, method);
  if (a[0] === a[n - 1] && a[0] === b[0] && b[0] === b[m - 1]) return undecided('constant', n, m, method);
  if (total < 4) return undecided('too-few-rows', n, m, method);
  const raw = weightedSquares(a, b);
  const statistic = (raw - 1) / Math.sqrt(varianceOf(n, m));
  return { statistic, pValue: pValueOf(statistic), referenceSize: n, currentSize: m, method };
}

function weightedSquares(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  const m = b.length;
  const total = n + m;
  let i = 0;
  let j = 0;
  let left = 0;
  let ofReference = 0;
  let ofCurrent = 0;
  while (i < n || j < m) {
    const x = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    const fromI = i;
    const fromJ = j;
    while (i < n && a[i] === x) i++;
    while (j < m && b[j] === x) j++;
    const run = i - fromI + (j - fromJ);
    const below = left + run / 2;
    const scale = run / total / (below * (total - below) - (total * run) / 4);
    ofReference += scale * (total * ((fromI + i) / 2) - below * n) ** 2;
    ofCurrent += scale * (total * ((fromJ + j) / 2) - below * m) ** 2;
    left += run;
  }
  return ((ofReference / n + ofCurrent / m) * (total - 1)) / total;
}

/** Of the statistic under the null, for two samples. */
function varianceOf(n: number, m: number): number {
  const total = n + m;
  const inverse = 1 / n + 1 / m;
  let harmonic = 0;
  let nested = 0;
  // harmonic = Σ 1/i for i < total; nested = Σ_i Σ_{j > i} 1 / ((total − i) · j)
  for (let i = 1; i <= total - 2; i++) {
    harmonic += 1 / (total - i);
    nested += harmonic / (i + 1);
  }
  const h = harmonic + 1;
  const g = nested;
  const k = 2;
  const c3 = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse;
  const c2 = (2 * g - 4) * k ** 2 + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6;
  const c1 = (6 * h + 2 * g - 2) * k ** 2 + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h;
  const c0 = (2 * h + 6) * k ** 2 - 4 * h * k;
  return (c3 * total ** 3 + c2 * total ** 2 + c1 * total + c0) / ((total - 1) * (total - 2) * (total - 3));
}

function pValueOf(statistic: number): number {
  if (statistic < CRITICAL[0]!) return LEVELS[0]!;
  if (statistic > CRITICAL.at(-1)!) return LEVELS.at(-1)!;
  return Math.exp(FIT[0] + statistic * (FIT[1] + statistic * FIT[2]));
}

/** Coefficients, constant first, of the least-squares parabola; by orthogonal polynomials, so that nothing cancels. */
function quadraticFit(x: readonly number[], y: readonly number[]): readonly [number, number, number] {
  const n = x.length;
  const sum = (of: (i: number) => number): number => x.reduce((total, _, i) => total + of(i), 0);
  const mean = sum((i) => x[i]!) / n;
  const p1 = x.map((value) => value - mean);
  const s1 = sum((i) => p1[i]! ** 2);
  const shift = sum((i) => x[i]! * p1[i]! ** 2) / s1;
  const p2 = x.map((value, i) => (value - shift) * p1[i]! - s1 / n);
  const s2 = sum((i) => p2[i]! ** 2);
  const c0 = sum((i) => y[i]!) / n;
  const c1 = sum((i) => y[i]! * p1[i]!) / s1;
  const c2 = sum((i) => y[i]! * p2[i]!) / s2;
  return [c0 - c1 * mean + c2 * (shift * mean - s1 / n), c1 - c2 * (shift + mean), c2];
}
