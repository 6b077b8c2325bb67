/** Two baselines of the same rows, counted by different engines. */
import { expect } from 'vitest';
import type { Baseline, ColumnBaseline } from '../../lib/contracts/baseline.ts';

/** Sums of doubles depend on their order in the last digits; nothing else may differ but what the data is called. */
export function expectSameBaseline(got: Baseline, expected: Baseline): void {
  const exact = (baseline: Baseline): unknown => ({
    ...baseline,
    source: { ...baseline.source, name: '' },
    columns: baseline.columns.map((column) => ({ ...column, mean: null, std: null })),
  });
  expect(exact(got)).toEqual(exact(expected));
  got.columns.forEach((column, i) => {
    const std = moment(expected.columns[i], 'std') ?? 0;
    for (const name of ['mean', 'std'] as const) {
      const [a, b] = [moment(column, name), moment(expected.columns[i], name)];
      if (a === null || b === null) expect(a, `${name} of ${column.name}`).toBe(b);
      else expect(Math.abs(a - b), `${name} of ${column.name}`).toBeLessThanOrEqual(1e-10 * (Math.abs(b) + std));
    }
  });
}

function moment(column: ColumnBaseline | undefined, name: 'mean' | 'std'): number | null {
  return column?.type === 'numeric' ? column[name] : null;
}
