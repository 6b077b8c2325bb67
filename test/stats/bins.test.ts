import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countsIn, quantileEdges } from '../../lib/stats/bins.ts';

const samples = fc
  .array(
    fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(-0)),
    {
      maxLength: 60,
    },
  )
  .map((values) => Float64Array.from(values).sort());

/** As the definition says it, looking at every value. */
function edgesOf(sorted: Float64Array, bins: number): number[] {
  const n = sorted.length;
  const edges = new Set<number>();
  for (let k = 1; k < bins; k++) {
    const value = sorted[Math.floor((n * k) / bins)];
    if (value === undefined) continue;
    if (value > sorted[0]!) edges.add(value);
    const next = sorted.find((other) => other > value);
    if (next !== undefined && sorted.filter((other) => other === value).length > n / bins) edges.add(next);
  }
  return [...edges].sort((a, b) => a - b);
}

it('cuts at quantiles, and after values that fill a bin', () => {
  fc.assert(
    fc.property(samples, fc.integer({ min: 1, max: 80 }), (sorted, bins) => {
      expect(quantileEdges(sorted, bins)).toEqual(edgesOf(sorted, bins));
    }),
  );
});

it('counts each value in the bin with as many edges at or below it', () => {
  fc.assert(
    fc.property(samples, samples, fc.integer({ min: 1, max: 20 }), (reference, sorted, bins) => {
      const edges = quantileEdges(reference, bins);
      const counts = new Float64Array(edges.length + 1);
      for (const value of sorted) counts[edges.filter((edge) => edge <= value).length]!++;
      expect(countsIn(sorted, edges)).toEqual(counts);
    }),
  );
});
