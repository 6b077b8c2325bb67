/** Replays past data through a monitor: what it would have said of every window, and which episodes it would have opened. */
import type { WindowMap } from '../adapters/duckdb/summaries.ts';
import { type Table, type TableColumn, timeSql } from '../adapters/duckdb/table.ts';
import type { Baseline } from '../contracts/baseline.ts';
import type { Episode } from '../contracts/episode.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { FeatureResult, Severity, Signal, Verdict, WindowResult } from '../contracts/result.ts';
import { type ExpectedOpenings, expectedOpenings, judgesVolume } from '../engine/expected-openings.ts';
import { latencyLimits } from '../engine/latency-verdict.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { compileShape, type Shape } from '../engine/shape.ts';
import type { Span } from '../engine/window.ts';
import { type BacktestRequest, prepare } from './backtest-preparation.ts';
import { cutWindows } from './baseline-from-table.ts';
import { performanceCountsOfTable } from './performance-of-table.ts';
import { replay, replayedSpans } from './replay.ts';
import { rowAt } from './row-windows.ts';
import type { WindowChoice } from './window-choice.ts';
import { countWindows, distinctIds } from './window-counts.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Silence at an end of the data, in mean distances of its rows, that says that the window is not all there. */
const SILENCE = 10;
/** Times are often kept in whole minutes. */
const TICK = 60_000;

/** RFC 3339; for windows of rows the number of rows before. */
export type Place = string | number;

/** `backtest --format json` (docs/how-to/backtest.md). */
export interface Backtest {
  readonly schema: 'mlmon.backtest/v1';
  readonly budget: { readonly falseAlertsPerMonth: number };
  readonly windows: readonly BacktestWindow[];
  readonly alerts: readonly BacktestAlert[];
}

export interface BacktestWindow {
  readonly start: Place;
  readonly end: Place;
  readonly rows: number;
  readonly status: Verdict;
  readonly driftedFeatures: readonly string[];
  readonly features: Readonly<
    Record<string, Pick<FeatureResult, 'status' | 'test' | 'statistic' | 'pValue' | 'effect'>>
  >;
}

export interface BacktestAlert {
  readonly signal: Signal;
  readonly features: readonly string[];
  /** End of the window that opened it. */
  readonly opened: Place;
  readonly closed: Place | null;
  readonly severity: Severity;
}

/** What people read beside the answer. */
export interface ReplayedHistory {
  readonly backtest: Backtest;
  readonly results: readonly WindowResult[];
  readonly episodes: readonly Episode[];
  readonly expected: ExpectedOpenings;
  /** Days of the clock that were replayed. */
  readonly days: number;
  readonly window: WindowChoice;
  readonly timezone: string;
  readonly baseline: Baseline;
  readonly rows: number;
  readonly findings: readonly Problem[];
}

/** @throws ProblemError naming all that keeps the data from being replayed */
export async function backtestTables(request: BacktestRequest): Promise<ReplayedHistory> {
  const { progress = () => undefined } = request;
  const prepared = await prepare(request);
  const { monitor, baseline, data, window } = prepared;
  const findings: Problem[] = [...prepared.findings, ...baseline.findings];
  const shape = compileShape(monitor, baseline);
  refuseStrangers(shape, data);
  progress('cutting windows');
  const cut = await cutWindows(data, prepared.time, monitor, findings);
  const { map, spans } = cut;
  if (map === null)
    throw new ProblemError([
      {
        code: 'too-many-windows',
        path: '--window',
        message: 'is too short for the time that the data covers',
        got: `${new Date(cut.from).toISOString()} to ${new Date(cut.to).toISOString()} in windows of ${monitor.window.every}`,
        fix: 'take a longer window, or leave out rows with a time far from all others',
      },
    ]);
  const counting = { table: data, shape, windows: map, monitor, progress };
  const counts = await countWindows(counting);
  const replayed = replayedSpans(shape, spans);
  const performance = await performanceOf(data, monitor, map, baseline);
  const isRows = window.kind === 'rows';
  const parts = isRows ? null : await hourlyRows(data, prepared.time, map);
  const distinct = await distinctIds(counting, replayed);
  progress('judging windows');
  const { windows, episodes } = replay(
    {
      shape,
      spans,
      counts,
      whole: isRows ? spans.map(() => false) : wholeSpans(spans, { ...cut, rows: data.rows }),
      parts,
      distinct,
      performance,
      labelledUntil: isRows ? null : cut.to,
    },
    replayed,
  );
  findings.push(...undecided(windows));
  const openings = expectedOpenings(shape, {
    volume: !isRows && judgesVolume(monitor, baseline),
    latency: latencyLimits(monitor) > 0 && monitor.columns.latency !== undefined,
    performance: performance !== null,
  });
  const expected = { low: openings.low / prepared.pace, high: openings.high / prepared.pace };
  const place = (iso: string): Place => (isRows ? rowAt(Date.parse(iso), window.rows, data.rows) : iso);
  return {
    backtest: {
      schema: 'mlmon.backtest/v1',
      budget: { falseAlertsPerMonth: Number(expected.high.toPrecision(9)) },
      windows: windows.map((result) => windowOf(result, place)),
      alerts: episodes.map(({ signal, features, opened, closed, severity }) => ({
        signal,
        features: features.map(({ name }) => name),
        opened: place(opened),
        closed: closed === null ? null : place(closed),
        severity,
      })),
    },
    results: windows,
    episodes,
    expected,
    days: (((spans.at(-1)?.end ?? 0) - (spans[0]?.start ?? 0)) / DAY) * prepared.pace,
    window,
    timezone: monitor.window.timezone,
    baseline,
    rows: data.rows,
    findings,
  };
}

