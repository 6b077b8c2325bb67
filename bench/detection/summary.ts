/** From months and trials to figures: rates with their spread between months, bounds, medians. */
import { studentTwoSidedQuantile } from '../../lib/stats/special.ts';
import { type AlarmCell, type AlarmMonth, JUDGED_DAYS, MONTH_DAYS } from './false-alarms.ts';
import { LAW_NAMES } from './laws.ts';
import type { PeerName } from './peers.ts';
import {
  COLUMN_OPENINGS,
  firstAbove,
  horizonOf,
  type PowerCell,
  type PowerTrial,
  type QuietMaxima,
  thresholdFor,
} from './power.ts';

/** Openings that drift may have in 30 days: its share of a budget of one. */
export const ALLOWED = 0.6;
/** Chance of calling any cell over its budget when none is. */
const ERROR = 0.01;
const PER_MONTH = MONTH_DAYS / JUDGED_DAYS;

export interface Rate {
  /** In 30 days. */
  readonly mean: number;
  /** Standard error, from the spread between months. */
  readonly error: number;
}

export function rateOf(counts: readonly number[]): Rate {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  const error = Math.sqrt(squares / (counts.length - 1) / counts.length);
  return { mean: mean * PER_MONTH, error: error * PER_MONTH };
}

/** One-sided lower bound at 1 − ERROR, corrected over so many comparisons. */
function lowerBound({ mean, error }: Rate, months: number, comparisons: number): number {
  return mean - error * studentTwoSidedQuantile((2 * ERROR) / comparisons, months - 1);
}

export interface AlarmSummary {
  readonly cell: AlarmCell;
  readonly months: number;
  readonly episodes: Rate;
  readonly bound: number;
  readonly over: boolean;
  /** Most in one month. */
  readonly worst: number;
  readonly byLaw: readonly { readonly rate: Rate; readonly over: boolean }[];
  readonly byLength: Readonly<Record<string, number>>;
  readonly evidently: PeerSummary;
  readonly nannyml: PeerSummary;
}

export interface PeerSummary {
  readonly openings: Rate;
  /** Share of windows in alarm. */
  readonly windows: number;
}

export function summariseAlarms(
  months: ReadonlyMap<string, readonly AlarmMonth[]>,
  cells: readonly AlarmCell[],
): AlarmSummary[] {
  const chosen = cells.filter(({ name }) => months.has(name));
  return chosen.map((cell) => {
    const found = months.get(cell.name) ?? [];
    const episodes = rateOf(found.map((month) => month.episodes));
    const bound = lowerBound(episodes, found.length, chosen.length);
    const byLength: Record<string, number> = {};
    for (const month of found)
      for (const [length, count] of Object.entries(month.byLength)) byLength[length] = (byLength[length] ?? 0) + count;
    const perDay = cell.cadence === 'hourly' ? 24 : 1;
    const peer = (name: 'evidently' | 'nannyml'): PeerSummary => ({
      openings: rateOf(found.map((month) => month[name].openings)),
      windows: found.reduce((sum, month) => sum + month[name].windows, 0) / (found.length * JUDGED_DAYS * perDay),
    });
    return {
      cell,
      months: found.length,
      episodes,
      bound,
      over: bound > ALLOWED,
      worst: Math.max(...found.map((month) => month.episodes)),
      byLaw: LAW_NAMES.map((_, i) => {
        const rate = rateOf(found.map((month) => month.byLaw[i] ?? 0));
        const over = lowerBound(rate, found.length, chosen.length * LAW_NAMES.length) > ALLOWED / LAW_NAMES.length;
        return { rate, over };
      }),
      byLength,
      evidently: peer('evidently'),
      nannyml: peer('nannyml'),
    };
  });
}

export interface Delay {
  /** Windows; Infinity when more than half were missed. */
  readonly median: number;
  /** Windows, missed ones as long as was waited. */
  readonly mean: number;
  readonly missed: number;
}

