/** What is odd about the reference itself: a drift through it, or windows unlike all others, teach the wrong null if nobody looks at them. */
import type { ColumnBaseline, VolumeBaseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Problem } from '../contracts/problem.ts';
import { type TrendWindow, trendOf } from './baseline-trend.ts';
import { type BaselineBlock, blocksToBins, type CalibrationWindow } from './calibration.ts';
import { readFit } from './calibration-fit.ts';
import { linearScores, residuals, scoreReference, setCounts } from './linear-scores.ts';
import { localClock } from './local-clock.ts';
import { categoricalScores, numericScores, type ScoreAspect, type ScoreSet, setShares } from './scores.ts';
import { seasonAt } from './season.ts';
import { verdictBins } from './verdict-bins.ts';
import { binLabel, numberText } from './verdict-words.ts';

/** Robust standard deviations (of the windows' own scores) that make a window odd. */
const ODD = 7;
/** Effect below which nobody needs to look. */
const WORTH_A_LOOK = 0.1;
const ENOUGH_WINDOWS = 10;
/** Of a column's baseline without a drift, the share in which one is told. */
const TREND_LEVEL = 0.001;
const DAY = 86_400_000;
const TOLD = 3;
/** Rows of a window relative to the typical one. */
const FEW_ROWS = 0.2;
const MANY_ROWS = 5;

/** A baseline window as its scores see it. */
interface ScoredWindow extends TrendWindow {
  /** Residuals that are judged, and plain effects, both less the season. */
  readonly z: Float64Array;
  readonly effects: Float64Array;
}

/**
 * `column` with its calibration, and the blocks that it was made from: a drift through the baseline, then windows unlike the
 * others, largest first, at most three.
 */
export function baselineFindings(
  column: ColumnBaseline,
  blocks: readonly BaselineBlock[],
  window: CalibrationWindow,
): Problem[] {
  const bins = verdictBins(column);
  const scoresOf = column.type === 'numeric' ? numericScores : categoricalScores;
  const fit =
    column.calibration === null
      ? null
      : readFit(column.calibration, bins.size, (shares) => scoresOf(shares, true).aspects.length);
  if (fit === null || blocks.length < ENOUGH_WINDOWS) return [];
  const scores = scoresOf(fit.shares, true);
  const reference = scoreReference(scores, setShares(scores, fit.shares, fit.rows));
  const clock = localClock(window.timezone);
  const windows = blocks
    .map(({ start, counts }) => ({ start, counts: blocksToBins(bins, counts) }))
    .map(({ start, counts }) => ({ start, counts, rows: counts.reduce((sum, count) => sum + count, 0) }))
    .filter(({ rows }) => rows > 0)
    .map(({ start, counts, rows }): ScoredWindow => {
      const time = clock.at(start);
      const season = fit.seasons.map((one) => seasonAt(one, time));
      const linear = linearScores(reference, counts, rows);
      return {
        start,
        day: time.day,
        z: residuals(reference, linear, setCounts(scores, counts), season, rows, 0),
        effects: linear.map((value, j) => value - season[j]!),
        rows,
      };
    });
  if (windows.length < ENOUGH_WINDOWS) return [];
  const named = ({ aspect, effect }: Told): string =>
    `${aspect.kind === 'bin' ? binLabel(column, bins, aspect.bin) : aspect.kind.replace('-', ' ')}, effect ${numberText(Number(effect.toPrecision(2)))}`;
  const findings: Problem[] = [];
  const trend = largestTrend(windows, scores, durationMs(window.every) < DAY);
  if (trend !== null)
    findings.push({
      code: 'drifting-baseline',
      path: column.name,
      message: `drifts through the baseline, from ${iso(windows[0]!.start)} to ${iso(windows.at(-1)!.start)}: what follows will look changed, or hide in the spread`,
      got: named(trend),
      fix: 'make the baseline from a span in which nothing changed, or from the most recent part of it',
    });
  for (const { start, ...told } of oddWindows(windows, scores))
    findings.push({
      code: 'anomalous-window',
      path: column.name,
      message: `the window from ${iso(start)} is unlike the others of the baseline`,
      got: named(told),
      fix: 'leave it out of the reference if it was an incident',
    });
  return findings;
}

interface Told {
  readonly aspect: ScoreAspect;
  readonly effect: number;
}

function oddWindows(windows: readonly ScoredWindow[], { aspects }: ScoreSet): (Told & { readonly start: number })[] {
  const worst = new Map<number, Told & { readonly surprise: number }>();
  aspects.forEach((aspect, j) => {
    const centre = median(windows.map(({ z }) => z[j]!));
    const spread = 1.4826 * median(windows.map(({ z }) => Math.abs(z[j]! - centre)));
    for (const { start, z, effects, rows } of windows) {
      const surprise = Math.abs(z[j]! - centre) / Math.hypot(spread, 1 / Math.sqrt(rows));
      const effect = Math.abs(effects[j]!);
      if (surprise < ODD || effect < WORTH_A_LOOK) continue;
      if (surprise > (worst.get(start)?.surprise ?? 0)) worst.set(start, { surprise, effect, aspect });
    }
  });
  return [...worst]
    .sort((a, b) => b[1].surprise - a[1].surprise || a[0] - b[0])
    .slice(0, TOLD)
    .map(([start, { effect, aspect }]) => ({ start, effect, aspect }));
}

/** The score that drifts furthest through the baseline, of those that certainly do and are worth a look; the effect is that from end to end. */
function largestTrend(windows: readonly ScoredWindow[], scores: ScoreSet, intraday: boolean): Told | null {
  let largest: Told | null = null;
  scores.aspects.forEach((aspect, j) => {
    const trend = trendOf(
      windows,
      windows.map(({ effects }) => effects[j]!),
      intraday,
    );
    if (trend === null) return;
    const effect = Math.abs(trend.change);
    if (trend.pValue > TREND_LEVEL * scores.weights[j]! || effect < Math.max(WORTH_A_LOOK, largest?.effect ?? 0))
      return;
    largest = { aspect, effect };
  });
  return largest;
}

/** Windows with far fewer or far more rows than the typical one; the first and the last are seldom whole and not told. */
export function volumeFindings(volume: VolumeBaseline): Problem[] {
  if (volume.rows.length < ENOUGH_WINDOWS) return [];
  const typical = median(volume.rows);
  return volume.starts
    .map((start, i) => ({ start, rows: volume.rows[i] ?? 0 }))
    .slice(1, -1)
    .filter(({ rows }) => rows < FEW_ROWS * typical || rows > MANY_ROWS * typical)
    .sort((a, b) => Math.abs(Math.log((b.rows + 1) / typical)) - Math.abs(Math.log((a.rows + 1) / typical)))
    .slice(0, TOLD)
    .map(({ start, rows }) => ({
      code: 'anomalous-volume',
      path: '',
      message: `the window from ${iso(start)} has ${rows < typical ? 'few' : 'many'} rows`,
      got: numberText(rows),
      expected: `about ${numberText(typical)}`,
      fix: 'leave it out of the reference if it was an incident',
    }));
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
