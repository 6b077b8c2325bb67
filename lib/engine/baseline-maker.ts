/**
 * From plain summaries of reference data to a `Baseline`. Pure: whoever reads the data (DuckDB over files, merged windows of a
 * profile) brings counts, and the same counts give the same baseline.
 */
import type {
  Baseline,
  CategoricalBaseline,
  ColumnBaseline,
  ColumnRole,
  NumericBaseline,
  PerformanceBaseline,
  VolumeBaseline,
} from '../contracts/baseline.ts';
import { noun } from '../contracts/noun.ts';
import type { Problem } from '../contracts/problem.ts';
import { binValues, FEW_VALUES, fixedPointOf, type ValueStep } from './numeric-bins.ts';
import { round12OrNull } from './round.ts';
import { ownCategories } from './verdict-bins.ts';

/** Categories kept by name. */
export const VOCABULARY = 1_000;
/** Fewer rows make a baseline that hardly ever rings; it is said. */
const FEW_ROWS = 1_000;

interface ColumnSummary {
  readonly name: string;
  readonly role: ColumnRole;
  readonly rows: number;
  readonly missing: number;
}

export interface NumericSummary extends ColumnSummary {
  readonly type: 'numeric';
  readonly nonFinite: number;
  /** All finite values are whole numbers. */
  readonly integer: boolean;
  /** Of finite values; `null` without any. */
  readonly mean: number | null;
  readonly std: number | null;
  /** Infinity where there are more than FEW_VALUES and nobody has counted them. */
  readonly distinct: number;
  /** As `binValues` wants them; all distinct values when there are at most FEW_VALUES. */
  readonly steps: readonly ValueStep[];
  /** Rows that a verdict bin has at least. @default 1 */
  readonly leastRows?: number;
}

export interface CategoricalSummary extends ColumnSummary {
  readonly type: 'categorical';
  readonly distinct: number;
  /** At most VOCABULARY, most frequent first, ties by code point. */
  readonly top: readonly (readonly [category: string, count: number])[];
}

export function numericBaseline(summary: NumericSummary): NumericBaseline {
  const { name, role, rows, missing, nonFinite, integer, steps, distinct } = summary;
  const count = rows - missing - nonFinite;
  const { bins, counts } = binValues(steps, count, integer && distinct <= FEW_VALUES, summary.leastRows);
  return {
    name,
    type: 'numeric',
    role,
    count,
    missing,
    nonFinite,
    mean: round12OrNull(summary.mean),
    std: round12OrNull(summary.std),
    min: count === 0 ? null : (steps[0]?.value ?? null),
    max: count === 0 ? null : (steps.at(-1)?.value ?? null),
    integer: integer && count > 0,
    ...fixedPointOf(steps, count),
    bins,
    counts,
    calibration: null,
  };
}

export function categoricalBaseline(summary: CategoricalSummary): CategoricalBaseline {
  const { name, role, rows, missing, distinct } = summary;
  const top = summary.top.slice(0, VOCABULARY);
  const count = rows - missing;
  const counts = top.map(([, n]) => n);
  const own = ownCategories(counts, count);
  return {
    name,
    type: 'categorical',
    role,
    count,
    missing,
    categories: top.map(([category]) => category),
    counts,
    other: count - top.reduce((sum, [, n]) => sum + n, 0),
    distinct,
    verdictBin: top.map((_, i) => Math.min(i, own)),
    calibration: null,
  };
}

export function columnBaseline(summary: NumericSummary | CategoricalSummary): ColumnBaseline {
  return summary.type === 'numeric' ? numericBaseline(summary) : categoricalBaseline(summary);
}

export interface BaselineParts {
  readonly model: string;
  readonly version: string | null;
  readonly source: Baseline['source'];
  readonly rows: number;
  readonly window: Baseline['window'];
  /** Calibrated where there was a time column. */
  readonly columns: readonly ColumnBaseline[];
  readonly volume: VolumeBaseline | null;
  readonly performance: PerformanceBaseline | null;
  readonly findings: readonly Problem[];
}

export function makeBaseline(parts: BaselineParts): Baseline {
  const findings = [...parts.findings];
  if (parts.rows < FEW_ROWS)
    findings.push({
      code: 'few-rows',
      path: '',
      message: 'the reference has few rows, so only large changes can be told from chance',
      got: String(parts.rows),
      expected: `at least ${FEW_ROWS}`,
    });
  for (const column of parts.columns) findings.push(...oddities(column));
  findings.push(...absentPositive(parts.performance));
  return { schema: 'mlmon.baseline/v1', ...parts, findings };
}

/** Without a positive truth there is no recall; accuracy is then that of a model for something else. */
function absentPositive(performance: PerformanceBaseline | null): Problem[] {
  if (performance === null || performance.positive === null) return [];
  const { metrics, positive } = performance;
  if (!('accuracy' in metrics) || 'recall' in metrics) return [];
  return [
    {
      code: 'absent-positive',
      path: 'positive',
      message: 'is the truth of no row of the reference',
      got: JSON.stringify(positive),
      fix: 'write it as the truth is written; booleans, and True and False of a CSV, are "true" and "false"',
    },
  ];
}

function oddities(column: ColumnBaseline): Problem[] {
  const odd = (code: string, message: string, got?: string, fix?: string): Problem[] => [
    { code, path: column.name, message, got, fix },
  ];
  if (column.count === 0) return odd('all-missing', 'has no value in the reference; any value will be a change');
  if (column.type === 'numeric') {
    if (column.min === column.max) return odd('constant', 'has one value only', String(column.min));
    if (column.nonFinite > 0)
      return odd(
        'not-finite',
        'has values that are not finite',
        `${column.nonFinite} ${noun(column.nonFinite, 'row')}`,
      );
    return [];
  }
  if (column.distinct === 1) return odd('constant', 'has one value only', JSON.stringify(column.categories[0]));
  if (column.distinct > VOCABULARY)
    return odd(
      'many-categories',
      `has more categories than the ${VOCABULARY} that are kept by name; the rest is counted together`,
      String(column.distinct),
      'bucket it or leave it out if it is an identifier',
    );
  return [];
}
