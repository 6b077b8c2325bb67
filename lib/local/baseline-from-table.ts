/** A baseline from a table: reads it in a few passes, bins, counts by window, calibrates. */
import {
  type Binning,
  categoryBinning,
  countAll,
  countBins,
  countRows,
  mapWindows,
  type NumberFacts,
  numberBinning,
  numberFacts,
  timeRange,
  topCategories,
  valueSteps,
  type WindowMap,
} from '../adapters/duckdb/summaries.ts';
import { type Table, type TableColumn, timeSql } from '../adapters/duckdb/table.ts';
import type { Baseline, ColumnBaseline, NumericBaseline, VolumeBaseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { baselineFindings, volumeFindings } from '../engine/baseline-findings.ts';
import {
  type CategoricalSummary,
  columnBaseline,
  makeBaseline,
  type NumericSummary,
  VOCABULARY,
} from '../engine/baseline-maker.ts';
import { BUCKET_ROWS } from '../engine/bucketed-column.ts';
import { calibrate } from '../engine/calibration.ts';
import { FEW_VALUES, FINE_PARTS, quantileRanks } from '../engine/numeric-bins.ts';
import { performanceBaseline } from '../engine/performance.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { ownCategories } from '../engine/verdict-bins.ts';
import { type Span, WindowRule } from '../engine/window.ts';
import { performanceCountsOfTable } from './performance-of-table.ts';
import {
  chooseColumns,
  isIdentifierNumber,
  isIdentifierText,
  leftOut,
  type TableColumns,
  type WatchedColumn,
} from './table-columns.ts';

const QUARTER = 900_000;
/** More windows than this are not calibrated on: choose a longer window. */
const MOST_WINDOWS = 50_000;
const MOST_TICKS = 5_000_000;
/** Times are often kept in whole minutes. */
const TICK = 60_000;
/** Text in a column of numbers: beyond this share the type is taken to be wrong. */
const MOST_INVALID = 0.5;

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
  /** Called with what is being done. */
  readonly progress?: (what: string) => void;
}

/**
 * Makes a baseline of every column that is watched.
 * @throws ProblemError for data without rows or columns, and for columns that are named and not there or of the wrong type
 */
