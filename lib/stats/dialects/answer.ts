/** What a dialect answers: another product's number and its own decision, by its own definition and defaults. */
import type { OutcomeReason } from '../outcome.ts';

/** A value as data carry it; numbers for numeric columns, anything printable for categories. */
export type CategoryValue = string | number | boolean | null | undefined;

export interface DialectAnswer {
  /** The number that the product reports. */
  readonly score: number | null;
  /** The statistic behind it, where they differ. */
  readonly statistic: number | null;
  readonly pValue: number | null;
  /** What the product compares the score with; `null` where it has no default. */
  readonly threshold: number | null;
  /** The product's decision; `null` where it takes none. */
  readonly drifted: boolean | null;
  /** Which of its tests it chose, where it chooses. */
  readonly test?: string;
  /** Why there is no number: the product raises an error there, or answers NaN. Or why there is a score and no statistic. */
  readonly reason?: string;
}

export function notComputable(threshold: number | null, reason: OutcomeReason | string): DialectAnswer {
  return { score: null, statistic: null, pValue: null, threshold, drifted: null, reason };
}

/** The value is a distance: drifted from the threshold on (`≥`), or above it (`>`). */
export function distanceAnswer(value: number, threshold: number, reached: 'from' | 'above' = 'from'): DialectAnswer {
  const drifted = reached === 'from' ? value >= threshold : value > threshold;
  return Number.isNaN(value)
    ? notComputable(threshold, 'not a number')
    : { score: value, statistic: value, pValue: null, threshold, drifted };
}

/**
 * The value is a p-value: drifted below the threshold, or up to it (`≤`). A p-value that is no number is no alarm.
 * `reason`: why there is no p-value, or no statistic behind it.
 */
export function pValueAnswer(
  pValue: number | null,
  statistic: number | null,
  threshold: number,
  reached: 'below' | 'up-to' = 'below',
  reason?: string,
): DialectAnswer {
  if (pValue === null || Number.isNaN(pValue))
    return { score: null, statistic, pValue: null, threshold, drifted: false, reason: reason ?? 'not a number' };
  return {
    score: pValue,
    statistic,
    pValue,
    threshold,
    drifted: reached === 'below' ? pValue < threshold : pValue <= threshold,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Counts of each distinct value of both sides; `null` and `undefined` left out. Numbers sort as such and before text. */
export function valueCounts(
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
): {
  readonly values: readonly (string | number | boolean)[];
  readonly reference: number[];
  readonly current: number[];
  readonly n: number;
  readonly m: number;
} {
  const counts = new Map<string | number | boolean, [number, number]>();
  const sizes: [number, number] = [0, 0];
  for (const [side, values] of [reference, current].entries())
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === null || value === undefined || Number.isNaN(value)) continue;
      const at = side as 0 | 1;
      sizes[at]++;
      const pair = counts.get(value);
      if (pair === undefined) counts.set(value, side === 0 ? [1, 0] : [0, 1]);
      else pair[at]++;
    }
  const values = [...counts.keys()].sort(ascending);
  return {
    values,
    reference: values.map((value) => counts.get(value)?.[0] ?? 0),
    current: values.map((value) => counts.get(value)?.[1] ?? 0),
    n: sizes[0],
    m: sizes[1],
  };
}

function ascending(a: string | number | boolean, b: string | number | boolean): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number') return -1;
  if (typeof b === 'number') return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
