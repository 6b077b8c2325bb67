import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberFactsReader } from '../../lib/engine/number-facts.ts';

/** Rows that are read at once are some two thousand: each part of a column is longer or shorter than that. */
const part = fc.record({
  rows: fc.integer({ min: 0, max: 3_000 }),
  base: fc.constantFrom(0, 1e6, -3),
  odd: fc.constantFrom<readonly number[]>(
    [],
    [Number.NaN],
    [Infinity, Number.NaN],
    [-Infinity],
    [-0],
    [-0, Number.NaN],
  ),
  oddEvery: fc.constantFrom(1, 2, 7, 2_500),
  fraction: fc.constantFrom(0, 0.25),
});
type Part = typeof part extends fc.Arbitrary<infer T> ? T : never;

function valuesOf({ rows, base, odd, oddEvery, fraction }: Part): number[] {
  return Array.from({ length: rows }, (_, i) =>
    odd.length > 0 && i % oddEvery === oddEvery - 1
      ? odd[i % odd.length]!
      : base + ((i * 7_919) % 1_009) + (i % 3 === 0 ? fraction : 0),
  );
}

describe('what is known of a column of numbers', () => {
  it('is what plain arithmetic finds, wherever values are not finite', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), fc.boolean(), (parts, inPieces) => {
        const pieces = inPieces ? parts.map(valuesOf) : [parts.flatMap(valuesOf)];
        const reader = new NumberFactsReader();
        const taken = pieces.flatMap((piece) => Array.from(reader.take(Float64Array.from(piece))));
        const finite = pieces
          .flat()
          .filter(Number.isFinite)
          .map((x) => x + 0);
        // Object.is tells -0 from 0.
        expect(taken.every((value, i) => Object.is(value, finite[i]))).toBe(true);
        const { count, integer, min, max, mean, std } = reader.facts();
        expect({ count, integer }).toEqual({ count: finite.length, integer: finite.every(Number.isInteger) });
        if (finite.length === 0) {
          expect({ min, max, mean, std }).toEqual({ min: null, max: null, mean: null, std: null });
          return;
        }
        expect([min, max]).toEqual([finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))]);
        // Quarters of some millions: these sums are exact.
        const average = finite.reduce((a, b) => a + b, 0) / finite.length;
        expect(mean).toBeCloseTo(average, 8);
        expect(std).toBeCloseTo(Math.sqrt(finite.reduce((a, b) => a + (b - average) ** 2, 0) / finite.length), 6);
      }),
      { numRuns: 60 },
    );
  });

  it('has no mean where the sum is beyond the doubles, and still the ends', () => {
    const reader = new NumberFactsReader();
    expect(reader.take(Float64Array.from([1e308, 1e308, Number.NaN, 1.5]))).toEqual(
      Float64Array.from([1e308, 1e308, 1.5]),
    );
    expect(reader.facts()).toMatchObject({ count: 3, min: 1.5, max: 1e308, mean: null, std: null });
  });
});
