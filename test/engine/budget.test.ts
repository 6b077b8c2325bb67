import { describe, expect, test } from 'vitest';
import { SIGNALS } from '../../lib/contracts/result.ts';
import { levelOf, openingsPerDay, reportLevelOf, SIGNAL_SHARES, scaleShare } from '../../lib/engine/budget.ts';

const DAY = 86_400_000;
const HOUR = DAY / 24;

describe('the budget', () => {
  test.each([
    [[HOUR, DAY, 7 * DAY], 50],
    [[DAY, 7 * DAY], 6],
    [[7 * DAY], 1],
    [[HOUR / 4, HOUR, DAY, 7 * DAY], 3],
    [[5 * HOUR], 2],
  ])('of 2 in 30 days is spent to the last over scales %j and %i columns', (scales, columns) => {
    let expected = 0;
    for (const signal of SIGNALS)
      scales.forEach((ms, scale) => {
        const windows = (30 * DAY) / ms;
        const comparisons = signal === 'drift' ? columns : 1;
        expected += comparisons * windows * levelOf({ budget: '2 per 30d', signal, scales, scale, comparisons });
      });
    expect(expected).toBeCloseTo(2, 9);
  });

  test('shares sum to one', () => {
    expect(Object.values(SIGNAL_SHARES).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    for (const count of [1, 2, 3, 4, 5, 6])
      expect(
        Array.from({ length: count }, (_, i) => scaleShare(count, i)).reduce((sum, share) => sum + share, 0),
      ).toBeCloseTo(1, 12);
  });

  test('a level is a chance: at most a half, also for generous budgets and long windows', () => {
    expect(levelOf({ budget: '1000 per 1d', signal: 'drift', scales: [7 * DAY], scale: 0, comparisons: 1 })).toBe(0.5);
    expect(reportLevelOf(0)).toBe(0.05);
    expect(reportLevelOf(10)).toBeCloseTo(0.005, 12);
  });

  test('what is no budget is refused', () => {
    expect(openingsPerDay('0.5 per 7d')).toBeCloseTo(0.5 / 7, 12);
    expect(() => openingsPerDay('often')).toThrow(RangeError);
    expect(() => levelOf({ budget: '1 per 30d', signal: 'drift', scales: [DAY], scale: 1, comparisons: 1 })).toThrow(
      RangeError,
    );
  });
});
