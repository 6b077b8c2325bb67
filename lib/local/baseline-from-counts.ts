/** A baseline from counts that were made where the rows lie: the same as `baselineFromTable` makes of the rows. */
import type { Table } from '../adapters/duckdb/table.ts';
import { binCount } from '../adapters/warehouse/windows-statement.ts';
import type { Baseline, ColumnBaseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { baselineFindings, volumeFindings } from '../engine/baseline-findings.ts';
import { columnBaseline, makeBaseline } from '../engine/baseline-maker.ts';
import { BUCKET_ROWS } from '../engine/bucketed-column.ts';
import { calibrate } from '../engine/calibration.ts';
import { performanceBaseline } from '../engine/performance.ts';
import { CLASSIFICATION_COLUMNS, type PerformanceCounts, REGRESSION_COLUMNS } from '../engine/performance-counts.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { classificationCountsOf, regressionCountsOf } from '../engine/performance-rows.ts';
import type { Span } from '../engine/window.ts';
import { noTimes, referenceWindows, wholeWindows } from './reference-windows.ts';
import { type ColumnSummary, readSummary, type TableSummary, WindowsAnswer } from './warehouse-answer.ts';
import {
  type ProfiledColumn,
  profiledColumns,
  profileSource,
  summaryLabel,
  windowsLabel,
  windowsSource,
} from './warehouse-profile.ts';
import { wrongNumbers } from './wrong-numbers.ts';

export interface CountsRequest {
  /** The answers of the warehouse. */
  readonly table: Table;
  readonly monitor: Monitor;
  /** Version of the model that the data belongs to. */
  readonly version: string | null;
}

/** What the first answer alone tells. */
export interface Summarised {
  readonly summary: TableSummary;
  readonly columns: readonly ColumnBaseline[];
  /** `null`: there is no time, or there are too many windows; rows are then one window. */
  readonly spans: readonly Span[] | null;
  readonly findings: readonly Problem[];
}

/** @throws ProblemError as `baselineFromTable` does, and when the answers are not those of this monitor's statements */
export async function summarised({ table, monitor }: Pick<CountsRequest, 'table' | 'monitor'>): Promise<Summarised> {
  const watched = profiledColumns(monitor);
  const source = profileSource(monitor, { sql: '', called: '' });
  const summary = await readSummary(
    table,
    summaryLabel(source),
    watched.map(({ name }) => name),
  );
  if (summary.rows === 0)
    throw new ProblemError([
      {
        code: 'no-rows',
        path: table.shown,
        message: 'counts no rows',
        expected: 'reference data with at least one row',
      },
    ]);
  const findings: Problem[] = [];
  const columns = watched.map((one, i) =>
    columnBaseline(columnSummary(one, summary.columns[i]!, summary.rows, table.shown, findings)),
  );
  return { summary, columns, spans: spansOf(summary, table.shown, monitor, findings), findings };
}

export async function baselineFromCounts({ table, monitor, version }: CountsRequest): Promise<Baseline> {
  const first = await summarised({ table, monitor });
  const { summary, spans } = first;
  const findings = [...first.findings];
  const asked = windowsSource(monitor, { sql: '', called: '' }, first.columns, spans);
  const starts = spans?.map(({ start }) => start) ?? null;
  const answer = asked === null ? null : await WindowsAnswer.open(table, windowsLabel(asked), starts);
  const columns: ColumnBaseline[] = [];
  let rowsByWindow: readonly number[] = [];
  for (const [i, column] of first.columns.entries()) {
    const binned = asked?.columns[i];
    if (answer === null || binned === undefined) {
      columns.push(column);
      continue;
    }
    const { windows } = await answer.bins({ i, name: column.name, rows: summary.rows }, binCount(binned));
    if (i === 0) rowsByWindow = windows.map((counts) => counts.reduce((all, n) => all + n, 0));
    if (starts === null) {
      columns.push(column);
      continue;
    }
    const blocks = windows.map((counts, w) => ({ start: starts[w]!, counts }));
    const calibrated = { ...column, calibration: calibrate(column, blocks, monitor.window) };
    findings.push(...baselineFindings(calibrated, blocks, monitor.window));
    columns.push(calibrated);
  }
  const { earliest, latest, rows } = summary;
  const range = earliest === null || latest === null ? null : { from: earliest, to: latest, rows };
  const volume = spans === null || range === null ? null : wholeWindows(range, spans, rowsByWindow);
  if (volume !== null) findings.push(...volumeFindings(volume));
  const performance =
    answer === null || asked === null || asked.performance === null
      ? null
      : performanceBaseline(await performanceCounts(answer, monitor, columns, rowsByWindow), monitor);
  return makeBaseline({
    model: monitor.model,
    version,
    source: {
      kind: 'file',
      name: summary.called,
      from: range === null ? null : new Date(range.from).toISOString(),
      to: range === null ? null : new Date(range.to).toISOString(),
    },
    rows,
    window:
      spans === null ? null : { every: monitor.window.every, timezone: monitor.window.timezone, count: spans.length },
    columns,
    volume,
    performance,
    findings,
  });
}

function columnSummary(
  { name, role, type, bucketed }: ProfiledColumn,
  summary: ColumnSummary,
  rows: number,
  shown: string,
  findings: Problem[],
): Parameters<typeof columnBaseline>[0] {
  const { wrongType, notFinite, distinct, steps, top, fractions, mean, std } = summary;
  if (type === 'categorical') return { type, name, role, rows, missing: summary.missing, distinct, top };
  if (wrongType > 0) findings.push(wrongNumbers(shown, name, wrongType, rows - summary.missing));
  const missing = summary.missing + wrongType;
  const leastRows = bucketed ? BUCKET_ROWS : 1;
  const integer = fractions === 0;
  return { type, name, role, rows, missing, nonFinite: notFinite, integer, mean, std, distinct, steps, leastRows };
}

function spansOf(summary: TableSummary, shown: string, monitor: Monitor, findings: Problem[]): readonly Span[] | null {
  const { time } = monitor.columns;
  if (time === undefined) return null;
  const { earliest, latest, rows, timed } = summary;
  if (earliest === null || latest === null) throw noTimes(shown, time);
  const { spans, quantum } = referenceWindows(
    { from: earliest, to: latest, absent: rows - timed, rows, time },
    monitor.window,
    findings,
  );
  return quantum === null ? null : spans;
}

async function performanceCounts(
  answer: WindowsAnswer,
  { task }: Monitor,
  columns: readonly ColumnBaseline[],
  rows: readonly number[],
): Promise<PerformanceCounts[]> {
  const regression = task === 'regression';
  const { keys, sums } = regression ? REGRESSION_COLUMNS : CLASSIFICATION_COLUMNS;
  const groups = await answer.groups(keys, sums);
  const labels = await answer.labels();
  const fixedPoint = regressionFixedPoint({ columns });
  return groups.map((cells, w) => {
    const coverage = { predictions: rows[w] ?? 0, labels: labels[w] ?? 0, conflicts: 0 };
    return regression ? regressionCountsOf(cells, fixedPoint, coverage) : classificationCountsOf(cells, coverage);
  });
}