export async function baselineFromTable(request: BaselineRequest): Promise<Baseline> {
  const { table, monitor, progress = () => undefined } = request;
  if (table.rows === 0)
    throw new ProblemError([
      { code: 'no-rows', path: table.shown, message: 'has no rows', expected: 'reference data with at least one row' },
    ]);
  const columns = chooseColumns(table, { ...monitor, optional: ['truth', 'weight', 'latency', 'id', 'version'] });
  const findings: Problem[] = [...columns.findings];
  progress('reading columns');
  const summarised = await columnBaselines(table, columns.watched, findings, progress);
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
  const calibrated: ColumnBaseline[] = [];
  for (const { column, watched } of made) {
    progress(`calibrating ${column.name}`);
    calibrated.push(
      windows === null ? column : await calibratedColumn(table, column, watched.source, windows, monitor, findings),
    );
  }
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

/** Baselines without calibration. Columns that look like identifiers and were not asked for are left out, with a finding. */
export async function columnBaselines(
  table: Table,
  watched: TableColumns['watched'],
  findings: Problem[],
  progress: (what: string) => void = () => undefined,
): Promise<MadeColumn[]> {
  const numbers = watched.filter(({ type }) => type === 'numeric');
  const facts = await numberFacts(
    table,
    numbers.map(({ source }) => source),
  );
  const made: MadeColumn[] = [];
  for (const one of watched) {
    progress(`summarising ${one.name}`);
    const at = numbers.indexOf(one);
    const fact = facts[at];
    const summary =
      fact === undefined ? await textSummary(table, one) : await numberSummary(table, one, fact, findings);
    const count = table.rows - summary.missing;
    const identifier =
      !one.declared &&
      (summary.type === 'categorical'
        ? isIdentifierText(summary.distinct, count)
        : fact !== undefined && isIdentifierNumber(one.name, fact, summary.distinct, count));
    if (identifier)
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
  { source, name, role, bucketed }: WatchedColumn,
  facts: NumberFacts,
  findings: Problem[],
): Promise<NumericSummary> {
  const present = table.rows - facts.missing;
  if (facts.invalid > 0) {
    const problem: Problem = {
      code: 'not-numbers',
      path: `${table.shown}: ${name}`,
      message: 'is taken as a number and holds values that are none',
      got: `${facts.invalid} of ${present} values`,
      fix: 'declare it as categorical, or mend the data',
    };
    if (facts.invalid > MOST_INVALID * present) throw new ProblemError([problem]);
    findings.push({ ...problem, path: name });
  }
  const missing = facts.missing + facts.invalid;
  const n = table.rows - missing - facts.nonFinite;
  const { steps, distinct } = await valueSteps(table, source, n, {
    parts: FINE_PARTS,
    ranks: quantileRanks(n),
    few: FEW_VALUES,
  });
  const leastRows = bucketed === true ? BUCKET_ROWS : 1;
  return { type: 'numeric', name, role, rows: table.rows, ...facts, missing, steps, distinct, leastRows };
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
  if (range === null)
    throw new ProblemError([
      {
        code: 'no-times',
        path: `${table.shown}: ${column.name}`,
        message: 'is the time column and holds no time that can be read',
        expected: 'timestamps, RFC 3339 text, or seconds since 1970',
      },
    ]);
  if (range.absent > 0)
    findings.push({
      code: 'rows-without-time',
      path: column.name,
      message: 'rows without a readable time belong to no window',
      got: `${range.absent} of ${table.rows} rows`,
    });
  const every = durationMs(monitor.window.every);
  const many = (range.to - range.from) / every > MOST_WINDOWS;
  const spans = many ? [] : spansBetween(new WindowRule(monitor.window, [monitor.window.every]), range.from, range.to);
  const quantum = commonQuantum(spans, every);
  if (many || (range.to - range.from) / quantum > MOST_TICKS) {
    findings.push({
      code: 'too-many-windows',
      path: 'window.every',
      message: 'is too short for the time that the reference covers, so nothing is calibrated on it',
      got: monitor.window.every,
      expected: `at most ${MOST_WINDOWS} windows`,
      fix: 'give less reference data or a longer window',
    });
    return { from: range.from, to: range.to, spans, map: null };
  }
  return { from: range.from, to: range.to, spans, map: await mapWindows(table, time, spans, quantum) };
}

function spansBetween(rule: WindowRule, from: number, to: number): Span[] {
  const spans: Span[] = [];
  for (let at = from; at <= to; ) {
    const span = rule.windowAt(at);
    spans.push({ start: span.start, end: span.end });
    at = span.end;
  }
  return spans;
}

/** The longest step that all bounds are multiples of: a quarter of an hour for nearly all zones and lengths. */
function commonQuantum(spans: readonly Span[], every: number): number {
  let quantum = greatestCommon(QUARTER, every);
  for (const { start, end } of spans) {
    quantum = greatestCommon(quantum, Math.abs(start));
    quantum = greatestCommon(quantum, Math.abs(end));
  }
  return quantum;
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b);
}

async function calibratedColumn(
  table: Table,
  column: ColumnBaseline,
  source: TableColumn,
  { map }: { readonly map: WindowMap },
  monitor: Monitor,
  findings: Problem[],
): Promise<ColumnBaseline> {
  const counts = await countBins(map, table, await verdictBinning(table, column, source));
  const blocks = map.starts.map((start, i) => ({ start, counts: counts[i] ?? [] }));
  const calibrated = { ...column, calibration: calibrate(column, blocks, monitor.window) };
  findings.push(...baselineFindings(calibrated, blocks, monitor.window));
  return calibrated;
}

/** Verdict bins of a column, and last what has no value. */
async function verdictBinning(
  table: Table,
  column: ColumnBaseline,
  source: TableColumn,
): Promise<Binning & { readonly join?: string }> {
  if (column.type === 'numeric') return numberBinning(source, column.bins.edges, column.bins.verdictBin);
  const own = ownCategories(column.counts, column.count);
  return categoryBinning(table, source, column.categories, column.verdictBin, column.other > 0 ? own : null);
}

/** Rows of the windows that the data covers as a whole. */
async function volumeOf(table: Table, { map, from, to, spans }: MappedWindows): Promise<VolumeBaseline> {
  const rows = await countRows(map, table);
  // Data that begins or ends in mid-window would look like low traffic there.
  const expectedGap = (to - from) / Math.max(1, table.rows);
  const whole = spans.map(
    ({ start, end }) => from - start <= 10 * expectedGap + TICK && end - to <= 10 * expectedGap + TICK,
  );
  return { starts: map.starts.filter((_, i) => whole[i]), rows: rows.filter((_, i) => whole[i]) };
}
