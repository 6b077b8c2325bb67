/** The null of one score compiled for judging: tails of the posterior mixture at the window's own size. */
import { normalSurvival, studentTwoSided } from '../stats/special.ts';
import type { ScaleFit, ScoreNull } from './calibration-fit.ts';
import { NULL_GRID } from './null-grid.ts';
import { RARE_ROWS } from './null-posterior.ts';
import { rareTail } from './rare-counts.ts';

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

export class ScoreNullLaw {
  readonly reference: number;
  readonly largest: number;
  private readonly rareInBaseline: boolean | null;
  private readonly phi: Float64Array;
  private readonly tau2: Float64Array;
  private readonly nu: Float64Array;
  private readonly weight: Float64Array;
  private readonly meanPhi: number;
  private readonly meanTau2: number;

  constructor(score: ScoreNull, scale: Pick<ScaleFit, 'largest'>, rare: boolean | null = score.rare) {
    const points = score.points.map((g) => NULL_GRID[g]).filter((point) => point !== undefined);
    const weights = Float64Array.from(points, (_, i) => score.weights[i] ?? 0);
    const all = weights.reduce((sum, weight) => sum + weight, 0) || 1;
    this.weight = weights.map((weight) => weight / all);
    this.phi = Float64Array.from(points, ({ phi }) => phi);
    this.tau2 = Float64Array.from(points, ({ tau2 }) => tau2);
    this.nu = Float64Array.from(points, ({ nu }) => nu);
    this.meanPhi = this.weight.reduce((sum, weight, g) => sum + weight * this.phi[g]!, 0);
    this.meanTau2 = this.weight.reduce((sum, weight, g) => sum + weight * this.tau2[g]!, 0);
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

  /** Expected openings a window at a residual as extreme as `z`. */
  ofResidual(z: number, question: TailQuestion): number {
    return this.mixture(question, (g, variance, extra) => {
      const t = Math.abs(z) / Math.sqrt(variance + extra);
      const nu = this.nu[g]!;
      // The t law is scaled to the same variance.
      return nu === Number.POSITIVE_INFINITY
        ? 2 * normalSurvival(t)
        : studentTwoSided(t * Math.sqrt(nu / (nu - 2)), nu);
    });
  }

  /** The same of a rare set: `x` rows where a share of `expected` of them was expected. */
  ofCount(x: number, expected: number, question: TailQuestion): number {
    const mean = question.rows * expected;
    return this.mixture(
      question,
      (g, _, extra) => 2 * rareTail(x, mean, (this.tau2[g]! + question.shape + extra) / expected),
    );
  }

  private mixture(
    { rows, shape, weight, confirmation: { m, n } }: TailQuestion,
    tail: (g: number, variance: number, extra: number) => number,
  ): number {
    const ways = choose(n - 1, m - 1);
    let q = 0;
    for (let g = 0; g < this.weight.length; g++) {
      const phi = this.phi[g]!;
      const tau2 = this.tau2[g]!;
      let variance = phi / rows + tau2;
      if (phi < 1) variance = Math.max(variance, Math.min(phi / this.largest, 1 / rows));
      variance += shape;
      const extra = (1 / this.largest + tau2) * this.reference;
      let p = Math.min(1, tail(g, variance, extra) / weight);
      // Only the part of the variance that is sampling noise is new in each window: only it earns the credit of M of N.
      if (m > 1) p = Math.min(p, ways * p ** (m / (1 + ((m - 1) * tau2) / variance)));
      q += this.weight[g]! * p;
    }
    return q;
  }
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 0; i < k; i++) ways = (ways * (n - i)) / (i + 1);
  return ways;
}
