/**
 * Special functions and tails of the usual laws: thin wrappers over @stdlib (Boost's and Cephes' methods, about 1e-14 relative).
 * Arguments outside the domain give NaN, never an exception. Tails are computed as such, not as 1 − something.
 */
import betainc from '@stdlib/math-base-special-betainc';
import erfcBase from '@stdlib/math-base-special-erfc';
import erfcinv from '@stdlib/math-base-special-erfcinv';
import gammainc from '@stdlib/math-base-special-gammainc';
import gammaln from '@stdlib/math-base-special-gammaln';

/** ln |Γ(x)|. */
export function logGamma(x: number): number {
  return gammaln(x);
}

/** ln (n choose k), 0 ≤ k ≤ n. */
export function logChoose(n: number, k: number): number {
  return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1);
}

/** P(a, x) = γ(a, x) / Γ(a), a > 0, x ≥ 0. */
export function regularizedGammaP(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0)) return Number.NaN;
  return x === Number.POSITIVE_INFINITY ? 1 : gammainc(x, a, true, false);
}

/** Q(a, x) = 1 − P(a, x), accurate when tiny. */
export function regularizedGammaQ(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0)) return Number.NaN;
  return x === Number.POSITIVE_INFINITY ? 0 : gammainc(x, a, true, true);
}

/** I_x(a, b), 0 ≤ x ≤ 1, a, b > 0. */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1)) return Number.NaN;
  return betainc(x, a, b, true, false);
}

export function erfc(x: number): number {
  return erfcBase(x);
}

export function normalCdf(z: number): number {
  return erfcBase(-z * Math.SQRT1_2) / 2;
}

/** P(Z > z). */
export function normalSurvival(z: number): number {
  return erfcBase(z * Math.SQRT1_2) / 2;
}

/** The z with P(Z ≤ z) = p; ∓∞ at 0 and 1, NaN outside. */
export function normalQuantile(p: number): number {
  return -Math.SQRT2 * erfcinv(2 * p);
}

/** P(χ²_df > x); df > 0 need not be whole. 1 for x ≤ 0. */
export function chiSquareSurvival(x: number, df: number): number {
  if (Number.isNaN(x) || !(df > 0)) return Number.NaN;
  return x <= 0 ? 1 : regularizedGammaQ(df / 2, x / 2);
}

/** P(|T| ≥ |t|) of Student's law; df > 0, ∞ is the normal law. */
export function studentTwoSided(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  if (df === Number.POSITIVE_INFINITY) return erfcBase(Math.abs(t) * Math.SQRT1_2);
  if (!Number.isFinite(t)) return 0;
  return regularizedBeta(df / (df + t * t), df / 2, 0.5);
}

/** The t > 0 with P(|T| ≥ t) = p, 0 < p < 1; ∞ at p = 0. Bisection on the logarithm, 1e-12 relative. */
export function studentTwoSidedQuantile(p: number, df: number): number {
  if (!(df > 0) || !(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return Number.POSITIVE_INFINITY;
  if (p === 1) return 0;
  if (df === Number.POSITIVE_INFINITY) return -normalQuantile(p / 2);
  let low = -60;
  let high = 700;
  for (let i = 0; i < 200 && high - low > 1e-13; i++) {
    const middle = (low + high) / 2;
    if (studentTwoSided(Math.exp(middle), df) > p) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** P(X ≤ k), X binomial(n, p). */
export function binomialCdf(k: number, n: number, p: number): number {
  const floor = Math.floor(k);
  if (floor < 0) return 0;
  if (floor >= n || p <= 0) return 1;
  return p >= 1 ? 0 : regularizedBeta(1 - p, n - floor, floor + 1);
}

/** P(X ≥ k), X binomial(n, p). */
export function binomialSurvival(k: number, n: number, p: number): number {
  const ceil = Math.ceil(k);
  if (ceil <= 0) return 1;
  if (ceil > n || p <= 0) return 0;
  return p >= 1 ? 1 : regularizedBeta(p, ceil, n - ceil + 1);
}

/** P(X ≤ k), X Poisson(mean). */
export function poissonCdf(k: number, mean: number): number {
  const floor = Math.floor(k);
  if (floor < 0) return 0;
  return mean <= 0 ? 1 : regularizedGammaQ(floor + 1, mean);
}

/** P(X ≥ k), X Poisson(mean). */
export function poissonSurvival(k: number, mean: number): number {
  const ceil = Math.ceil(k);
  if (ceil <= 0) return 1;
  return mean <= 0 ? 0 : regularizedGammaP(ceil, mean);
}

/**
 * P(X ≤ k), X negative binomial with this mean and variance mean + dispersion · mean² (a Poisson law where dispersion is 0).
 */
export function negativeBinomialCdf(k: number, mean: number, dispersion: number): number {
  const floor = Math.floor(k);
  if (floor < 0) return 0;
  if (!(dispersion > 1e-12)) return poissonCdf(floor, mean);
  const size = 1 / dispersion;
  return mean <= 0 ? 1 : regularizedBeta(size / (size + mean), size, floor + 1);
}

/** P(X ≥ k) of the same law. */
export function negativeBinomialSurvival(k: number, mean: number, dispersion: number): number {
  const ceil = Math.ceil(k);
  if (ceil <= 0) return 1;
  if (!(dispersion > 1e-12)) return poissonSurvival(ceil, mean);
  const size = 1 / dispersion;
  return mean <= 0 ? 0 : regularizedBeta(mean / (size + mean), ceil, size);
}
