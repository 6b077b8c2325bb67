/** `detectable`: a change of that size is shown by four windows of five, one of half the size seldom. */
import { describe, expect, test } from 'vitest';
import type { ColumnBaseline } from '../../lib/contracts/baseline.ts';
import type { ColumnCounts } from '../../lib/engine/column-counts.ts';
import { type JudgeOptions, judgeColumn } from '../../lib/engine/column-verdict.ts';
import { linearScores, scoreReference } from '../../lib/engine/linear-scores.ts';
import { categoricalScores, numericScores, setShares } from '../../lib/engine/scores.ts';
import { binWindow, verdictBins } from '../../lib/engine/verdict-bins.ts';
import {
  categoricalOf,
  categoryCounts,
  DAY,
  drawCategories,
  drawNormal,
  normalBaseline,
  normalShares,
  numericCounts,
  type Random,
  START,
  seededRandom,
} from './verdict-data.ts';

const WINDOWS = 300;
const SHARES = [0.5, 0.3, 0.2];
const RARE = [0.97, 0.03];

interface World {
  readonly column: ColumnBaseline;
  /** The shares of a window whose mean, or first category, has moved by `by`. */
  readonly law: (by: number) => ColumnCounts;
  /** A window of so many rows whose mean, or first category, has moved by `by`. */
  readonly draw: (random: Random, rows: number, by: number) => ColumnCounts;
}

function numbers(spread: number, days: number | null): World {
  const random = seededRandom(11);
  const base = Array.from({ length: days ?? 1 }, (_, day) => ({
    start: START + day * DAY,
    drawn: drawNormal(random, days === null ? 100_000 : 2_000, { mean: spread * random.normal() }),
  }));
  return {
    column: normalBaseline(base, days === null ? null : '1d'),
    law: (by) => numericCounts(normalShares({ mean: by })),
    draw: (chance, rows, by) => numericCounts(drawNormal(chance, rows, { mean: by + spread * chance.normal() })),
  };
}

function categories(shares: readonly number[]): World {
  const column = categoricalOf(
    shares.map((_, i) => `c${i}`),
    [{ start: START, drawn: drawCategories(seededRandom(12), 100_000, shares) }],
    null,
  );
  const [largest, ...others] = shares as [number, ...number[]];
  const moved = (by: number): number[] => [
    largest + by,
    ...others.map((share) => (share * (1 - largest - by)) / (1 - largest)),
  ];
  return {
    column,
    law: (by) => categoryCounts(moved(by)),
    draw: (chance, rows, by) => categoryCounts(drawCategories(chance, rows, moved(by))),
  };
}

/** The effect of a move in the population, on the scale of `detectable`. */
function effectOf({ column, law }: World, by: number): number {
  const bins = verdictBins(column);
  const shares = bins.baseline.map((count) => count / bins.rows);
  const scores = column.type === 'numeric' ? numericScores(shares, true) : categoricalScores(shares, true);
  const reference = scoreReference(scores, setShares(scores, shares, bins.rows));
  const effect = (of: number) => linearScores(reference, binWindow(bins, law(of))!.counts, 1)[0]!;
  return effect(by) - effect(0);
}

describe.each<[string, World, number, Partial<JudgeOptions>]>([
  ['numbers, 300 rows', numbers(0, null), 300, {}],
  ['numbers, 40 rows', numbers(0, null), 40, {}],
  ['numbers, 3,000 rows at a small level', numbers(0, null), 3_000, { level: 1e-6 }],
  ['numbers, an effect that must be large', numbers(0, null), 3_000, { smallestEffect: 0.3 }],
  ['days that differ', numbers(0.1, 60), 2_000, {}],
  ['categories, 300 rows', categories(SHARES), 300, {}],
  ['a category with nearly all rows', categories(RARE), 300, {}],
])('%s', (name, world, rows, more) => {
  const options: JudgeOptions = {
    level: 1e-3,
    smallestEffect: 0.05,
    minimumRows: 30,
    span: null,
    confirmation: { m: 1, n: 1 },
    others: 'none',
    ...more,
  };
  const random = seededRandom(21);
  const detectable = judgeColumn(world.column, world.draw(random, rows, 0), options).detectable!;

  test('four windows of five show a change of that size, few one of half of it', () => {
    const away = name.includes('nearly all') ? -1 : 1;
    let by = 0;
    // The move whose effect is the detectable one, by false position.
    for (let i = 0, step = 0.5; i < 14; i++, step /= 2)
      if (Math.abs(effectOf(world, away * (by + step))) < detectable) by += step;
    const power = (share: number): number => {
      let shown = 0;
      for (let i = 0; i < WINDOWS; i++)
        if (judgeColumn(world.column, world.draw(random, rows, away * by * share), options).status === 'drifted')
          shown++;
      return shown / WINDOWS;
    };
    expect(power(1)).toBeGreaterThan(0.68);
    expect(power(1)).toBeLessThan(0.95);
    expect(power(0.5)).toBeLessThan(0.3);
  });
});
