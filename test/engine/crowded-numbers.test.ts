/** Numbers most of whose rows are one value: flags, counts of rare events. Their mean is far from normal in a window of few others. */
import { describe, expect, test } from 'vitest';
import { judgeColumn } from '../../lib/engine/column-verdict.ts';
import { countsOfSample, numericColumnOf } from '../../lib/engine/sample-columns.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';

const flag =
  (share: number) =>
  (random: Random): number =>
    random.next() < share ? 1 : 0;
const rareCount =
  (share: number, mean: number) =>
  (random: Random): number =>
    random.next() < share ? 1 + random.binomial(20, mean / 20) : 0;
const rareAmount =
  (share: number, scale = 1) =>
  (random: Random): number =>
    random.next() < share ? scale * Math.exp(random.normal()) : 0;

const options = (level: number) => ({
  level,
  smallestEffect: 0.05,
  minimumRows: 30,
  span: null,
  confirmation: { m: 1, n: 1 },
  others: 'none' as const,
});

function flaggedShare(
  base: (random: Random) => number,
  now: (random: Random) => number,
  { rows, level, windows, m }: { rows: number; level: number; windows: number; m: number },
): number {
  const random = seededRandom(rows + m);
  const sample = (size: number, draw: (random: Random) => number) => Array.from({ length: size }, () => draw(random));
  const column = numericColumnOf(sample(m, base));
  let flagged = 0;
  for (let i = 0; i < windows; i++)
    if (judgeColumn(column, countsOfSample(column, sample(rows, now)), options(level)).status === 'drifted') flagged++;
  return flagged / windows;
}

describe.each([
  ['a flag of 0.5 %', flag(0.005)],
  ['a flag of 3 %', flag(0.03)],
  ['counts, 94 % none', rareCount(0.06, 2)],
  ['amounts, 90 % none', rareAmount(0.1)],
] as const)('%s', (_, law) => {
  test.each([30, 100, 300, 1_000])('windows of %d rows keep their level', (rows) => {
    const windows = 1_000;
    const level = 0.004;
    const share = flaggedShare(law, law, { rows, level, windows, m: 20_000 });
    // Binomial(1000, 0.004): 11 or more come once in 300 times.
    expect(share * windows).toBeLessThanOrEqual(11);
  });
});

describe('what does change is seen', () => {
  const asked = { rows: 300, level: 1e-3, windows: 60, m: 20_000 };
  test('a flag that is up six times', () => {
    expect(flaggedShare(flag(0.005), flag(0.03), asked)).toBeGreaterThan(0.7);
  });
  test('a flag that is never up any more', () => {
    expect(flaggedShare(flag(0.03), flag(0), { ...asked, rows: 1_000 })).toBe(1);
  });
  test('amounts that are there three times as often, or ten times as large', () => {
    expect(flaggedShare(rareAmount(0.1), rareAmount(0.3), asked)).toBe(1);
    expect(flaggedShare(rareAmount(0.1), rareAmount(0.1, 10), asked)).toBeGreaterThan(0.95);
  });
});
