/**
 * Calibration of one column: what its scores do between the windows of the baseline when nothing has changed.
 * Seasons are taken out of the scores; what is left has a null at the scale of the window, of a day and of a week.
 */
import type { CategoricalBaseline, ColumnCalibration, NumericBaseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import { CALIBRATION_METHOD, type CalibrationFit, type ScaleFit } from './calibration-fit.ts';
import { effectiveWindows, type WindowDays } from './effective-windows.ts';
import {
  expectedShare,
  linearScores,
  residuals,
  type ScoreReference,
  scoreReference,
  setCounts,
} from './linear-scores.ts';
import { type LocalTime, localClock } from './local-clock.ts';
import { ENOUGH_WINDOWS, type FitNulls, nullPosteriors, RARE_ROWS, type ScoreBlocks } from './null-posterior.ts';
import { categoricalScores, numericScores, type ScoreSet, setShares } from './scores.ts';
import { fitSeasons, type Season, seasonAt, seasonParameters } from './season.ts';
import { type VerdictBins, verdictBins } from './verdict-bins.ts';

export interface BaselineBlock {
  /** Start of the window, milliseconds since 1970. */
  readonly start: number;
  /** Rows in each verdict bin of the column (its `verdictBin` numbering), then missing (not finite included). */
  readonly counts: ArrayLike<number>;
}

export interface CalibrationWindow {
  /** Duration of the blocks. */
  readonly every: string;
  readonly timezone: string;
}

const DAY = 86_400_000;
const WEEK = 7 * DAY;
/** Days that day effects are estimated from at all. */
const DAYS_FOR_DAY_EFFECTS = 5;
const KEPT_WEIGHT = 1e-9;
/** Categories in which a common cause is looked for. */
const MOST_APART = 100;

/**
 * `blocks`: windows of the baseline in any order, empty ones allowed. `null` when none has rows.
 * Throws RangeError when a block does not have the column's number of bins. O(blocks × scores × grid).
 */
export function calibrate(
  column:
    | NumericBaseline
    | CategoricalBaseline
    | Omit<NumericBaseline, 'calibration'>
    | Omit<CategoricalBaseline, 'calibration'>,
  blocks: readonly BaselineBlock[],
  window: CalibrationWindow,
): ColumnCalibration | null {
  const bins = verdictBins({ ...column, calibration: null });
  const expected = bins.ofVerdict.length + 1;
  const clock = localClock(window.timezone);
  const rows = [...blocks]
    .sort((a, b) => a.start - b.start)
    .map(({ start, counts }) => {
      if (counts.length !== expected && counts.length > 0)
        throw new RangeError(`calibrate: ${column.name}: a block has ${counts.length} counts, expected ${expected}`);
      return { time: clock.at(start), counts: blocksToBins(bins, counts) };
    });
  const scores = (shares: Float64Array): ScoreSet =>
    bins.type === 'numeric' ? numericScores(shares, true) : categoricalScores(shares, true);
  return calibrateBlocks(rows, scores, window);
}

export interface TimedBlock {
  readonly time: LocalTime;
  readonly counts: Float64Array;
}

/** The same from blocks in order of time over any bins; `scoresOf` makes the scores from the pooled shares. */
export function calibrateBlocks(
  timed: readonly TimedBlock[],
  scoresOf: (shares: Float64Array) => ScoreSet,
  window: CalibrationWindow,
  fitNulls: FitNulls = nullPosteriors,
): ColumnCalibration | null {
  const rows = timed.filter(({ counts }) => counts.some((count) => count > 0));
  const first = rows[0];
  if (first === undefined) return null;
  const ms = durationMs(window.every);
  const pooled = poolCounts(rows.map(({ counts }) => counts));
  const all = sum(pooled);
  const shares = pooled.map((count) => count / all);
  // Of the shares that are kept: which bins a set has is said once more when they are read, and must not hang on a last digit.
  const scores = scoresOf(shares.map(short));
  const reference = scoreReference(scores, setShares(scores, shares, all));
  const times = rows.map(({ time }) => time);
  const days = new Set(times.map(({ day }) => day)).size;
  const sizes = Float64Array.from(rows, ({ counts }) => sum(counts));
  const seasons = seasonsOf(rows, sizes, reference, { ms, days });
  const predicted = times.map((time) => Float64Array.from(seasons, (season) => seasonAt(season, time)));
  const base: Block[] = rows.map(({ counts }, t) => ({ counts, rows: sizes[t]!, season: predicted[t]! }));

  const intraday = ms < DAY;
  const byDay = intraday && days >= DAYS_FOR_DAY_EFFECTS ? { days: times.map(({ day }) => day), distinct: days } : null;
  const fitted = [fitScale(base, reference, seasons, { ms, byDay, ofWindows: true, fitNulls })];
  const dayOf = (t: number) => times[t]!.day;
  if (intraday) {
    const blocks = joinBlocks(base, dayOf);
    if (blocks.length >= ENOUGH_WINDOWS)
      fitted.push(fitScale(blocks, reference, seasons, { ms: DAY, byDay: null, ofWindows: false, fitNulls }));
  }
  if (ms < WEEK && WEEK % ms === 0) {
    const blocks = wholeWeeks(base, times);
    if (blocks.length >= ENOUGH_WINDOWS)
      fitted.push(fitScale(blocks, reference, seasons, { ms: WEEK, byDay: null, ofWindows: false, fitNulls }));
  }
  const effective = median(fitted[0]!.effective);
  const provisional = effective < ENOUGH_WINDOWS || (intraday && days < ENOUGH_WINDOWS);
  const fit: CalibrationFit = {
    timezone: window.timezone,
    rows: all,
    shares: Array.from(shares, short),
    hours: intraday ? hourlyRows(rows, sizes) : [],
    seasons: seasons.map(shortSeason),
    scales: fitted.map(({ scale }) => scale),
  };
  return { method: CALIBRATION_METHOD, effectiveWindows: short(effective), provisional, fit };
}

interface Block {
  readonly counts: Float64Array;
  readonly rows: number;
  /** Predicted score of each score. */
  readonly season: Float64Array;
}

function seasonsOf(
  rows: readonly TimedBlock[],
  sizes: Float64Array,
  reference: ScoreReference,
  { ms, days }: { readonly ms: number; readonly days: number },
): Season[] {
  const linear = rows.map(({ counts }, t) => linearScores(reference, counts, sizes[t]!));
  const all = sum(sizes);
  const byScore = reference.scores.aspects.map((_, j) => Float64Array.from(linear, (values) => values[j]!));
  let excess = 0;
  for (const values of byScore) {
    let mean = 0;
    values.forEach((value, t) => {
      mean += (value * sizes[t]!) / all;
    });
    let moment = 0;
    values.forEach((value, t) => {
      moment += (((value - mean) ** 2 - 1 / sizes[t]!) * sizes[t]!) / all;
    });
    excess = Math.max(excess, moment);
  }
  const weights = sizes.map((n) => 1 / (1 / n + excess));
  return fitSeasons(byScore, {
    times: rows.map(({ time }) => time),
    weights,
    intraday: ms < DAY,
    days: ms <= DAY ? days : 0,
  });
}

interface ScaleOptions {
  readonly ms: number;
  readonly byDay: WindowDays | null;
  readonly ofWindows: boolean;
  readonly fitNulls: FitNulls;
}

function fitScale(
  blocks: readonly Block[],
  reference: ScoreReference,
  seasons: readonly Season[],
  { ms, byDay, ofWindows, fitNulls }: ScaleOptions,
): { readonly scale: ScaleFit; readonly effective: number[] } {
  const { scores } = reference;
  const first = scores.polynomials.length;
  const sizes = Float64Array.from(blocks, ({ rows }) => rows);
  const all = sum(sizes);
  const typical = median([...sizes]);
  const inSets = blocks.map(({ counts }) => setCounts(scores, counts));
  const z = blocks.map(({ counts, rows, season }, b) =>
    residuals(reference, linearScores(reference, counts, rows), inSets[b]!, season, rows, 0),
  );
  const prepared = scores.aspects.map((_, j): ScoreBlocks => {
    const values = Float64Array.from(z, (block) => block[j]!);
    let excess = 0;
    values.forEach((value, b) => {
      excess += ((value ** 2 - 1 / sizes[b]!) * sizes[b]!) / all;
    });
    const tau2 = Math.max(0, excess);
    const effective = effectiveWindows(
      values.map((value, b) => value / Math.sqrt(1 / sizes[b]! + tau2)),
      byDay,
    );
    const season = seasons[j]!;
    const set = j - first;
    const share = set < 0 ? 0.5 : reference.shares[set]!;
    const isRare = set >= 0 && typical * Math.min(share, 1 - share) < RARE_ROWS;
    return {
      z: values,
      effective,
      parameters: seasonParameters(season, ofWindows),
      // Under-dispersion by the hour is not to be had: what is tight by day may burst at night.
      tightens: effective.variance >= ENOUGH_WINDOWS && !isRare && season.hour === undefined,
      rare: isRare
        ? {
            // Of a set with nearly all rows it is the rest that is rare.
            counts: Float64Array.from(inSets, (counts, b) => (share > 0.5 ? sizes[b]! - counts[set]! : counts[set]!)),
            expected: Float64Array.from(blocks, (block) => {
              const expected = expectedShare(reference, set, block.season[j]!);
              return share > 0.5 ? 1 - expected : expected;
            }),
          }
        : null,
    };
  });
  const { weights: posteriors, caused } = fitNulls(prepared, sizes, apartOf(reference, typical));
  return {
    effective: prepared.map(({ effective }) => effective.variance),
    scale: {
      ms,
      blocks: blocks.length,
      largest: sizes.reduce((most, n) => Math.max(most, n), 0),
      ...(caused ? { caused } : {}),
      scores: prepared.map(({ effective, parameters, rare }, j) => {
        const points = [...posteriors[j]!.keys()].filter((g) => posteriors[j]![g]! > KEPT_WEIGHT);
        return {
          points,
          weights: points.map((g) => Number(posteriors[j]![g]!.toPrecision(6))),
          reference: short(1 / effective.mean + parameters / blocks.length),
          rare: rare !== null,
        };
      }),
    },
  };
}

/** The most frequent categories of at least a row in a typical block. */
function apartOf({ scores, shares }: ScoreReference, typical: number): number[] {
  if (scores.ordered) return [];
  const first = scores.polynomials.length;
  return [...scores.aspects.keys()]
    .filter((j) => scores.aspects[j]!.kind === 'bin' && typical * shares[j - first]! >= 1)
    .sort((a, b) => shares[b - first]! - shares[a - first]!)
    .slice(0, MOST_APART);
}

/** Blocks with the same key joined, in order; the season of a block is the mean of its windows', weighted by rows. */
function joinBlocks(base: readonly Block[], keyOf: (t: number) => number): Block[] {
  const joined = new Map<number, { counts: Float64Array; rows: number; season: Float64Array }>();
  base.forEach(({ counts, rows, season }, t) => {
    const key = keyOf(t);
    let block = joined.get(key);
    if (block === undefined) {
      block = { counts: new Float64Array(counts.length), rows: 0, season: new Float64Array(season.length) };
      joined.set(key, block);
    }
    for (let i = 0; i < counts.length; i++) block.counts[i]! += counts[i]!;
    for (let j = 0; j < season.length; j++) block.season[j]! += season[j]! * rows;
    block.rows += rows;
  });
  return [...joined.values()].map(({ counts, rows, season }) => ({
    counts,
    rows,
    season: season.map((value) => value / rows),
  }));
}

/** Weeks from Monday all of whose days are there. */
function wholeWeeks(base: readonly Block[], times: readonly LocalTime[]): Block[] {
  const weekOf = (t: number) => Math.floor((times[t]!.day + 3) / 7);
  const days = new Map<number, Set<number>>();
  times.forEach(({ day }, t) => {
    const seen = days.get(weekOf(t)) ?? new Set<number>();
    days.set(weekOf(t), seen.add(day));
  });
  const whole = [...base.keys()].filter((t) => days.get(weekOf(t))!.size === 7);
  return joinBlocks(
    whole.map((t) => base[t]!),
    (i) => weekOf(whole[i]!),
  );
}

/** A block in the bins of the verdict; nothing at all is an empty window. */
export function blocksToBins(bins: VerdictBins, counts: ArrayLike<number>): Float64Array {
  const placed = new Float64Array(bins.size);
  if (counts.length === 0) return placed;
  for (let bin = 0; bin < bins.ofVerdict.length; bin++) placed[bins.ofVerdict[bin]!]! += counts[bin]!;
  placed[bins.missing]! += counts[bins.ofVerdict.length]!;
  return placed;
}

function hourlyRows(rows: readonly TimedBlock[], sizes: Float64Array): number[] {
  const hours = new Float64Array(24);
  rows.forEach(({ time }, t) => {
    hours[time.hour]! += sizes[t]!;
  });
  const all = sum(hours);
  return Array.from(hours, (count) => short(count / all));
}

function poolCounts(blocks: readonly Float64Array[]): Float64Array {
  const pooled = new Float64Array(blocks[0]?.length ?? 0);
  for (const counts of blocks) for (let i = 0; i < pooled.length; i++) pooled[i]! += counts[i]!;
  return pooled;
}

function shortSeason({ base, hour, weekday }: Season): Season {
  return { base: short(base), hour: hour?.map(short), weekday: weekday?.map(short) };
}

/** Nine digits: what a baseline keeps of a fitted number. */
function short(value: number): number {
  return Number(value.toPrecision(9));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sum(values: Float64Array): number {
  let all = 0;
  for (let i = 0; i < values.length; i++) all += values[i]!;
  return all;
}
