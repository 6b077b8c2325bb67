/** A permutation p-value of the total variation of two samples of categories, from their counts. */
import { conditionalSumTail } from '../conditional-sum.ts';
import { seededRandom } from '../random.ts';
import { totalVariation } from '../total-variation.ts';

const PERMUTATIONS = 1_000;
/** Rows beyond which the share of all permutations is computed instead: drawing would take seconds. */
const DRAWN = 20_000;

/** The share of 1,000 seeded permutations that reach `observed`; none adds one, so that it can be 0. O(permutations · categories). */
export function permutationPValue(reference: readonly number[], current: readonly number[], observed: number): number {
  const n = reference.reduce((sum, count) => sum + count, 0);
  const m = current.reduce((sum, count) => sum + count, 0);
  if (n + m > DRAWN) {
    const term = (x: number, y: number): number => Math.abs(x / n - y / m) / 2;
    return conditionalSumTail({ reference, current }, { name: 'total-variation', term }, observed);
  }
  const pooled = reference.map((count, i) => count + current[i]!);
  const random = seededRandom(n * 65_537 + m);
  const drawn = new Float64Array(pooled.length);
  let reached = 0;
  for (let draw = 0; draw < PERMUTATIONS; draw++) {
    // Row by row: rows of the reference side are a sample without replacement of the pooled rows.
    let rows = n + m;
    let left = n;
    for (const [i, count] of pooled.entries()) {
      let taken = 0;
      for (let row = 0; row < count; row++) {
        if (random.next() * rows < left) {
          taken++;
          left--;
        }
        rows--;
      }
      drawn[i] = taken;
    }
    const rest = pooled.map((count, i) => count - drawn[i]!);
    if (totalVariation(drawn, n, rest, m) >= observed * (1 - 1e-12)) reached++;
  }
  return reached / PERMUTATIONS;
}
