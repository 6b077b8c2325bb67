/**
 * Whether one cause moves many scores together from window to window: the largest eigenvalue of what they have in common, against
 * that of independent noise (Johnstone 2001). A cause that is spread over fifty categories shows in none of them.
 */

/** Below the middle of its law nothing is left of a cause that would matter. */
const LEAST = -1.5;
const MOST = 500;
/** Of the power iteration: an eigenvalue that stands out is found in a few. */
const ITERATIONS = 60;

/**
 * Log of the Bayes factor of such a cause, about: minus the log of the tail of Tracy and Widom's law, exp(−⅔x^1.5). `scores`: residuals,
 * one array a score, of equal length, each brought to a variance of one: how much a score varies by itself is no matter here, and the
 * root of a small count varies by a little more than its noise. 0 where there are too few.
 */
export function commonCause(scores: readonly Float64Array[]): number {
  const blocks = scores[0]?.length ?? 0;
  if (scores.length < 3 || blocks < 4) return 0;
  const standard = scores.map(standardised);
  // Both products have the same largest eigenvalue.
  const vectors = blocks > scores.length ? standard : transposed(standard);
  const n = Math.sqrt(blocks - 1);
  const p = Math.sqrt(scores.length);
  const x = (largestEigenvalue(products(vectors)) - (n + p) ** 2) / ((n + p) * Math.cbrt(1 / n + 1 / p));
  return x > 0 ? Math.min(MOST, (2 / 3) * x ** 1.5) : Math.max(LEAST, x);
}

function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centred = values.map((value) => value - mean);
  const deviation = Math.sqrt(dot(centred, centred) / (values.length - 1));
  return deviation > 0 ? centred.map((value) => value / deviation) : centred;
}

function transposed(rows: readonly Float64Array[]): Float64Array[] {
  return Array.from(rows[0]!, (_, b) => Float64Array.from(rows, (row) => row[b]!));
}

function products(vectors: readonly Float64Array[]): Float64Array[] {
  const size = vectors.length;
  const all = Array.from({ length: size }, () => new Float64Array(size));
  for (let a = 0; a < size; a++)
    for (let b = a; b < size; b++) {
      const product = dot(vectors[a]!, vectors[b]!);
      all[a]![b] = product;
      all[b]![a] = product;
    }
  return all;
}

function largestEigenvalue(matrix: readonly Float64Array[]): number {
  // Any start that no symmetry of the data is likely to have.
  let vector = Float64Array.from(matrix, (_, i) => 1 + 0.1 * Math.sin(1 + 7 * i));
  let length = 0;
  for (let i = 0; i < ITERATIONS; i++) {
    const next = Float64Array.from(matrix, (row) => dot(row, vector));
    length = Math.sqrt(dot(next, next));
    if (!(length > 0)) return 0;
    vector = next.map((value) => value / length);
  }
  return length;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
