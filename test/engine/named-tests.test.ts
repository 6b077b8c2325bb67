/** Laws that hold for every test by name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareByName, compareCounts } from '../../lib/engine/named-tests.ts';
import { countsOfSample, numericColumnOf } from '../../lib/engine/sample-columns.ts';
import { ks } from '../../lib/stats/ks.ts';
import { ksOfCounts } from '../../lib/stats/ks-counts.ts';

const numbers = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 5, maxLength: 50 });
/** The exact law of up to twenty rows takes a moment for each pair of sizes. */
const many = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 21, maxLength: 50 });
const sidesOf = (test: string) => (test === 'cramer-von-mises' ? many : numbers);
const counts = fc.array(fc.nat(60), { minLength: 4, maxLength: 4 });
const numeric = (test: string, reference: readonly number[], current: readonly number[]) =>
  compareByName({ test, type: 'numeric', reference, current });
const near = (a: number | null, b: number | null): void => {
  if (a === null || b === null) expect(a).toBe(b);
  else expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 + 1e-7 * Math.abs(b));
};

describe('either side may come first', () => {
  it.each(['ks', 'kuiper', 'cramer-von-mises', 'anderson-darling', 'brown-forsythe', 'epps-singleton'])(
    '%s of numbers',
    (test) => {
      fc.assert(
        fc.property(sidesOf(test), sidesOf(test), (a, b) => {
          const [there, back] = [numeric(test, a, b), numeric(test, b, a)];
          near(there.statistic, back.statistic);
          near(there.pValue, back.pValue);
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each(['t-student', 't-welch', 'mann-whitney', 'wasserstein', 'energy'])(
    '%s, up to its sign or complement',
    (test) => {
      fc.assert(
        fc.property(numbers, numbers, (a, b) => {
          const [there, back] = [numeric(test, a, b), numeric(test, b, a)];
          const turned =
            test === 'mann-whitney'
              ? a.length * b.length - back.statistic!
              : test.startsWith('t-')
                ? -back.statistic!
                : back.statistic;
          if (there.statistic !== null) near(there.statistic, turned! + 0);
          // Those that draw orders draw others for the sides exchanged.
          if (!['wasserstein', 'energy'].includes(test)) near(there.pValue, back.pValue);
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each(['psi', 'jensen-shannon', 'hellinger', 'total-variation', 'l-infinity', 'chi-square', 'g', 'cramers-v'])(
    '%s of counts',
    (test) => {
      fc.assert(
        fc.property(counts, counts, (a, b) => {
          const [there, back] = [compareCounts(test, a, b), compareCounts(test, b, a)];
          near(there.statistic, back.statistic);
          if (there.pValue !== null) expect(Math.abs(there.pValue - back.pValue!)).toBeLessThan(1e-3);
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('only the order of the values counts', () => {
  it.each([
    'ks',
    'kuiper',
    'cramer-von-mises',
    'anderson-darling',
    'mann-whitney',
    'psi',
    'jensen-shannon',
    'chi-square',
  ])('for %s', (test) => {
    const map = (x: number): number => Math.sinh(x / 20) * 5 + 3;
    fc.assert(
      fc.property(sidesOf(test), sidesOf(test), (a, b) => {
        const [plain, mapped] = [numeric(test, a, b), numeric(test, a.map(map), b.map(map))];
        near(plain.statistic, mapped.statistic);
        near(plain.pValue, mapped.pValue);
      }),
      { numRuns: 40 },
    );
  });
});

describe('unit and zero do not count', () => {
  it.each(['t-student', 't-welch', 'brown-forsythe', 'wasserstein-normalized', 'epps-singleton'])('for %s', (test) => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const map = (x: number): number => 8 * x + 64;
        const [plain, mapped] = [numeric(test, a, b), numeric(test, a.map(map), b.map(map))];
        if (plain.statistic === null || mapped.statistic === null) expect(plain.reason).toBe(mapped.reason);
        else if (plain.statistic < 1e6) {
          expect(Math.abs(plain.statistic - mapped.statistic)).toBeLessThan(1e-5 * (1 + Math.abs(plain.statistic)));
          expect(Math.abs(plain.pValue! - mapped.pValue!)).toBeLessThan(1e-4);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('bounds', () => {
  it.each(['ks', 'kuiper', 'jensen-shannon', 'hellinger', 'total-variation', 'l-infinity', 'cramers-v'])(
    '%s lies between 0 and 1, and is 1 for sides that share nothing',
    (test) => {
      fc.assert(
        fc.property(numbers, numbers, (a, b) => {
          const { statistic, pValue } = numeric(test, a, b);
          if (statistic !== null) expect(statistic).toBeGreaterThanOrEqual(0);
          if (statistic !== null) expect(statistic).toBeLessThanOrEqual(1 + 1e-12);
          if (pValue !== null) expect(pValue >= 0 && pValue <= 1).toBe(true);
        }),
        { numRuns: 40 },
      );
      const apart =
        test === 'ks' || test === 'kuiper'
          ? numeric(test, [1, 2, 3], [11, 12, 13]).statistic
          : compareCounts(test, [5, 7, 0], [0, 0, 9]).statistic;
      expect(apart).toBeCloseTo(1, 12);
    },
  );
});

describe('a profile against the rows', () => {
  it('errs in Kolmogorov–Smirnov by at most the heaviest bin of the reference', () => {
    const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 30, maxLength: 400 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const column = numericColumnOf(a);
        const profile = ksOfCounts({ reference: column.counts, current: countsOfSample(column, b).bins });
        const raw = ks(a, b).statistic!;
        const heaviest = Math.max(...column.counts) / a.length;
        if (profile.statistic === null) return;
        expect(profile.statistic).toBeLessThanOrEqual(raw + 1e-12);
        expect(profile.statistic).toBeGreaterThanOrEqual(
          raw - heaviest - Math.max(...Array.from(countsOfSample(column, b).bins)) / b.length - 1e-12,
        );
      }),
      { numRuns: 60 },
    );
  });
});
