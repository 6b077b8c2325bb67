import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binnedByReference } from '../../lib/stats/bins.ts';
import { chiSquareOfCounts } from '../../lib/stats/chi-square.ts';
import { jensenShannon, jensenShannonOfCounts } from '../../lib/stats/jensen-shannon.ts';
import { psi, psiOfCounts } from '../../lib/stats/psi.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { categoryCounts, sortedFinite } from '../../lib/stats/sample.ts';
import { goldenCases, near } from './golden.ts';

/** Evidently's bins of numbers: one a value up to 20 distinct reference values, else NumPy's `sturges` over both sides. */
function evidentlyBins(reference: Float64Array, current: Float64Array): { reference: number[]; current: number[] } {
  if (new Set(reference).size <= 20) {
    const values = [...new Set([...reference, ...current])].sort((a, b) => a - b);
    const count = (side: Float64Array): number[] => values.map((value) => side.filter((x) => x === value).length);
    return { reference: count(reference), current: count(current) };
  }
  const low = Math.min(reference[0]!, current[0]!);
  const high = Math.max(reference.at(-1)!, current.at(-1)!);
  const bins = Math.ceil((high - low) / ((high - low) / (Math.log2(reference.length + current.length) + 1)));
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + i * ((high - low) / bins)));
  const count = (side: Float64Array): number[] => {
    const counts = new Array<number>(bins).fill(0);
    for (const x of side) {
      let bin = Math.min(bins - 1, Math.floor(((x - low) / (high - low)) * bins));
      if (x < edges[bin]!) bin--;
      else if (x >= edges[bin + 1]! && bin < bins - 1) bin++;
      counts[bin]!++;
    }
    return counts;
  };
  return { reference: count(reference), current: count(current) };
}

describe("Evidently's definitions on the golden samples", () => {
  for (const one of [...goldenCases('num2'), ...goldenCases('cat2')]) {
    const evidently = one.expected.evidently;
    if (typeof evidently?.psi?.score !== 'number') continue;
    it(one.id, () => {
      const { reference, current } = one.inputs as Record<string, never[]>;
      const pair =
        one.family === 'cat2'
          ? categoryCounts(reference!, current!)
          : evidentlyBins(sortedFinite(reference!), sortedFinite(current!));
      const index = psiOfCounts(pair, { zeros: 'evidently' });
      expect(index.statistic).toSatisfy((value: number) => near(value, evidently.psi.score, 1e-10, 1e-12));
      const distance = jensenShannonOfCounts(pair, { base: 'e', form: 'distance' });
      expect(distance.statistic).toSatisfy((value: number) =>
        near(value, evidently.jensenshannon.score, 1e-10, 1e-8 /* a square root of what cancels */),
      );
    });
  }
});

describe('chi-square on the golden samples', () => {
  for (const one of goldenCases('cat2')) {
    const scipy = one.expected.scipy;
    if (typeof scipy?.chi2_contingency?.statistic !== 'number') continue;
    it(one.id, () => {
      const { reference, current } = one.inputs as Record<string, (string | null)[]>;
      const pair = categoryCounts(reference!, current!);
      const plain = chiSquareOfCounts(pair, { minimumExpected: 0 });
      const expected = scipy.chi2_contingency;
      expect(plain.statistic).toSatisfy((value: number) => near(value, expected.statistic, 1e-10, 1e-12));
      expect(plain.pValue).toSatisfy((value: number) => near(value, expected.pvalue, 1e-8, 1e-14));
      if (pair.categories.length > 1) expect(plain.degreesOfFreedom).toBe(expected.dof);
      const yates = chiSquareOfCounts(pair, { minimumExpected: 0, yates: true });
      expect(yates.statistic).toSatisfy((value: number) =>
        near(value, scipy.chi2_contingency_yates.statistic, 1e-10, 1e-12),
      );
    });
  }

  for (const one of goldenCases('table')) {
    const table = one.params['table'] as number[][];
    const expected = one.expected.scipy?.chi2_contingency;
    if (table.length !== 2 || typeof expected?.statistic !== 'number') continue;
    it(one.id, () => {
      const outcome = chiSquareOfCounts({ reference: table[0]!, current: table[1]! }, { minimumExpected: 0 });
      expect(outcome.statistic).toSatisfy((value: number) => near(value, expected.statistic, 1e-10, 1e-12));
      expect(outcome.pValue).toSatisfy((value: number) => near(value, expected.pvalue, 1e-8, 1e-14));
    });
  }
});

const counts = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 4, maxLength: 4 });
const tests = { psi: psiOfCounts, 'jensen-shannon': jensenShannonOfCounts, 'chi-square': chiSquareOfCounts };

