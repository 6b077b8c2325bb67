/** Rows that were sampled with different probabilities: the verdict's variance is the linearised one, whoever was sampled. */
import { describe, expect, test } from 'vitest';
import type { ColumnCounts } from '../../lib/engine/column-counts.ts';
import { type JudgeOptions, judgeScores } from '../../lib/engine/column-verdict.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { categoricalOf, drawCategories, drawNormal, normalBaseline, START } from './verdict-data.ts';

const OPTIONS: JudgeOptions = {
  level: 0.02,
  smallestEffect: 0,
  minimumRows: 30,
  span: null,
  confirmation: { m: 1, n: 1 },
  others: 'none',
};
const ROWS = 4_000;
const MONTHS = 600;

/** Each row of bin i is kept with probability `kept[i]` and weighs its inverse. `drawn`: bins, then missing. */
function sampled(drawn: readonly number[], kept: readonly number[], random: ReturnType<typeof seededRandom>) {
  const counts = drawn.map((count, i) => random.binomial(count, kept[i]!));
  const missing = counts.at(-1)!;
  const bins = counts.slice(0, -1);
  const weigh = (power: number) => bins.map((count, i) => count / kept[i]! ** power);
  const last = kept.at(-1)!;
  const result: ColumnCounts = {
    n: counts.reduce((sum, count) => sum + count, 0),
    missing,
    nonFinite: 0,
    invalid: 0,
    bins,
    unseen: { total: 0, top: [] },
    weighted: { w: weigh(1), w2: weigh(2), missing: [missing / last, missing / last ** 2], unseen: [0, 0] },
    mean: null,
    std: null,
  };
  return result;
}

describe('windows of weighted rows', () => {
  test('a rare class kept whole beside a sampled one is judged with the rows that it has', () => {
    const random = seededRandom(5);
    const shares = [0.7, 0.27, 0.03];
    const column = categoricalOf(
      ['a', 'b', 'c'],
      [{ start: START, drawn: drawCategories(random, 200_000, shares) }],
      null,
    );
    const kept = [0.1, 0.1, 1, 1];
    let flagged = 0;
    let named = 0;
    for (let month = 0; month < MONTHS; month++) {
      const quiet = sampled([...drawCategories(random, ROWS, shares), 0], kept, random);
      if (judgeScores(column, quiet, OPTIONS).flagged.length > 0) flagged++;
      const moved = sampled([...drawCategories(random, ROWS, [0.69, 0.26, 0.05]), 0], kept, random);
      if (judgeScores(column, moved, OPTIONS).result.aspect === 'category c') named++;
    }
    // Level 2 %: by the binomial law at most 25 of 600 but for one case in a thousand.
    expect(flagged).toBeLessThanOrEqual(25);
    expect(flagged).toBeGreaterThan(0);
    // (Σw)²/Σw² is 430 rows here: with them a rise of 3 to 5 % would be seen in every third window at best.
    expect(named / MONTHS).toBeGreaterThan(0.95);
  });

  test('few rows of a large weight are no change', () => {
    const random = seededRandom(6);
    const column = normalBaseline([{ start: START, drawn: drawNormal(random, 200_000, { missing: 0.02 }) }], null);
    // The upper tail and the missing are sampled ten times as thinly as all others.
    const kept = Array.from({ length: 17 }, (_, bin) => (bin >= 12 ? 0.1 : 1));
    let flagged = 0;
    for (let month = 0; month < MONTHS; month++) {
      const window = sampled(drawNormal(random, ROWS, { missing: 0.02 }), kept, random);
      if (judgeScores(column, window, OPTIONS).flagged.length > 0) flagged++;
    }
    expect(flagged).toBeLessThanOrEqual(25);
  });
});
