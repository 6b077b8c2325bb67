/**
 * Power: how many windows pass between a change and the opening of an episode, beside the peers' statistics with thresholds set to
 * the same rate of false alarms. One column at a time, with the level that it has in a model of eight.
 */
import { seededRandom, seedOf } from '../../lib/stats/random.ts';
import { addUp, baselineOf, type DrawnColumn, drawColumn, windowMs } from './drawn-column.ts';
import { JUDGED_DAYS, MONTH_DAYS } from './false-alarms.ts';
import { type Change, LAW_NAMES, type LawName, lawOf } from './laws.ts';
import { SimulatedMonitor } from './months.ts';
import { PEERS, type PeerName, peerOf } from './peers.ts';
import { type Cadence, effectsOf, rowsOf, type StreamKind, type StreamPlan, windowsADay } from './streams.ts';

export interface PowerCell {
  readonly name: string;
  readonly cadence: Cadence;
  readonly kind: StreamKind;
  readonly rows: number;
  readonly law: LawName;
  readonly change: Change;
}

/** A column's share of `1 per 30d`, drift having 0.6 of it. */
const BUDGET = `${1 / LAW_NAMES.length} per 30d`;
export const COLUMN_OPENINGS = 0.6 / LAW_NAMES.length;
const BASELINE_DAYS = 28;
/** Days after the change that are waited for. */
const HORIZON_DAYS = { hourly: 7, daily: 28 } as const;

const CHANGES: readonly (readonly [LawName, Change])[] = [
  ['normal', { kind: 'mean', by: 0.1 }],
  ['normal', { kind: 'mean', by: 0.2 }],
  ['normal', { kind: 'mean', by: 0.3 }],
  ['lognormal', { kind: 'mean', by: 0.2 }],
  ['heavy', { kind: 'mean', by: 0.2 }],
  ['integers', { kind: 'mean', by: 0.2 }],
  ['normal', { kind: 'scale', by: 1.15 }],
  ['normal', { kind: 'scale', by: 1.3 }],
  ['lognormal', { kind: 'scale', by: 1.3 }],
  ['heavy', { kind: 'scale', by: 1.3 }],
  ['normal', { kind: 'tail', by: 0.01 }],
  ['normal', { kind: 'tail', by: 0.03 }],
  ['lognormal', { kind: 'tail', by: 0.03 }],
  ['cat10', { kind: 'share', by: 0.05 }],
  ['cat10', { kind: 'share', by: 0.12 }],
  ['cat50', { kind: 'diffuse', by: 0.3 }],
  ['zipf', { kind: 'share', by: 0.05 }],
  ['rare', { kind: 'share', by: 3 }],
  ['lognormal', { kind: 'missing', by: 0.04 }],
  ['lognormal', { kind: 'missing', by: 0.1 }],
];

const SIZES: readonly (readonly [Cadence, number])[] = [
  ['hourly', 100],
  ['hourly', 300],
  ['hourly', 1_000],
  ['hourly', 10_000],
  ['daily', 300],
  ['daily', 1_000],
  ['daily', 10_000],
];

function cell(cadence: Cadence, kind: StreamKind, rows: number, law: LawName, change: Change): PowerCell {
  return { name: `${cadence} ${kind} ${rows} ${law} ${change.kind} ${change.by}`, cadence, kind, rows, law, change };
}

export const POWER_CELLS: readonly PowerCell[] = SIZES.flatMap(([cadence, rows]) =>
  CHANGES.map(([law, change]) => cell(cadence, 'independent', rows, law, change)),
);

/** What strongly correlated windows still show; stated, not compared. */
export const STATED_CELLS: readonly PowerCell[] = (['hours', 'days'] as const).flatMap((kind) =>
  [0.1, 0.3, 0.5, 1].map((by) => cell('hourly', kind, 300, 'normal', { kind: 'mean', by })),
);

/** A statistic's new maxima after the change: window (from 1) and value. A threshold is first passed at one of them. */
export type Records = readonly (readonly [window: number, value: number])[];

export interface PowerTrial {
  /** Windows from the change to the end of the one that opened the episode; `null`: none within the horizon. */
  readonly delay: number | null;
  /** Length of the span that opened it. */
  readonly length: string | null;
  readonly peers: Readonly<Record<PeerName, Records>>;
}

export function horizonOf({ cadence }: Pick<PowerCell, 'cadence'>): number {
  return HORIZON_DAYS[cadence] * windowsADay(cadence);
}

export function powerTrial(cell: PowerCell, trial: number): PowerTrial {
  const perDay = windowsADay(cell.cadence);
  const random = seededRandom(seedOf(`power ${cell.name} ${trial}`));
  const baseline = BASELINE_DAYS * perDay;
  // Anywhere in a week, so that days and weeks are cut as they fall.
  const onset = baseline + random.integer(7 * perDay);
  const horizon = horizonOf(cell);
  const judged = onset - baseline + horizon;
  const plan: StreamPlan = {
    kind: cell.kind,
    cadence: cell.cadence,
    traffic: 'flat',
    rows: cell.rows,
    baseline,
    judged,
  };
  const rows = rowsOf(plan);
  const effects = effectsOf(plan, random);
  const column = drawColumn(lawOf(cell.law), { rows, effects, random }, { change: cell.change, onset });
  const monitor = new SimulatedMonitor(plan, { columns: [column], rows }, [baselineOf(column, baseline, plan)], BUDGET);
  const opened = firstOpening(monitor, { from: baseline, onset, until: rows.length, ms: windowMs(plan) });
  return { ...opened, peers: recordsOf(column, baseline, onset) };
}

