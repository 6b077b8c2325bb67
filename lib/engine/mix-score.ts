/**
 * The mix of categories: many that moved a little each, none of them enough to be seen alone. The sum over categories of squared
 * residuals, each over its own variance at this size.
 *
 * Where sampling noise is all there is, that sum is chi-square with as many degrees as categories. What windows differ by is
 * taken for the worst that it can be, one cause that moves all of them together: its part then has one degree, and its scale is
 * as uncertain as a t law of three. Two moments between those two give the degrees of an F law. (A chi-square scaled by a mean
 * factor is what docs/decisions/0003 warns of; here the factor is each score's own, at the window's own size.)
 */
import { chiSquareSurvival, regularizedBeta } from '../stats/special.ts';
import { type Confirmation, creditFor } from './score-null.ts';

/** Degrees of freedom of the scale of what windows differ by. */
const EFFECT_FREEDOM = 3;
/** Of the denominator, beyond which it is taken as known. */
const KNOWN = 10_000;
/** Fewer expected rows in a category say nothing of its share. */
export const MIX_ROWS = 1;

export interface MixedScore {
  /** Share found less the expected one, over its posterior standard deviation. */
  readonly deviations: number;
  /** Rows. */
  readonly expected: number;
  /** Part of its variance that is not sampling noise, 0 … 1. */
  readonly effectShare: number;
}

/** Expected openings a window at a mix as surprising, and its surprise in standard deviations. At least two scores. */
export function judgeMix(
  scores: readonly MixedScore[],
  { weight, confirmation }: { readonly weight: number; readonly confirmation: Confirmation },
): { readonly q: number; readonly deviations: number } {
  const count = scores.length;
  let sum = 0;
  let noise = 0;
  let effect = 0;
  for (const { deviations, effectShare, expected } of scores) {
    sum += deviations ** 2;
    // The square of a count's deviation has variance 2 + 1/μ.
    noise += (1 - effectShare) ** 2 * (1 + 0.5 / expected);
    effect += effectShare;
  }
  const spread = noise + effect ** 2;
  const top = count ** 2 / spread;
  const bottom = EFFECT_FREEDOM / Math.max((effect / count) ** 2, 1e-12);
  const ratio = sum / count;
  const p =
    bottom > KNOWN
      ? chiSquareSurvival(ratio * top, top)
      : regularizedBeta(bottom / (bottom + top * ratio), bottom / 2, top / 2);
  const common = Math.max(effect / count, effect ** 2 / spread);
  return {
    q: creditFor(Math.min(1, p / weight), common, confirmation),
    deviations: Math.sqrt(2 * sum) - Math.sqrt(2 * count - 1),
  };
}
