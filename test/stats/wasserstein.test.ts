import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/stats/random.ts';
import { wasserstein, wassersteinOfCounts } from '../../lib/stats/wasserstein.ts';
import { goldenCases, near } from './golden.ts';

describe('wasserstein on the golden samples', () => {
  for (const one of goldenCases('num2')) {
    const raw = one.expected.scipy?.wasserstein_distance;
    if (typeof raw !== 'number') continue;
    it(one.id, () => {
      const { reference, current } = one.inputs as Record<string, (number | null)[]>;
      expect(wasserstein(reference!, current!).statistic).toSatisfy((value: number) => near(value, raw, 1e-10, 1e-12));
      const evidently = one.expected.evidently?.wasserstein?.score;
      if (typeof evidently !== 'number') return;
      const normalised = wasserstein(reference!, current!, { normalised: true, floor: 0.001 });
      expect(normalised.statistic).toSatisfy((value: number) => near(value, evidently, 1e-9, 1e-12));
    });
  }
});

const numbers = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 30 });

describe('wasserstein', () => {
  it('is symmetric, moves with a shift and scales with a factor', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const d = wasserstein(a, b).statistic!;
        expect(wasserstein(b, a).statistic).toBeCloseTo(d, 9);
        expect(
          wasserstein(
            a.map((x) => 3 * x),
            b.map((x) => 3 * x),
          ).statistic,
        ).toBeCloseTo(3 * d, 8);
        expect(
          wasserstein(
            a,
            a.map((x) => x + 7),
          ).statistic,
        ).toBeCloseTo(7, 9);
      }),
      { numRuns: 40 },
    );
  });

  it('agrees on counts when every value is a bin', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const positions = Array.from({ length: 101 }, (_, i) => i - 50);
        const count = (side: number[]): number[] => positions.map((at) => side.filter((x) => x === at).length);
        const binned = wassersteinOfCounts({ reference: count(a), current: count(b) }, positions);
        expect(binned.statistic).toBeCloseTo(wasserstein(a, b).statistic!, 9);
      }),
      { numRuns: 25 },
    );
  });

  it('has uniform p-values under its null: few rows, many rows, counts', () => {
    const random = seededRandom(3);
    const sample = (n: number): number[] => Array.from({ length: n }, () => random.normal());
    const shares = [0.1, 0.3, 0.3, 0.2, 0.1];
    const counts = (n: number): number[] => {
      let left = n;
      let rest = 1;
      return shares.map((share, i) => {
        const count = i === 4 ? left : random.binomial(left, share / rest);
        left -= count;
        rest -= share;
        return count;
      });
    };
    const trials = 80;
    for (const draw of [
      () => wasserstein(sample(40), sample(25)),
      () => wasserstein(sample(300), sample(200)),
      () => wassersteinOfCounts({ reference: counts(5_000), current: counts(900) }, [0, 1, 2, 4, 8]),
    ]) {
      let below = 0;
      for (let i = 0; i < trials; i++) if (draw().pValue! <= 0.1) below++;
      expect(below).toBeGreaterThan(0);
      expect(below).toBeLessThan(0.1 * trials + 4 * Math.sqrt(0.09 * trials));
    }
  }, 20_000);

  it('has tails below the resolution of its draws', () => {
    const outcome = wassersteinOfCounts({ reference: [5_000, 5_000], current: [600, 400] }, [0, 1]);
    // Two bins: the two-sided normal tail of the difference of two shares, z = 6.03
    expect(Math.log10(outcome.pValue!)).toBeCloseTo(Math.log10(1.6e-9), 0);
  });

  it('answers every odd input', () => {
    expect(wasserstein([], [1])).toMatchObject({ statistic: null, reason: 'empty-reference' });
    expect(wasserstein([1], [Number.NaN])).toMatchObject({ statistic: null, reason: 'empty-current' });
    expect(wasserstein([2, 2], [2])).toMatchObject({ statistic: 0, pValue: 1, reason: 'constant' });
    expect(wasserstein([2, 2], [3], { normalised: true })).toMatchObject({ statistic: null, reason: 'infinite' });
    expect(wasserstein([2, 2], [3], { normalised: true, floor: 0.001 }).statistic).toBeCloseTo(1000, 9);
    expect(wassersteinOfCounts({ reference: [1, 2], current: [2, 1] }, [0]).reason).toBe('invalid-counts');
  });
});
