/**
 * The tail of a sum over bins, T = Σ h(reference_i, current_i), when both sides come from one law (conditional-cells.ts).
 *
 * Few tables of given pooled counts: all of them, exactly. Otherwise a gamma law with the mean, variance and skewness of T: those of
 * the saddlepoint approximation to its conditional cumulant function, K(u, v(u)) − ½ ln K_vv with v(u) such that the counts add up
 * (Skovgaard 1987), expanded at u = 0. Simulated: within about a tenth of p down to 0.001, also where bins are nearly empty.
 * Never rises with the observation. O(distinct cells · 160), once for all pairs with the same law: those that hardly tie and are cut by their
 * reference have one at each size.
 */
import { BoundedCache } from './bounded-cache.ts';
import { type Cell, cellsOf } from './conditional-cells.ts';
import { logFactorial } from './log-factorial.ts';
import type { BinnedPair } from './outcome.ts';
import { normalSurvival, regularizedGammaP, regularizedGammaQ } from './special.ts';

/** What one bin adds to the statistic, from its rows on both sides. */
export type BinTerm = (reference: number, current: number) => number;

/** Terms of one name differ by the rows of the sides alone. */
export interface BinSum {
  readonly name: string;
  readonly term: BinTerm;
}

/** Tables that are gone through one by one. */
const FEW_TABLES = 2_000;
const GRID = { points: 160 };
/** Equal up to rounding counts as reached. */
const SLACK = 1e-11;
/** Below it a gamma law is a normal one. */
const NO_SKEW = 1e-4;

/** P(T ≥ observed), counts whole. */
export function conditionalSumTail(pair: BinnedPair, { name, term }: BinSum, observed: number): number {
  const reached = observed - Math.abs(observed) * SLACK;
  if (pair.cut !== 'reference') {
    const pooled = pooledCounts(pair);
    if (tablesOf(pooled) <= FEW_TABLES) return exactTail(pooled, pair, term, reached);
  }
  const make = (): Cumulants => cumulants(cellsOf(pair, GRID), term);
  const isKept = pair.reference.length <= MOST_KEPT;
  const { mean, variance, third } = isKept ? known.get(`${name}|${lawOf(pair)}`, make) : make();
  if (!(variance > 0)) return reached <= mean ? 1 : 0;
  const deviation = Math.sqrt(variance);
  const z = (reached - mean) / deviation;
  const skewness = third / (variance * deviation);
  if (Math.abs(skewness) < NO_SKEW) return normalSurvival(z);
  const shape = 4 / skewness ** 2;
  const at = Math.max(0, shape + Math.sign(skewness) * z * Math.sqrt(shape));
  return skewness > 0 ? regularizedGammaQ(shape, at) : regularizedGammaP(shape, at);
}

const known = new BoundedCache<Cumulants>(64);
/** Bins; of more the key would be long, and hardly met again. */
const MOST_KEPT = 256;

/** All that the cells of a pair follow from: the rows of both sides, and the counts that are given. */
function lawOf({ reference, current, cut }: BinnedPair): string {
  let n = 0;
  let m = 0;
  let given = '';
  for (let i = 0; i < reference.length; i++) {
    n += reference[i]!;
    m += current[i]!;
    given += `,${cut === 'reference' ? reference[i]! : reference[i]! + current[i]!}`;
  }
  return `${cut ?? 'pooled'}|${n}|${m}${given}`;
}

/** Largest last: what the others leave is its own. */
function pooledCounts({ reference, current }: BinnedPair): number[] {
  const pooled: number[] = [];
  for (let i = 0; i < reference.length; i++) {
    const count = reference[i]! + current[i]!;
    if (count > 0) pooled.push(count);
  }
  return pooled.sort((a, b) => a - b);
}

function tablesOf(pooled: readonly number[]): number {
  let tables = 1;
  for (let i = 0; i + 1 < pooled.length && tables <= FEW_TABLES; i++) tables *= pooled[i]! + 1;
  return tables;
}