/** Judged until an episode opens after the change; one that was open before it is left out of account. */
function firstOpening(
  monitor: SimulatedMonitor,
  {
    from,
    onset,
    until,
    ms,
  }: { readonly from: number; readonly onset: number; readonly until: number; readonly ms: number },
): Pick<PowerTrial, 'delay' | 'length'> {
  for (let t = from; t < until; t++) {
    const flagged = monitor.judge(t, from);
    if (t < onset || !flagged) continue;
    const end = monitor.startOf(onset);
    const found = monitor.episodes().find(({ opened }) => Date.parse(opened) > end);
    if (found !== undefined) return { delay: Math.round((Date.parse(found.opened) - end) / ms), length: found.length };
  }
  return { delay: null, length: null };
}

function recordsOf(column: DrawnColumn, baseline: number, onset: number): PowerTrial['peers'] {
  const { counts, width } = column;
  const statistics = standardised(column, baseline);
  const records = { evidently: [], nannyml: [], missing: [] } as Record<PeerName, [number, number][]>;
  for (const name of PEERS) {
    let most = Number.NEGATIVE_INFINITY;
    for (let t = onset; t * width < counts.length; t++) {
      const value = statistics[name](counts, t * width);
      if (value <= most) continue;
      most = value;
      records[name].push([t - onset + 1, Number(value.toPrecision(8))]);
    }
  }
  return records;
}

type Statistics = Readonly<Record<PeerName, (counts: ArrayLike<number>, offset: number) => number>>;

/** What each peer compares with its threshold: Evidently the distance, NannyML deviations above the mean of the reference's windows. */
function standardised(column: DrawnColumn, baseline: number): Statistics {
  const { counts, width } = column;
  const peer = peerOf(column.law, addUp(column, 0, baseline));
  const scaled = (statistic: Statistics['nannyml']): Statistics['nannyml'] => {
    let mean = 0;
    let squares = 0;
    for (let t = 0; t < baseline; t++) {
      const value = statistic(counts, t * width);
      mean += value / baseline;
      squares += value ** 2 / baseline;
    }
    const deviation = Math.sqrt(Math.max(0, squares - mean * mean)) || 1;
    return (current, offset) => (statistic(current, offset) - mean) / deviation;
  };
  return { evidently: peer.evidently, nannyml: scaled(peer.nannyml), missing: scaled(peer.missing) };
}

/** Where peers' thresholds are set: a law in quiet windows of a size. */
export interface ThresholdCell {
  readonly name: string;
  readonly cadence: Cadence;
  readonly kind: StreamKind;
  readonly rows: number;
  readonly law: LawName;
}

export function thresholdCell({ cadence, kind, rows, law }: Omit<ThresholdCell, 'name'>): ThresholdCell {
  return { name: `${cadence} ${kind} ${rows} ${law}`, cadence, kind, rows, law };
}

/** Largest value of each statistic in a quiet month of four weeks with a baseline of its own. */
export type QuietMaxima = Readonly<Record<PeerName, number>>;

export function quietMaxima(cell: ThresholdCell, month: number): QuietMaxima {
  const perDay = windowsADay(cell.cadence);
  const random = seededRandom(seedOf(`threshold ${cell.name} ${month}`));
  const baseline = BASELINE_DAYS * perDay;
  const plan: StreamPlan = {
    kind: cell.kind,
    cadence: cell.cadence,
    traffic: 'flat',
    rows: cell.rows,
    baseline,
    judged: JUDGED_DAYS * perDay,
  };
  const column = drawColumn(lawOf(cell.law), { rows: rowsOf(plan), effects: effectsOf(plan, random), random });
  const statistics = standardised(column, baseline);
  const maxima = { evidently: 0, nannyml: 0, missing: 0 } as Record<PeerName, number>;
  for (const name of PEERS) {
    let most = Number.NEGATIVE_INFINITY;
    for (let t = baseline; t < baseline + plan.judged; t++)
      most = Math.max(most, statistics[name](column.counts, t * column.width));
    maxima[name] = most;
  }
  return maxima;
}

/** Months that an empirical quantile rests on at least; beyond, the tail is continued. */
const TAIL_MONTHS = 8;
const TAIL_SHARE = 0.2;

/**
 * The value that quiet months pass so often that `openings` are to be expected in 30 days. Beyond what so many months show, the squares
 * of the largest fifth are continued as exponential, which is the tail of a chi-square and of a normal's square.
 */
export function thresholdFor(maxima: readonly number[], openings: number): number {
  const chance = 1 - Math.exp((-openings * JUDGED_DAYS) / MONTH_DAYS);
  const sorted = [...maxima].sort((a, b) => b - a);
  const place = chance * sorted.length;
  if (place >= TAIL_MONTHS) return sorted[Math.min(sorted.length, Math.round(place)) - 1]!;
  const count = Math.floor(TAIL_SHARE * sorted.length);
  const from = Math.max(0, sorted[count] ?? 0) ** 2;
  const excess = sorted.slice(0, count).reduce((sum, value) => sum + value ** 2 - from, 0) / count;
  return Math.sqrt(from + excess * Math.log(count / sorted.length / chance));
}

/** Windows until the threshold is passed, `null` within the horizon. */
export function firstAbove(records: Records, threshold: number): number | null {
  return records.find(([, value]) => value > threshold)?.[0] ?? null;
}
