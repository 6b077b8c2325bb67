import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LearningWindow, sortOut } from '../../lib/engine/standing-out.ts';
import { seeded } from '../pipeline/simulation.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.parse('2001-02-05T00:00:00Z');

/** Counts of `rows` draws by these shares. */
function draw(random: () => number, rows: number, shares: readonly number[]): number[] {
  const counts = shares.map(() => 0);
  for (let row = 0; row < rows; row++) {
    let left = random();
    const part = shares.findIndex((share) => (left -= share) < 0);
    counts[part < 0 ? shares.length - 1 : part]! += 1;
  }
  return counts;
}

interface Law {
  readonly rows: number;
  readonly shares: readonly number[];
}

function windowsOf(
  seed: number,
  count: number,
  length: number,
  law: (start: number, i: number) => Law,
): LearningWindow[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i) => {
    const start = START + i * length;
    const { rows, shares } = law(start, i);
    return { start, end: start + length, rows, columns: [draw(random, rows, shares)] };
  });
}

const USUAL = { rows: 400, shares: [0.25, 0.25, 0.25, 0.2, 0.05] };
const ODD = { rows: 400, shares: [0.02, 0.02, 0.02, 0.02, 0.92] };
const startsOf = (windows: readonly LearningWindow[]): number[] =>
  sortOut(['x'], windows, 'UTC').out.map(({ window }) => (window.start - START) / HOUR);

describe('sortOut', () => {
  it('keeps windows of one law, whatever their number and size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.constantFrom([7, DAY], [28, 6 * HOUR], [168, HOUR]),
        fc.integer({ min: 30, max: 1_000 }),
        (seed, [count, length], rows) => {
          const windows = windowsOf(seed, count!, length!, () => ({ ...USUAL, rows }));
          expect(sortOut(['x'], windows, 'UTC')).toMatchObject({ out: [], unsteady: 0 });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('leaves out an incident of a few hours, of a day, and an outage', () => {
    expect(startsOf(windowsOf(1, 168, HOUR, (_, i) => (i >= 50 && i < 53 ? ODD : USUAL)))).toEqual([50, 51, 52]);
    expect(startsOf(windowsOf(2, 7, DAY, (_, i) => (i === 2 ? ODD : USUAL)))).toEqual([48]);
    expect(startsOf(windowsOf(3, 28, 6 * HOUR, (_, i) => (i === 9 ? { ...USUAL, rows: 10 } : USUAL)))).toEqual([54]);
    // Over midnight it is one incident too.
    expect(startsOf(windowsOf(4, 168, HOUR, (_, i) => (i >= 47 && i < 49 ? ODD : USUAL)))).toEqual([47, 48]);
  });

  it('keeps what returns: nights, a weekend, hours of little traffic', () => {
    const night = (_: number, i: number): Law => (i % 24 < 6 ? { rows: 60, shares: ODD.shares } : USUAL);
    expect(startsOf(windowsOf(5, 168, HOUR, night))).toEqual([]);
    expect(startsOf(windowsOf(6, 7, DAY, (_, i) => (i >= 5 ? { rows: 90, shares: ODD.shares } : USUAL)))).toEqual([]);
  });

  it('leaves none out where so many stand out that they are no exception', () => {
    const sorted = sortOut(
      ['x'],
      windowsOf(7, 8, DAY, (_, i) => ({
        rows: 5_000,
        shares: i < 3 ? [0, 1, 2].map((k) => (k === i ? 1 : 0)) : [0, 0, 0, 1],
      })).map((window) => ({ ...window, columns: [[...window.columns[0]!, 0, 0, 0].slice(0, 4)] })),
      'UTC',
    );
    expect(sorted).toMatchObject({ out: [], unsteady: 3 });
    expect(sorted.kept).toHaveLength(8);
  });

  it('tells the column that says most, and does not depend on the order', () => {
    const random = seeded(8);
    const windows = Array.from({ length: 7 }, (_, i): LearningWindow => {
      const start = START + i * DAY;
      const shares = [USUAL.shares, i === 4 ? ODD.shares : USUAL.shares];
      return { start, end: start + DAY, rows: 400, columns: shares.map((law) => draw(random, 400, law)) };
    });
    const sorted = sortOut(['x', 'y'], windows, 'UTC');
    expect(sorted.out).toMatchObject([{ column: 'y', window: { start: START + 4 * DAY } }]);
    expect(sortOut(['x', 'y'], [...windows].reverse(), 'UTC')).toEqual(sorted);
  });
});
