/** The two scores without a null of their own: the mix of many categories, and values outside the baseline's range. */
import { describe, expect, test } from 'vitest';
import { judgeColumn, judgeScores } from '../../lib/engine/column-verdict.ts';
import { countsOfSample, numericColumnOf } from '../../lib/engine/sample-columns.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';
import { categoricalOf, categoryCounts, DAY, drawCategories, HOUR, START } from './verdict-data.ts';

const options = (level: number) => ({
  level,
  smallestEffect: 0.05,
  minimumRows: 30,
  span: null,
  confirmation: { m: 1, n: 1 },
  others: 'none' as const,
});

const NAMES = Array.from({ length: 50 }, (_, i) => `c${i}`);
const SHARES = normalised(NAMES.map((_, i) => 1 / (i + 3)));

function normalised(raw: readonly number[]): number[] {
  const all = raw.reduce((sum, share) => sum + share, 0);
  return raw.map((share) => share / all);
}

/** Every second category up, the others down. */
const tilted = (by: number): number[] => normalised(SHARES.map((share, i) => share * Math.exp(i % 2 === 0 ? by : -by)));

describe('the mix of categories', () => {
  const column = categoricalOf(
    NAMES,
    [{ start: START, drawn: drawCategories(seededRandom(1), 100_000, SHARES) }],
    null,
  );

  test('shows what no single category does', () => {
    const random = seededRandom(2);
    let seen = 0;
    for (let i = 0; i < 40; i++) {
      const result = judgeColumn(column, categoryCounts(drawCategories(random, 1_000, tilted(0.25))), options(1e-4));
      if (result.status === 'drifted') seen++;
      if (result.aspect === 'mix of categories')
        expect(result.summary).toMatch(/^the mix of \d+ categories has moved as a whole, by w 0\.\d+$/);
    }
    expect(seen).toBeGreaterThan(20);
  });

  test('gives way to a category that moved by itself', () => {
    const drawn = drawCategories(seededRandom(3), 2_000, SHARES);
    drawn[7]! += 400;
    const result = judgeColumn(column, categoryCounts(drawn), options(1e-4));
    expect(result).toMatchObject({ status: 'drifted', aspect: 'category c7' });
    expect(result.summary).not.toContain('mix');
  });

  test.each([60, 300, 5_000])('keeps its level with %d rows', (rows) => {
    const random = seededRandom(rows);
    let flagged = 0;
    for (let i = 0; i < 1_000; i++)
      if (judgeColumn(column, categoryCounts(drawCategories(random, rows, SHARES)), options(0.01)).status === 'drifted')
        flagged++;
    // Binomial(1000, 0.01): 21 or more come once in a thousand times.
    expect(flagged).toBeLessThanOrEqual(20);
  });

  test('is not surprised by days that move all of them together, nor when traffic grows tenfold', () => {
    const random = seededRandom(5);
    let flagged = 0;
    let judged = 0;
    for (let month = 0; month < 8; month++) {
      const day = (rows: number) => drawCategories(random, rows, tilted(0.1 * random.normal()));
      const base = Array.from({ length: 28 }, (_, i) => ({ start: START + i * DAY, drawn: day(1_000) }));
      const calibrated = categoricalOf(NAMES, base, '1d');
      for (let i = 0; i < 40; i++) {
        const result = judgeColumn(calibrated, categoryCounts(day(i % 2 === 0 ? 1_000 : 10_000)), options(0.003));
        judged++;
        if (result.status === 'drifted') flagged++;
      }
    }
    // 320 days at a level of 0.003: one.
    expect(judged).toBe(320);
    expect(flagged).toBeLessThanOrEqual(5);
  });
});

