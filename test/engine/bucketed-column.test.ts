import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CategoricalBaseline, NumericBaseline } from '../../lib/contracts/baseline.ts';
import { categoricalBaseline, numericBaseline } from '../../lib/engine/baseline-maker.ts';
import {
  BUCKET_ROWS,
  bucketedCategories,
  bucketedNumber,
  bucketValues,
  fineBin,
} from '../../lib/engine/bucketed-column.ts';
import { judgeColumn } from '../../lib/engine/column-verdict.ts';
import { nextUp, type ValueStep } from '../../lib/engine/numeric-bins.ts';
import { verdictBins } from '../../lib/engine/verdict-bins.ts';
import { categoricalOf, categoryCounts, DAY, drawCategories, START, seededRandom } from './verdict-data.ts';

function columnOf(values: readonly number[], leastRows?: number): NumericBaseline {
  const sorted = [...values].sort((a, b) => a - b);
  const steps: ValueStep[] = [];
  for (const [i, value] of sorted.entries()) {
    const last = steps.at(-1);
    if (last?.value === value) steps[steps.length - 1] = { ...last, count: last.count + 1 };
    else steps.push({ value: value + 0, count: 1, before: i });
  }
  const integer = sorted.every(Number.isInteger);
  const facts = { name: 'x', role: 'feature', missing: 0, nonFinite: 0, mean: 0, std: 1 } as const;
  return numericBaseline({
    ...facts,
    type: 'numeric',
    rows: values.length,
    integer,
    distinct: steps.length,
    steps,
    leastRows,
  });
}

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((x) => x + 0);
const heavy = fc.constantFrom(0, 1, -1, 100);
const whole = fc.integer({ min: -20, max: 200 });
const list = (one: fc.Arbitrary<number>): fc.Arbitrary<number[]> => fc.array(one, { minLength: 12, maxLength: 400 });
const values = fc.oneof(
  list(number),
  list(whole),
  list(fc.integer({ min: 0, max: 5 })),
  list(fc.oneof(heavy, number)),
  list(fc.oneof(heavy, heavy, whole)),
  fc.tuple(heavy, fc.integer({ min: 12, max: 100 })).map(([value, n]) => new Array<number>(n).fill(value)),
  list(fc.double({ noNaN: true, noDefaultInfinity: true })),
);

/** The bin that the verdict counts a value in. */
const binOf = (column: NumericBaseline, value: number): number =>
  verdictBins(column).ofFine[fineBin(column.bins.edges, value)]!;

