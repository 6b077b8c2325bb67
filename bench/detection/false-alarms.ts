/** False alarms: months in which nothing changed, each with a baseline of its own, on one model of all the laws. */
import { seededRandom, seedOf } from '../../lib/stats/random.ts';
import { addUp, baselineOf, type DrawnColumn, drawColumn } from './drawn-column.ts';
import { LAW_NAMES, lawOf } from './laws.ts';
import { SimulatedMonitor } from './months.ts';
import { peerOf } from './peers.ts';
import {
  type Cadence,
  effectsOf,
  rowsOf,
  type StreamKind,
  type StreamPlan,
  type Traffic,
  windowsADay,
} from './streams.ts';

/** Four weeks are judged, so that weeks are whole; rates are told for 30 days. */
export const JUDGED_DAYS = 28;
export const MONTH_DAYS = 30;

export interface AlarmCell {
  readonly name: string;
  readonly cadence: Cadence;
  readonly kind: StreamKind;
  readonly traffic: Traffic;
  readonly rows: number;
  /** Days of the baseline. */
  readonly days: number;
}

function cell(cadence: Cadence, kind: StreamKind, rows: number, days: number, traffic: Traffic = 'flat'): AlarmCell {
  const after = traffic === 'flat' ? '' : traffic === 'curve' ? ' curve' : ` x${traffic}`;
  return { name: `${cadence} ${kind} ${rows} ${days}d${after}`, cadence, kind, traffic, rows, days };
}

export const BASELINE_DAYS = [7, 14, 28, 56] as const;

const TIMES = [0.1, 3, 10] as const;

export const ALARM_CELLS: readonly AlarmCell[] = [
  // Independent rows: windows × baselines.
  ...[100, 1_000, 10_000, 100_000].flatMap((rows) =>
    BASELINE_DAYS.map((days) => cell('daily', 'independent', rows, days)),
  ),
  // Traffic.
  ...TIMES.map((times) => cell('daily', 'independent', 1_000, 28, times)),
  // Days that differ, weeks that repeat.
  ...BASELINE_DAYS.map((days) => cell('daily', 'days', 1_000, days)),
  ...BASELINE_DAYS.map((days) => cell('daily', 'season', 10_000, days)),
  ...TIMES.map((times) => cell('daily', 'season', 1_000, 28, times)),
  // The same by the hour, and windows that follow each other.
  cell('hourly', 'independent', 300, 28),
  cell('hourly', 'season', 300, 28),
  cell('hourly', 'days', 300, 28),
  cell('hourly', 'hours', 300, 28),
  ...TIMES.map((times) => cell('hourly', 'season', 300, 28, times)),
  cell('hourly', 'season', 1_000, 28, 'curve'),
  ...TIMES.map((times) => cell('hourly', 'independent', 300, 28, times)),
  cell('hourly', 'independent', 1_000, 28, 'curve'),
  ...[7, 14, 56].map((days) => cell('hourly', 'season', 300, days)),
  ...[100, 1_000, 10_000, 100_000].map((rows) => cell('hourly', 'independent', rows, 28)),
  ...[7, 14, 56].map((days) => cell('hourly', 'independent', 300, days)),
];

export interface PeerMonth {
  /** Windows in which any column is in alarm. */
  readonly windows: number;
  /** Openings, when any column in alarm opens and three quiet windows close. */
  readonly openings: number;
}

export interface AlarmMonth {
  readonly episodes: number;
  /** Episodes that name a column of the law, in the order of LAW_NAMES. */
  readonly byLaw: readonly number[];
  /** By length of the span that opened them. */
  readonly byLength: Readonly<Record<string, number>>;
  readonly evidently: PeerMonth;
  readonly nannyml: PeerMonth;
}

export function planOf({ cadence, kind, traffic, rows, days }: AlarmCell): StreamPlan {
  const perDay = windowsADay(cadence);
  return { kind, cadence, traffic, rows, baseline: days * perDay, judged: JUDGED_DAYS * perDay };
}

export function alarmMonth(cell: AlarmCell, month: number): AlarmMonth {
  const plan = planOf(cell);
  const random = seededRandom(seedOf(`false alarms ${cell.name} ${month}`));
  const rows = rowsOf(plan);
  const columns = LAW_NAMES.map((name) => drawColumn(lawOf(name), { rows, effects: effectsOf(plan, random), random }));
  const baselines = columns.map((column) => baselineOf(column, plan.baseline, plan));
  const monitor = new SimulatedMonitor(plan, { columns, rows }, baselines);
  for (let t = plan.baseline; t < rows.length; t++) monitor.judge(t, plan.baseline);
  const episodes = monitor.episodes();
  const byLength: Record<string, number> = {};
  for (const { length } of episodes) byLength[length] = (byLength[length] ?? 0) + 1;
  return {
    episodes: episodes.length,
    byLaw: LAW_NAMES.map((name) => episodes.filter(({ features }) => features.some((one) => one.name === name)).length),
    byLength,
    ...peerMonths(columns, plan),
  };
}

/** Quiet windows that close a peer's alarm: the platform's own rule. */
const QUIET = 3;
const DEVIATIONS = 3;

function peerMonths(
  columns: readonly DrawnColumn[],
  { baseline, judged }: StreamPlan,
): Pick<AlarmMonth, 'evidently' | 'nannyml'> {
  const alarms = { evidently: new Uint8Array(judged), nannyml: new Uint8Array(judged) };
  for (const column of columns) {
    const { counts, width } = column;
    const peer = peerOf(column.law, addUp(column, 0, baseline));
    const known = Array.from({ length: baseline }, (_, t) => peer.nannyml(counts, t * width));
    const line = lineOf(known);
    for (let t = 0; t < judged; t++) {
      const at = (baseline + t) * width;
      if (peer.evidently(counts, at) >= peer.line) alarms.evidently[t] = 1;
      if (peer.nannyml(counts, at) > line) alarms.nannyml[t] = 1;
    }
  }
  return { evidently: countAlarms(alarms.evidently), nannyml: countAlarms(alarms.nannyml) };
}

/** Mean + 3 population deviations. */
export function lineOf(values: readonly number[], deviations = DEVIATIONS): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return mean + deviations * Math.sqrt(variance);
}

function countAlarms(alarms: Uint8Array): PeerMonth {
  let windows = 0;
  let openings = 0;
  let quiet = QUIET;
  for (const alarm of alarms) {
    if (alarm === 0) {
      quiet++;
      continue;
    }
    windows++;
    if (quiet >= QUIET) openings++;
    quiet = 0;
  }
  return { windows, openings };
}
