import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinTable, TALLY_LIMIT } from '../../lib/engine/bin-table.ts';

const nextUp = (x: number): number => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x === 0 ? 0 : x);
  view.setBigInt64(0, view.getBigInt64(0) + (x >= 0 ? 1n : -1n));
  return view.getFloat64(0);
};

const edge = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 5e-324, 1e-310, 1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE, 1e16, 2 ** 53),
);
/** Ascending, some followed by the next double, as a value of its own bin is. */
const edgeLists = fc
  .array(fc.tuple(edge, fc.boolean()), { maxLength: 300 })
  .map((list) => list.flatMap(([value, heavy]) => (heavy ? [value, nextUp(value)] : [value])).map((value) => value + 0))
  .map((values) => [...new Set(values.filter(Number.isFinite))].sort((a, b) => a - b));

/** Plain even and skewed edges, as real columns have: their grids are used. */
const regular = fc
  .record({
    count: fc.integer({ min: 2, max: 300 }),
    power: fc.constantFrom(1, 2, 5),
    scale: fc.constantFrom(1, 1e-9, 1e9),
  })
  .map(({ count, power, scale }) => Array.from({ length: count }, (_, i) => scale * (i / 10) ** power));

describe('the bin of a number', () => {
  it('is the number of edges at or below it, for each column of the table', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(edgeLists, regular), { minLength: 1, maxLength: 3 }),
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 30 }),
        (columns, others) => {
          const table = new BinTable(columns);
          for (const [column, edges] of columns.entries()) {
            const near = edges.flatMap((value) => [value, nextUp(value), (value + (edges[0] ?? 0)) / 2, -value]);
            const values = [...near, ...others, -0].filter(Number.isFinite);
            const expected = new Float64Array(edges.length + 4);
            const counts = new Float64Array(edges.length + 4);
            for (const value of values) {
              const bin = edges.filter((limit) => limit <= value).length;
              expect(table.find(column, value)).toBe(bin);
              expected[bin + 2]! += 1;
            }
            for (let from = 0; from < values.length; from += TALLY_LIMIT) {
              const part = Float64Array.from(values.slice(from, from + TALLY_LIMIT));
              table.tally(column, part, 0, part.length, counts, 2);
            }
            expect(Array.from(counts)).toEqual(Array.from(expected));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
