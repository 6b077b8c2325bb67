/**
 * The null of what is summed along the difference of two empirical laws, T = Σ f(W_i) · gap_i over the ranks of the pooled sample: all orders
 * of the two sides are equally likely, given the values. f is |w| (Wasserstein) or w² (energy).
 *
 * Few rows, or gaps that are widest where only a few rows lie beyond: seeded orders, kept for the sizes, drawn until twenty reach the
 * observation or 1,999 (999 beyond 400 rows) are drawn (Besag & Clifford 1991). Otherwise a gamma law with the mean, variance and skewness of T when W is a normal
 * process with the exact covariances, i(N − j)/(nm(N − 1)) for i ≤ j. Never rises with the observation.
 */
import { absoluteMoments, type Moments } from './absolute-moments.ts';
import { BoundedCache } from './bounded-cache.ts';
import { seededRandom } from './random.ts';
import { normalSurvival, regularizedGammaQ } from './special.ts';

/** Rows of both sides up to which orders are drawn when need be. */
const DRAWN = 2_000;
const ALWAYS_DRAWN = 64;
/** Rows of the smaller side that are expected beyond a rank where W takes few values, and the share of the mean that may come from there. */
const FEW_BEYOND = 8;
const FROM_THE_ENDS = 0.35;
/** Of many rows fewer orders are kept: eight megabytes. */
const ORDERS = { few: 1_999, many: 999, from: 400 } as const;
const ENOUGH_REACHED = 20;
const SLACK = 1e-9;

export type WalkStatistic = 'absolute' | 'square';

/** P(T ≥ observed). `pooled` ascends; n of its rows are the reference's. */
export function walkPValue(statistic: WalkStatistic, pooled: Float64Array, n: number, observed: number): number {
  const total = pooled.length;
  const m = total - n;
  const reached = observed * (1 - SLACK);
  if (!(reached > 0)) return 1;
  if (total <= ALWAYS_DRAWN || (total <= DRAWN && fromTheEnds(statistic, pooled, n) > FROM_THE_ENDS))
    return drawn(statistic, pooled, n, reached);
  const scale = 1 / (n * m * (total - 1));
  const { mean, variance, third } =
    statistic === 'square' ? squareMoments(pooled, scale) : absoluteMoments(pooled, scale);
  const deviation = Math.sqrt(variance);
  const z = (reached - mean) / deviation;
  const skewness = third / (variance * deviation);
  if (!(skewness > 1e-4)) return normalSurvival(z);
  const shape = 4 / skewness ** 2;
  return regularizedGammaQ(shape, Math.max(0, shape + z * Math.sqrt(shape)));
}

function fromTheEnds(statistic: WalkStatistic, pooled: Float64Array, n: number): number {
  const total = pooled.length;
  const end = (FEW_BEYOND * total) / Math.min(n, total - n);
  let all = 0;
  let ends = 0;
  for (let i = 1; i < total; i++) {
    const variance = i * (total - i);
    const part = (statistic === 'square' ? variance : Math.sqrt(variance)) * (pooled[i]! - pooled[i - 1]!);
    all += part;
    if (i < end || total - i < end) ends += part;
  }
  return ends / all;
}

const walks = new BoundedCache<Float32Array>(6);

/** W of each order at each rank but the last, in whole units of 1/(nm): order after order. */
function walksOf(n: number, m: number): Float32Array {
  return walks.get(`${n}|${m}`, () => {
    const total = n + m;
    const random = seededRandom(n * 65_537 + total);
    const orders = total > ORDERS.from ? ORDERS.many : ORDERS.few;
    const made = new Float32Array(orders * (total - 1));
    for (let order = 0, at = 0; order < orders; order++) {
      let left = n;
      let w = 0;
      for (let i = 0; i + 1 < total; i++) {
        if (random.next() * (total - i) < left) {
          left--;
          w += m;
        } else w -= n;
        made[at++] = w;
      }
    }
    return made;
  });
}

function drawn(statistic: WalkStatistic, pooled: Float64Array, n: number, reached: number): number {
  const steps = pooled.length - 1;
  const m = pooled.length - n;
  const walk = walksOf(n, m);
  const gaps = new Float64Array(steps);
  for (let i = 0; i < steps; i++) gaps[i] = pooled[i + 1]! - pooled[i]!;
  const orders = walk.length / steps;
  const bound = reached * (statistic === 'square' ? (n * m) ** 2 : n * m);
  let found = 0;
  for (let order = 0, at = 0; order < orders; order++) {
    let sum = 0;
    if (statistic === 'square')
      for (let i = 0; i < steps; i++, at++) {
        const w = walk[at]!;
        sum += w * w * gaps[i]!;
      }
    else for (let i = 0; i < steps; i++, at++) sum += Math.abs(walk[at]!) * gaps[i]!;
    if (sum >= bound) {
      found++;
      if (found === ENOUGH_REACHED) return found / (order + 1);
    }
  }
  return (found + 1) / (orders + 1);
}

/**
 * Of a weighted sum of squares of a normal process with covariances a_i b_j (i ≤ j): 2^(r − 1) (r − 1)! tr((CG)^r), each trace a sum over
 * ascending ranks, which running sums give. O(N).
 */
function squareMoments(pooled: Float64Array, scale: number): Moments {
  const total = pooled.length;
  let mean = 0;
  let second = 0;
  let third = 0;
  // Σ g a² so far, and Σ_{i < j} g_i a_i² g_j a_j b_j with half of its diagonal.
  let single = 0;
  let double = 0;
  for (let i = 1; i < total; i++) {
    const g = pooled[i]! - pooled[i - 1]!;
    if (g === 0) continue;
    const a = i;
    const b = total - i;
    const gbb = g * b * b;
    mean += g * a * b;
    second += gbb * (2 * single + g * a * a);
    third += gbb * (6 * double + 3 * single * g * a * b + g * g * a ** 3 * b);
    double += single * g * a * b + (g * g * a ** 3 * b) / 2;
    single += g * a * a;
  }
  return { mean: scale * mean, variance: 2 * scale ** 2 * second, third: 8 * scale ** 3 * third };
}
