/**
 * Metrics of classifications from rows, by scikit-learn's definitions; a share of nothing is 0 (its `zero_division=0`).
 * Classes are compared as text, so that 1 and "1" are one class.
 */
export type Average = 'binary' | 'macro' | 'weighted' | 'micro';

export interface ClassTable {
  /** In the order of the rows and columns of `counts`. */
  readonly labels: readonly string[];
  /** counts[truth][predicted]. */
  readonly counts: readonly (readonly number[])[];
  readonly rows: number;
}

/** Numbers sort as such and before text. `labels`: more than occur, in their order. */
export function classTable(
  truth: readonly (string | number | boolean)[],
  predicted: readonly (string | number | boolean)[],
  labels?: readonly string[],
): ClassTable {
  const names = labels ?? sortedLabels([...truth, ...predicted]);
  const index = new Map(names.map((name, i) => [name, i]));
  const counts = names.map(() => new Array<number>(names.length).fill(0));
  let rows = 0;
  for (const [i, value] of truth.entries()) {
    const t = index.get(String(value));
    const p = index.get(String(predicted[i]));
    if (t === undefined || p === undefined) continue;
    counts[t]![p]!++;
    rows++;
  }
  return { labels: names, counts, rows };
}

export function sortedLabels(values: readonly (string | number | boolean)[]): string[] {
  const all = [...new Set(values.map(String))];
  const numeric = all.every((label) => label.trim() !== '' && Number.isFinite(Number(label)));
  return all.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0));
}

interface OneAgainstRest {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

export function oneAgainstRest({ counts, rows }: ClassTable, at: number): OneAgainstRest {
  const tp = counts[at]?.[at] ?? 0;
  const truths = counts[at]?.reduce((sum, count) => sum + count, 0) ?? 0;
  const predictions = counts.reduce((sum, row) => sum + (row[at] ?? 0), 0);
  return { tp, fp: predictions - tp, fn: truths - tp, tn: rows - truths - predictions + tp };
}

const over = (a: number, b: number): number => (b === 0 ? 0 : a / b);

export const CLASS_SHARES: Readonly<
  Record<'precision' | 'recall' | 'f1' | 'specificity', (of: OneAgainstRest) => number>
> = {
  precision: ({ tp, fp }) => over(tp, tp + fp),
  recall: ({ tp, fn }) => over(tp, tp + fn),
  f1: ({ tp, fp, fn }) => over(2 * tp, 2 * tp + fp + fn),
  specificity: ({ tn, fp }) => over(tn, tn + fp),
};

/** `positive`: index of the class that `binary` is about. */
export function averaged(
  table: ClassTable,
  share: (of: OneAgainstRest) => number,
  average: Average,
  positive: number,
): number {
  const each = table.labels.map((_, i) => oneAgainstRest(table, i));
  if (average === 'binary') return share(oneAgainstRest(table, positive));
  if (average === 'micro')
    return share(
      each.reduce((sum, one) => ({
        tp: sum.tp + one.tp,
        fp: sum.fp + one.fp,
        fn: sum.fn + one.fn,
        tn: sum.tn + one.tn,
      })),
    );
  if (average === 'macro') return each.reduce((sum, one) => sum + share(one), 0) / each.length;
  return each.reduce((sum, one) => sum + share(one) * (one.tp + one.fn), 0) / table.rows;
}

export function accuracy({ counts, rows }: ClassTable): number {
  return counts.reduce((sum, row, i) => sum + row[i]!, 0) / rows;
}

/** The mean recall of the classes that occur in the truth. */
export function balancedAccuracy(table: ClassTable): number {
  const recalls = table.labels
    .map((_, i) => oneAgainstRest(table, i))
    .filter(({ tp, fn }) => tp + fn > 0)
    .map(CLASS_SHARES.recall);
  return recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
}

/** Matthews' correlation of truth and prediction, any number of classes; 0 where a side has one class only. */
export function matthews({ counts, rows }: ClassTable): number {
  const truths = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const predictions = counts.map((_, j) => counts.reduce((sum, row) => sum + row[j]!, 0));
  const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
  const cross = truths.reduce((sum, count, i) => sum + count * predictions[i]!, 0);
  const spread = (of: readonly number[]): number => rows * rows - of.reduce((sum, count) => sum + count * count, 0);
  const scale = spread(truths) * spread(predictions);
  return scale === 0 ? 0 : (right * rows - cross) / Math.sqrt(scale);
}

/** Cohen's κ: agreement beyond what the shares of classes explain; NaN where both sides have one class only. */
export function cohenKappa({ counts, rows }: ClassTable): number {
  const truths = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const predictions = counts.map((_, j) => counts.reduce((sum, row) => sum + row[j]!, 0));
  let expected = 0;
  let wrong = 0;
  for (const [i, row] of counts.entries())
    for (const [j, count] of row.entries()) {
      if (i === j) continue;
      wrong += count;
      expected += (truths[i]! * predictions[j]!) / rows;
    }
  return 1 - wrong / expected;
}
