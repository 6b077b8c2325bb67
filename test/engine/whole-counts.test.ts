import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberCount, NumberSummary } from '../../lib/engine/number-summary.ts';
import { baselineRanks } from '../../lib/engine/numeric-bins.ts';
import { WholeCounts } from '../../lib/engine/whole-counts.ts';

/** All distinct values in plain arithmetic, ascending. */
function stepsOf(values: readonly number[]) {
  return [...new Set(values)]
    .sort((a, b) => a - b)
    .map((value) => ({
      value,
      count: values.filter((other) => other === value).length,
      before: values.filter((other) => other < value).length,
    }));
}

function take(whole: WholeCounts, values: readonly number[]): boolean {
  return whole.take(Float64Array.from(values), Math.min(...values), Math.max(...values));
}

describe('whole numbers counted by value', () => {
  it('gives each with how often it occurs and how many are smaller, whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 30 }), { maxLength: 4 }),
        (base, pieces) => {
          const whole = new WholeCounts();
          for (const piece of pieces)
            expect(
              take(
                whole,
                piece.map((x) => base + x),
              ),
            ).toBe(true);
          expect(whole.steps()).toEqual(stepsOf(pieces.flat().map((x) => base + x)));
        },
      ),
    );
  });

  it('takes none of numbers that lie too far apart, in one piece or from those before', () => {
    const whole = new WholeCounts();
    expect(take(whole, [0, 70_000])).toBe(false);
    expect(whole.steps()).toEqual([]);
    expect(take(whole, [5, 5])).toBe(true);
    expect(take(whole, [5, 5 + 65_536])).toBe(false);
    expect(take(whole, [5 - 65_536])).toBe(false);
    expect(take(new WholeCounts(), [1e300, -1e300])).toBe(false);
    expect(take(new WholeCounts(), [2 ** 60])).toBe(false);
    expect(whole.steps()).toEqual([{ value: 5, count: 2, before: 0 }]);
  });

  it('takes the whole width', () => {
    const whole = new WholeCounts();
    expect(take(whole, [-3, 65_532])).toBe(true);
    expect(whole.steps().map(({ value }) => value)).toEqual([-3, 65_532]);
  });
});

describe('columns of whole numbers', () => {
  const column = fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: -40, max: 400 }) },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, 0.5, 1e6, -(2 ** 52), -0) },
    ),
    { minLength: 1, maxLength: 400 },
  );

  it('have the steps that a sort finds', () => {
    fc.assert(
      fc.property(column, (values) => {
        const finite = values.filter((x) => !Number.isNaN(x)).map((x) => x + 0);
        const summary = new NumberSummary();
        summary.takeAll(Float64Array.from(values));
        const { facts, steps } = summary.result();
        const all = stepsOf(finite);
        const ranks = baselineRanks(finite.length);
        expect(steps).toEqual(
          facts.few !== null
            ? all
            : all.filter(({ before, count }) => ranks.some((rank) => before < rank && rank <= before + count)),
        );
      }),
    );
  });

  it('are counted in the bins that comparing finds, also where other numbers come later', () => {
    fc.assert(
      fc.property(
        column,
        column,
        fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 20 }),
        (a, b, some) => {
          const edges = some.map((x) => x * 8).sort((x, y) => x - y);
          const counter = new NumberCount(edges);
          for (const piece of [a, b]) counter.take(Float64Array.from(piece));
          const bins = new Array<number>(edges.length + 1).fill(0);
          for (const x of [...a, ...b]) if (!Number.isNaN(x)) bins[edges.filter((edge) => edge <= x).length]! += 1;
          expect(counter.result().bins).toEqual(bins);
        },
      ),
    );
  });
});
