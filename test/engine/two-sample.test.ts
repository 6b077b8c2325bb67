import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareSamples, testNames } from '../../lib/engine/two-sample.ts';
import { seededRandom } from '../../lib/stats/random.ts';

const NAMES = testNames();
const normal = (n: number, mean: number, seed: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => mean + random.normal());
};

describe('two-sample tests by name', () => {
  it('has every test once', () => {
    expect(NAMES.length).toBe(new Set(NAMES).size);
    expect(NAMES.length).toBeGreaterThan(70);
  });

  it.each(NAMES)('%s answers whatever the data, with a reason where there is no number', (test) => {
    const number = fc.oneof(
      fc.constantFrom(null, 0, -0, 1, Number.NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324),
      fc.integer({ min: -3, max: 3 }),
      fc.double(),
    );
    const category = fc.constantFrom(null, '', 'a', 'b', 'c', '__proto__', 1, true);
    fc.assert(
      fc.property(fc.array(number, { maxLength: 30 }), fc.array(number, { maxLength: 30 }), (reference, current) => {
        const answer = compareSamples({ test, type: 'numeric', reference, current });
        expect(answer.statistic !== null || answer.reason !== null).toBe(true);
        if (answer.pValue !== null) expect(answer.pValue >= 0 && answer.pValue <= 1).toBe(true);
      }),
      { numRuns: 25 },
    );
    fc.assert(
      fc.property(
        fc.array(category, { maxLength: 30 }),
        fc.array(category, { maxLength: 30 }),
        (reference, current) => {
          const answer = compareSamples({ test, type: 'categorical', reference, current });
          expect(answer.statistic !== null || answer.reason !== null).toBe(true);
          if (answer.pValue !== null) expect(answer.pValue >= 0 && answer.pValue <= 1).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  const own = NAMES.filter((name) => !name.includes('@') && !['fisher', 'z-proportions'].includes(name));

  it.each(own)('%s sees a plain shift and says so', (test) => {
    const scale = test === 'brown-forsythe' ? 2 : 1;
    const current = normal(400, 1, 2).map((x) => x * scale);
    const answer = compareSamples({ test, type: 'numeric', reference: normal(400, 0, 1), current });
    expect(answer).toMatchObject({ test, status: 'drifted', reason: null });
    expect(answer.effect).toBeGreaterThan(0.2);
  });

  it.each(own)('%s is quiet on about as many quiet pairs as its level allows', (test) => {
    const alarms = Array.from({ length: 120 }, (_, i) =>
      compareSamples({
        test,
        type: 'numeric',
        reference: normal(150, 0, 2 * i + 1),
        current: normal(120, 0, 2 * i + 2),
      }),
    ).filter(({ status }) => status === 'drifted').length;
    // Binomial(120, 0.05): 99.99 % lie at or below 17.
    expect(alarms).toBeLessThanOrEqual(17);
  });

  it('compares a share by Fisher and by z', () => {
    const side = (yes: number, no: number) => [...new Array(yes).fill('yes'), ...new Array(no).fill('no')];
    for (const test of ['fisher', 'z-proportions', 'chi-square'])
      expect(compareSamples({ test, type: 'categorical', reference: side(50, 50), current: side(80, 20) }).status).toBe(
        'drifted',
      );
    expect(
      compareSamples({ test: 'fisher', type: 'categorical', reference: ['a', 'b', 'c'], current: ['a'] }),
    ).toMatchObject({
      status: 'failed',
      reason: 'too-many-bins',
    });
  });

  it('names the nearest test of one that it does not know', () => {
    expect(compareSamples({ test: 'psii', type: 'numeric', reference: [1], current: [2] }).reason).toContain(
      'did you mean psi?',
    );
    expect(compareSamples({ test: 'ks@nobody', type: 'numeric', reference: [1], current: [2] }).status).toBe('failed');
  });
});
