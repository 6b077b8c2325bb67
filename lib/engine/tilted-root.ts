/**
 * Signed root of the deviance of the mean of a score, over √n, as signedRoot is for a share: sign(s − e)·√(2·KL), KL being the
 * divergence from the law of mean e to that of mean s within the exponential family p_b·exp(t·h_b). √n times it is close to
 * N(0, 1) also where nearly all rows lie in one bin and the mean itself is far from normal (Daniels 1954; of two values it is the
 * root of the binomial deviance).
 */

/** `shares` of the bins, sum above 0 where `values` count; bins without a share have no say. `mean` and `expected` in the unit of `values`. */
export function tiltedRoot(
  mean: number,
  expected: number,
  values: ArrayLike<number>,
  shares: ArrayLike<number>,
): number {
  const law = new TiltedLaw(values, shares);
  const from = law.tiltOf(expected);
  const to = law.tiltOf(mean);
  const divergence = law.cost(mean, to) - law.cost(mean, from);
  return Math.sign(mean - expected) * Math.sqrt(Math.max(0, 2 * divergence));
}

/** Tilts beyond have all but e^-60 of their mass at the end of the range. */
const FAR = 60;

class TiltedLaw {
  private readonly values: ArrayLike<number>;
  private readonly shares: ArrayLike<number>;
  private readonly limit: number;

  constructor(values: ArrayLike<number>, shares: ArrayLike<number>) {
    this.values = values;
    this.shares = shares;
    const used = Array.from({ length: values.length }, (_, b) => b)
      .filter((b) => shares[b]! > 0)
      .map((b) => values[b]!)
      .sort((a, b) => a - b);
    let step = Number.POSITIVE_INFINITY;
    for (let i = 1; i < used.length; i++) {
      const gap = used[i]! - used[i - 1]!;
      if (gap > 1e-9) step = Math.min(step, gap);
    }
    this.limit = FAR / Math.min(step, 1e9);
  }

  /** t with the given mean: bisection from a bracket, then Newton within it. */
  tiltOf(mean: number): number {
    let low = -this.limit;
    let high = this.limit;
    let t = 0;
    for (let i = 0; i < 80 && high - low > 1e-12 * (1 + Math.abs(t)); i++) {
      const { first, second } = this.moments(t);
      if (first < mean) low = t;
      else high = t;
      const newton = t + (mean - first) / second;
      const next = newton > low && newton < high ? newton : (low + high) / 2;
      if (Math.abs(next - t) < 1e-13 * (1 + Math.abs(t))) break;
      t = next;
    }
    return t;
  }

  /** t·mean − log Σ p·exp(t·h): largest at the tilt of that mean. */
  cost(mean: number, t: number): number {
    const { log } = this.moments(t);
    return t * mean - log;
  }

  private moments(t: number): { readonly log: number; readonly first: number; readonly second: number } {
    let top = Number.NEGATIVE_INFINITY;
    for (let b = 0; b < this.values.length; b++) if (this.shares[b]! > 0) top = Math.max(top, t * this.values[b]!);
    let all = 0;
    let first = 0;
    let second = 0;
    for (let b = 0; b < this.values.length; b++) {
      if (!(this.shares[b]! > 0)) continue;
      const value = this.values[b]!;
      const weight = this.shares[b]! * Math.exp(t * value - top);
      all += weight;
      first += weight * value;
      second += weight * value * value;
    }
    first /= all;
    return { log: top + Math.log(all), first, second: Math.max(second / all - first * first, 1e-300) };
  }
}
