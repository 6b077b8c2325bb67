/** A baseline from a table: reads it in a few passes, bins, counts by window, calibrates. */
import {
  countAll,
  countRows,
  distinctNumbers,
  mapWindows,
  numberBinning,
  timeRange,
  topCategories,
  type WindowMap,
} from '../adapters/duckdb/summaries.ts';
import { type Table, type TableColumn, timeSql } from '../adapters/duckdb/table.ts';
import type { Baseline, ColumnBaseline, NumericBaseline, VolumeBaseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { volumeFindings } from '../engine/baseline-findings.ts';
import {
  type CategoricalSummary,
  columnBaseline,
  makeBaseline,
  type NumericSummary,
  VOCABULARY,
} from '../engine/baseline-maker.ts';
import { BUCKET_ROWS } from '../engine/bucketed-column.ts';
import type { SummarisedNumbers } from '../engine/number-summary.ts';
import type { ValueStep } from '../engine/numeric-bins.ts';
import { performanceBaseline } from '../engine/performance.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import type { Span } from '../engine/window.ts';
import { calibratedColumns } from './calibrated-columns.ts';
import { type AbsentNumbers, NumberColumns, type NumberReader } from './number-columns.ts';
import { performanceCountsOfTable } from './performance-of-table.ts';
import { noTimes, referenceWindows, wholeWindows } from './reference-windows.ts';
import {
  chooseColumns,
  isIdentifierNumber,
  isIdentifierText,
  leftOut,
  OPTIONAL_ROLES,
  type TableColumns,
  type WatchedColumn,
} from './table-columns.ts';
import { wrongNumbers } from './wrong-numbers.ts';

export interface BaselineRequest {
  readonly table: Table;
  readonly monitor: Monitor;
  /** Version of the model that the data belongs to. */
  readonly version: string | null;
  /** What to call the data in the baseline. @default the table's name */
  readonly name?: string;
  readonly kind?: Baseline['source']['kind'];
  /** Columns whose values are the middles of the bins of another baseline: they keep those bins. By name. */
  readonly inBinsOf?: ReadonlyMap<string, NumericBaseline>;
  /** Reads columns of numbers, and is not closed. @default one of its own */
  readonly reader?: NumberReader;
  /** Called with what is being done. */
  readonly progress?: (what: string) => void;
}

/**
 * Makes a baseline of every column that is watched.
 * @throws ProblemError for data without rows or columns, and for columns that are named and not there or of the wrong type
 */
export async function baselineFromTable(request: BaselineRequest): Promise<Baseline> {
  if (request.reader !== undefined) return madeFromTable(request, request.reader);
  const reader = new NumberColumns(request.table.db.threads);
  try {
    return await madeFromTable(request, reader);
  } finally {
    await reader.close();
  }
}

async function madeFromTable(request: BaselineRequest, reader: NumberReader): Promise<Baseline> {
  const { table, monitor, progress = () => undefined } = request;
  if (table.rows === 0)
    throw new ProblemError([
      { code: 'no-rows', path: table.shown, message: 'has no rows', expected: 'reference data with at least one row' },
    ]);
  const columns = chooseColumns(table, { ...monitor, optional: OPTIONAL_ROLES });
  const findings: Problem[] = [...columns.findings];
  progress('reading columns');
  const summarised = await columnBaselines(table, columns.watched, { reader, findings, progress });
  const made: MadeColumn[] = [];
  for (const one of summarised) {
    const bins = one.column.type === 'numeric' ? request.inBinsOf?.get(one.column.name) : undefined;
    made.push(bins === undefined ? one : await inBinsOf(bins, table, one));
  }
  if (made.length === 0)
    throw new ProblemError([
      ...findings,
      {
        code: 'no-columns',
        path: table.shown,
        message: 'has no column to watch',
        expected: 'at least one number, text or boolean column',
      },
    ]);
  progress('cutting windows');
  const cut = columns.time === null ? null : await cutWindows(table, columns.time, monitor, findings);
  const windows: MappedWindows | null = cut === null || cut.map === null ? null : { ...cut, map: cut.map };
  const calibrated =
    windows === null
      ? made.map(({ column }) => column)
      : await calibratedColumns(
          table,
          made.map(({ column, watched }) => ({ column, source: watched.source })),
          windows.map,
          { window: monitor.window, findings, progress },
        );
  const volume = windows === null ? null : await volumeOf(table, windows);
  if (volume !== null) findings.push(...volumeFindings(volume));
  progress('measuring performance');
  const counts = await performanceCountsOfTable({
    table,
    task: monitor.task,
    columns,
    windows: windows?.map ?? null,
    fixedPoint: regressionFixedPoint({ columns: calibrated }),
  });
  return makeBaseline({
    model: monitor.model,
    version: request.version,
    source: {
      kind: request.kind ?? 'file',
      name: request.name ?? table.shown,
      from: cut === null ? null : new Date(cut.from).toISOString(),
      to: cut === null ? null : new Date(cut.to).toISOString(),
    },
    rows: table.rows,
    window:
      windows === null
        ? null
        : { every: monitor.window.every, timezone: monitor.window.timezone, count: windows.spans.length },
    columns: calibrated,
    volume,
    performance: counts === null ? null : performanceBaseline(counts, monitor),
    findings,
  });
}

interface MadeColumn {
  readonly column: ColumnBaseline;
  readonly watched: WatchedColumn;
}

interface Reading {
  readonly reader: NumberReader;
  readonly findings: Problem[];
  readonly progress: (what: string) => void;
}

/** Baselines without calibration. Columns that look like identifiers and were not asked for are left out, with a finding. */
async function columnBaselines(
  table: Table,
  watched: TableColumns['watched'],
  { reader, findings, progress }: Reading,
): Promise<MadeColumn[]> {
  const numbers = watched.filter(({ type }) => type === 'numeric');
  const sources = numbers.map(({ source }) => source);
  progress('summarising columns');
  // The database groups texts while a thread works on numbers.
  const [{ answers, absent }, texts] = await Promise.all([
    summarised(table, sources, reader),
    textSummaries(
      table,
      watched.filter(({ type }) => type !== 'numeric'),
    ),
  ]);
  const made: MadeColumn[] = [];
  for (const one of watched) {
    const at = numbers.indexOf(one);
    const summary = texts.get(one) ?? (await numberSummary(table, one, { ...answers[at]!, ...absent[at]! }, findings));
    if (isIdentifier(table, one, summary))
      findings.push(
        leftOut(
          one.name,
          'it looks like an identifier',
          undefined,
          'name it under `features` to watch it all the same',
        ),
      );
    else made.push({ column: columnBaseline(summary), watched: one });
  }
  return made;
}

async function summarised(table: Table, sources: readonly TableColumn[], reader: NumberReader) {
  const answers = await reader.summarise(table, sources);
  return { answers, absent: await reader.absent(table, sources, answers) };
}

async function textSummaries(
  table: Table,
  texts: readonly WatchedColumn[],
): Promise<Map<WatchedColumn, CategoricalSummary>> {
  const summaries = new Map<WatchedColumn, CategoricalSummary>();
  for (const one of texts) summaries.set(one, await textSummary(table, one));
  return summaries;
}

function isIdentifier(
  table: Table,
  { declared, name }: WatchedColumn,
  summary: NumericSummary | CategoricalSummary,
): boolean {
  if (declared) return false;
  const count = table.rows - summary.missing;
  return summary.type === 'categorical'
    ? isIdentifierText(summary.distinct, count)
    : isIdentifierNumber(name, { ...summary, ...endsOf(summary.steps) }, summary.distinct, count);
}

function endsOf(steps: readonly ValueStep[]): { readonly min: number | null; readonly max: number | null } {
  return { min: steps[0]?.value ?? null, max: steps.at(-1)?.value ?? null };
}

/** Bins of middles would be bins around the middles, and the next values of the collector would fall between them. */
async function inBinsOf(
  { bins, center, unit, integer, min, max, bucketed }: NumericBaseline,
  table: Table,
  { column, watched }: MadeColumn,
): Promise<MadeColumn> {
  if (column.type !== 'numeric') return { column, watched };
  const counts = (await countAll(table, numberBinning(watched.source, bins.edges))).slice(0, -1);
  return { watched, column: { ...column, bins, counts, center, unit, integer, min, max, bucketed } };
}

async function numberSummary(
  table: Table,
  { source, name, role, bucketed, declared }: WatchedColumn,
  { facts, steps, ...absent }: SummarisedNumbers & AbsentNumbers,
  findings: Problem[],
): Promise<NumericSummary> {
  const present = table.rows - absent.missing;
  if (absent.invalid > 0) findings.push(wrongNumbers(table.shown, name, absent.invalid, present));
  const missing = absent.missing + absent.invalid;
  const { nonFinite } = absent;
  const { integer, mean, std, few } = facts;
  // Only for what would be an identifier if all its values were different it is worth while to count them.
  const allDiffer = steps.every(({ count }) => count === 1);
  const asked = !declared && allDiffer && isIdentifierNumber(name, facts, facts.count, facts.count);
  const distinct = few?.length ?? (asked ? await distinctNumbers(table, source) : Number.POSITIVE_INFINITY);
  const leastRows = bucketed === true ? BUCKET_ROWS : 1;
  return {
    type: 'numeric',
    name,
    role,
    rows: table.rows,
    missing,
    nonFinite,
    integer,
    mean,
    std,
    steps,
    distinct,
    leastRows,
  };
}

async function textSummary(table: Table, { source, name, role }: WatchedColumn): Promise<CategoricalSummary> {
  return { type: 'categorical', name, role, rows: table.rows, ...(await topCategories(table, source, VOCABULARY)) };
}

export interface TableWindows {
  /** First and last instant of the data. */
  readonly from: number;
  readonly to: number;
  readonly spans: readonly Span[];
  /** `null` when there are too many windows. */
  readonly map: WindowMap | null;
}

interface MappedWindows extends TableWindows {
  readonly map: WindowMap;
}

/** Cuts the table's rows into the monitor's windows. Throws ProblemError when no row has a time. */
export async function cutWindows(
  table: Table,
  column: TableColumn,
  monitor: Pick<Monitor, 'window'>,
  findings: Problem[],
): Promise<TableWindows> {
  const time = await timeSql(table, column);
  const range = await timeRange(table, time);
  if (range === null) throw noTimes(table.shown, column.name);
  const { from, to, absent } = range;
  const { spans, quantum } = referenceWindows(
    { from, to, absent, rows: table.rows, time: column.name },
    monitor.window,
    findings,
  );
  return { from, to, spans, map: quantum === null ? null : await mapWindows(table, time, spans, quantum) };
}

/** Rows of the windows that the data covers as a whole. */
async function volumeOf(table: Table, { map, from, to, spans }: MappedWindows): Promise<VolumeBaseline> {
  return wholeWindows({ from, to, rows: table.rows }, spans, await countRows(map, table));
}
