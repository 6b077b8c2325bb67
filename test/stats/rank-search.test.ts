import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RankedValue, RankSearch } from '../../lib/stats/rank-search.ts';

/** Sorted, in plain arithmetic. */
function oracle(values: readonly number[], ranks: readonly number[]): RankedValue[] {
  const sorted = [...values].sort((a, b) => a - b);
  const found = new Map<number, RankedValue>();
  for (const rank of ranks) {
    const value = sorted[rank - 1]!;
    found.set(value, {
      value,
      count: sorted.filter((other) => other === value).length,
      before: sorted.filter((other) => other < value).length,
    });
  }
  return [...found.values()];
}

/** In pieces; another order in each pass. */
function search(values: readonly number[], ranks: readonly number[], pieces = 1, search = new RankSearch()) {
  search.begin(() => ranks);
  let passes = 0;
  do {
    passes += 1;
    const order = passes % 2 === 0 ? [...values].reverse() : values;
    const size = Math.max(1, Math.ceil(values.length / pieces));
    for (let from = 0; from < values.length; from += size)
      search.take(Float64Array.from(order.slice(from, from + size)));
  } while (search.again());
  return { values: search.values, passes };
}

let state = 5;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const draw = (n: number, law: () => number): number[] => Array.from({ length: n }, law);
const someRanks = (n: number): number[] =>
  [...new Set([1, n, ...Array.from({ length: 30 }, (_, i) => Math.max(1, Math.ceil(((i + 1) * n) / 31)))])].sort(
    (a, b) => a - b,
  );

const LAWS: Readonly<Record<string, () => number>> = {
  uniform: random,
  'far from zero': () => 1e9 + random(),
  'both signs, all magnitudes': () => (random() - 0.5) * 10 ** Math.floor(600 * random() - 300),
  'whole numbers': () => Math.floor(9 * random()) - 4,
  'money with many ties': () => Math.round(1_000 * random() ** 2) / 100,
  'two neighbours': () => (random() < 0.5 ? 0.1 : 0.1 + 2 ** -56),
  'within the last ten bits': () => 1 + Math.floor(700 * random()) * 2 ** -52,
  'negative within the last bits': () => -1 - Math.floor(5_000 * random()) * 2 ** -52,
  'ends of the doubles': () =>
    [0, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, Infinity, -Infinity, 1][
      Math.floor(8 * random())
    ]!,
  constant: () => -7.25,
};

describe('order statistics in passes', () => {
  for (const [law, of] of Object.entries(LAWS))
    it(`agrees with a sort: ${law}`, () => {
      const one = new RankSearch();
      for (const n of [1, 2, 50, 9_000]) {
        const values = draw(n, of);
        const found = search(values, someRanks(n), 3, one);
        expect(found.values).toEqual(oracle(values, someRanks(n)));
        expect(found.passes).toBeLessThanOrEqual(8);
      }
    });

  it('has nothing to say of nothing, and of no ranks', () => {
    expect(search([], []).values).toEqual([]);
    expect(search([1, 2, 3], []).values).toEqual([]);
  });

  it('takes three passes for whole numbers and for a smooth law', () => {
    expect(search(draw(9_000, LAWS['whole numbers']!), someRanks(9_000)).passes).toBe(3);
    expect(search(draw(9_000, LAWS['uniform']!), someRanks(9_000)).passes).toBe(3);
  });

  it('agrees for any values and ranks', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true }),
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom(0.1, 0.1 + 2 ** -56, -0.1, 5e-324),
    );
    fc.assert(
      fc.property(
        fc.array(
          value.map((x) => x + 0),
          { minLength: 1, maxLength: 60 },
        ),
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (values, places, pieces) => {
          const ranks = [...new Set(places.map((place) => 1 + (place % values.length)))].sort((a, b) => a - b);
          expect(search(values, ranks, pieces).values).toEqual(oracle(values, ranks));
        },
      ),
    );
  });
});