function exactTail(pooled: readonly number[], { reference }: BinnedPair, term: BinTerm, reached: number): number {
  let n = 0;
  for (let i = 0; i < reference.length; i++) n += reference[i]!;
  const after = new Array<number>(pooled.length + 1).fill(0);
  for (let i = pooled.length - 1; i >= 0; i--) after[i] = after[i + 1]! + pooled[i]!;
  const total = after[0]!;
  const share = n / total;
  const cells = pooled.map((count) => ({
    weight: Float64Array.from({ length: count + 1 }, (_, x) => Math.exp(logBinomial(count, x, share))),
    h: Float64Array.from({ length: count + 1 }, (_, x) => term(x, count - x)),
  }));
  const last = pooled.length - 1;
  let sum = 0;
  const visit = (i: number, left: number, t: number, mass: number): void => {
    const { weight, h } = cells[i]!;
    if (i === last) {
      if (t + h[left]! >= reached) sum += mass * weight[left]!;
      return;
    }
    const high = Math.min(pooled[i]!, left);
    for (let x = Math.max(0, left - after[i + 1]!); x <= high; x++)
      visit(i + 1, left - x, t + h[x]!, mass * weight[x]!);
  };
  visit(0, n, 0, 1);
  return Math.min(1, sum / Math.exp(logBinomial(total, n, share)));
}

function logBinomial(count: number, x: number, share: number): number {
  return (
    logFactorial(count) -
    logFactorial(x) -
    logFactorial(count - x) +
    (x === 0 ? 0 : x * Math.log(share)) +
    (x === count ? 0 : (count - x) * Math.log1p(-share))
  );
}

interface Cumulants {
  readonly mean: number;
  readonly variance: number;
  readonly third: number;
}

/** Of T given that the counts add up. kij: joint cumulants of T and the sum of the counts when the bins are independent. */
function cumulants(cells: readonly Cell[], term: BinTerm): Cumulants {
  let mean = 0;
  let k11 = 0;
  let k02 = 0;
  const terms = cells.map(({ bins, reference, current, centred, weight }) => {
    const h = new Float64Array(weight.length);
    let mass = 0;
    let first = 0;
    let shift = 0;
    for (let i = 0; i < h.length; i++) {
      const w = weight[i]!;
      const value = term(reference[i]!, current[i]!);
      h[i] = value;
      mass += w;
      first += w * value;
      shift += w * centred[i]!;
    }
    first /= mass;
    shift /= mass;
    let m11 = 0;
    let m02 = 0;
    for (let i = 0; i < h.length; i++) {
      const b = centred[i]! - shift;
      m11 += weight[i]! * (h[i]! - first) * b;
      m02 += weight[i]! * b * b;
    }
    mean += bins * first;
    k11 += (bins * m11) / mass;
    k02 += (bins * m02) / mass;
    return { bins, h, centred, weight, mass, first, shift };
  });
  if (!(k02 > 0)) return { mean, variance: 0, third: 0 };
  // The counts add up, so that a multiple of them changes nothing: what T has in common with their sum is taken out.
  const slope = k11 / k02;
  let [k20, k30, k21, k12, k03, k22, k31, k13, k32] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const { bins, h, centred, weight, mass, first, shift } of terms) {
    let [m20, m11, m02, m30, m21, m12, m03, m22, m31, m13, m32] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < h.length; i++) {
      const w = weight[i]! / mass;
      const b = centred[i]! - shift;
      const a = h[i]! - first - slope * b;
      const wa = w * a;
      const waa = wa * a;
      const waaa = waa * a;
      const bb = b * b;
      m20 += waa;
      m11 += wa * b;
      m02 += w * bb;
      m30 += waaa;
      m21 += waa * b;
      m12 += wa * bb;
      m03 += w * bb * b;
      m22 += waa * bb;
      m31 += waaa * b;
      m13 += wa * bb * b;
      m32 += waaa * bb;
    }
    k20 += bins * m20;
    k30 += bins * m30;
    k21 += bins * m21;
    k12 += bins * m12;
    k03 += bins * m03;
    k22 += bins * (m22 - m20 * m02 - 2 * m11 * m11);
    k31 += bins * (m31 - 3 * m20 * m11);
    k13 += bins * (m13 - 3 * m02 * m11);
    k32 += bins * (m32 - 3 * m20 * m12 - 6 * m11 * m21 - m02 * m30);
  }
  // v(u) = a u² + b u³ …, and ln(K_vv / k02) = c1 u + (c2 − c1²/2) u² + (c3 − c1 c2 + c1³/3) u³ …
  const a = -k21 / (2 * k02);
  const b = -(k31 / 6 + k12 * a) / k02;
  const c1 = k12 / k02;
  const c2 = (k22 / 2 + k03 * a) / k02;
  const c3 = (k32 / 6 + k03 * b + k13 * a) / k02;
  return {
    mean: mean - c1 / 2,
    variance: k20 - (c2 * 2 - c1 * c1) / 2,
    third: k30 - 3 * (c3 - c1 * c2 + c1 ** 3 / 3),
  };
}
