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

/**
 * What is judged: polynomials less their season, signed roots of sets against their expected share. `rows`: of the block, or
 * one number a score (`effectiveRows`), to which the counts of `inSets` are then scaled.
 */
export function residuals(
  reference: ScoreReference,
  linear: Float64Array,
  inSets: Float64Array,
  season: ArrayLike<number>,
  rows: number | Float64Array,
  half: number,
): Float64Array {
  const first = reference.scores.polynomials.length;
  return linear.map((value, j) => {
    if (j < first) return value - season[j]!;
    const share = expectedShare(reference, j - first, season[j]!);
    return signedRoot(inSets[j - first]!, typeof rows === 'number' ? rows : rows[j]!, share, half);
  });
}

/**
 * Rows that a weighted window is worth for each score: of equal weight they would give its linearised variance under the
 * baseline's shares, Σ_b p_b h_b² r_b / Σ w, where r_b is Σw² / Σw in bin b. `spread`: r_b relative to that of all rows,
 * `rows`: (Σw)² / Σw². A class that was kept whole beside sampled ones counts its own rows, not those of the others.
 */
export function effectiveRows(
  { scores, shares }: ScoreReference,
  baseline: ArrayLike<number>,
  spread: ArrayLike<number>,
  rows: number,
): Float64Array {
  const over = (weight: (bin: number) => number): number => {
    let sum = 0;
    let all = 0;
    for (let bin = 0; bin < spread.length; bin++) {
      sum += weight(bin) * spread[bin]!;
      all += weight(bin);
    }
    return all > 0 ? sum / all : 1;
  };
  const first = scores.polynomials.length;
  return Float64Array.from(scores.aspects, (_, j) => {
    const polynomial = scores.polynomials[j];
    if (polynomial !== undefined) return rows / over((bin) => baseline[bin]! * polynomial[bin]! ** 2);
    const set = scores.sets[j - first]!;
    // Bins that the baseline never had weigh alike.
    const inside = over((bin) => (set.includes(bin) ? Math.max(baseline[bin]!, 1e-9) : 0));
    const outside = over((bin) => (set.includes(bin) ? 0 : baseline[bin]!));
    const share = shares[j - first]!;
    return rows / ((1 - share) * inside + share * outside);
  });
}
