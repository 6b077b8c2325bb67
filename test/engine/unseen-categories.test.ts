/** Catalogues that no sample exhausts: what was seen once stays away, something else comes, and nothing has changed. */
import { describe, expect, test } from 'vitest';
import { columnJudge } from '../../lib/engine/column-judge.ts';
import { judgeColumn } from '../../lib/engine/column-verdict.ts';
import { categoricalColumnOf } from '../../lib/engine/sample-columns.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';
import { categoricalOf, categoryCounts, DAY, drawCategories, judgeSamples, START } from './verdict-data.ts';

const OPTIONS = {
  level: 0.05,
  smallestEffect: 0.05,
  minimumRows: 30,
  span: null,
  confirmation: { m: 1, n: 1 },
  others: 'none',
} as const;

/** Category k of a law whose share falls as k to the power of −`power`, without end. */
const zipf = (random: Random, rows: number, power: number): string[] =>
  Array.from({ length: rows }, () => `c${Math.floor((1 - random.next()) ** (-1 / (power - 1)))}`);

describe('a catalogue that no sample exhausts', () => {
  test.each([
    [1.1, 500, 500],
    [1.3, 2_000, 500],
    [1.6, 20_000, 2_000],
    [2, 500, 500],
  ])('power %d, %d rows against %d: alike is alike', (power, n, m) => {
    const random = seededRandom(3);
    const reports = 100;
    let drifted = 0;
    for (let i = 0; i < reports; i++)
      if (judgeSamples(zipf(random, n, power), zipf(random, m, power)).status === 'drifted') drifted++;
    // Level 5 %: 13 or more of 100 come once in a thousand times.
    expect(drifted).toBeLessThanOrEqual(12);
  });

  test('identifiers are not drifted by being other ones', () => {
    const ids = (prefix: string, rows: number) => Array.from({ length: rows }, (_, i) => `${prefix}${i}`);
    expect(judgeSamples(ids('a', 600), ids('b', 400)).status).toBe('ok');
    expect(judgeSamples(ids('a', 600), new Array<string>(400).fill('a1')).status).toBe('drifted');
  });

  test('more unseen categories than come by themselves are a change', () => {
    const random = seededRandom(4);
    const reference = zipf(random, 5_000, 2);
    const usual = zipf(random, 1_000, 2);
    const result = judgeSamples(reference, [
      ...usual.slice(0, 900),
      ...usual.slice(0, 100).map((name) => `new ${name}`),
    ]);
    expect(result).toMatchObject({ status: 'drifted', aspect: 'unseen categories' });
  });

  test('two rows in a hundred of what 28 days never had are found in the hours that have them, and are no effect without bounds', () => {
    const random = seededRandom(5);
    const shares = [0.4, 0.3, 0.2, 0.06, 0.04];
    const windows = Array.from({ length: 28 * 24 }, (_, t) => ({
      start: START + (t * DAY) / 24,
      drawn: drawCategories(random, 300, shares),
    }));
    const column = categoricalOf(['a', 'b', 'c', 'd', 'e'], windows, '1h');
    const judged = { ...OPTIONS, level: 8e-5, confirmation: { m: 2, n: 3 } };
    for (let hour = 0; hour < 10; hour++) {
      const drawn = drawCategories(random, 294, shares);
      for (const counts of [categoryCounts(drawn, 0, [['new', 6]]), categoryCounts(drawn, 6)]) {
        const result = judgeColumn(column, counts, judged);
        expect(result.aspect).toBe(counts.missing > 0 ? 'missing' : 'unseen categories');
        expect(result.effect).toBeGreaterThan(0.3);
        expect(result.effect).toBeLessThan(1);
      }
      expect(judgeColumn(column, categoryCounts(drawn, 0, [['new', 1]]), judged).status).toBe('ok');
    }
  });

  test('what a bin loses to the unseen is what they are expected to have', () => {
    const column = categoricalColumnOf(
      ['x', 'x', 'x', 'y', 'y', 'z', 'w'].flatMap((one) => (one > 'x' ? one : Array(40).fill(one))),
    );
    const { bins } = columnJudge(column);
    expect(bins.expectedUnseen).toBeGreaterThan(0);
    expect(bins.seenOnce!.reduce((sum, count) => sum + count, 0) / bins.rows).toBeCloseTo(bins.expectedUnseen, 12);
    expect(bins.seenOnce![bins.unseen!]).toBe(0);
  });
});
