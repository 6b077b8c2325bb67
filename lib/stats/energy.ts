/**
 * Energy distance of two laws on the line, sqrt(2 ∫ (F − G)² dx) (Székely & Rizzo), in the square root of the column's unit.
 *
 * p-value: 999 seeded permutations of the pooled sample, thinned to 2,000 quantiles where it is larger (`permutation`).
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | one and the same value everywhere | 0, p 1, `constant` |
 */
import { identical, type Outcome, undecided } from './outcome.ts';
import { seededRandom } from './random.ts';
import { type RawValue, sortedFinite } from './sample.ts';

const PERMUTATIONS = 999;
const POINTS = 2_000;

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
  const pooled = new Float64Array(a.length + b.length);
  pooled.set(a);
  pooled.set(b, a.length);
  pooled.sort();
  const total = Math.min(POINTS, pooled.length);
  const points = Float64Array.from(
    { length: total },
    (_, i) => pooled[Math.floor(((i + 0.5) * pooled.length) / total)]!,
  );
  const n = Math.max(1, Math.min(total - 1, Math.round((total * a.length) / pooled.length)));
  // The statistic of a thinned sample is larger in proportion: nm/(n + m) times it has one law at all sizes.
  const scale = (a.length * b.length) / pooled.length / ((n * (total - n)) / total);
  const random = seededRandom(a.length * 65_537 + pooled.length);
  let reached = 1;
  for (let draw = 0; draw < PERMUTATIONS; draw++) {
    let left = n;
    let f = 0;
    let sum = 0;
    for (let i = 0; i + 1 < total; i++) {
      if (random.next() * (total - i) < left) {
        left--;
        f += 1 / n;
      } else f -= 1 / (total - n);
      sum += f * f * (points[i + 1]! - points[i]!);
    }
    if (sum >= observed * scale * (1 - 1e-9)) reached++;
  }
  return reached / (PERMUTATIONS + 1);
}