describe('a bucketed number', () => {
  const around = (column: NumericBaseline, more: readonly number[]): number[] =>
    [...more, ...column.bins.edges, -1e300, 1e300, 0].flatMap((x) => [x, nextUp(x), -nextUp(-x)]);

  it('is counted in the verdict bin of the value it stands for, inside the range and out of it', () => {
    fc.assert(
      fc.property(values, fc.array(number, { maxLength: 20 }), (reference, live) => {
        const made = columnOf(reference, BUCKET_ROWS);
        const published = bucketedNumber(made);
        for (const column of published === null ? [made] : [made, published]) {
          const buckets = bucketValues(column);
          for (const value of around(column, [...live, ...reference])) {
            const bucket = buckets[fineBin(column.bins.edges, value)]!;
            expect(Number.isFinite(bucket)).toBe(true);
            expect(binOf(column, bucket)).toBe(binOf(column, value));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is published with the verdict bins that it had, none of them of few rows, and not with its ends', () => {
    fc.assert(
      fc.property(values, (reference) => {
        const made = columnOf(reference, BUCKET_ROWS);
        const published = bucketedNumber(made);
        expect(published).not.toBeNull();
        if (published === null) return;
        const [before, after] = [verdictBins(made), verdictBins(published)];
        expect([...after.baseline]).toEqual([...before.baseline]);
        for (const value of reference) expect(binOf(published, value)).toBe(binOf(made, value));
        const inner = published.counts.slice(1, -1);
        for (const count of inner) expect(count).toBeGreaterThanOrEqual(BUCKET_ROWS);
        expect(published.bins.edges).toEqual([...new Set(published.bins.edges)].sort((a, b) => a - b));
        expect(published.min).toBeLessThanOrEqual(made.min!);
        expect(published.max).toBeGreaterThanOrEqual(made.max!);
        expect(bucketedNumber(published)).toBe(published);
      }),
      {
        numRuns: 150,
        // Rows of the largest double lie outside all edges.
        examples: [[[...new Array<number>(10).fill(0), ...new Array<number>(9).fill(5e-324), Number.MAX_VALUE]]],
      },
    );
  });

  it('has the moments of what the collector will send, and round ends', () => {
    const random = seededRandom(4);
    const reference = Array.from({ length: 5_000 }, () => 18.37 + 60 * random.next() ** 2);
    const published = bucketedNumber(columnOf(reference, BUCKET_ROWS))!;
    expect([published.min, published.max]).toEqual([15, 80]);
    const buckets = bucketValues(published);
    const sent = reference.map((value) => buckets[fineBin(published.bins.edges, value)]!);
    const mean = sent.reduce((sum, value) => sum + value, 0) / sent.length;
    expect(published.mean).toBeCloseTo(mean, 9);
    expect(published.std).toBeCloseTo(Math.sqrt(sent.reduce((s, v) => s + (v - mean) ** 2, 0) / sent.length), 9);
    expect(published.bins.edges.length).toBeLessThan(20);
  });

  it('is refused when its bins tell of single rows', () => {
    const values = Array.from({ length: 500 }, (_, i) => i + 0.5);
    expect(bucketedNumber(columnOf(values))).toBeNull();
    expect(bucketedNumber(columnOf(values, BUCKET_ROWS))).not.toBeNull();
  });
});

describe('bucketed categories', () => {
  const names = ['DE', 'FR', 'IT', 'rare-1', 'rare-2', 'rare-3'];
  const shares = [0.5, 0.3, 0.19, 0.005, 0.003, 0.002];

  it('keep the verdict, without the names of the rare ones', () => {
    const random = seededRandom(7);
    const windows = Array.from({ length: 30 }, (_, day) => ({
      start: START + day * DAY,
      drawn: drawCategories(random, 500, shares),
    }));
    const made = categoricalOf(names, windows, '1d');
    const published = bucketedCategories(made);
    expect(published).toMatchObject({ categories: ['DE', 'FR', 'IT'], rest: 'other', count: made.count });
    expect(published.other).toBe(made.counts.slice(3).reduce((sum, n) => sum + n, 0));
    expect(bucketedCategories(published)).toBe(published);
    const options = {
      level: 0.001,
      smallestEffect: 0.05,
      minimumRows: 100,
      span: null,
      confirmation: { m: 1, n: 1 },
    };
    for (const drawn of [drawCategories(random, 500, shares), [100, 150, 95, 80, 40, 35]]) {
      const rare = drawn.slice(3).reduce((sum, n) => sum + n, 0);
      const raw = judgeColumn(made, categoryCounts(drawn), options);
      // As the profile counts it: `other` is not in the vocabulary.
      const bucketed = judgeColumn(published, categoryCounts(drawn.slice(0, 3), 0, [['other', rare]]), options);
      expect(bucketed.status).toBe(raw.status);
      expect(bucketed.statistic).toBeCloseTo(raw.statistic!, 9);
      // One bin fewer shares the level.
      expect(bucketed.pValue! / raw.pValue!).toBeGreaterThan(0.5);
      expect(bucketed.summary).not.toContain('unseen');
    }
  });

  it('have the verdict bins that they had, but for one of unseen categories beside a rest', () => {
    const counted = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(counted, fc.integer({ min: 0, max: 40 }), (raw, cut) => {
        const counts = raw.sort((a, b) => b - a);
        const count = counts.reduce((sum, n) => sum + n, cut);
        const top = counts.map((n, i) => [`c${i}`, n] as const);
        const made: CategoricalBaseline = categoricalBaseline({
          ...{ name: 'c', role: 'feature', type: 'categorical', rows: count, missing: 0 },
          distinct: counts.length + cut,
          top,
        });
        const published = bucketedCategories(made);
        const [before, after] = [verdictBins(made), verdictBins(published)];
        const known = before.baseline.filter((_, bin) => bin !== before.unseen || after.unseen !== null);
        expect([...after.baseline]).toEqual([...known]);
        for (const [i, category] of made.categories.entries()) {
          const at = published.categories.indexOf(category);
          expect(at < 0 ? after.other : after.ofFine[at]).toBe(before.ofFine[i]);
        }
        if (made.other > 0 || published.categories.length < made.categories.length) expect(after.unseen).toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  it('call the rest something else where a category has that name', () => {
    const top = [
      ['other', 900],
      ['a', 90],
      ['b', 3],
    ] as const;
    const facts = { name: 'c', role: 'feature', type: 'categorical', rows: 993, missing: 0, distinct: 3 } as const;
    expect(bucketedCategories(categoricalBaseline({ ...facts, top }))).toMatchObject({ rest: '(other)', other: 3 });
  });
});
