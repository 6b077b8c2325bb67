/**
 * The null of a divergence of two binned samples (PSI, Jensen–Shannon): both sides drawn from the pooled shares at their sizes.
 *
 * Rule: where every used bin expects at least 5 rows on the smaller side, the delta approximation, divergence ≈ factor · Σ (p − q)² / π
 * with the law of `quadraticLaw`. Otherwise 1,999 seeded draws of two multinomials, (1 + #{≥ x}) / 2000; beyond the largest
 * fiftieth of the draws the tail is continued by the chi-square law with their mean and variance. Draws are cached by sizes and shares.
 */
import { BoundedCache } from './bounded-cache.ts';
import { conditionalMaximumTail } from './conditional-maximum.ts';
import { type BinTerm, conditionalSumTail } from './conditional-sum.ts';
import { type BinnedPair, wholeCounts } from './outcome.ts';
import { seededRandom, seedOf } from './random.ts';
import { quadraticLaw, type Shares } from './shares.ts';
import { chiSquareSurvival } from './special.ts';

export interface Divergence {
  /** Part of the cache key. */
  readonly name: string;
  /** Its limit as a multiple of Σ (p − q)² / π: 1 for PSI, 1/2 for Kullback–Leibler, 1/8 for Jensen–Shannon in nats; `null` for one that has no such limit and is always simulated. */
  readonly factor: number | null;
  /** From counts of rows (not shares) and their totals. */
  readonly of: (reference: ArrayLike<number>, n: number, current: ArrayLike<number>, m: number) => number;
}

/**
 * Which null: `limit`, the rule above, or `given-counts`, the exact laws of conditional-cells.ts, for whole counts without weights.
 */
export type DivergenceLaw = 'limit' | 'given-counts';

/** How a distance is made of its bins: a sum of terms at sizes n and m, or the largest difference of shares. */
export type Composition = ((n: number, m: number) => BinTerm) | 'largest';

/** As `divergencePValue`; the law given the counts where the counts are whole. */
export function givenCountsPValue(
  divergence: Divergence,
  pair: BinnedPair,
  shares: Shares,
  observed: number,
  composition: Composition,
): { readonly pValue: number; readonly method: string } {
  const { referenceSize: n, currentSize: m } = shares;
  if (!wholeCounts(pair)) return divergencePValue(divergence, pair, shares, observed);
  const method = 'given-counts';
  if (composition === 'largest') return { pValue: conditionalMaximumTail(pair, n, m, observed), method };
  const term = composition(n, m);
  // Added up as the law does it, so that the observation is one of its points.
  let sum = 0;
  for (let i = 0; i < shares.pooled.length; i++)
    if (shares.pooled[i]! > 0) sum += term(pair.reference[i]!, pair.current[i]!);
  return { pValue: conditionalSumTail(pair, { name: divergence.name, term }, sum), method };
}

const ENOUGH = 5;
const DRAWS = 1_999;
const FIRST_DRAWS = 99;
/** Of the first draws, as extreme as the observation or more: then p is at least a tenth. */
const ENOUGH_REACHED = 10;
const TAIL = 40;
const cache = new BoundedCache<Float64Array>(64);

export function divergencePValue(
  divergence: Divergence,
  pair: BinnedPair,
  shares: Shares,
  observed: number,
): { readonly pValue: number; readonly method: string } {
  const { pooled, referenceSize: n, currentSize: m } = shares;
  const smaller = Math.min(n, m);
  let enough = divergence.factor !== null;
  for (let i = 0; i < pooled.length; i++) if (pooled[i]! > 0 && pooled[i]! * smaller < ENOUGH) enough = false;
  if (enough && divergence.factor !== null) {
    const law = quadraticLaw(pair, shares);
    return { pValue: chiSquareSurvival(observed / (divergence.factor * law.scale), law.df), method: 'chi-square' };
  }
  const sizes = [Math.max(1, Math.round(n)), Math.max(1, Math.round(m))] as const;
  // Most comparisons are nowhere near the tail: a few draws say so, and stay valid as a p-value (Besag & Clifford 1991).
  const first = simulate(divergence, pooled, ...sizes, FIRST_DRAWS);
  const reached = first.reduce((count, draw) => (draw >= observed * (1 - 1e-12) ? count + 1 : count), 0);
  if (reached >= ENOUGH_REACHED) return { pValue: (1 + reached) / (1 + FIRST_DRAWS), method: 'monte-carlo' };
  return { pValue: tailShare(simulate(divergence, pooled, ...sizes, DRAWS), observed), method: 'monte-carlo' };
}

function simulate(divergence: Divergence, pooled: Float64Array, n: number, m: number, count: number): Float64Array {
  const used = pooled.filter((share) => share > 0);
  const key = `${divergence.name}|${n}|${m}|${count}|${used.join(',')}`;
  return cache.get(key, () => {
    const random = seededRandom(seedOf(key));
    const reference = new Float64Array(used.length);
    const current = new Float64Array(used.length);
    const draws = new Float64Array(count);
    for (let d = 0; d < count; d++) {
      for (const [size, counts] of [
        [n, reference],
        [m, current],
      ] as const) {
        let left = size;
        let share = 1;
        for (let i = 0; i < used.length; i++) {
          counts[i] = i === used.length - 1 ? left : random.binomial(left, Math.min(1, used[i]! / share));
          left -= counts[i]!;
          share -= used[i]!;
        }
      }
      draws[d] = divergence.of(reference, n, current, m);
    }
    return draws.sort();
  });
}

/** `draws` ascend. */
function tailShare(draws: Float64Array, observed: number): number {
  // Draws equal to the observation up to rounding count as reached.
  const reached = observed * (1 - 1e-12);
  const edge = draws[draws.length - TAIL]!;
  if (reached <= edge) {
    let low = 0;
    let high = draws.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (draws[middle]! >= reached) high = middle;
      else low = middle + 1;
    }
    return (1 + draws.length - low) / (draws.length + 1);
  }
  let mean = 0;
  for (const draw of draws) mean += draw / draws.length;
  let variance = 0;
  for (const draw of draws) variance += (draw - mean) ** 2 / draws.length;
  if (!(variance > 0)) return TAIL / (draws.length + 1);
  const scale = variance / (2 * mean);
  const df = (2 * mean * mean) / variance;
  return (
    ((1 + TAIL) / (draws.length + 1)) * (chiSquareSurvival(observed / scale, df) / chiSquareSurvival(edge / scale, df))
  );
}
