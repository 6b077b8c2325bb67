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
    // Budgets and prices that are tried are such that they stop a deployment.
    const stopped = [
      ...(row['metricBudget'] === 1 || row['prices'] === 1 ? ['metricBudget:'] : []),
      ...(row['budget'] === 1 ? ['budget:'] : []),
    ];
    expect(problems.filter((one) => !stopped.some((path) => one.startsWith(path)))).toEqual([]);
    check(stack, template);
  });
});
