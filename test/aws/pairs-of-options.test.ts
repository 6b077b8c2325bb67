/** Options of the facade together: every pair of values. */
import { describe, expect, it } from 'vitest';
import { RECOMMENDED } from './app.ts';
import { check, made, NAMES, SIZES } from './chosen.ts';
import { light } from './light.ts';
import { coveringPairs } from './pairs.ts';

describe('options together', () => {
  const rows = coveringPairs(SIZES);

  it('covers every pair of values', () => {
    for (const [n, a] of NAMES.entries())
      for (const b of NAMES.slice(n + 1))
        for (let i = 0; i <= SIZES[a]!; i++)
          for (let j = 0; j <= SIZES[b]!; j++)
            expect(
              rows.some((row) => row[a] === i && row[b] === j),
              `${a}=${i}, ${b}=${j}`,
            ).toBe(true);
  });

  it.each(rows.map((row, i) => [i, row] as const))('row %i makes a stack without findings, within limits', (_, row) => {
    const { stack, refused } = made(row, RECOMMENDED);
    expect(refused).toEqual([]);
    const { template, problems } = light(stack);
    expect(problems.filter((one) => !(row['metricBudget'] === 1 && one.startsWith('metricBudget:')))).toEqual([]);
    check(stack, template);
  });
});