export interface PowerSummary {
  readonly cell: PowerCell;
  readonly trials: number;
  readonly ours: Delay;
  readonly byLength: Readonly<Record<string, number>>;
  /** Openings in 30 days that the peers' thresholds are set to: as many as ours opened in quiet months. */
  readonly openings: number;
  readonly peers: PeerDelays;
  /** The same with thresholds that spend the whole share of the column. */
  readonly spending: PeerDelays;
}

export interface PeerDelays {
  readonly evidently: Delay;
  readonly nannyml: Delay;
  /** Median of the better one. */
  readonly better: number;
  /** Ours is at most one window after it. */
  readonly within: boolean;
}

/**
 * Openings of one column in 30 days, independent rows and a baseline of 28 days, all sizes of window together; one more than there were,
 * so that none is no claim of never. Never more than the column's share, which it is without such months.
 */
export function realisedOpenings(
  months: ReadonlyMap<string, readonly AlarmMonth[]>,
  cells: readonly AlarmCell[],
  { cadence, law }: Pick<PowerCell, 'cadence' | 'law'>,
): number {
  const place = LAW_NAMES.indexOf(law);
  const found = cells
    .filter(
      (cell) => cell.cadence === cadence && cell.kind === 'independent' && cell.traffic === 'flat' && cell.days === 28,
    )
    .flatMap(({ name }) => months.get(name) ?? []);
  const seen = found.reduce((sum, { byLaw }) => sum + (byLaw[place] ?? 0), 0);
  return Math.min(COLUMN_OPENINGS, ((seen + 1) / Math.max(1, found.length)) * PER_MONTH);
}

export interface PowerMonths {
  readonly trials: ReadonlyMap<string, readonly PowerTrial[]>;
  readonly maxima: ReadonlyMap<string, readonly QuietMaxima[]>;
  readonly openingsOf: (cell: PowerCell) => number;
}

export function summarisePower(
  { trials, maxima, openingsOf }: PowerMonths,
  cells: readonly PowerCell[],
): PowerSummary[] {
  return cells
    .filter(({ name }) => trials.has(name))
    .map((cell) => {
      const found = trials.get(cell.name) ?? [];
      const quiet = maxima.get(`${cell.cadence} ${cell.kind} ${cell.rows} ${cell.law}`) ?? [];
      const horizon = horizonOf(cell);
      const ours = delayOf(
        found.map(({ delay }) => delay),
        horizon,
      );
      const delays = (name: PeerName, openings: number): Delay => {
        const threshold = thresholdFor(
          quiet.map((month) => month[name]),
          openings,
        );
        return delayOf(
          found.map(({ peers }) => firstAbove(peers[name], threshold)),
          horizon,
        );
      };
      // What counts missing values is NannyML's too; it is the one that can see this change.
      const ofNannyml = cell.change.kind === 'missing' ? 'missing' : 'nannyml';
      const peersAt = (openings: number): PeerDelays => {
        const [evidently, nannyml] = [delays('evidently', openings), delays(ofNannyml, openings)];
        const better = Math.min(evidently.median, nannyml.median);
        return { evidently, nannyml, better, within: ours.median <= better + 1 };
      };
      const byLength: Record<string, number> = {};
      for (const { length } of found) if (length !== null) byLength[length] = (byLength[length] ?? 0) + 1;
      const openings = openingsOf(cell);
      return {
        cell,
        trials: found.length,
        ours,
        byLength,
        openings,
        peers: peersAt(openings),
        spending: peersAt(COLUMN_OPENINGS),
      };
    });
}

function delayOf(delays: readonly (number | null)[], horizon: number): Delay {
  const sorted = delays.map((delay) => delay ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.POSITIVE_INFINITY;
  const high = sorted[sorted.length >> 1] ?? Number.POSITIVE_INFINITY;
  return {
    median: (low + high) / 2,
    mean: sorted.reduce((sum, delay) => sum + Math.min(delay, horizon), 0) / sorted.length,
    missed: sorted.filter((delay) => delay === Number.POSITIVE_INFINITY).length,
  };
}
