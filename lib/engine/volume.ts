/**
 * Volume: rows of a window against those of the baseline's windows at the same time of day and week. On the logarithm, since
 * traffic moves by factors; the spread is that between real windows, never Poisson alone; tails are those of a t law with few
 * degrees of freedom, for the sake of holidays.
 */
import type { Baseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import { noun } from '../contracts/noun.ts';
import type { VolumeResult } from '../contracts/result.ts';
import { studentTwoSided } from '../stats/special.ts';
import { effectiveWindows } from './effective-windows.ts';
import { type LocalClock, type LocalTime, localClock } from './local-clock.ts';
import { round12 } from './round.ts';
import { fitSeasons, type Season, seasonAt, seasonParameters } from './season.ts';
import type { SpanRows } from './season-weights.ts';
import { numberText, shareText } from './verdict-words.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Relative change below which more or fewer rows are not worth waking for. */
export const SMALLEST_CHANGE = 0.2;
/** Blocks of a scale that its spread is estimated from. */
const ENOUGH_BLOCKS = 7;
/** Heaviest tails allowed for. */
const MOST_FREEDOM = 5;
/** Of a logarithm: a baseline of equal windows must not make one row more a surprise. */
const LEAST_SPREAD = 0.03;

/** `rows`: Σw when weighted. `level`: expected openings a window. `null` when the baseline has no windows. */
export function judgeVolume(baseline: Baseline, rows: number, span: SpanRows, level: number): VolumeResult | null {
  const { volume, window } = baseline;
  if (volume === null || window === null || volume.starts.length === 0) return null;
  const base = durationMs(window.every);
  const length = span.end - span.start;
  const model = modelOf(baseline, base, length);
  const answer = (status: VolumeResult['status'], expected: number | null, pValue: number | null, summary: string) => ({
    status,
    rows: round12(rows),
    expected: expected === null ? null : round12(expected),
    pValue: pValue === null ? null : round12(pValue),
    summary,
  });
  if (model === null)
    return answer('learning', null, null, `the baseline has fewer than ${ENOUGH_BLOCKS} windows of this length`);
  const centre =
    model.season === null ? model.level : seasonAt(model.season, localClock(window.timezone).at(span.start));
  const expected = Math.exp(centre);
  const spread = Math.sqrt(
    Math.max(model.variance, LEAST_SPREAD ** 2) * (1 + model.reference) + 1 / Math.max(expected, 1),
  );
  const t = (Math.log(rows + 0.5) - Math.log(expected + 0.5)) / spread;
  const pValue = round12(rows === 0 ? model.silence(span.start, expected) : studentTwoSided(t, model.freedom));
  const change = rows / expected - 1;
  const size = `${numberText(Math.round(rows))} ${noun(Math.round(rows), 'row')}, ${numberText(Math.round(expected))} expected`;
  const drifted = pValue <= round12(level) && Math.abs(change) >= SMALLEST_CHANGE;
  if (!drifted) return answer('ok', expected, pValue, size);
  const by =
    change > 1
      ? `${numberText(Number((change + 1).toPrecision(2)))} times as many`
      : `${shareText(Math.abs(change))} ${change > 0 ? 'more' : 'fewer'}`;
  return answer('drifted', expected, pValue, `${size}: ${by}`);
}

interface VolumeModel {
  /** Of the logarithm of rows. */
  readonly level: number;
  readonly season: Season | null;
  readonly variance: number;
  readonly freedom: number;
  /** Variance of the estimated level relative to that of a window. */
  readonly reference: number;
  /**
   * Chance of no row at all: what whole rows at random would leave empty, or the share of the baseline's windows at that hour
   * that were empty, whichever is more. A law of logarithms has nothing to say of none.
   */
  readonly silence: (start: number, expected: number) => number;
}

const models = new WeakMap<Baseline, Map<number, VolumeModel | null>>();

function modelOf(baseline: Baseline, base: number, length: number): VolumeModel | null {
  let known = models.get(baseline);
  if (known === undefined) {
    known = new Map();
    models.set(baseline, known);
  }
  // A day of 23 or 25 hours is a day.
  const key = length >= DAY ? Math.round(length / DAY) * DAY : Math.round(length / 1_000) * 1_000;
  let model = known.get(key);
  if (model === undefined) {
    model = fitModel(baseline, base, key);
    known.set(key, model);
  }
  return model;
}

function fitModel(baseline: Baseline, base: number, length: number): VolumeModel | null {
  const blocks = blocksOf(baseline, base, length);
  if (blocks.length < ENOUGH_BLOCKS) return null;
  const logs = Float64Array.from(blocks, ({ rows }) => Math.log(rows + 0.5));
  const times = blocks.map(({ time }) => time);
  const days = daysOf(baseline);
  const intraday = length < DAY;
  const weights = new Float64Array(blocks.length).fill(1);
  const season = length > DAY ? null : (fitSeasons([logs], { times, weights, intraday, days })[0] ?? null);
  const level = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const residuals = logs.map((value, t) => value - (season === null ? level : seasonAt(season, times[t]!)));
  const parameters = 1 + (season === null ? 0 : seasonParameters(season, intraday));
  const byDay = intraday && days >= 5 ? { days: times.map(({ day }) => day), distinct: days } : null;
  const variance =
    residuals.reduce((sum, value) => sum + value * value, 0) / Math.max(logs.length - parameters, logs.length / 4);
  const effective = effectiveWindows(residuals.slice(), byDay);
  return {
    level,
    season,
    variance,
    freedom: Math.min(MOST_FREEDOM, Math.max(1, effective.variance - 1)),
    reference: 1 / effective.mean + parameters / logs.length,
    silence: silenceOf(blocks, intraday ? localClock(baseline.window?.timezone ?? 'UTC') : null),
  };
}

/** Mean rows of an hour's windows, from which chance alone leaves none of them empty. */
const BUSY = 15;
/** Windows of an hour, or days of the baseline, that had one: fewer are an incident. */
const USUALLY_EMPTY = { windows: 2, days: 3 };

/** `clock`: windows are told apart by their hour. Empty ones that come at any busy hour count for all of these. */
function silenceOf(
  blocks: readonly { readonly time: LocalTime; readonly rows: number }[],
  clock: LocalClock | null,
): VolumeModel['silence'] {
  const hourOf = ({ hour }: LocalTime): number => (clock === null ? 0 : hour);
  const all = new Float64Array(24);
  const empty = new Float64Array(24);
  const sum = new Float64Array(24);
  for (const { time, rows } of blocks) {
    const hour = hourOf(time);
    all[hour]!++;
    sum[hour]! += rows;
    if (rows === 0) empty[hour]!++;
  }
  const isBusy = (hour: number) => sum[hour]! >= BUSY * all[hour]!;
  const busy = blocks.filter(({ time }) => isBusy(hourOf(time)));
  const silent = busy.filter(({ rows }) => rows === 0);
  const days = new Set(silent.map(({ time }) => time.day)).size;
  const anywhere = days >= USUALLY_EMPTY.days ? silent.length / (busy.length + 1) : 0;
  return (start, expected) => {
    const hour = clock === null ? 0 : clock.at(start).hour;
    const here = empty[hour]! >= USUALLY_EMPTY.windows ? empty[hour]! / (all[hour]! + 1) : 0;
    return Math.max(Math.exp(-expected), here, isBusy(hour) ? anywhere : 0);
  };
}

/** Windows of the baseline joined to blocks of `length`; blocks that are not whole are left out. */
function blocksOf({ volume, window }: Baseline, base: number, length: number): { time: LocalTime; rows: number }[] {
  if (volume === null || window === null) return [];
  const clock = localClock(window.timezone);
  const windows = volume.starts
    .map((start, i) => ({ time: clock.at(start), rows: volume.rows[i] ?? 0, start }))
    .filter(({ rows }) => rows >= 0);
  if (Math.abs(length - base) < base * 0.05) return withoutEnds(windows);
  if (length < base || length % DAY !== 0) return [];
  const days = length / DAY;
  const perBlock = length / base;
  const joined = new Map<number, { time: LocalTime; rows: number; parts: number }>();
  for (const { time, rows } of windows) {
    const key = Math.floor((time.day + (days % 7 === 0 ? 3 : 0)) / days);
    const block = joined.get(key) ?? { time, rows: 0, parts: 0 };
    block.rows += rows;
    block.parts++;
    joined.set(key, block);
  }
  const hoursLost = Math.ceil(HOUR / base);
  return [...joined.values()].filter(({ parts }) => parts >= perBlock - hoursLost);
}

function daysOf({ volume, window }: Baseline): number {
  if (volume === null || window === null) return 0;
  const clock = localClock(window.timezone);
  return new Set(volume.starts.map((start) => clock.at(start).day)).size;
}

/** The first and the last window of a file are seldom whole: left out when far below all others. */
function withoutEnds<T extends { readonly rows: number }>(windows: readonly T[]): T[] {
  if (windows.length < ENOUGH_BLOCKS + 2) return [...windows];
  const least = windows.slice(1, -1).reduce((few, { rows }) => Math.min(few, rows), Number.POSITIVE_INFINITY);
  return windows.filter(({ rows }, i) => (i > 0 && i < windows.length - 1) || rows >= least / 2);
}
