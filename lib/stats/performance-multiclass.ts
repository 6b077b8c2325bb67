/**
 * Metrics of a classification with any number of classes from a sparse confusion. Macro averages run over every class seen as truth
 * or prediction; a class that is never predicted (never true) has precision (recall) 0, as in scikit-learn with zero_division = 0.
 * Standard errors: delta method over the cells of the confusion (each metric is a smooth function of the cell shares).
 */
import { boundedEstimate, type Estimate, proportion, undefinedEstimate } from './estimate.ts';
import { add, effectiveSize, NOTHING, type Tally } from './tally.ts';

export interface ConfusionCell extends Tally {
  readonly truth: string;
  readonly predicted: string;
}

export type MulticlassMetrics = Readonly<Record<'accuracy' | 'precision' | 'recall' | 'f1', Estimate>>;

interface ClassSums {
  readonly right: number;
  readonly truth: number;
  readonly predicted: number;
}

/** O(cells). */
export function multiclassMetrics(cells: readonly ConfusionCell[]): MulticlassMetrics {
  const all = cells.reduce<Tally>(add, NOTHING);
  if (all.w === 0) {
    const nothing = undefinedEstimate('no-predictions');
    return { accuracy: nothing, precision: nothing, recall: nothing, f1: nothing };
  }
  const size = effectiveSize(all);
  const classes = new Map<string, { right: number; truth: number; predicted: number }>();
  const of = (name: string) => {
    let sums = classes.get(name);
    if (sums === undefined) {
      sums = { right: 0, truth: 0, predicted: 0 };
      classes.set(name, sums);
    }
    return sums;
  };
  let right = 0;
  for (const { truth, predicted, w } of cells) {
    of(truth).truth += w;
    of(predicted).predicted += w;
    if (truth === predicted) {
      of(truth).right += w;
      right += w;
    }
  }
  const macro = (value: (sums: ClassSums) => number, slope: Slope): Estimate => {
    let mean = 0;
    for (const sums of classes.values()) mean += value(sums) / classes.size;
    let variance = 0;
    for (const { truth, predicted, w2 } of cells)
      variance += w2 * (slope(of(truth), of(predicted), truth === predicted) / classes.size) ** 2;
    return boundedEstimate(Math.min(1, mean), Math.sqrt(variance), size);
  };
  return {
    accuracy: proportion(right / all.w, size),
    precision: macro(precision, (_, predicted, same) => ((same ? 1 : 0) - precision(predicted)) / predicted.predicted),
    recall: macro(recall, (truth, _, same) => ((same ? 1 : 0) - recall(truth)) / truth.truth),
    f1: macro(f1, (truth, predicted, same) =>
      same
        ? (2 - 2 * f1(truth)) / (truth.truth + truth.predicted)
        : -f1(truth) / (truth.truth + truth.predicted) - f1(predicted) / (predicted.truth + predicted.predicted),
    ),
  };
}

/** Derivative of the sum over classes by the weight of one cell. */
type Slope = (truth: ClassSums, predicted: ClassSums, same: boolean) => number;

const precision = (sums: ClassSums): number => (sums.predicted > 0 ? sums.right / sums.predicted : 0);
const recall = (sums: ClassSums): number => (sums.truth > 0 ? sums.right / sums.truth : 0);
const f1 = (sums: ClassSums): number => (2 * sums.right) / (sums.truth + sums.predicted);
