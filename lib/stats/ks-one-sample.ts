/**
 * The law of the two-sided one-sample Kolmogorov–Smirnov statistic D_n, by the choice of methods of Simard & L'Ecuyer (2011):
 * Ruben & Gambino at the ends, Marsaglia, Tsang & Wang's matrix where it is cheap, twice the one-sided tail where that is exact
 * to double precision, Pelz & Good's expansion in between.
 */
import { logGamma } from './special.ts';

/** P(D_n ≥ x), n ≥ 1 whole. About 1e-10 relative; the tail stays accurate when tiny. */
export function ksOneSampleSurvival(n: number, x: number): number {
  if (!(n >= 1) || Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 1;
  if (x >= 1) return 0;
  const t = n * x;
  if (t <= 0.5) return 1;
  if (t <= 1) return clip(1 - Math.exp(logGamma(n + 1) - n * Math.log(n) + n * Math.log(2 * t - 1)));
  if (t >= n - 1) return clip(2 * (1 - x) ** n);
  if (x >= 0.5) return clip(2 * oneSidedSurvival(n, x));
  const squared = t * x;
  if (squared > (n <= 140 ? 4 : 2.2)) return squared >= 370 ? 0 : clip(2 * oneSidedSurvival(n, x));
  if (n <= 140 || (n <= 100_000 && n * x ** 1.5 <= 1.4)) return clip(1 - matrixCdf(n, x));
  return clip(1 - pelzGoodCdf(n, x));
}

/** Birnbaum & Tingey: Σ_j C(n, j) x (x + j/n)^{j−1} (1 − x − j/n)^{n−j} over j ≤ n(1 − x). O(n). */
function oneSidedSurvival(n: number, x: number): number {
  const last = Math.floor(n * (1 - x) + 1e-12);
  const logX = Math.log(x);
  let logChoose = 0;
  let sum = 0;
  for (let j = 0; j <= last; j++) {
    if (j > 0) logChoose += Math.log((n - j + 1) / j);
    const rest = 1 - x - j / n;
    if (rest <= 0) break;
    sum += Math.exp(logX + logChoose + (j - 1) * Math.log(x + j / n) + (n - j) * Math.log(rest));
  }
  return sum;
}

/** Marsaglia, Tsang & Wang (2003): n!/nⁿ times the central element of the n-th power of a (2k − 1)² matrix, k = ⌈nx⌉. */
function matrixCdf(n: number, x: number): number {
  const k = Math.ceil(n * x);
  const size = 2 * k - 1;
  const h = k - n * x;
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j <= Math.min(size - 1, i + 1); j++) matrix[i * size + j] = 1;
  for (let i = 0; i < size; i++) {
    matrix[i * size] = matrix[i * size]! - h ** (i + 1);
    matrix[(size - 1) * size + i] = matrix[(size - 1) * size + i]! - h ** (size - i);
  }
  if (2 * h - 1 > 0) matrix[(size - 1) * size] = matrix[(size - 1) * size]! + (2 * h - 1) ** size;
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= Math.min(size - 1, i + 1); j++) {
      let factorial = 1;
      for (let g = 2; g <= i - j + 1; g++) factorial *= g;
      matrix[i * size + j] = matrix[i * size + j]! / factorial;
    }
  const { values, exponent } = matrixPower(matrix, size, n);
  let result = values[(k - 1) * size + k - 1]!;
  let scale = exponent;
  for (let i = 1; i <= n; i++) {
    result = (result * i) / n;
    if (result < 1e-140) {
      result *= 1e140;
      scale -= 140;
    }
  }
  return result * 10 ** scale;
}

function matrixPower(
  matrix: Float64Array,
  size: number,
  power: number,
): { readonly values: Float64Array; readonly exponent: number } {
  let result: Float64Array | null = null;
  let resultExponent = 0;
  let base = matrix;
  let baseExponent = 0;
  for (let rest = power; ; ) {
    if (rest % 2 === 1) {
      result = result === null ? base.slice() : multiply(result, base, size);
      resultExponent += baseExponent;
      resultExponent += shrink(result);
    }
    rest = Math.floor(rest / 2);
    if (rest === 0) break;
    base = multiply(base, base, size);
    baseExponent = 2 * baseExponent + shrink(base);
  }
  return { values: result ?? matrix, exponent: resultExponent };
}

function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let l = 0; l < size; l++) {
      const factor = a[i * size + l]!;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) product[i * size + j] = product[i * size + j]! + factor * b[l * size + j]!;
    }
  return product;
}

/** Keeps a matrix away from overflow; returns the decimal exponent taken out. */
function shrink(matrix: Float64Array): number {
  const middle = matrix[(matrix.length - 1) / 2]!;
  if (middle <= 1e140) return 0;
  for (let i = 0; i < matrix.length; i++) matrix[i] = matrix[i]! * 1e-140;
  return 140;
}

/** Pelz & Good (1976): K₀ + K₁/√n + K₂/n + K₃/n^{3/2} at z = x√n. */
function pelzGoodCdf(n: number, x: number): number {
  const z = Math.sqrt(n) * x;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const pi2 = Math.PI * Math.PI;
  const root = Math.sqrt(Math.PI / 2);
  const terms = Math.ceil((16 * z) / Math.PI) + 1;
  let k0 = 0;
  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  for (let k = terms; k >= 0; k--) {
    const half = (k + 0.5) ** 2 * pi2;
    const weight = Math.exp(-half / (2 * z2));
    k0 += weight;
    k1 += (half - z2) * weight;
    k2 += (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * half + (1 - 2 * z2) * half * half) * weight;
    k3 +=
      (half ** 3 * (5 - 30 * z2) +
        half ** 2 * (-60 * z2 + 212 * z4) +
        half * (135 * z4 - 96 * z6) -
        (30 * z6 + 90 * z4 * z4)) *
      weight;
  }
  let even2 = 0;
  let even3 = 0;
  for (let k = terms; k >= 1; k--) {
    const whole = k * k * pi2;
    const weight = Math.exp(-whole / (2 * z2));
    even2 += whole * weight;
    even3 += (3 * whole * z2 - whole * whole) * weight;
  }
  // the sums over half k run over all whole k, hence twice; the last is a sum over k ≥ 1
  const first = (k0 * 2 * root) / z;
  const second = (2 * k1 * root) / (6 * z4);
  const third = (2 * k2 * root) / (72 * z6 * z) - (2 * even2 * root) / (36 * z2 * z);
  const fourth = (2 * k3 * root) / (6480 * z6 * z4) + (even3 * root) / (108 * z6);
  return first + second / Math.sqrt(n) + third / n + fourth / n ** 1.5;
}

function clip(p: number): number {
  return Math.min(1, Math.max(0, p));
}
