/**
 * Sets of positions as ascending ranges (after, through] that neither overlap nor touch; `null` is before every position. Pure.
 * Where it is known that nothing lies between two records, the range between them may be added too: it holds nothing.
 */
import { comparePositions, type Position } from './ports.ts';

export type Range = readonly [after: Position | null, through: Position];
export type Ranges = readonly Range[];

/** `null` before everything. */
function compareBounds(a: Position | null, b: Position | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return comparePositions(a, b);
}

/** The position just before one, where a range that begins with this record begins. */
export function justBefore(position: Position): Position | null {
  const number = BigInt(position);
  return number === 0n ? null : (number - 1n).toString();
}

/** The union. Ranges that hold nothing are left out. */
export function withRanges(ranges: Ranges, added: Ranges): Ranges {
  const all = [...ranges, ...added]
    .filter(([after, through]) => compareBounds(after, through) < 0)
    .sort((a, b) => compareBounds(a[0], b[0]) || comparePositions(a[1], b[1]));
  const union: Range[] = [];
  for (const range of all) {
    const last = union.at(-1);
    if (last === undefined || compareBounds(range[0], last[1]) > 0) union.push(range);
    else if (comparePositions(range[1], last[1]) > 0) union[union.length - 1] = [last[0], range[1]];
  }
  return union;
}

/** The range that a position lies in; `null` when it lies in none. */
export function rangeOf(ranges: Ranges, position: Position): Range | null {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePositions((ranges[middle] as Range)[1], position) < 0) low = middle + 1;
    else high = middle;
  }
  const found = ranges[low];
  return found !== undefined && compareBounds(found[0], position) < 0 ? found : null;
}

/**
 * At most `most` ranges: the oldest are joined over what lies between them, which then counts as committed. For bounds that only a
 * stream that fails for weeks comes to: what is joined must be older than anything that can still be redriven.
 */
export function bounded(ranges: Ranges, most: number): Ranges {
  const excess = ranges.length - most;
  if (excess <= 0) return ranges;
  const [first] = ranges;
  const last = ranges[excess];
  return first === undefined || last === undefined ? ranges : [[first[0], last[1]], ...ranges.slice(excess + 1)];
}
