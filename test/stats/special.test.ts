import { describe, expect, it } from 'vitest';
import { benjaminiHochberg, bonferroni, holm } from '../../lib/stats/corrections.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import * as special from '../../lib/stats/special.ts';
import { goldenCases, near } from './golden.ts';

describe('special functions', () => {
  it('have the values of the tables', () => {
    expect(special.chiSquareSurvival(9.687271544245228, 3)).toBeCloseTo(0.021420338020227456, 12);
    expect(special.normalCdf(-10) / 7.61985302416052e-24).toBeCloseTo(1, 10);
    expect(special.normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(special.normalQuantile(1e-20)).toBeCloseTo(-9.262340089798, 9);
    expect(special.studentTwoSided(2.7764451051977987, 4)).toBeCloseTo(0.05, 10);
    expect(special.studentTwoSidedQuantile(0.05, 4)).toBeCloseTo(2.7764451051977987, 9);
    expect(special.binomialSurvival(9, 10, 0.5)).toBeCloseTo(11 / 1024, 12);
    expect(special.binomialCdf(1, 10, 0.5)).toBeCloseTo(11 / 1024, 12);
    expect(special.poissonSurvival(1, 0.5)).toBeCloseTo(1 - Math.exp(-0.5), 12);
    // Negative binomial, mean 2 and variance 4: size 2, p ½
    expect(special.negativeBinomialCdf(0, 2, 0.5)).toBeCloseTo(0.25, 12);
    expect(special.negativeBinomialSurvival(1, 2, 0.5)).toBeCloseTo(0.75, 12);
  });

  it('answer NaN outside their domain', () => {
    expect(special.chiSquareSurvival(1, 0)).toBeNaN();
    expect(special.regularizedBeta(2, 1, 1)).toBeNaN();
    expect(special.regularizedGammaP(-1, 1)).toBeNaN();
    expect(special.normalQuantile(1.5)).toBeNaN();
  });
});

describe('corrections', () => {
  for (const one of goldenCases('pvalues')) {
    it(one.id, () => {
      const pValues = one.params['pvalues'] as number[];
      for (const [got, expected] of [
        [bonferroni(pValues), one.expected.formula.bonferroni],
        [benjaminiHochberg(pValues), one.expected.scipy.benjamini_hochberg],
      ] as const)
        got.forEach((p, i) => {
          expect(near(p, expected[i], 1e-10, 1e-12)).toBe(true);
        });
    });
  }

  it('order as they must: Benjamini–Hochberg ≤ Holm ≤ Bonferroni', () => {
    const pValues = [0.01, 0.04, 0.03, 0.005];
    expect(holm(pValues)).toEqual([0.03, 0.06, 0.06, 0.02]);
    holm(pValues).forEach((p, i) => {
      expect(p).toBeLessThanOrEqual(bonferroni(pValues)[i]!);
      expect(p).toBeGreaterThanOrEqual(benjaminiHochberg(pValues)[i]!);
    });
    expect(holm([])).toEqual([]);
  });
});

describe('the seeded generator', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it('has the moments of its laws', () => {
    const random = seededRandom(7);
    for (const [draw, mean, variance] of [
      [() => random.next(), 0.5, 1 / 12],
      [() => random.normal(), 0, 1],
      [() => random.binomial(8, 0.2), 1.6, 1.28],
      [() => random.binomial(500, 0.3), 150, 105],
      [() => random.binomial(1_000_000, 0.97), 970_000, 29_100],
    ] as const) {
      const draws = Array.from({ length: 20_000 }, draw);
      const average = draws.reduce((a, b) => a + b) / draws.length;
      const spread = draws.reduce((sum, x) => sum + (x - average) ** 2, 0) / draws.length;
      expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(variance / draws.length));
      expect(spread / variance).toBeGreaterThan(0.94);
      expect(spread / variance).toBeLessThan(1.06);
    }
  });
});