describe('values outside the range', () => {
  const normal = (random: Random) => random.normal();
  /** Student's t with three degrees of freedom: a window in a few reaches beyond any baseline. */
  const heavy = (random: Random) =>
    random.normal() / Math.sqrt((random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2) / 3);
  const sample = (size: number, draw: () => number) => Array.from({ length: size }, draw);

  test.each([
    ['normal', normal],
    ['heavy', heavy],
  ] as const)('of a %s law come as often as the range of a sample lets them, over baselines', (_, law) => {
    const random = seededRandom(6);
    let flagged = 0;
    for (let i = 0; i < 300; i++) {
      const column = numericColumnOf(sample(3_000, () => law(random)));
      for (let w = 0; w < 4; w++)
        if (
          judgeColumn(
            column,
            countsOfSample(
              column,
              sample(300, () => law(random)),
            ),
            options(0.01),
          ).status === 'drifted'
        )
          flagged++;
    }
    // Binomial(1200, 0.01): 24 or more come once in a thousand times; windows of one baseline are alike.
    expect(flagged).toBeLessThanOrEqual(26);
  });

  test('are a change when three of 300 rows lie there, and told as such', () => {
    const random = seededRandom(7);
    const column = numericColumnOf(sample(50_000, () => random.normal()));
    const current = [...sample(297, () => random.normal()), 40, 50, -60];
    const result = judgeColumn(column, countsOfSample(column, current), options(1e-4));
    expect(result).toMatchObject({ status: 'drifted', aspect: 'highest values' });
    expect(result.summary).toMatch(/^values above [\d.]+ rose from 0 % to 0\.\d+ %/);
    // One alone is an outlier.
    expect(judgeColumn(column, countsOfSample(column, current.slice(0, -2)), options(1e-4)).status).toBe('ok');
  });
});

describe('many quiet windows', () => {
  const week = (shares: readonly number[], rows: number, random: Random) =>
    Array.from({ length: 28 }, (_, i) => ({ start: START + i * DAY, drawn: drawCategories(random, rows, shares) }));
  /** Of a column in a model of eight that is judged by the day and the week. */
  const LEVEL = 0.00175;

  test('show a third more or less of fifty categories on the first day', () => {
    const random = seededRandom(8);
    let seen = 0;
    for (let month = 0; month < 12; month++) {
      const column = categoricalOf(NAMES, week(SHARES, 1_000, random), '1d');
      if (
        judgeColumn(column, categoryCounts(drawCategories(random, 1_000, tilted(0.3))), options(LEVEL)).status ===
        'drifted'
      )
        seen++;
    }
    // With the doubt that each category's own 28 windows leave: none.
    expect(seen).toBeGreaterThanOrEqual(9);
  });

  test.each([1_000, 10_000])('that hide days too alike to tell keep the level at %d rows', (rows) => {
    const random = seededRandom(rows);
    let flagged = 0;
    for (let month = 0; month < 12; month++) {
      const day = (size: number) => drawCategories(random, size, tilted(0.03 * random.normal()));
      const base = Array.from({ length: 28 }, (_, i) => ({ start: START + i * DAY, drawn: day(1_000) }));
      const column = categoricalOf(NAMES, base, '1d');
      for (let i = 0; i < 28; i++)
        if (judgeColumn(column, categoryCounts(day(rows)), options(LEVEL)).status === 'drifted') flagged++;
    }
    // 336 days: 0.6 are allowed.
    expect(flagged).toBeLessThanOrEqual(3);
  });
});

describe('hours that differ by design', () => {
  /** By night half of the categories are closed, and a fifth of the rows come. */
  const hours = (random: Random, days: number) =>
    Array.from({ length: days * 24 }, (_, t) => {
      const night = t % 24 < 6;
      const shares = normalised(SHARES.map((share, i) => (night && i % 2 === 0 ? 0 : share)));
      return { start: START + t * HOUR, drawn: drawCategories(random, night ? 120 : 600, shares) };
    });

  test('leave the mix to the day', () => {
    const random = seededRandom(9);
    const column = categoricalOf(NAMES, hours(random, 28), '1h');
    const moved = (rows: number) => categoryCounts(drawCategories(random, rows, tilted(0.6)));
    const at = (from: number, ms: number) => ({ start: START + 28 * DAY + from, end: START + 28 * DAY + from + ms });
    const asked = (from: number, ms: number) => ({ ...options(1), smallestEffect: 0, span: at(from, ms) });
    const kinds = (from: number, ms: number, rows: number) =>
      judgeScores(column, moved(rows), asked(from, ms)).flagged.map(({ aspect }) => aspect.kind);
    for (const hour of [1, 4, 12]) expect(kinds(hour * HOUR, HOUR, 600)).not.toContain('mix');
    expect(kinds(0, DAY, 10_000)).toContain('mix');
    // Where hours are alike, theirs is judged.
    const alike = hours(random, 28).map(({ start }) => ({ start, drawn: drawCategories(random, 300, SHARES) }));
    const flat = categoricalOf(NAMES, alike, '1h');
    const found = judgeScores(flat, moved(600), asked(12 * HOUR, HOUR)).flagged.map(({ aspect }) => aspect.kind);
    expect(found).toContain('mix');
  });
});
