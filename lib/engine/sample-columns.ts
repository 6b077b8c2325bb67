/** Raw samples as the verdict sees columns: a baseline column from one sample, counts in its bins from another. */
import type { CategoricalBaseline, ColumnBaseline, NumericBaseline } from '../contracts/baseline.ts';
import { meanOf, populationDeviation } from '../stats/sample.ts';
import { categoricalBaseline, numericBaseline } from './baseline-maker.ts';
import type { ColumnCounts } from './column-counts.ts';
import type { ValueStep } from './numeric-bins.ts';

const UNSEEN = 32;
const NAME = 'value';

/** `null` is missing; NaN and infinities are not finite. O(n log n). */
export function numericColumnOf(values: ArrayLike<number | null>): NumericBaseline {
  const { finite, missing, nonFinite } = split(values);
  const steps: ValueStep[] = [];
  for (let i = 0; i < finite.length; ) {
    let end = i;
    while (end < finite.length && finite[end] === finite[i]) end++;
    steps.push({ value: finite[i]! + 0, count: end - i, before: i });
    i = end;
  }
  return numericBaseline({
    name: NAME,
    type: 'numeric',
    role: 'feature',
    rows: values.length,
    missing,
    nonFinite,
    integer: finite.every(Number.isInteger),
    mean: finite.length === 0 ? null : meanOf(finite),
    std: finite.length === 0 ? null : populationDeviation(finite),
    distinct: steps.length,
    steps,
  });
}

/** `null` is missing. O(n + categories · log categories). */
export function categoricalColumnOf(values: ArrayLike<string | null>): CategoricalBaseline {
  const { counts, missing } = tally(values);
  const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return categoricalBaseline({
    name: NAME,
    type: 'categorical',
    role: 'feature',
    rows: values.length,
    missing,
    distinct: top.length,
    top: top.slice(0, 1_000),
  });
}

/** Counts of a sample in the bins of a column. `values` are of the column's type. */
export function countsOfSample(column: ColumnBaseline, values: ArrayLike<number | string | null>): ColumnCounts {
  const none = { invalid: 0, weighted: null, n: values.length };
  if (column.type === 'categorical') {
    const { counts, missing } = tally(values as ArrayLike<string | null>);
    const known = new Map(column.categories.map((category, i) => [category, i]));
    const bins = new Array<number>(column.categories.length).fill(0);
    const unseen: [string, number][] = [];
    for (const [category, count] of counts) {
      const at = known.get(category);
      if (at === undefined) unseen.push([category, count]);
      else bins[at] = count;
    }
    unseen.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const total = unseen.reduce((sum, [, count]) => sum + count, 0);
    return {
      ...none,
      missing,
      nonFinite: 0,
      bins,
      unseen: { total, top: unseen.slice(0, UNSEEN) },
      mean: null,
      std: null,
    };
  }
  const { finite, missing, nonFinite } = split(values as ArrayLike<number | null>);
  const { edges } = column.bins;
  const bins = new Array<number>(edges.length + 1).fill(0);
  let bin = 0;
  for (const value of finite) {
    while (bin < edges.length && value >= edges[bin]!) bin++;
    bins[bin]!++;
  }
  return {
    ...none,
    missing,
    nonFinite,
    bins,
    unseen: { total: 0, top: [] },
    mean: finite.length === 0 ? null : meanOf(finite),
    std: finite.length === 0 ? null : populationDeviation(finite),
  };
}

function split(values: ArrayLike<number | null>): {
  readonly finite: Float64Array;
  readonly missing: number;
  readonly nonFinite: number;
} {
  const finite = new Float64Array(values.length);
  let n = 0;
  let missing = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) missing++;
    else if (Number.isFinite(value)) finite[n++] = value;
  }
  return { finite: finite.subarray(0, n).sort(), missing, nonFinite: values.length - n - missing };
}

function tally(values: ArrayLike<string | null>): { readonly counts: Map<string, number>; readonly missing: number } {
  const counts = new Map<string, number>();
  let missing = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) missing++;
    else counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return { counts, missing };
}
