/**
 * Metrics of a binary classification from tallies. Definitions as in scikit-learn, but what is 0/0 is undefined with a reason, not 0.
 * Intervals: Wilson on effective sizes.
 */
import { boundedEstimate, type Estimate, proportion, transformed, undefinedEstimate } from './estimate.ts';
import { add, effectiveSize, type Tally } from './tally.ts';

/** Rows by truth (first word: was the prediction right) and prediction. */
export interface BinaryConfusion {
  readonly truePositive: Tally;
  readonly falsePositive: Tally;
  readonly falseNegative: Tally;
  readonly trueNegative: Tally;
}

export type BinaryMetrics = Readonly<Record<'accuracy' | 'precision' | 'recall' | 'f1' | 'specificity', Estimate>>;

export function binaryMetrics(confusion: BinaryConfusion): BinaryMetrics {
  const { truePositive: tp, falsePositive: fp, falseNegative: fn, trueNegative: tn } = confusion;
  const errors = add(fp, fn);
  return {
    accuracy: shareOf(add(tp, tn), errors, 'no-predictions'),
    precision: shareOf(tp, fp, 'no-predicted-positive'),
    recall: shareOf(tp, fn, 'no-true-positive'),
    specificity: shareOf(tn, fp, 'no-true-negative'),
    f1: f1(shareOf(tp, errors, 'no-positive')),
  };
}

/** F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), a plain share: its Wilson interval carries over. */
function f1(jaccard: Estimate): Estimate {
  return transformed(jaccard, (j) => (2 * j) / (1 + j), 2 / (1 + (jaccard.value ?? 0)) ** 2);
}

function shareOf(part: Tally, rest: Tally, reason: string): Estimate {
  const all = add(part, rest);
  return all.w > 0 ? proportion(part.w / all.w, effectiveSize(all)) : undefinedEstimate(reason);
}

/** Positives and negatives in each score bin, ascending by score. */
export interface ScoreBins {
  readonly positive: readonly Tally[];
  readonly negative: readonly Tally[];
}

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties half (all of one bin are ties). Against the exact
 * area of the raw scores it is off by at most `aucResolution`. Standard error: DeLong, DeLong & Clarke-Pearson (1988). O(bins).
 */
export function rocAuc(bins: ScoreBins): Estimate {
  const positives = bins.positive.reduce(add, { w: 0, w2: 0 });
  const negatives = bins.negative.reduce(add, { w: 0, w2: 0 });
  if (positives.w === 0) return undefinedEstimate('no-true-positive');
  if (negatives.w === 0) return undefinedEstimate('no-true-negative');
  let below = 0;
  let area = 0;
  let square = 0;
  let above = positives.w;
  let negativeSquare = 0;
  for (const [i, positive] of bins.positive.entries()) {
    const negative = bins.negative[i]!;
    above -= positive.w;
    // placement of this bin's positives among the negatives, and of its negatives among the positives
    const placement = (below + negative.w / 2) / negatives.w;
    const counter = Math.max(0, above + positive.w / 2) / positives.w;
    area += (positive.w / positives.w) * placement;
    square += (positive.w / positives.w) * placement ** 2;
    negativeSquare += (negative.w / negatives.w) * counter ** 2;
    below += negative.w;
  }
  const p = effectiveSize(positives);
  const n = effectiveSize(negatives);
  const variance =
    Math.max(0, square - area ** 2) / Math.max(p - 1, 1) + Math.max(0, negativeSquare - area ** 2) / Math.max(n - 1, 1);
  return boundedEstimate(Math.min(1, Math.max(0, area)), Math.sqrt(variance), Math.min(p, n));
}

/** Largest difference between the binned and the exact area: half the share of pairs that fall into one bin. */
export function aucResolution(bins: ScoreBins): number {
  const positives = bins.positive.reduce((sum, { w }) => sum + w, 0);
  const negatives = bins.negative.reduce((sum, { w }) => sum + w, 0);
  if (positives === 0 || negatives === 0) return 0;
  let tied = 0;
  for (const [i, positive] of bins.positive.entries()) tied += positive.w * bins.negative[i]!.w;
  return tied / (2 * positives * negatives);
}

/**
 * Average precision: Σ (R_k − R_{k−1}) · P_k over the bins from the highest score down, no interpolation. Interval: Wilson at the
 * number of positives (Boyd, Eng & Page 2013 take the same variance). O(bins).
 */
export function averagePrecision(bins: ScoreBins): Estimate {
  const positives = bins.positive.reduce(add, { w: 0, w2: 0 });
  if (positives.w === 0) return undefinedEstimate('no-true-positive');
  let found = 0;
  let taken = 0;
  let sum = 0;
  for (let i = bins.positive.length - 1; i >= 0; i--) {
    const positive = bins.positive[i]!.w;
    found += positive;
    taken += positive + bins.negative[i]!.w;
    if (positive > 0) sum += (positive / positives.w) * (found / taken);
  }
  return proportion(Math.min(1, sum), effectiveSize(positives));
}
