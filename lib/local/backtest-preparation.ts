/** What is settled before a replay: the monitor, the window, the baseline, and the data on the clock that windows are cut on. */
import { timeRange } from '../adapters/duckdb/summaries.ts';
import { type Table, type TableColumn, timeSql } from '../adapters/duckdb/table.ts';
import type { Baseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import { type Monitor, parseMonitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { nearest, type Problem, ProblemError } from '../contracts/problem.ts';
import { LEARNED_WINDOWS } from '../engine/column-judge.ts';
import { LEAST_ROWS } from '../engine/score-judge.ts';
import { baselineFromTable } from './baseline-from-table.ts';
import { monitorOfRows, ROW_SPAN, rowTable } from './row-windows.ts';
import type { WindowChoice } from './window-choice.ts';

const DAY = 86_400_000;
/** Longest first. */
const USUAL_WINDOWS = ['7d', '1d', '1h', '15m', '1m'] as const;
const CALIBRATED_WINDOWS = 14;
/** On average: windows with half of it are still judged. */
const ENOUGH_ROWS = 2 * LEAST_ROWS;

export interface BacktestRequest {
  /** Data, or a baseline made from it before. */
  readonly reference: Table | Baseline;
  readonly data: Table;
  /** `null`: everything is inferred from the reference. */
  readonly monitor: Monitor | null;
  /** Overrides the monitor's. */
  readonly time: string | null;
  /** `null`: the monitor's, else what the reference has two weeks' worth of. */
  readonly window: WindowChoice | null;
  readonly progress?: (what: string) => void;
}

export interface Prepared {
  readonly monitor: Monitor;
  readonly baseline: Baseline;
  readonly data: Table;
  readonly time: TableColumn;
  readonly window: WindowChoice;
  /** Real time that passes in one unit of the clock that windows are cut on. */
  readonly pace: number;
  readonly findings: readonly Problem[];
}

export async function prepare(request: BacktestRequest): Promise<Prepared> {
  const { reference, data, progress } = request;
  const findings: Problem[] = [];
  const base = request.monitor ?? inferredMonitor();
  const name = request.time ?? base.columns.time;
  const timed: Monitor = { ...base, columns: { ...base.columns, time: name }, features: comparable(base.features) };
  const time = timeColumn(request, name);
  const known = 'schema' in reference ? null : reference;
  const ofReference = known === null || name === undefined ? undefined : known.column(name);
  if (known !== null && ofReference === undefined)
    findings.push({
      code: 'no-time-column',
      path: known.shown,
      message: `the reference has no column ${JSON.stringify(name)}, so nothing is calibrated on it and rows are taken as independent`,
      fix: 'give a reference with its times',
    });
  const window: WindowChoice = request.window ?? {
    kind: 'duration',
    every:
      request.monitor !== null
        ? base.window.every
        : 'schema' in reference
          ? (reference.window?.every ?? base.window.every)
          : await usualWindow(ofReference === undefined ? data : reference, ofReference ?? time),
  };
  if (window.kind === 'duration') {
    const monitor: Monitor = { ...timed, window: { ...timed.window, every: window.every } };
    const baseline =
      known === null
        ? (reference as Baseline)
        : await makeBaseline(known, monitor, ofReference !== undefined, progress);
    findings.push(...fewWindows(baseline, window.every));
    return { monitor, baseline, data, time, window, pace: 1, findings };
  }
  if (known === null)
    throw new ProblemError([
      {
        code: 'wrong-use',
        path: '--window',
        message:
          'windows of rows are calibrated on windows of as many rows, which a baseline made before does not have',
        fix: 'give the reference as data',
      },
    ]);
  const placed = await placedRows(data, time, window.rows, findings);
  const ms = placed.typicalMs ?? DAY;
  const monitor = monitorOfRows(timed, window.rows, ms);
  const calibrating = ofReference === undefined ? null : await placedRows(known, ofReference, window.rows, findings);
  const baseline = await makeBaseline(calibrating?.table ?? known, monitor, calibrating !== null, progress);
  findings.push(...fewWindows(baseline, `${window.rows} rows`));
  const column = placed.table.column(time.name) ?? time;
  return {
    monitor,
    baseline: { ...baseline, volume: null },
    data: placed.table,
    time: column,
    window,
    pace: ms / ROW_SPAN,
    findings,
  };
}

/**
 * Without a monitor: the longest window of which the reference has two weeks' worth and that usually has rows enough; where there is
 * none, the shortest with rows enough.
 */
export async function usualWindow(table: Table, column: TableColumn): Promise<string> {
  const time = await timeSql(table, column);
  const range = await timeRange(table, time);
  if (range === null) return '1d';
  const dated = table.rows - range.absent;
  const [row] = await table.db.rows(`SELECT bool_and((${time}) % ${DAY} = 0) AS d FROM ${table.relation}`);
  const gap = (range.to - range.from) / Math.max(1, dated - 1);
  // Dates say nothing of hours; the last row stands for the time until the next.
  const dates = row?.['d'] === true;
  const covered = range.to - range.from + (dates ? DAY : gap);
  const usable = USUAL_WINDOWS.filter(
    (every) => durationMs(every) * dated >= ENOUGH_ROWS * covered && (!dates || durationMs(every) >= DAY),
  );
  return (
    usable.find((every) => durationMs(every) <= DAY && covered >= CALIBRATED_WINDOWS * durationMs(every)) ??
    usable.findLast((every) => covered >= LEARNED_WINDOWS * durationMs(every)) ??
    '1d'
  );
}

function inferredMonitor(): Monitor {
  const { monitor } = parseMonitor({ model: 'backtest', window: { minimumRows: LEAST_ROWS } });
  if (monitor === null) throw new Error('the default monitor is not valid');
  return monitor;
}

/** Values of tables are not hashed, whatever is done to those of events. */
function comparable(features: Monitor['features']): Monitor['features'] {
  if (features === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(features).map(([name, rule]) => [name, rule.policy === 'hash' ? { ...rule, policy: 'keep' } : rule]),
  );
}

function timeColumn({ data }: BacktestRequest, name: string | undefined): TableColumn {
  const problems: Problem[] = [];
  if (data.rows === 0)
    problems.push({
      code: 'no-rows',
      path: data.shown,
      message: 'has no rows',
      expected: 'data with at least one row',
    });
  const column = name === undefined ? undefined : data.column(name);
  if (name === undefined)
    problems.push({
      code: 'missing-option',
      path: '--time',
      message: 'is required: a replay needs to know when each row happened',
      fix: 'name the time column, or give a monitor with columns: { time: … }',
    });
  else if (column === undefined) {
    const names = data.columns.map((one) => one.name);
    const near = nearest(name, names);
    problems.push({
      code: 'no-such-column',
      path: `${data.shown}: --time`,
      message: `there is no column ${JSON.stringify(name)}`,
      expected: `one of ${names.join(', ')}`,
      fix: near === undefined ? undefined : `did you mean ${near}?`,
    });
  }
  if (problems.length > 0 || column === undefined) throw new ProblemError(problems);
  return column;
}

async function makeBaseline(
  table: Table,
  monitor: Monitor,
  hasTime: boolean,
  progress: BacktestRequest['progress'],
): Promise<Baseline> {
  const columns = hasTime ? monitor.columns : { ...monitor.columns, time: undefined };
  return baselineFromTable({
    table,
    monitor: { ...monitor, columns },
    version: null,
    ...(progress === undefined ? {} : { progress }),
  });
}

/** What nothing can be judged by must not pass for quiet. */
function fewWindows({ window, source }: Baseline, length: string): Problem[] {
  if (window === null || window.count >= LEARNED_WINDOWS) return [];
  return [
    {
      code: 'too-few-windows',
      path: source.name,
      message: 'the reference has too few windows to tell how windows differ, so nothing is judged',
      got: `${window.count} of ${length}`,
      expected: `at least ${LEARNED_WINDOWS}, and ${CALIBRATED_WINDOWS} to be relied on`,
      fix: 'give a longer reference or a shorter --window',
    },
  ];
}

async function placedRows(
  table: Table,
  column: TableColumn,
  rows: number,
  findings: Problem[],
): Promise<{ readonly table: Table; readonly typicalMs: number | null }> {
  const placed = await rowTable(table, column, rows);
  if (placed === null)
    throw new ProblemError([
      {
        code: 'no-times',
        path: `${table.shown}: ${column.name}`,
        message: 'is the time column and holds no time that can be read',
        expected: 'timestamps, RFC 3339 text, or seconds since 1970',
      },
    ]);
  if (placed.absent > 0)
    findings.push({
      code: 'rows-without-time',
      path: `${table.shown}: ${column.name}`,
      message: 'rows without a readable time belong to no window',
      got: `${placed.absent} of ${table.rows} ${noun(table.rows, 'row')}`,
    });
  return placed;
}
