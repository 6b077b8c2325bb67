/**
 * The null of the Wasserstein distance: √(nm/(n + m)) · Σ |F − G| · gap becomes Σ |B(t_i)| · gap_i, B a Brownian bridge.
 * 3,999 seeded bridges, cached by points and gaps. Beyond the largest hundredth the tail is continued
 * as that of a normal law with the variance of Σ B(t_i) · gap_i, which is the rate at which it falls (all covariances are positive).
 */
import { BoundedCache } from './bounded-cache.ts';
import { seededRandom, seedOf } from './random.ts';
import { normalSurvival } from './special.ts';

const DRAWS = 3_999;
const TAIL = 40;

interface AreaLaw {
  /** Ascending. */
  readonly draws: Float64Array;
  readonly deviation: number;
}

const cache = new BoundedCache<AreaLaw>(256);

/** P(Σ |B(t_i)| · gap_i ≥ z). Points ascend within 0…1; gaps ≥ 0. */
export function bridgeAreaPValue(points: readonly number[], gaps: readonly number[], z: number): number {
  let widest = 0;
  for (const gap of gaps) widest = Math.max(widest, gap);
  if (!(z > 0) || widest === 0) return 1;
  // Gaps relative to the widest: units do not matter. Nine digits decide the key, the seed and the law alike.
  const t = points.map((point) => Number(Math.min(1, Math.max(0, point)).toPrecision(9)));
  const w = gaps.map((gap) => Number((gap / widest).toPrecision(9)));
  const law = cache.get(`${t.join(',')}|${w.join(',')}`, () => simulate(t, w));
  const reached = (z / widest) * (1 - 1e-9);
  const { draws, deviation } = law;
  const edge = draws[draws.length - TAIL]!;
  if (reached > edge)
    return ((1 + TAIL) / (DRAWS + 1)) * (normalSurvival(reached / deviation) / normalSurvival(edge / deviation));
  let low = 0;
  let high = draws.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (draws[middle]! >= reached) high = middle;
    else low = middle + 1;
  }
  return (1 + draws.length - low) / (DRAWS + 1);
}

function simulate(points: readonly number[], gaps: readonly number[]): AreaLaw {
  const random = seededRandom(seedOf(`${points.join(',')}|${gaps.join(',')}`));
  const steps = points.map((t, i) => {
    const previous = i === 0 ? 0 : points[i - 1]!;
    const shrink = previous >= 1 ? 0 : (1 - t) / (1 - previous);
    return { shrink, deviation: Math.sqrt(Math.max(0, (t - previous) * shrink)) };
  });
  const draws = new Float64Array(DRAWS);
  for (let d = 0; d < DRAWS; d++) {
    let x = 0;
    let sum = 0;
    for (let i = 0; i < steps.length; i++) {
      x = x * steps[i]!.shrink + steps[i]!.deviation * random.normal();
      sum += Math.abs(x) * gaps[i]!;
    }
    draws[d] = sum;
  }
  let variance = 0;
  let before = 0;
  for (let i = 0; i < points.length; i++) {
    // Cov(B(s), B(t)) = s (1 − t) for s ≤ t
    variance += gaps[i]! * (1 - points[i]!) * (2 * before + gaps[i]! * points[i]!);
    before += gaps[i]! * points[i]!;
  }
  return { draws: draws.sort(), deviation: Math.sqrt(Math.max(variance, Number.MIN_VALUE)) };
}
