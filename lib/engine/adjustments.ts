/** p-values of many tests, adjusted together or combined into one. */
import {
  benjaminiHochberg,
  benjaminiYekutieli,
  bonferroni,
  type Combined,
  fisherCombination,
  holm,
} from '../stats/corrections.ts';

export interface AdjustedAnswer {
  readonly test: string;
  readonly status: 'ok' | 'drifted' | 'insufficient-data' | 'failed';
  readonly statistic: number | null;
  /** The smallest adjusted, or the combined one. */
  readonly pValue: number | null;
  readonly threshold: number;
  readonly effect: null;
  readonly reason: string | null;
  /** In the order of the question; `null` where that was missing. */
  readonly adjusted?: readonly (number | null)[];
}

const ADJUSTMENTS: Readonly<Record<string, (pValues: readonly number[]) => number[]>> = {
  bonferroni,
  holm,
  'benjamini-hochberg': benjaminiHochberg,
  'benjamini-yekutieli': benjaminiYekutieli,
};
const COMBINATIONS: Readonly<Record<string, (pValues: readonly number[]) => Combined>> = {
  'fisher-combination': fisherCombination,
};
const LEVEL = 0.05;

export function adjustmentNames(): readonly string[] {
  return [...Object.keys(ADJUSTMENTS), ...Object.keys(COMBINATIONS)];
}

export function isAdjustment(test: string): boolean {
  return Object.hasOwn(ADJUSTMENTS, test) || Object.hasOwn(COMBINATIONS, test);
}

/** Missing ones (`null`, NaN) are left out. Never throws for data. */
export function adjust(test: string, pValues: readonly (number | null)[], alpha = LEVEL): AdjustedAnswer {
  const kept = pValues.filter((p): p is number => p !== null && !Number.isNaN(p));
  const none = { test, statistic: null, pValue: null, threshold: alpha, effect: null } as const;
  const wrong = kept.find((p) => !(p >= 0 && p <= 1));
  if (wrong !== undefined) return { ...none, status: 'failed', reason: `a p-value is from 0 to 1, got ${wrong}` };
  if (kept.length === 0) return { ...none, status: 'insufficient-data', reason: 'no p-values' };
  const adjustment = ADJUSTMENTS[test];
  if (adjustment === undefined) {
    const { statistic, pValue } = COMBINATIONS[test]!(kept);
    return { ...none, status: pValue <= alpha ? 'drifted' : 'ok', statistic, pValue, reason: null };
  }
  const values = adjustment(kept);
  let at = 0;
  const adjusted = pValues.map((p) => (p === null || Number.isNaN(p) ? null : values[at++]!));
  const pValue = values.reduce((least, value) => Math.min(least, value), 1);
  return { ...none, status: pValue <= alpha ? 'drifted' : 'ok', pValue, reason: null, adjusted };
}
