/**
 * Values outside the range of the baseline: a few of them in a window say more than the tails do, whose usual rows hide them.
 *
 * Among m rows alike in law the next one lies outside with chance 2/m, whatever the law; the number in a window is negative
 * binomial, its dispersion ½ for the two extremes being two draws, and in addition what windows differ by. No baseline can have
 * such rows of its own, so that is taken from its outer tails, twice: further out everything varies more.
 */
import type { ScaleFit } from './calibration-fit.ts';
import type { ScoreReference } from './linear-scores.ts';
import { type Confirmation, ScoreNullLaw } from './score-null.ts';

const FURTHER_OUT = 2;
/** Effects are told against a share no smaller: two rows in a thousand beyond a million are no large change. */
export const LEAST_SHARE = 0.001;

export class OutsideScore {
  readonly bins: readonly [number, number];
  private readonly weight: number;
  private readonly law: ScoreNullLaw;
  private readonly tauFactor: number;
  private readonly expected: number;

  private constructor(
    bins: readonly [number, number],
    weight: number,
    law: ScoreNullLaw,
    factor: number,
    rows: number,
  ) {
    this.bins = bins;
    this.weight = weight;
    this.law = law;
    this.tauFactor = factor;
    this.expected = 2 / rows;
  }

  /** `rows`: of the baseline. `null` where the column has no such score. */
  static of({ scores, shares }: ScoreReference, scale: ScaleFit, rows: number): OutsideScore | null {
    const { outside } = scores;
    if (outside === null || rows < 2) return null;
    const first = scores.polynomials.length;
    let widest: { readonly law: ScoreNullLaw; readonly factor: number } | null = null;
    scores.aspects.forEach((aspect, j) => {
      if (aspect.kind !== 'low-tail' && aspect.kind !== 'high-tail') return;
      const share = shares[j - first]!;
      const score = scale.scores[j];
      // A tail of nothing but such values tells nothing of how they come.
      if (score === undefined || share * rows < 1) return;
      const factor = (FURTHER_OUT * 2) / rows / share;
      const law = new ScoreNullLaw(score, scale, true, { tauFactor: factor });
      if (widest === null || law.betweenWindows() > widest.law.betweenWindows()) widest = { law, factor };
    });
    if (widest === null) return null;
    const { law, factor } = widest as { law: ScoreNullLaw; factor: number };
    return new OutsideScore(outside.bins, outside.weight, law, factor, rows);
  }

  /** `found`: rows outside of `rows`; `shape` as in TailQuestion. The share is told, and how far it is from the expected one, w. */
  judge(
    found: number,
    { rows, shape, confirmation }: { rows: number; shape: number; confirmation: Confirmation },
  ): { readonly q: number; readonly effect: number; readonly deviations: number } {
    const { expected, law, weight } = this;
    const share = found / rows;
    const floor = Math.max(expected, LEAST_SHARE);
    const raw = (share - floor) / Math.sqrt(floor * (1 - floor));
    const deviations = (share - expected) / Math.sqrt((expected * (1 - expected)) / rows);
    if (found < 2) return { q: 1, effect: 0, deviations };
    const question = { rows, shape: shape * this.tauFactor, weight, confirmation };
    return {
      q: law.ofCount(found, expected, question),
      effect: Math.sqrt(Math.max(0, raw ** 2 - 1 / rows)),
      deviations,
    };
  }
}
