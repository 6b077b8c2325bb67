/** Raw samples as the numeric tests see them. */

import { ownUnit } from './own-unit.ts';
import { sortDoubles } from './sort-doubles.ts';

/** A number, or nothing: `null`, `undefined`, NaN and both infinities are left out before any test. */
export type RawValue = number | null | undefined;

/** The finite values, ascending. The input is not changed; doubles that ascend already are given back as they are. O(n log n), O(n) for those. */
export function sortedFinite(values: ArrayLike<RawValue>): Float64Array {
  if (values instanceof Float64Array && ascendsFinite(values)) return values;
  const kept = new Float64Array(values.length);
  let n = 0;
  let ascends = true;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    if (value < last) ascends = false;
    last = value;
    kept[n++] = value;
  }
  const found = kept.subarray(0, n);
  return ascends ? found : sortDoubles(found);
}

/** The values of two ascending samples, ascending. O(n + m). */
export function pooledAscending(a: Float64Array, b: Float64Array): Float64Array {
  const pooled = new Float64Array(a.length + b.length);
  for (let i = 0, j = 0, at = 0; at < pooled.length; at++)
    pooled[at] = j === b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!;
  return pooled;
}

function ascendsFinite(values: Float64Array): boolean {
  if (values.length === 0) return true;
  if (!Number.isFinite(values[0]) || !Number.isFinite(values[values.length - 1])) return false;
  for (let i = 1; i < values.length; i++) if (!(values[i - 1]! <= values[i]!)) return false;
  return true;
}

/** Σ values, by Neumaier's compensated addition: many equal ones, as sorted whole numbers have them, round the same way each. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  // Past the largest double what was lost is no number.
  return Number.isFinite(sum) ? sum + lost : sum;
}

/** Mean of values; NaN when there are none. */
export function meanOf(values: ArrayLike<number>): number {
  return sumOf(values) / values.length;
}

/** Σ (value − mean)², compensated likewise. */
export function squaresAbout(values: ArrayLike<number>, mean: number): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const square = (values[i]! - mean) ** 2;
    const next = sum + square;
    lost += sum >= square ? sum - next + square : square - next + sum;
    sum = next;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}

/** Population standard deviation; NaN when there are none. */
export function populationDeviation(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  let farthest = 0;
  for (let i = 0; i < values.length; i++) farthest = Math.max(farthest, Math.abs(values[i]! - mean));
  const unit = ownUnit(farthest);
  const apart = Float64Array.from(values, (value) => (value - mean) / unit);
  // The mean of numbers far from zero is rounded as they are.
  return unit * Math.sqrt(squaresAbout(apart, meanOf(apart)) / values.length);
}

/** Counts of each category of either side, in the order of their code points. `null` and `undefined` are left out. */
export function categoryCounts(
  reference: ArrayLike<string | null | undefined>,
  current: ArrayLike<string | null | undefined>,
): { readonly categories: string[]; readonly reference: number[]; readonly current: number[] } {
  const counts = new Map<string, [number, number]>();
  for (const [side, values] of [reference, current].entries()) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === null || value === undefined) continue;
      const pair = counts.get(value);
      if (pair === undefined) counts.set(value, side === 0 ? [1, 0] : [0, 1]);
      else pair[side as 0 | 1]++;
    }
  }
  const categories = [...counts.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    categories,
    reference: categories.map((category) => counts.get(category)![0]),
    current: categories.map((category) => counts.get(category)![1]),
  };
}
