/**
 * Energy distance of two laws on the line, sqrt(2 ∫ (F − G)² dx) (Székely & Rizzo), in the square root of the column's unit.
 *
 * p-value: walk-null.ts (`permutation`).
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | one and the same value everywhere | 0, p 1, `constant` |
 */
import { identical, type Outcome, undecided } from './outcome.ts';
import { pooledAscending, type RawValue, sortedFinite } from './sample.ts';
import { walkPValue } from './walk-null.ts';

export interface EnergyOptions {
  /** False where the p-value is not wanted: it is most of the work. */
  readonly pValue?: boolean;
}

/** O(n log n), and the permutations. */
export function energy(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: EnergyOptions = {},
): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  if (n === 0) return undecided('empty-reference', n, m, 'energy');
  if (m === 0) return undecided('empty-current', n, m, 'energy');
  if (a[0] === a[n - 1] && a[0] === b[0] && b[0] === b[m - 1]) return identical(n, m, 'energy');
  const square = area(a, b);
  const statistic = Math.sqrt(2 * square);
  if (!Number.isFinite(statistic)) return undecided('infinite', n, m, 'energy');
  const pValue = options.pValue === false ? null : permutationPValue(a, b, square);
  return { statistic, pValue, referenceSize: n, currentSize: m, method: pValue === null ? 'energy' : 'permutation' };
}

/** ∫ (F − G)² dx. */
function area(a: Float64Array, b: Float64Array): number {
  let i = 0;
  let j = 0;
  let sum = 0;
  let x = Math.min(a[0]!, b[0]!);
  while (i < a.length || j < b.length) {
    const next = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    sum += (i / a.length - j / b.length) ** 2 * (next - x);
    x = next;
    while (i < a.length && a[i] === x) i++;
    while (j < b.length && b[j] === x) j++;
  }
  return sum;
}

function permutationPValue(a: Float64Array, b: Float64Array, observed: number): number {
  return walkPValue('square', pooledAscending(a, b), a.length, observed);
}
