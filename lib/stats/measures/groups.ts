/**
 * Differences of a classifier between groups. A rate of no rows is undefined, and so is what is made of it: NaN, never a silent 0.
 * Differences are largest less smallest, 0 … 1; 0 is even.
 */
interface GroupRates {
  /** P(predicted positive). */
  readonly selection: number;
  /** P(predicted positive | positive) and P(predicted positive | negative). */
  readonly truePositive: number;
  readonly falsePositive: number;
}

export type GroupMetric =
  | 'demographic-parity-difference'
  | 'disparate-impact'
  | 'equal-opportunity-difference'
  | 'false-positive-rate-difference'
  | 'equalized-odds-difference';

export const GROUP_METRICS: Readonly<Record<GroupMetric, (rates: readonly GroupRates[]) => number>> = {
  'demographic-parity-difference': (rates) => range(rates.map(({ selection }) => selection)),
  /** Smallest over largest selection rate. */
  'disparate-impact': (rates) => {
    const selections = rates.map(({ selection }) => selection);
    return least(selections) / most(selections);
  },
  'equal-opportunity-difference': (rates) => range(rates.map(({ truePositive }) => truePositive)),
  'false-positive-rate-difference': (rates) => range(rates.map(({ falsePositive }) => falsePositive)),
  'equalized-odds-difference': (rates) =>
    Math.max(
      range(rates.map(({ truePositive }) => truePositive)),
      range(rates.map(({ falsePositive }) => falsePositive)),
    ),
};

/** `isTrue` may be empty where only the selection matters. */
export function ratesByGroup(
  group: readonly string[],
  isSelected: readonly boolean[],
  isTrue: readonly boolean[],
): GroupRates[] {
  const counts = new Map<string, { rows: number; selected: number; positives: number; tp: number; fp: number }>();
  for (const [i, name] of group.entries()) {
    let one = counts.get(name);
    if (one === undefined) {
      one = { rows: 0, selected: 0, positives: 0, tp: 0, fp: 0 };
      counts.set(name, one);
    }
    one.rows++;
    if (isSelected[i]) one.selected++;
    if (isTrue[i]) one.positives++;
    if (isSelected[i] && isTrue[i]) one.tp++;
    if (isSelected[i] && !isTrue[i]) one.fp++;
  }
  return [...counts.values()].map(({ rows, selected, positives, tp, fp }) => ({
    selection: selected / rows,
    truePositive: tp / positives,
    falsePositive: fp / (rows - positives),
  }));
}

function range(values: readonly number[]): number {
  return most(values) - least(values);
}

/** NaN where one is. There may be more groups than a call takes arguments. */
function most(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY);
}

function least(values: readonly number[]): number {
  return values.reduce((smallest, value) => Math.min(smallest, value), Number.POSITIVE_INFINITY);
}
