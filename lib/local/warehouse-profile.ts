/** A profile made where the rows lie: what is asked of the warehouse, from a monitor and from what it has answered so far. */
import { createHash } from 'node:crypto';
import { finite } from '../adapters/warehouse/cells.ts';
import type { ProfileSource, SummaryRule } from '../adapters/warehouse/summary-statement.ts';
import type {
  BinnedColumn,
  PerformanceGroups,
  WindowRun,
  WindowsSource,
} from '../adapters/warehouse/windows-statement.ts';
import type { ColumnBaseline, ColumnRole } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { VOCABULARY } from '../engine/baseline-maker.ts';
import { FEW_VALUES, FINE_PARTS, VERDICT_QUANTILES } from '../engine/numeric-bins.ts';
import { CLASSIFICATION_COLUMNS, type CountColumn, REGRESSION_COLUMNS } from '../engine/performance-counts.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { ownCategories } from '../engine/verdict-bins.ts';
import type { Span } from '../engine/window.ts';

export const SUMMARY_RULE: SummaryRule = {
  parts: FINE_PARTS,
  thousandths: VERDICT_QUANTILES.map((quantile) => Math.round(quantile * 1000)),
  few: FEW_VALUES,
  categories: VOCABULARY,
};

export interface ProfiledColumn {
  readonly name: string;
  readonly role: ColumnRole;
  readonly type: 'numeric' | 'categorical';
  /** Its policy is `bucket`: no bin may tell of single rows. */
  readonly bucketed: boolean;
}

/**
 * The columns that are watched: all that the monitor declares, since a statement must name them.
 * @throws ProblemError when it declares no features, or not what its prediction is
 */
export function profiledColumns({ features, columns, task }: Monitor): ProfiledColumn[] {
  const watched: ProfiledColumn[] = [];
  for (const [name, { type, policy }] of Object.entries(features ?? {}))
    if (policy !== 'drop') watched.push({ name, role: 'feature', type, bucketed: policy === 'bucket' });
  const { score, prediction } = columns;
  const problems: Problem[] = [];
  if (watched.length === 0)
    problems.push({
      code: 'no-features',
      path: 'features',
      message: 'none is declared, and a statement must name its columns',
      fix: 'declare them with their types; `mlmon init` writes a monitor that does, from a small file of the same columns',
    });
  if (prediction !== undefined && task === 'none')
    problems.push({
      code: 'unknown-type',
      path: 'columns.prediction',
      message: 'is a number or a class, and a task of `none` does not tell which',
      fix: 'set the task, or name it under `features` with its type',
    });
  if (problems.length > 0) throw new ProblemError(problems);
  if (score !== undefined) watched.push({ name: score, role: 'score', type: 'numeric', bucketed: false });
  if (prediction !== undefined)
    watched.push({
      name: prediction,
      role: 'prediction',
      type: task === 'regression' ? 'numeric' : 'categorical',
      bucketed: false,
    });
  return watched;
}

export interface WarehouseTable {
  /** SQL: a quoted name, or a query in parentheses. */
  readonly sql: string;
  readonly called: string;
}

export function profileSource(monitor: Monitor, { sql, called }: WarehouseTable): ProfileSource {
  return {
    relation: sql,
    called,
    columns: profiledColumns(monitor).map(({ name, type }) => ({ name, type })),
    time: monitor.columns.time ?? null,
  };
}

/** What rows of the first statement are marked with: the answer to another question is not taken for it. */
export function summaryLabel(source: Pick<ProfileSource, 'columns' | 'time'>): string {
  return `summary ${fingerprint([source.columns, source.time, SUMMARY_RULE])}`;
}

/** What the second statement asks; `null` when the first one's answer says all. */
export function windowsSource(
  monitor: Monitor,
  { sql: relation }: WarehouseTable,
  columns: readonly ColumnBaseline[],
  spans: readonly Span[] | null,
): WindowsSource | null {
  const performance = performanceGroups(monitor, columns);
  if (spans === null && performance === null) return null;
  return {
    relation,
    columns: columns.map(binned),
    time: spans === null ? null : (monitor.columns.time ?? null),
    windows: runsOf(spans ?? []),
    performance,
  };
}

export function windowsLabel({ columns, time, windows, performance }: WindowsSource): string {
  return `windows ${fingerprint([columns, time, windows, performance])}`;
}

/** In verdict bins, as blocks of the calibration are. */
function binned(column: ColumnBaseline): BinnedColumn {
  const { name } = column;
  if (column.type === 'numeric')
    return { name, type: 'numeric', edges: column.bins.edges, bins: column.bins.verdictBin };
  const rest = column.other > 0 ? ownCategories(column.counts, column.count) : null;
  return { name, type: 'categorical', categories: column.categories, bins: column.verdictBin, rest };
}

/** Few where zones change their clocks, else one. */
function runsOf(spans: readonly Span[]): WindowRun[] {
  const runs: { start: number; length: number; count: number }[] = [];
  for (const { start, end } of spans) {
    const last = runs.at(-1);
    const length = end - start;
    if (last !== undefined && last.length === length && last.start + last.length * last.count === start)
      last.count += 1;
    else runs.push({ start, length, count: 1 });
  }
  return runs;
}

/** The counts of `performanceCountsOfTable`, in the same expressions. */
function performanceGroups({ task, columns }: Monitor, of: readonly ColumnBaseline[]): PerformanceGroups | null {
  const { truth, prediction, score, weight } = columns;
  const isBinary = task === 'binary-classification';
  if (task === 'none' || truth === undefined || (prediction === undefined && !(isBinary && score !== undefined)))
    return null;
  const regression = task === 'regression';
  const type = regression ? 'numeric' : 'categorical';
  const scored = isBinary && score !== undefined;
  const cells: PerformanceGroups['cells'] = [
    { as: 'p_truth', column: truth, type },
    ...(prediction === undefined ? [] : [{ as: 'p_predicted', column: prediction, type } as const]),
    ...(scored ? [{ as: 'p_score', column: score, type: 'numeric' } as const] : []),
    ...(weight === undefined ? [] : [{ as: 'p_weight', column: weight, type: 'numeric' } as const]),
  ];
  const { center, unit } = regressionFixedPoint({ columns: of });
  const filled = ({ sql }: CountColumn): string =>
    sql
      .replaceAll('{score}', scored ? 'p_score' : 'CAST(NULL AS DOUBLE)')
      .replaceAll(
        '{weight}',
        weight === undefined
          ? 'CAST(1 AS DOUBLE)'
          : `CASE WHEN ${finite('p_weight')} AND p_weight > 0 THEN p_weight ELSE 1E0 END`,
      )
      .replaceAll('{truth}', 'p_truth')
      .replaceAll('{predicted}', prediction === undefined ? 'CAST(NULL AS VARCHAR)' : 'p_predicted')
      .replaceAll('{center}', `CAST(${center} AS DOUBLE)`)
      .replaceAll('{unit}', `CAST(${unit} AS DOUBLE)`);
  const { keys, sums } = regression ? REGRESSION_COLUMNS : CLASSIFICATION_COLUMNS;
  return {
    cells,
    truth,
    where: regression ? `${finite('p_truth')} AND ${finite('p_predicted')}` : '1 = 1',
    keys: keys.map((key) => ({ sql: filled(key), isText: key.name === 'truth' || key.name === 'predicted' })),
    sums: sums.map(filled),
  };
}

function fingerprint(what: unknown): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 12);
}
