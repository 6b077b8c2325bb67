/**
 * Brownian bridges at given points: what √(nm/(n + m))·(F − G) becomes under the null where the common law's cumulated share is t.
 * The null of a binned statistic is that of the bridge at the bin points, not of the whole bridge.
 */
import { normalSurvival } from './special.ts';

/** Kolmogorov's limit law, P(sup |B| ≥ z): an upper bound for any set of points. */
export function bridgeSupremumSurvival(z: number): number {
  if (!(z > 0)) return 1;
  if (z < 1.18) {
    const factor = Math.exp(-(Math.PI ** 2) / (8 * z * z));
    return 1 - (Math.sqrt(2 * Math.PI) / z) * (factor + factor ** 9 + factor ** 25 + factor ** 49);
  }
  let sum = 0;
  for (let k = 1; k <= 6; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * z * z);
  return sum;
}

const NODES = 40;
const RULE = gaussLegendre(NODES);

/**
 * P(max_i |B(t_i)| ≥ z) for points 0 < t_1 < … < t_k < 1. The path is followed from point to point as a probability density on
 * (−z, z), integrated by Gauss–Legendre; what leaves is summed, so tiny tails keep their digits. Deterministic, about 1e-6 relative
 * for gaps ≥ 0.01. O(points · 40²); points nearer than 0.005 to the one before are merged into it.
 */
export function bridgeMaximumSurvival(points: ArrayLike<number>, z: number): number {
  if (!(z > 0)) return 1;
  const kept: number[] = [];
  for (let i = 0; i < points.length; i++) {
    const t = points[i]!;
    if (t > 1e-9 && t < 1 - 1e-9 && t - (kept[kept.length - 1] ?? -1) >= MINIMUM_GAP) kept.push(t);
  }
  if (kept.length === 0) return 0;
  let left = 0;
  let mass = new Float64Array(NODES);
  let previous = 0;
  for (const [index, t] of kept.entries()) {
    const next = new Float64Array(NODES);
    // Given B(s) = x, B(t) is normal with mean x(1 − t)/(1 − s) and variance (t − s)(1 − t)/(1 − s).
    const shrink = (1 - t) / (1 - previous);
    const deviation = Math.sqrt((t - previous) * shrink);
    const sources = index === 0 ? 1 : NODES;
    const width = z / (deviation * Math.sqrt(2 * Math.PI));
    for (let s = 0; s < sources; s++) {
      const weight = index === 0 ? 1 : mass[s]!;
      if (weight === 0) continue;
      const mean = index === 0 ? 0 : RULE.nodes[s]! * z * shrink;
      left += weight * (normalSurvival((z - mean) / deviation) + normalSurvival((z + mean) / deviation));
      for (let k = 0; k < NODES; k++) {
        const distance = (RULE.nodes[k]! * z - mean) / deviation;
        next[k] = next[k]! + weight * Math.exp(-0.5 * distance * distance) * RULE.weights[k]! * width;
      }
    }
    mass = next;
    previous = t;
  }
  return Math.min(1, left);
}

const MINIMUM_GAP = 0.005;

/** Nodes and weights on [−1, 1], by Newton's method on the Legendre polynomial. */
function gaussLegendre(n: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      let p0 = 1;
      let p1 = x;
      for (let k = 2; k <= n; k++) [p0, p1] = [p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k];
      slope = (n * (x * p1 - p0)) / (x * x - 1);
      const change = p1 / slope;
      x -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    nodes[i] = x;
    weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
