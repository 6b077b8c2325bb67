/** p-values of distances of bins, held against drawing from the law itself. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { binnedByReference } from '../../lib/stats/bins.ts';
import { hellingerOfCounts } from '../../lib/stats/hellinger.ts';
import { jensenShannonOfCounts } from '../../lib/stats/jensen-shannon.ts';
import { klOfCounts } from '../../lib/stats/kl.ts';
import { lInfinityOfCounts } from '../../lib/stats/l-infinity.ts';
import type { BinnedPair, Outcome } from '../../lib/stats/outcome.ts';
import { psiOfCounts } from '../../lib/stats/psi.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { totalVariationOfCounts } from '../../lib/stats/total-variation.ts';

const DISTANCES: Readonly<Record<string, (pair: BinnedPair) => Outcome>> = {
  psi: (pair) => psiOfCounts(pair, { law: 'given-counts' }),
  kl: klOfCounts,
  'jensen-shannon': (pair) => jensenShannonOfCounts(pair, { law: 'given-counts' }),
  hellinger: hellingerOfCounts,
  'total-variation': totalVariationOfCounts,
  'l-infinity': lInfinityOfCounts,
};
const DRAWS = 600;

/** Which rows are the reference's, at random: the law given the pooled counts. */
function dealt(pooled: readonly number[], n: number, random: ReturnType<typeof seededRandom>): BinnedPair {
  const rows = pooled.flatMap((count, bin) => new Array<number>(count).fill(bin));
  const reference = pooled.map(() => 0);
  for (let i = 0; i < n; i++) {
    const other = i + random.integer(rows.length - i);
    [rows[i], rows[other]] = [rows[other]!, rows[i]!];
    reference[rows[i]!]!++;
  }
  return { reference, current: pooled.map((count, bin) => count - reference[bin]!) };
}

const POOLED: readonly (readonly [counts: readonly number[], n: number])[] = [
  [[20, 18, 25, 22, 19, 16, 20, 24, 18, 18], 100],
  [[180, 10, 5, 3, 1, 1], 100],
  [[230, 138, 46, 28, 18], 400],
  [[30, 25, 20, 15, 12, 10, 8, 8, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1], 60],
  [[5, 4, 4, 3], 8],
];

