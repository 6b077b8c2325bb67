import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinCounter } from '../../lib/engine/bin-counter.ts';

/** In plain arithmetic. */
function oracle(edges: readonly number[], values: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) counts[edges.filter((edge) => edge <= value).length]! += 1;
  return counts;
}

function counted(edges: readonly number[], values: readonly number[]): number[] {
  const counter = new BinCounter(edges);
  const half = values.length >>> 1;
  counter.add(Float64Array.from(values.slice(0, half)));
  counter.add(Float64Array.from(values.slice(half)));
  return Array.from(counter.counts);
}

const bits = new DataView(new ArrayBuffer(8));
function neighbours(x: number): number[] {
  bits.setFloat64(0, x);
  const pattern = bits.getBigUint64(0);
  return [pattern - 1n, pattern, pattern + 1n].map((near) => {
    bits.setBigUint64(0, near & 0xffff_ffff_ffff_ffffn);
    return bits.getFloat64(0);
  });
}

describe('counting by bin', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ noNaN: true, min: -2, max: 2 }),
    fc.integer({ min: -5, max: 40 }),
    fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1e-300, 0),
  );

  it('agrees with comparing every edge, at the edges and beside them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          number.map((x) => x + 0),
          { maxLength: 60 },
        ),
        fc.array(number),
        (unsorted, others) => {
          const edges = unsorted.sort((a, b) => a - b);
          const values = [...others, ...edges.flatMap(neighbours)].filter(Number.isFinite);
          expect(counted(edges, values)).toEqual(oracle(edges, values));
        },
      ),
    );
  });

  it('agrees where the edges lie as quantiles do: dense in the middle, long tails', () => {
    const edges = Array.from({ length: 280 }, (_, i) => Math.exp(8 * Math.tan(((i + 1) / 281 - 0.5) * 2.6)));
    const values = [
      ...edges.flatMap(neighbours),
      ...edges.map((edge, i) => (edge + (edges[i + 1] ?? 2 * edge)) / 2),
      0,
      -1,
    ];
    const finite = values.filter(Number.isFinite);
    expect(counted(edges, finite)).toEqual(oracle(edges, finite));
  });

  it('has one bin without edges, and refuses more edges than it can number', () => {
    expect(counted([], [1, -7, 0])).toEqual([3]);
    expect(() => new BinCounter(Array.from({ length: 0x8000 }, (_, i) => i))).toThrow(RangeError);
  });
});
