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

/** Points nearer than this to the one before, or to 0 or 1, are passed over: the bridge has no room to move in between. */
const MINIMUM_GAP = 0.005;
/** Below this the whole bridge's tail is answered, an upper bound. */
const TINY = 1e-9;

/**
 * P(max_i |B(t_i)| ≥ z) for points 0 < t_1 < … < t_k < 1. The path is followed from point to point as a probability density on
 * (−z, z), integrated by Gauss–Legendre with nodes closer than the smallest step's deviation (error below 1e-8); what leaves is
 * summed, so small tails keep their digits. Deterministic. O(points · nodes²), nodes ≤ 150.
 */
export function bridgeMaximumSurvival(points: ArrayLike<number>, z: number): number {
  if (!(z > 0)) return 1;
  const steps: { readonly shrink: number; readonly deviation: number }[] = [];
  let previous = 0;
  let smallest = 1;
  for (let i = 0; i < points.length; i++) {
    const t = points[i]!;
    if (!(t - previous >= MINIMUM_GAP) || t > 1 - MINIMUM_GAP) continue;
    // Given B(s) = x, B(t) is normal with mean x(1 − t)/(1 − s) and variance (t − s)(1 − t)/(1 − s).
    const shrink = (1 - t) / (1 - previous);
    const deviation = Math.sqrt((t - previous) * shrink);
    steps.push({ shrink, deviation });
    smallest = Math.min(smallest, deviation);
    previous = t;
  }
  if (steps.length === 0) return 0;
  const bound = bridgeSupremumSurvival(z);
  if (bound < TINY) return bound;
  const { nodes, weights } = ruleOf(Math.min(160, Math.max(24, 8 * Math.ceil((Math.PI * z) / smallest / 8))));
  let left = 0;
  let mass = new Float64Array([1]);
  let places = new Float64Array([0]);
  for (const { shrink, deviation } of steps) {
    const next = new Float64Array(nodes.length);
    const height = z / (deviation * Math.sqrt(2 * Math.PI));
    for (let s = 0; s < places.length; s++) {
      const mean = places[s]! * z * shrink;
      const weight = mass[s]!;
      left += weight * (normalSurvival((z - mean) / deviation) + normalSurvival((z + mean) / deviation));
      for (let k = 0; k < nodes.length; k++) {
        const distance = (nodes[k]! * z - mean) / deviation;
        if (distance < 9 && distance > -9)
          next[k] = next[k]! + weight * Math.exp(-0.5 * distance * distance) * weights[k]! * height;
      }
    }
    mass = next;
    places = nodes;
  }
  return Math.min(1, left);
}

interface Rule {
  readonly nodes: Float64Array<ArrayBuffer>;
  readonly weights: Float64Array<ArrayBuffer>;
}

const rules = new Map<number, Rule>();

/** At most 18 sizes: multiples of 8 up to 160. */
function ruleOf(n: number): Rule {
  let rule = rules.get(n);
  if (rule === undefined) {
    rule = gaussLegendre(n);
    rules.set(n, rule);
  }
  return rule;
}

/** Nodes and weights on [−1, 1], by Newton's method on the Legendre polynomial. */
function gaussLegendre(n: number): Rule {
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