/** The answer's places of an episode, for the text. */
export function placeOf({ window, rows }: ReplayedHistory, iso: string): Place {
  return window.kind === 'rows' ? rowAt(Date.parse(iso), window.rows, rows) : iso;
}

function refuseStrangers(shape: Shape, data: Table): void {
  const known = shape.columns.filter(({ baseline }) => baseline !== null).map(({ name }) => name);
  if (known.some((name) => data.column(name) !== undefined)) return;
  throw new ProblemError([
    {
      code: 'no-common-columns',
      path: data.shown,
      message: 'has no column in common with the reference',
      got: data.columns.map(({ name }) => name).join(', '),
      expected: `some of ${known.join(', ')}`,
    },
  ]);
}

/** Data that begins or ends in mid-window would look like low traffic there. */
function wholeSpans(
  spans: readonly Span[],
  { from, to, rows }: { readonly from: number; readonly to: number; readonly rows: number },
): boolean[] {
  const silence = (SILENCE * (to - from)) / Math.max(1, rows) + TICK;
  return spans.map(({ start, end }) => from - start <= silence && end - to <= silence);
}

/** Rows of each window by the start of their hour, as grains of a stream have it. */
async function hourlyRows(
  table: Table,
  column: TableColumn,
  { relation, column: window, starts }: WindowMap,
): Promise<{ start: number; rows: number }[][]> {
  const time = await timeSql(table, column);
  const found = await table.db.rows(
    `SELECT ${window} AS w, CAST(floor((${time}) / ${HOUR}) AS BIGINT) AS h, count(*) AS n FROM ${relation} WHERE ${window} IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  const parts: { start: number; rows: number }[][] = starts.map(() => []);
  for (const row of found) {
    const w = Number(row['w']);
    parts[w]?.push({ start: Math.max(starts[w] ?? 0, Number(row['h']) * HOUR), rows: Number(row['n']) });
  }
  return parts;
}

/** Windows without a verdict must not pass for quiet ones. */
function undecided(windows: readonly WindowResult[]): Problem[] {
  const judged = windows.filter(({ rows }) => rows > 0);
  const open = judged.filter(({ status }) => status !== 'ok' && status !== 'drifted');
  const [first] = open;
  if (first === undefined || 2 * open.length < judged.length) return [];
  return [
    {
      code: 'no-verdict',
      path: 'windows',
      message: `${open.length} of ${judged.length} ${noun(judged.length, 'window has', 'windows have')} no verdict`,
      got: first.reason ?? first.status,
      fix: 'take longer windows, a longer reference, or lower window.minimumRows in the monitor',
    },
  ];
}

async function performanceOf(data: Table, monitor: Monitor, windows: WindowMap, baseline: Baseline) {
  const find = (name: string | undefined) => (name === undefined ? null : (data.column(name) ?? null));
  const { truth, score, prediction, weight } = monitor.columns;
  return performanceCountsOfTable({
    table: data,
    task: monitor.task,
    columns: { truth: find(truth), score: find(score), prediction: find(prediction), weight: find(weight) },
    windows,
    fixedPoint: regressionFixedPoint(baseline),
  });
}

function windowOf({ start, end, rows, status, features }: WindowResult, place: (iso: string) => Place): BacktestWindow {
  return {
    start: place(start),
    end: place(end),
    rows,
    status,
    driftedFeatures: features.filter((feature) => feature.status === 'drifted').map(({ name }) => name),
    features: Object.fromEntries(
      features.map(({ name, status: own, test, statistic, pValue, effect }) => [
        name,
        { status: own, test, statistic, pValue, effect },
      ]),
    ),
  };
}
