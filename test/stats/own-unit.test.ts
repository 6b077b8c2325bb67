/** Sums of many, and values far from zero or from one: statistics that no shift and no scale changes are as exact there. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brownForsythe } from '../../lib/stats/brown-forsythe.ts';
import type { Outcome } from '../../lib/stats/outcome.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { meanOf, populationDeviation } from '../../lib/stats/sample.ts';
import { tTest } from '../../lib/stats/t-test.ts';
import { wasserstein } from '../../lib/stats/wasserstein.ts';

const TESTS: Readonly<Record<string, (a: readonly number[], b: readonly number[]) => Outcome>> = {
  student: (a, b) => tTest(a, b),
  welch: (a, b) => tTest(a, b, { variances: 'welch' }),
  'brown-forsythe': brownForsythe,
  'wasserstein-normalized': (a, b) => wasserstein(a, b, { normalised: true }),
};
const side = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 3, maxLength: 12 });

describe.each(Object.entries(TESTS))('%s', (_, run) => {
  test.each([-1_000, -520, -300, 300, 520, 1_000])('is the same in units of 2^%d', (power) => {
    fc.assert(
      fc.property(side, side, (a, b) => {
        const scaled = (values: readonly number[]): number[] => values.map((value) => value * 2 ** power);
        const [plain, there] = [run(a, b), run(scaled(a), scaled(b))];
        expect(there.reason).toBe(plain.reason);
        if (plain.statistic === null) return;
        expect(there.statistic).toBeCloseTo(plain.statistic, 9);
        expect(there.pValue).toBeCloseTo(plain.pValue!, 9);
      }),
      { numRuns: 40 },
    );
  });

  test('is the same far from zero', () => {
    const far = 2 ** 52;
    const [a, b] = [
      [1, 2, 3, 5, 8, 13],
      [2, 3, 5, 7, 11, 13, 17],
    ];
    const moved = run(
      a.map((value) => far + value),
      b.map((value) => far + value),
    );
    expect(moved.statistic).toBeCloseTo(run(a, b).statistic!, 12);
  });
});

test('sums of many equal values lose nothing', () => {
  const random = seededRandom(6);
  const draw = (rows: number): number[] => Array.from({ length: rows }, () => Math.floor(7 * random.next()));
  const [a, b] = [draw(100_000), draw(69_144)];
  // All of it are whole numbers below 2^53 but for the divisions.
  const sums = (values: readonly number[]) => {
    const median = [...values].sort((x, y) => x - y)[values.length >> 1]!;
    const distances = values.map((value) => Math.abs(value - median));
    return {
      n: values.length,
      sum: distances.reduce((sum, d) => sum + d, 0),
      squares: distances.reduce((sum, d) => sum + d * d, 0),
    };
  };
  const [x, y] = [sums(a), sums(b)];
  const between = (x.sum * y.n - y.sum * x.n) ** 2 / (x.n * y.n * (x.n + y.n));
  const within = x.squares - x.sum ** 2 / x.n + y.squares - y.sum ** 2 / y.n;
  const exact = (between * (x.n + y.n - 2)) / within;
  expect(Math.abs(brownForsythe(a, b).statistic! / exact - 1)).toBeLessThan(1e-11);
  const tenths = new Array<number>(1_000_000).fill(0.1);
  expect(meanOf(tenths)).toBe(0.1);
  expect(populationDeviation(tenths)).toBe(0);
});
