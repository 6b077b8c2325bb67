/** The null of one score compiled for judging: tails of the posterior mixture at the window's own size. */
import { normalSurvival, studentTwoSided } from '../stats/special.ts';
import type { ScaleFit, ScoreNull } from './calibration-fit.ts';
import { NULL_GRID } from './null-grid.ts';
import { RARE_ROWS } from './null-posterior.ts';
import { rareTwoSided } from './rare-counts.ts';

/** M of N windows must show a change before an episode opens; 1 of 1 where one is enough. */
export interface Confirmation {
  readonly m: number;
  readonly n: number;
}

export interface TailQuestion {
  /** Effective rows, > 0. */
  readonly rows: number;
  /** Added to the variance: what a pure shift of location does to this score. */
  readonly shape: number;
  readonly weight: number;
  readonly confirmation: Confirmation;
}

const PHI = Float64Array.from(NULL_GRID, ({ phi }) => phi);
const TAU2 = Float64Array.from(NULL_GRID, ({ tau2 }) => tau2);
const NU = Float64Array.from(NULL_GRID, ({ nu }) => nu);

/** A platform of a thousand models has millions of these: they hold no copies, neither of the grid nor of the weights. */
export class ScoreNullLaw {
  readonly reference: number;
  readonly largest: number;
  private readonly rareInBaseline: boolean | null;
  private readonly points: readonly number[];
  private readonly weights: readonly number[];
  private readonly allWeights: number;
  private readonly meanPhi: number;
  private readonly meanTau2: number;
  private readonly tauFactor: number;
  private readonly referenceNoise: number;

  /**
   * `tauFactor`: the law of a set whose windows differ by so many times this score's τ². `referenceNoise`: of a set whose expected share
   * varies from baseline to baseline by so many times the sampling noise of its rows.
   */
  constructor(
    score: ScoreNull,
    scale: Pick<ScaleFit, 'largest'>,
    rare: boolean | null = score.rare,
    { tauFactor = 1, referenceNoise = 1 }: { readonly tauFactor?: number; readonly referenceNoise?: number } = {},
  ) {
    const { points, weights } = score;
    this.tauFactor = tauFactor;
    this.referenceNoise = referenceNoise;
    let all = 0;
    for (let i = 0; i < points.length; i++) all += weightAt(points, weights, i);
    this.points = points;
    this.weights = weights;
    this.allWeights = all || 1;
    let meanPhi = 0;
    let meanTau2 = 0;
    for (let i = 0; i < points.length; i++) {
      const weight = weightAt(points, weights, i) / this.allWeights;
      meanPhi += weight * (PHI[points[i]!] ?? 0);
      meanTau2 += weight * (TAU2[points[i]!] ?? 0) * tauFactor;
    }
    this.meanPhi = meanPhi;
    this.meanTau2 = meanTau2;
    this.reference = score.reference;
    this.largest = scale.largest;
    this.rareInBaseline = rare;
  }

  /** Whether a set is judged by its counts: as the baseline found, or by this window where rows are taken as independent. */
  isRare(rows: number, share: number): boolean {
    return this.rareInBaseline ?? rows * Math.min(share, 1 - share) < RARE_ROWS;
  }

  /** Posterior mean of the score's variance at so many rows. */
  meanVariance(rows: number): number {
    return this.meanPhi / rows + this.meanTau2;
  }

  /** What the reference adds to that variance, being an estimate itself. */
  referenceVariance(): number {
    return (this.referenceNoise / this.largest + this.meanTau2) * this.reference;
  }

  /** Posterior mean of τ², what windows differ by beside the sampling of their rows. */
  betweenWindows(): number {
    return this.meanTau2;
  }

  /** Expected openings a window at a residual as extreme as `z`. */
  ofResidual(z: number, question: TailQuestion): number {
    return this.mixture(question, (g, variance, extra) => {
      const t = Math.abs(z) / Math.sqrt(variance + extra);
      const nu = NU[g]!;
      // The t law is scaled to the same variance.
      return nu === Number.POSITIVE_INFINITY
        ? 2 * normalSurvival(t)
        : studentTwoSided(t * Math.sqrt(nu / (nu - 2)), nu);
    });
  }

  /** The same of a rare set: `x` rows where a share of `expected` of them was expected. */
  ofCount(x: number, expected: number, question: TailQuestion): number {
    const mean = question.rows * expected;
    // Points that differ in the tails of their effects only are neighbours, and have the same tail here.
    let known = Number.NaN;
    let tail = 0;
    return this.mixture(question, (g, _, extra) => {
      const dispersion = (TAU2[g]! * this.tauFactor + question.shape + extra) / expected;
      if (dispersion !== known) {
        known = dispersion;
        tail = rareTwoSided(x, mean, dispersion);
      }
      return tail;
    });
  }

  private mixture(
    { rows, shape, weight, confirmation: { m, n } }: TailQuestion,
    tail: (g: number, variance: number, extra: number) => number,
  ): number {
    const ways = choose(n - 1, m - 1);
    const { points, weights, allWeights } = this;
    let q = 0;
    for (let i = 0; i < points.length; i++) {
      const g = points[i]!;
      const share = weightAt(points, weights, i) / allWeights;
      if (share === 0) continue;
      const phi = PHI[g]!;
      const tau2 = TAU2[g]! * this.tauFactor;
      let variance = phi / rows + tau2;
      if (phi < 1) variance = Math.max(variance, Math.min(phi / this.largest, 1 / rows));
      variance += shape;
      const extra = (this.referenceNoise / this.largest + tau2) * this.reference;
      let p = Math.min(1, tail(g, variance, extra) / weight);
      // Only the part of the variance that is sampling noise is new in each window: only it earns the credit of M of N.
      if (m > 1) p = Math.min(p, ways * p ** (m / (1 + ((m - 1) * tau2) / variance)));
      q += share * p;
    }
    return q;
  }
}

/**
 * Expected openings a window where M of N must show it: only the part of the variance that is sampling noise is new in each
 * window, and earns credit; `common` is the rest, 0 … 1.
 */
export function creditFor(p: number, common: number, { m, n }: Confirmation): number {
  return m > 1 ? Math.min(p, choose(n - 1, m - 1) * p ** (m / (1 + (m - 1) * common))) : p;
}

/** A point that this release does not know has none. */
function weightAt(points: readonly number[], weights: readonly number[], i: number): number {
  return points[i]! < PHI.length ? (weights[i] ?? 0) : 0;
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 0; i < k; i++) ways = (ways * (n - i)) / (i + 1);
  return ways;
}
