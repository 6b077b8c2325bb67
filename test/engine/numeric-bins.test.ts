import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binValues,
  FEW_VALUES,
  FINE_PARTS,
  fixedPointOf,
  isStep,
  nextUp,
  quantileRanks,
  type ValueStep,
} from '../../lib/engine/numeric-bins.ts';

/** Edges at or below a value. */
function binOf(edges: readonly number[], value: number): number {
  return edges.filter((edge) => edge <= value).length;
}

function stepsOf(values: readonly number[]): ValueStep[] {
  const sorted = [...values].sort((a, b) => a - b);
  const steps: { value: number; count: number; before: number }[] = [];
  sorted.forEach((value, i) => {
    const last = steps.at(-1);
    if (last !== undefined && last.value === value) last.count += 1;
    else steps.push({ value, count: 1, before: i });
  });
  return steps;
}

const number = fc.oneof(
  { weight: 3, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }) },
  { weight: 3, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 5e-324, -5e-324, Number.MAX_SAFE_INTEGER, -1e300, 1e300) },
);
const values = fc.array(
  number.map((x) => x + 0),
  { minLength: 1, maxLength: 1_500 },
);

describe('binValues', () => {
  it('counts what lies between its edges, and nothing outside', () => {
    fc.assert(
      fc.property(values, (xs) => {
        const steps = stepsOf(xs);
        const few = xs.every(Number.isInteger) && steps.length <= FEW_VALUES;
        const { bins, counts } = binValues(steps, xs.length, few);
        const { edges, verdictBin } = bins;
        expect(edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? 0))).toBe(true);
        expect(edges[0]).toBe(Math.min(...xs) + 0);
        expect(edges.at(-1)).toBe(nextUp(Math.max(...xs)));
        const expected = new Array<number>(edges.length + 1).fill(0);
        for (const { value, count } of steps)
          expected[binOf(edges, value)] = (expected[binOf(edges, value)] ?? 0) + count;
        expect(counts).toEqual(expected);
        expect([counts[0], counts.at(-1)]).toEqual([0, 0]);
        expect(verdictBin).toHaveLength(counts.length);
        expect(verdictBin[0]).toBe(0);
        expect(
          verdictBin.every(
            (bin, i) => i === 0 || bin - (verdictBin[i - 1] ?? 0) === 0 || bin - (verdictBin[i - 1] ?? 0) === 1,
          ),
        ).toBe(true);
        const inVerdict = new Array<number>((verdictBin.at(-1) ?? 0) + 1).fill(0);
        counts.forEach((count, i) => {
          inVerdict[verdictBin[i] ?? 0] = (inVerdict[verdictBin[i] ?? 0] ?? 0) + count;
        });
        expect(inVerdict.every((count) => count > 0)).toBe(true);
        if (few) expect(inVerdict).toEqual(steps.map(({ count }) => count));
        // No bin of several values is much heavier than an even share; a heavy value is alone.
        for (const { value, count } of steps)
          if (count > 1 && count * FINE_PARTS > xs.length) expect(counts[binOf(edges, value)]).toBe(count);
      }),
      { numRuns: 300 },
    );
  });

  it('needs only the steps that isStep names', () => {
    fc.assert(
      fc.property(values, (xs) => {
        const steps = stepsOf(xs);
        const ranks = quantileRanks(xs.length);
        const needed = steps.filter((step) => isStep(step, xs.length, ranks));
        expect(binValues(needed, xs.length, false)).toEqual(binValues(steps, xs.length, false));
        expect(fixedPointOf(needed, xs.length)).toEqual(fixedPointOf(steps, xs.length));
      }),
      { numRuns: 200 },
    );
  });

  it('cuts 10,000 different values into 256 even bins with tails apart', () => {
    const xs = Array.from({ length: 10_000 }, (_, i) => i);
    const { bins, counts } = binValues(stepsOf(xs), xs.length, false);
    const inner = counts.slice(1, -1);
    expect(Math.max(...inner)).toBeLessThanOrEqual(40);
    expect(bins.verdictBin.at(-1)).toBe(13);
    const verdict = new Array<number>(14).fill(0);
    counts.forEach((count, i) => {
      verdict[bins.verdictBin[i] ?? 0] = (verdict[bins.verdictBin[i] ?? 0] ?? 0) + count;
    });
    expect(verdict).toEqual([9, 90, 900, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 900, 90, 11]);
  });

  it('has one bin for one value and none for no value', () => {
    expect(binValues([], 0, false)).toEqual({ bins: { edges: [], verdictBin: [0] }, counts: [0] });
    expect(binValues(stepsOf([7, 7, 7]), 3, true)).toEqual({
      bins: { edges: [7, nextUp(7)], verdictBin: [0, 0, 0] },
      counts: [0, 3, 0],
    });
    const largest = new Array<number>(3).fill(Number.MAX_VALUE);
    expect(binValues(stepsOf(largest), 3, true)).toEqual({
      bins: { edges: [Number.MAX_VALUE], verdictBin: [0, 0] },
      counts: [0, 3],
    });
  });

  it('gives a value heavier than a tenth a verdict bin of its own', () => {
    const xs = [...Array.from({ length: 600 }, (_, i) => i / 7), ...new Array<number>(400).fill(20)];
    const { bins, counts } = binValues(stepsOf(xs), xs.length, false);
    const fine = binOf(bins.edges, 20);
    const alone = counts.filter((_, i) => bins.verdictBin[i] === bins.verdictBin[fine]);
    // 20 = 140 / 7 is among the others too.
    expect(counts[fine]).toBe(401);
    expect(alone.reduce((sum, count) => sum + count, 0)).toBe(401);
  });
});

describe('fixedPointOf', () => {
  it('lets every central value be told from its neighbours, and is a power of two', () => {
    fc.assert(
      fc.property(values, (xs) => {
        const { center, unit } = fixedPointOf(stepsOf(xs), xs.length);
        expect(Number.isInteger(Math.log2(unit))).toBe(true);
        expect(Number.isFinite(center)).toBe(true);
        const sorted = [...xs].sort((a, b) => a - b);
        const low = sorted[Math.ceil(xs.length * 0.001) - 1] ?? 0;
        const high = sorted[Math.ceil(xs.length * 0.999) - 1] ?? 0;
        for (const x of [low, high]) expect(Math.abs(x - center) / unit).toBeLessThanOrEqual(2 ** 21);
      }),
    );
  });
});

describe('nextUp', () => {
  it('is the next double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const up = nextUp(x);
        if (x === Number.MAX_VALUE) {
          expect(up).toBe(x);
          return;
        }
        expect(up).toBeGreaterThan(x);
        const middle = x / 2 + up / 2;
        expect(middle > x && middle < up).toBe(false);
      }),
    );
  });
});
