/** Metrics of a regression from its counts, and the fixed point in which they are counted. */
import type { Baseline } from '../contracts/baseline.ts';
import type { Estimate } from '../stats/estimate.ts';
import { regressionMetrics } from '../stats/performance-regression.ts';
import { effectiveSize } from '../stats/tally.ts';
import { weightOf } from './performance-classification.ts';
import { type FixedPoint, type RegressionCell, type RegressionCounts, SCORE_UNIT } from './performance-counts.ts';

/** Units in a standard deviation of the baseline's predictions; the limit of 2^24 is then 256 of them or more. */
const STEPS = 2 ** 16;
/** Without a baseline: whole range ±65,536 in steps of 1/256. */
const BLIND: FixedPoint = { center: 0, unit: 2 ** -8 };

/** From the baseline's predictions (the column of role `prediction`, else `score`), so fixed for a baseline. */
export function regressionFixedPoint(baseline: Pick<Baseline, 'columns'> | null): FixedPoint {
  const columns = baseline?.columns ?? [];
  const column = columns.find(({ role }) => role === 'prediction') ?? columns.find(({ role }) => role === 'score');
  if (column === undefined || column.type !== 'numeric' || column.mean === null) return BLIND;
  const spread = column.std !== null && column.std > 0 ? column.std : Math.max(Math.abs(column.mean), 1);
  const unit = 2 ** Math.floor(Math.log2(spread / STEPS));
  return Number.isFinite(column.mean) && unit > 0 && Number.isFinite(unit) ? { center: column.mean, unit } : BLIND;
}

/** The metrics of METRICS['regression']. Rounding to the unit moves a mean by less than the unit. */
export function regressionEstimates(counts: RegressionCounts): Record<string, Estimate> {
  const { unit, cells } = counts;
  const weights = { w: 0, w2: 0 };
  const relative = { w: 0, w2: 0 };
  for (const { weightCode, n, nonzero } of cells) {
    const weight = weightOf(weightCode);
    weights.w += weight * n;
    weights.w2 += weight * weight * n;
    relative.w += weight * nonzero;
    relative.w2 += weight * weight * nonzero;
  }
  const sum = (name: Sums): number =>
    cells.reduce((total, cell) => total + weightOf(cell.weightCode) * Number(cell[name]), 0);
  const mean = (name: Sums, power: number): number => (sum(name) / weights.w) * unit ** power;
  const y = mean('y', 1);
  const y2 = mean('y2', 2);
  const y3 = mean('y3', 3);
  const y4 = mean('y4', 4);
  const e2 = mean('e2', 2);
  return {
    ...regressionMetrics({
      size: effectiveSize(weights),
      e: mean('e', 1),
      eAbs: mean('eAbs', 1),
      e2,
      e4: mean('e4', 4),
      c2: spreadOf(counts) ?? y2 - y ** 2,
      c4: y4 - 4 * y * y3 + 6 * y ** 2 * y2 - 3 * y ** 4,
      e2c2: mean('e2y2', 4) - 2 * y * mean('e2y', 3) + y ** 2 * e2,
      relativeSize: effectiveSize(relative),
      r: relative.w > 0 ? (sum('r') / relative.w) * SCORE_UNIT : 0,
      r2: relative.w > 0 ? (sum('r2') / relative.w) * SCORE_UNIT ** 2 : 0,
    }),
  };
}

/** Rows whose error or truth was beyond the fixed point: their errors are understated. */
export function clampedRows(counts: RegressionCounts): number {
  return counts.cells.reduce((sum, { clamped }) => sum + clamped, 0);
}

type Sums = Exclude<keyof RegressionCell, 'weightCode' | 'n' | 'clamped' | 'nonzero'>;

/** Without weights the variance of the truth is exact: (n Σy² − (Σy)²) / n² in whole numbers, however far the center is off. */
function spreadOf({ cells, unit }: RegressionCounts): number | null {
  const [only, ...others] = cells;
  if (only === undefined || others.length > 0) return null;
  const n = BigInt(only.n);
  const exact = n * BigInt(only.y2) - BigInt(only.y) ** 2n;
  return (Number(exact) / only.n ** 2) * unit ** 2;
}
