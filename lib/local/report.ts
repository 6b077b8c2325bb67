/** Compares two data sets, or a data set with a baseline: the same verdict as on windows of a stream, taken once. */

import { timeRange } from '../adapters/duckdb/summaries.ts';
import type { Table } from '../adapters/duckdb/table.ts';
import { timeSql } from '../adapters/duckdb/table.ts';
import type { Baseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import { type Monitor, parseMonitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { FeatureResult, QualityCheck } from '../contracts/result.ts';
import { BUCKET_ROWS } from '../engine/bucketed-column.ts';
import { reportLevelOf } from '../engine/budget.ts';
import type { ColumnCounts } from '../engine/column-counts.ts';
import { judgeScores } from '../engine/column-verdict.ts';
import { testTypes } from '../engine/named-tests.ts';
import type { OtherTests } from '../engine/other-tests.ts';
import { type JudgedPerformance, performanceResult } from '../engine/performance.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { type QualityColumn, qualityChecks } from '../engine/quality.ts';
import { LEAST_ROWS } from '../engine/score-judge.ts';
import { smallestEffect } from '../engine/verdict.ts';
import { baselineFromTable } from './baseline-from-table.ts';
import { chosenFor, type DecidedFeature, decideByTests, refuseTooManyValues, type TestChoice } from './chosen-tests.ts';
import { countsOfTable, newColumns } from './counts-of-table.ts';
import { NumberColumns } from './number-columns.ts';
import { performanceCountsOfTable } from './performance-of-table.ts';
import { chooseColumns, OPTIONAL_ROLES } from './table-columns.ts';
import { type TestedColumn, TestedColumns } from './tested-columns.ts';

/** `report --format json` (docs/reference/command-line.md). */
export interface Report {
  readonly schema: 'mlmon.report/v1';
  /** `null` without a monitor. */
  readonly model: string | null;
  readonly reference: { readonly rows: number };
  readonly current: { readonly rows: number };
  readonly null: 'calibrated' | 'independent';
  readonly drift: { readonly drifted: boolean; readonly driftedFeatures: number; readonly features: number };
  readonly features: readonly ReportFeature[];
  readonly quality: readonly Pick<QualityCheck, 'check' | 'feature' | 'status' | 'value' | 'expected'>[];
  readonly performance: JudgedPerformance | null;
}

const FEATURE_KEYS = [
  'name',
  'type',
  'status',
  'test',
  'statistic',
  'pValue',
  'threshold',
  'effect',
  'referenceCount',
  'currentCount',
  'missingReference',
  'missingCurrent',
] as const;
/** `score`: the number that a product reports, where a dialect decided. */
export type ReportFeature = Pick<FeatureResult, (typeof FEATURE_KEYS)[number]> & { readonly score?: number | null };

/** What people read: everything, in words. */
export interface Comparison {
  readonly report: Report;
  readonly features: readonly DecidedFeature[];
  readonly quality: readonly QualityCheck[];
  readonly baseline: Baseline;
  /** What was counted, a column of the baseline each: what is drawn. */
  readonly columns: readonly QualityColumn[];
  /** Tests decide that were chosen. */
  readonly tested: boolean;
  readonly findings: readonly Problem[];
}

export interface ReportRequest {
  /** Data, or a baseline made from it before. */
  readonly reference: Table | Baseline;
  readonly current: Table;
  /** `null`: everything is inferred from the reference. */
  readonly monitor: Monitor | null;
  /** Column of the reference that the null is calibrated over; overrides the monitor's. */
  readonly time: string | null;
  /** Tests on raw values that decide instead of the calibrated verdict. */
  readonly tests?: readonly TestChoice[];
  /** Tests that are shown beside the verdict. @default all */
  readonly others?: OtherTests;
  readonly progress?: (what: string) => void;
}

/** @throws ProblemError for data without rows, without common columns, or without a column that is named */
export async function compareTables(request: ReportRequest): Promise<Comparison> {
  const reader = new NumberColumns(request.current.db.threads);
  try {
    return await compared(request, reader);
  } finally {
    await reader.close();
  }
}

async function compared(request: ReportRequest, numbers: NumberColumns): Promise<Comparison> {
  const { current, tests = [], progress = () => undefined } = request;
  if (current.rows === 0)
    throw new ProblemError([
      { code: 'no-rows', path: current.shown, message: 'has no rows', expected: 'current data with at least one row' },
    ]);
  const raw = tests.length === 0 ? null : rawReference(request);
  const monitor = await monitorOf(request);
  const reader = new TestedColumns(numbers);
  if (raw !== null)
    await reader.test({ reference: raw, current, progress }, testedColumns(raw, current, monitor, tests));
  const baseline =
    'schema' in request.reference
      ? request.reference
      : await baselineFromTable({ table: request.reference, monitor, version: null, reader, progress });
  const common = baseline.columns.filter(({ name }) => current.column(name) !== undefined);
  if (common.length === 0)
    throw new ProblemError([
      {
        code: 'no-common-columns',
        path: current.shown,
        message: 'has no column in common with the reference',
        got: current.columns.map(({ name }) => name).join(', '),
        expected: `some of ${baseline.columns.map(({ name }) => name).join(', ')}`,
      },
    ]);
  const counts = await countsOfTable(current, baseline.columns, { reader, progress });
  const span = await spanOf(current, monitor);
  const options = {
    level: reportLevelOf(common.length),
    smallestEffect: smallestEffect(monitor),
    minimumRows: request.monitor === null ? LEAST_ROWS : monitor.window.minimumRows,
    span,
    confirmation: { m: 1, n: 1 },
    others: request.others ?? 'all',
  };
  const columns = baseline.columns.map((column, i): QualityColumn => {
    const of =
      counts[i] ??
      absentCounts(current.rows, column.type === 'numeric' ? column.counts.length : column.categories.length);
    return { name: column.name, baseline: column, counts: of, judged: judgeScores(column, of, options) };
  });
  const verdicts = columns.flatMap(({ judged }, i) => (counts[i] === null || judged === null ? [] : [judged.result]));
  const features: readonly DecidedFeature[] =
    raw === null
      ? verdicts
      : await decideByTests(verdicts, tests, { reference: raw, current, answers: reader.answers, progress });
  const quality = monitor.quality === 'off' ? [] : await qualityOf(request, monitor, baseline, columns);
  const performance = await performanceOf(current, monitor, baseline);
  const drifted = features.filter(({ status }) => status === 'drifted').length;
  const report: Report = {
    schema: 'mlmon.report/v1',
    model: request.monitor === null ? null : monitor.model,
    reference: { rows: baseline.rows },
    current: { rows: current.rows },
    null: baseline.columns.some(({ calibration }) => calibration !== null) ? 'calibrated' : 'independent',
    drift: { drifted: drifted > 0, driftedFeatures: drifted, features: features.length },
    features: features.map(
      (feature) =>
        ({
          ...Object.fromEntries(FEATURE_KEYS.map((key) => [key, feature[key]])),
          ...(feature.score === undefined ? {} : { score: feature.score }),
        }) as unknown as ReportFeature,
    ),
    quality: quality.map(({ check, feature, status, value, expected }) => ({
      check,
      feature,
      status,
      value,
      expected,
    })),
    performance,
  };
  return { report, features, quality, baseline, columns, tested: raw !== null, findings: baseline.findings };
}

/** A baseline holds no raw values. */
function rawReference({ reference, current }: ReportRequest): Table {
  if ('schema' in reference)
    throw new ProblemError([
      {
        code: 'no-raw-values',
        path: '--test',
        message: 'needs the raw values of both sides, and a baseline has none',
        expected: 'a data file as --reference',
        fix: 'give the data that the baseline was made from, or leave --test out',
      },
    ]);
  refuseTooManyValues(reference, current);
  return reference;
}

/** Numbers that a test on raw values decides. */
function testedColumns(
  reference: Table,
  current: Table,
  monitor: Monitor,
  tests: readonly TestChoice[],
): TestedColumn[] {
  const { watched } = chooseColumns(reference, { ...monitor, optional: OPTIONAL_ROLES });
  return watched.flatMap(({ source, name, type, bucketed }): TestedColumn[] => {
    const test = type === 'numeric' ? chosenFor({ name, type }, tests) : null;
    const other = current.column(name);
    if (test === null || testTypes(test)?.includes('numeric') !== true || other === undefined) return [];
    const leastRows = bucketed === true ? BUCKET_ROWS : 1;
    // Chunks of rows are cut in their order.
    return [{ reference: source, current: other, test, ordered: test.endsWith('@nannyml'), leastRows }];
  });
}

async function monitorOf({ monitor, time, reference }: ReportRequest): Promise<Monitor> {
  if (monitor !== null && time === null) return monitor;
  const base = monitor ?? parseMonitor({ model: 'report' }).monitor;
  if (base === null) throw new Error('the default monitor is not valid');
  if (time === null) return base;
  const named = { ...base, columns: { ...base.columns, time } };
  if (monitor !== null || 'schema' in reference) return named;
  return { ...named, window: { ...named.window, every: await windowFor(reference, named) } };
}

/** Without a monitor: the longest window of which the reference still has two weeks' worth. */
export async function windowFor(reference: Table, monitor: Monitor): Promise<string> {
  const column = chooseColumns(reference, { columns: { time: monitor.columns.time }, features: {}, task: 'none' }).time;
  const range = column === null ? null : await timeRange(reference, await timeSql(reference, column));
  if (range === null) return '1d';
  return ['1d', '1h', '15m'].find((every) => range.to - range.from >= 14 * durationMs(every)) ?? '1m';
}

async function spanOf(current: Table, monitor: Monitor): Promise<{ start: number; end: number } | null> {
  const column = monitor.columns.time === undefined ? undefined : current.column(monitor.columns.time);
  if (column === undefined) return null;
  const range = await timeRange(current, await timeSql(current, column));
  return range === null ? null : { start: range.from, end: range.to + 1 };
}

async function qualityOf(
  { current, monitor: given }: ReportRequest,
  monitor: Monitor,
  baseline: Baseline,
  columns: readonly QualityColumn[],
): Promise<QualityCheck[]> {
  const known = new Set([
    ...baseline.columns.map(({ name }) => name),
    ...baseline.findings.filter(({ code }) => code === 'left-out').map(({ path }) => path),
    ...Object.values(monitor.columns),
    ...Object.keys(monitor.features ?? {}),
  ]);
  // A monitor that lists its features has said that it cares for no others.
  const added = given?.features === undefined ? await newColumns(current, known) : [];
  const distinct = await distinctIds(current, monitor);
  const checks = qualityChecks(columns, {
    rows: current.rows,
    weightedRows: current.rows,
    column: (index) => columns[index]?.counts ?? absentCounts(0, 0),
    segments: () => [],
    latency: { count: 0, zero: 0, scale: 3, buckets: [] },
    distinctIds: () => distinct ?? current.rows,
    newFeatures: () => added,
  });
  return distinct === null ? checks.filter(({ check }) => check !== 'duplicates') : checks;
}

/** Exact; `null` when no column is the id. */
async function distinctIds(table: Table, monitor: Monitor): Promise<number | null> {
  const { id } = monitor.columns;
  const column = id === undefined ? undefined : table.column(id);
  if (column === undefined) return null;
  const { identifier } = await import('../adapters/duckdb/load.ts');
  const [row] = await table.db.rows(`SELECT count(DISTINCT ${identifier(column.name)}) AS n FROM ${table.relation}`);
  return Number(row?.['n'] ?? 0);
}

async function performanceOf(current: Table, monitor: Monitor, baseline: Baseline): Promise<JudgedPerformance | null> {
  const find = (name: string | undefined) => (name === undefined ? null : (current.column(name) ?? null));
  const { truth, score, prediction, weight } = monitor.columns;
  const counts = await performanceCountsOfTable({
    table: current,
    task: monitor.task,
    columns: { truth: find(truth), score: find(score), prediction: find(prediction), weight: find(weight) },
    windows: null,
    fixedPoint: regressionFixedPoint(baseline),
  });
  const [all] = counts ?? [];
  if (all === undefined || all.labels === 0) return null;
  return performanceResult(all, monitor, baseline.performance, { mature: true });
}

function absentCounts(rows: number, bins: number): ColumnCounts {
  return {
    n: rows,
    missing: rows,
    nonFinite: 0,
    invalid: 0,
    bins: new Array<number>(bins).fill(0),
    unseen: { total: 0, top: [] },
    weighted: null,
    mean: null,
    std: null,
  };
}