for (const [name, compare] of Object.entries(tests)) {
  describe(name, () => {
    it('is symmetric, never negative, and 0 with p 1 for equal shares', () => {
      fc.assert(
        fc.property(counts, counts, (reference, current) => {
          const there = compare({ reference, current });
          const back = compare({ reference: current, current: reference });
          if (there.statistic === null) {
            expect(there.reason).toBeDefined();
            return;
          }
          expect(there.statistic).toBeGreaterThanOrEqual(0);
          expect(there.pValue).toBeGreaterThanOrEqual(0);
          expect(there.pValue).toBeLessThanOrEqual(1);
          expect(back.statistic).toBeCloseTo(there.statistic, 9);
          const same = compare({ reference, current: reference.map((count) => 2 * count) });
          expect(same.statistic ?? 0).toBeCloseTo(0, 9);
          expect(same.pValue ?? 1).toBeCloseTo(1, 6);
        }),
        { numRuns: 60 },
      );
    });

    it('has uniform p-values under its null, with plenty and with few expected rows', () => {
      const random = seededRandom(23);
      for (const [n, m, shares] of [
        [50_000, 2_000, [0.3, 0.3, 0.2, 0.15, 0.05]],
        [400, 60, [0.5, 0.3, 0.1, 0.06, 0.04]],
      ] as const) {
        const trials = n === 400 ? 60 : 600;
        let below = 0;
        for (let trial = 0; trial < trials; trial++) {
          const [reference, current] = [n, m].map((size) => {
            let left: number = size;
            let rest = 1;
            return shares.map((share, i) => {
              const count = i === shares.length - 1 ? left : random.binomial(left, share / rest);
              left -= count;
              rest -= share;
              return count;
            });
          });
          if ((compare({ reference: reference!, current: current! }).pValue ?? 1) <= 0.1) below++;
        }
        const deviation = Math.sqrt(trials * 0.09);
        expect(below).toBeGreaterThan(0.1 * trials - 4 * deviation);
        expect(below).toBeLessThan(0.1 * trials + 4 * deviation);
      }
    }, 20_000);

    it('answers every odd input', () => {
      expect(compare({ reference: [], current: [] })).toMatchObject({ statistic: null, reason: 'empty-reference' });
      expect(compare({ reference: [1, 1], current: [0, 0] })).toMatchObject({ reason: 'empty-current' });
      expect(compare({ reference: [5, 0], current: [7, 0] })).toMatchObject({
        statistic: 0,
        pValue: 1,
        reason: 'constant',
      });
      expect(compare({ reference: [1, Number.NaN], current: [1, 1] })).toMatchObject({ reason: 'invalid-counts' });
      const unseen = compare({ reference: [1_000, 0], current: [900, 100] });
      expect(unseen.statistic).toBeGreaterThan(0);
      expect(unseen.pValue).toBeLessThan(1e-6);
    });

    it('counts weighted rows by what they tell', () => {
      const plain = compare({ reference: [3_000, 6_000], current: [360, 640] });
      const weighted = compare({
        reference: [3_000, 6_000],
        referenceSquares: [3_000, 6_000],
        current: [3_600, 6_400],
        currentSquares: [36_000, 64_000],
      });
      expect(weighted.currentSize).toBe(1_000);
      // The linearised variance uses the observed squares, the plain one the pooled shares: equal to first order.
      expect(Math.log(weighted.pValue!)).toBeCloseTo(Math.log(plain.pValue!), 0);
    });
  });
}

describe('raw numbers', () => {
  it('are binned by the reference, a heavy value apart', () => {
    const reference = [...new Array(50).fill(0), ...Array.from({ length: 50 }, (_, i) => i + 1)];
    const { reference: binned, edges } = binnedByReference(reference, [0, 1, 60, -1], 10);
    expect(binned[0]).toBe(50);
    expect(edges[0]).toBe(1);
    expect(binned.reduce((a, b) => a + b)).toBe(100);
  });

  it('show no change against themselves, and a shift', () => {
    const values = Array.from({ length: 500 }, (_, i) => i);
    for (const compare of [psi, jensenShannon]) {
      expect(compare(values, values).statistic).toBeCloseTo(0, 12);
      expect(
        compare(
          values,
          values.map((x) => x + 100),
        ).pValue,
      ).toBeLessThan(1e-9);
      expect(compare([1], [2]).reason ?? 'number').toBeDefined();
      expect(compare([], [2]).reason).toBe('empty-reference');
    }
  });

  it('bounds Jensen–Shannon by 1 in base 2 and √ln 2 in base e', () => {
    const apart = { reference: [10, 0], current: [0, 10] };
    expect(jensenShannonOfCounts(apart).statistic).toBeCloseTo(1, 12);
    expect(jensenShannonOfCounts(apart, { base: 'e' }).statistic).toBeCloseTo(Math.sqrt(Math.LN2), 12);
    expect(jensenShannonOfCounts(apart, { base: 'e', form: 'divergence' }).statistic).toBeCloseTo(Math.LN2, 12);
  });
});

describe('small expected counts of chi-square', () => {
  it('are put together, rarest first', () => {
    const outcome = chiSquareOfCounts({ reference: [100, 100, 3, 2, 1], current: [50, 50, 1, 1, 0] });
    expect(outcome.degreesOfFreedom).toBe(2 - 1);
    expect(outcome.method).toContain('put together');
    expect(chiSquareOfCounts({ reference: [2, 1], current: [1, 1] }).reason).toBe('too-few-bins');
  });
});
