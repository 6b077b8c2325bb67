/** Bins of raw numbers for the binned comparisons: bin i holds the x with exactly i edges ≤ x. */
import { type RawValue, sortedFinite } from './sample.ts';

/**
 * Edges at the inner k/bins quantiles of the reference (the value at rank ⌈n·k/bins⌉), equal ones merged; a value that fills several
 * ranks is a bin of its own, since the next distinct value is an edge too. `sorted` ascends.
 */
export function quantileEdges(sorted: ArrayLike<number>, bins: number): number[] {
  const n = sorted.length;
  const edges: number[] = [];
  let last = sorted[0]!;
  const add = (edge: number): void => {
    if (!(edge > last)) return;
    last = edge;
    // Of zeros there is one.
    edges.push(edge === 0 ? 0 : edge);
  };
  let from = 0;
  for (let k = 1; k < bins; k++) {
    const rank = Math.floor((n * k) / bins);
    const value = sorted[rank];
    if (value === undefined) continue;
    add(value);
    if (sorted[rank + 1] === value || sorted[rank - 1] === value) {
      // The first rank that has the value is at the former place or after it.
      from = firstAtLeast(sorted, value, from);
      const above = firstAbove(sorted, value, rank);
      if (above < n && above - from > n / bins) add(sorted[above]!);
    } else if (1 > n / bins && rank + 1 < n) add(sorted[rank + 1]!);
  }
  return edges;
}

/** Counts of each of the edges.length + 1 bins. `sorted` and the edges ascend. O(n + edges). */
export function countsIn(sorted: ArrayLike<number>, edges: readonly number[]): Float64Array {
  const counts = new Float64Array(edges.length + 1);
  let before = 0;
  let below = 0;
  for (let bin = 0; bin < edges.length; bin++) {
    while (below < sorted.length && sorted[below]! < edges[bin]!) below++;
    counts[bin] = below - before;
    before = below;
  }
  counts[edges.length] = sorted.length - before;
  return counts;
}

/** Of values that are all different, so many at least: the bins then end at order statistics. */
const HARDLY_TIED = 0.9;

/** Both sides in bins of equal reference share. */
export function binnedByReference(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  bins: number,
): {
  readonly reference: Float64Array;
  readonly current: Float64Array;
  readonly edges: number[];
  readonly cut?: 'reference';
} {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const edges = quantileEdges(a, Math.max(1, Math.floor(bins)));
  const pair = { reference: countsIn(a, edges), current: countsIn(b, edges), edges };
  return distinct(a) >= HARDLY_TIED * a.length && distinct(b) >= HARDLY_TIED * b.length
    ? { ...pair, cut: 'reference' }
    : pair;
}

function distinct(sorted: ArrayLike<number>): number {
  let found = sorted.length > 0 ? 1 : 0;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] !== sorted[i - 1]) found++;
  return found;
}

function firstAtLeast(sorted: ArrayLike<number>, value: number, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstAbove(sorted: ArrayLike<number>, value: number, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
