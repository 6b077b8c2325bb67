/** Values of the scores of one block of rows: the linear ones, and the signed roots that shares are judged by. */
import { dot, type ScoreSet, sumOver } from './scores.ts';
import { signedRoot } from './signed-root.ts';

export interface ScoreReference {
  readonly scores: ScoreSet;
  /** For each set its share in the baseline, strictly within (0, 1), and √(p(1 − p)). */
  readonly shares: Float64Array;
  readonly deviations: Float64Array;
}

export function scoreReference(scores: ScoreSet, shares: Float64Array): ScoreReference {
  return { scores, shares, deviations: shares.map((share) => Math.sqrt(share * (1 - share))) };
}

/** Rows of the block in each set. */
export function setCounts({ sets }: ScoreSet, counts: ArrayLike<number>): Float64Array {
  return Float64Array.from(sets, (bins) => sumOver(counts, bins));
}

/** Polynomials: Σ h f. Sets: (f − p) / √(p(1 − p)). `rows` > 0. */
export function linearScores(reference: ScoreReference, counts: ArrayLike<number>, rows: number): Float64Array {
  const { polynomials, sets } = reference.scores;
  const values = new Float64Array(polynomials.length + sets.length);
  polynomials.forEach((polynomial, j) => {
    values[j] = dot(polynomial, counts) / rows;
  });
  for (let i = 0; i < sets.length; i++)
    values[polynomials.length + i] =
      (sumOver(counts, sets[i]!) / rows - reference.shares[i]!) / reference.deviations[i]!;
  return values;
}

/** Share of set i to be expected when its score is predicted to be `season`: within [p/2, (1 + p)/2]. */
export function expectedShare({ shares, deviations }: ScoreReference, i: number, season: number): number {
  const share = shares[i]!;
  return Math.min(1 - (1 - share) / 2, Math.max(share / 2, share + season * deviations[i]!));
}

/** What is judged: polynomials less their season, signed roots of sets against their expected share. */
export function residuals(
  reference: ScoreReference,
  linear: Float64Array,
  inSets: Float64Array,
  season: ArrayLike<number>,
  rows: number,
  half: number,
): Float64Array {
  const first = reference.scores.polynomials.length;
  return linear.map((value, j) =>
    j < first
      ? value - season[j]!
      : signedRoot(inSets[j - first]!, rows, expectedShare(reference, j - first, season[j]!), half),
  );
}