describe.each(Object.entries(DISTANCES))('%s', (_, distance) => {
  it.each(POOLED)('agrees with dealing the rows of %j, %i of them to the reference', (pooled, n) => {
    const random = seededRandom(11);
    const draws = Array.from({ length: DRAWS }, () => distance(dealt(pooled, n, random)).statistic!);
    const sorted = [...draws].sort((a, b) => b - a);
    const seen = new Map(
      Array.from({ length: 40 }, () => dealt(pooled, n, random)).map((pair) => {
        const { statistic, pValue } = distance(pair);
        return [statistic!, pValue!];
      }),
    );
    for (const [statistic, pValue] of seen) {
      const reached = sorted.filter((value) => value >= statistic * (1 - 1e-9)).length / DRAWS;
      const above = sorted.filter((value) => value > statistic * (1 + 1e-9)).length / DRAWS;
      const noise = 4 * Math.sqrt((reached + 1 / DRAWS) / DRAWS);
      // Between the shares that reach and that exceed it: a smooth law passes through the middle of each step.
      expect(pValue).toBeLessThanOrEqual(1.15 * reached + noise);
      expect(pValue).toBeGreaterThanOrEqual(0.85 * above - noise);
    }
  });

  it('has uniform p-values, never too small, where numbers are cut by their reference', () => {
    const random = seededRandom(29);
    const trials = 250;
    for (const [n, m] of [
      [100, 100],
      [30, 80],
    ] as const) {
      const below = { tenth: 0, hundredth: 0 };
      for (let trial = 0; trial < trials; trial++) {
        const side = (size: number) => Float64Array.from({ length: size }, () => random.normal());
        const { pValue } = distance(binnedByReference(side(n), side(m), 10));
        if (pValue! <= 0.1) below.tenth++;
        if (pValue! <= 0.01) below.hundredth++;
      }
      expect(below.tenth / trials).toBeLessThan(0.1 + 4 * Math.sqrt(0.09 / trials));
      expect(below.hundredth / trials).toBeLessThan(0.012 + 4 * Math.sqrt(0.01 / trials));
      expect(below.tenth / trials).toBeGreaterThan(0.03);
    }
  });

  it('is small for what cannot be chance, and 1 for what is equal', () => {
    expect(distance({ reference: [500, 500, 0], current: [0, 0, 1_000] }).pValue).toBeLessThan(1e-9);
    expect(distance({ reference: [50, 30, 20], current: [50, 30, 20] }).pValue).toBeGreaterThan(0.99);
    expect(distance({ reference: [1e6, 2e6, 3e6], current: [1e6 + 9e3, 2e6, 3e6 - 9e3] }).pValue).toBeLessThan(1e-5);
    expect(distance({ reference: [1e6, 2e6, 3e6], current: [1e6 + 9e2, 2e6, 3e6 - 9e2] }).pValue).toBeGreaterThan(0.01);
  });

  it('never rises with the distance, for the same rows dealt otherwise', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(
        counts,
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        (pooled, seed, share) => {
          const total = pooled.reduce((sum, count) => sum + count, 0);
          const n = Math.max(1, Math.min(total - 1, Math.round(share * total)));
          const random = seededRandom(seed);
          const [a, b] = [distance(dealt(pooled, n, random)), distance(dealt(pooled, n, random))];
          const [low, high] = a.statistic! <= b.statistic! ? [a, b] : [b, a];
          expect(high.pValue).toBeGreaterThanOrEqual(0);
          expect(low.pValue).toBeLessThanOrEqual(1);
          if (low.statistic! < (1 - 1e-9) * high.statistic!)
            expect(high.pValue).toBeLessThanOrEqual(low.pValue! * (1 + 1e-9));
        },
      ),
      { numRuns: 60 },
    );
  });
});

it('answers the same whatever was asked before', async () => {
  const random = seededRandom(23);
  const pairs = POOLED.flatMap(([pooled, n]) => Array.from({ length: 4 }, () => dealt(pooled, n, random)));
  const asked = [
    ...pairs,
    ...pairs.map((pair) => ({ ...pair, cut: 'reference' as const })),
    ...pairs.map(({ reference, current }) => ({ reference: current, current: reference })),
    // As many rows of each bin together, other sizes of the sides; and one reference, another side twice as long.
    ...POOLED.map(([pooled, n]) => dealt(pooled, Math.ceil(n / 3), random)),
    ...pairs.map(({ reference, current }) => ({
      reference,
      current: Array.from(current, (count) => 2 * count),
      cut: 'reference' as const,
    })),
    ...pairs.map(({ reference, current }) => ({
      reference: Array.from(reference).reverse(),
      current: Array.from(current).reverse(),
      cut: 'reference' as const,
    })),
  ];
  const names = ['psi', 'kl', 'hellinger', 'total-variation'] as const;
  const answered = asked.map((pair) => names.map((name) => DISTANCES[name]!(pair).pValue));
  vi.resetModules();
  const fresh = {
    psi: (await import('../../lib/stats/psi.ts')).psiOfCounts,
    kl: (await import('../../lib/stats/kl.ts')).klOfCounts,
    hellinger: (await import('../../lib/stats/hellinger.ts')).hellingerOfCounts,
    'total-variation': (await import('../../lib/stats/total-variation.ts')).totalVariationOfCounts,
  };
  const backwards = [...asked]
    .reverse()
    .map((pair) => [...names].reverse().map((name) => fresh[name](pair, { law: 'given-counts' }).pValue));
  expect(backwards.reverse().map((values) => values.reverse())).toEqual(answered);
});
