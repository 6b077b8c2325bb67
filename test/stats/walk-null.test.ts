/** p-values of Wasserstein and energy distances on raw samples. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { energy } from '../../lib/stats/energy.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { wasserstein } from '../../lib/stats/wasserstein.ts';

const TESTS = { wasserstein, energy };
const random = seededRandom(41);
const LAWS = {
  normal: () => random.normal(),
  'heavy-tailed': () => random.normal() / random.normal(),
  'five values': () => random.integer(5),
};

describe.each(Object.entries(TESTS))('%s', (_, test) => {
  it.each(
    Object.entries(LAWS).flatMap(([law, draw]) =>
      (
        [
          [15, 12],
          [100, 100],
          [500, 30],
          [900, 700],
        ] as const
      ).map(([n, m]) => ({ law, draw, n, m })),
    ),
  )('rings as often as it says: $law, $n and $m rows', ({ draw, n, m }) => {
    const trials = 250;
    let below = 0;
    for (let trial = 0; trial < trials; trial++) {
      const side = (size: number) => Float64Array.from({ length: size }, draw);
      if (test(side(n), side(m)).pValue! <= 0.1) below++;
    }
    // Conservative is allowed: of heavy tails and of few values.
    expect(below / trials).toBeLessThan(0.1 + 4 * Math.sqrt(0.09 / trials));
    expect(below / trials).toBeGreaterThan(0.02);
  });

  it('agrees with all orders of few rows', () => {
    const [a, b] = [
      [0, 1, 2.5, 4, 4.2, 7],
      [0.5, 3, 5, 8, 9.5],
    ];
    const all = [...a, ...b];
    const observed = test(a, b).statistic!;
    let reached = 0;
    let orders = 0;
    for (let mask = 0; mask < 1 << all.length; mask++) {
      const x = all.filter((_, i) => (mask >> i) & 1);
      if (x.length !== a.length) continue;
      orders++;
      const y = all.filter((_, i) => !((mask >> i) & 1));
      if (test(x, y).statistic! >= observed * (1 - 1e-9)) reached++;
    }
    const share = reached / orders;
    // Twenty that reach it are waited for.
    expect(Math.abs(test(a, b).pValue! - share)).toBeLessThan(4 * share * Math.sqrt((1 - share) / 20) + 0.002);
  });

  it('never rises with a shift of one side away from the other', () => {
    const size = fc.integer({ min: 5, max: 120 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 1e6 }), (n, m, seed) => {
        const own = seededRandom(seed);
        const a = Array.from({ length: n }, () => own.next());
        const b = Array.from({ length: m }, () => own.next());
        // No two of these are in one order of the pooled values, so that a little noise is allowed.
        const p = [1.2, 2.4, 4.8].map(
          (shift) =>
            test(
              a,
              b.map((x) => x + shift),
            ).pValue!,
        );
        expect(p[1]).toBeLessThanOrEqual(p[0]! * 1.5 + 0.001);
        expect(p[2]).toBeLessThanOrEqual(p[1]! * 1.5 + 0.001);
        expect(p[2]).toBeLessThan(0.05);
      }),
      { numRuns: 25 },
    );
  });
});
