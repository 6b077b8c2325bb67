/**
 * Windows that are left out when a baseline is learned, because nothing else that was seen is like them. A window is compared with those
 * of other days, and its nearest one counts: what returns (a night, a weekend of two days) has one that is like it, an outage or a wrong
 * unit has none. Within one or two days each window is compared with all others.
 *
 * The distance of two windows in a column is the root of the symmetric chi-square divergence of their shares, Σ (p - q)² / ((p + q) / 2),
 * less what sampling alone makes of it, (k - 1)(1/n + 1/m); that of their rows is a ratio. Pure.
 */
import { localClock } from './local-clock.ts';

/** Rows by part of one column: any parts, the same ones in each window, what has no value being one of them. */
export type ColumnParts = readonly number[];

export interface LearningWindow {
  /** Event time, milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  /** By column, in the order of `names`. */
  readonly columns: readonly ColumnParts[];
}

export interface StandingOut {
  readonly window: LearningWindow;
  /** Name of the column that tells most; `null`: the number of its rows. */
  readonly column: string | null;
  /** Distance from the nearest window; of rows the ratio, below 1 for fewer. */
  readonly size: number;
  /** Rows of the window that is nearest in rows. */
  readonly nearestRows: number;
}

export interface Sorted {
  readonly kept: readonly LearningWindow[];
  /** Those left out, in order of time. */
  readonly out: readonly StandingOut[];
  /** So many stood out that none is left out: it is no exception then. */
  readonly unsteady: number;
}

/** Distance below which nobody would look: about an effect w of a third. */
const WORTH_LEAVING = 0.35;
/** Times the usual distance from the nearest window. */
const ODD = 4;
/** Standard deviations of the statistic when both are draws of one law. */
const CERTAIN = 7;
/** Times as many or as few rows. */
const ROWS_RATIO = 5;
/** Of all windows: more are no exceptions. */
const MOST_LEFT_OUT = 0.25;
/** Rows of the smaller window below which shares tell nothing. */
const LEAST_ROWS = 30;
const FEW_DAYS = 3;
const NIGHT = 12 * 3_600_000;

/** `names`: of the columns. `windows`: those with rows, in any order. */
export function sortOut(names: readonly string[], windows: readonly LearningWindow[], timezone: string): Sorted {
  const ordered = [...windows].sort((a, b) => a.start - b.start);
  const clock = localClock(timezone);
  const days = ordered.map(({ start }) => clock.at(start).day);
  const apart =
    new Set(days).size < FEW_DAYS
      ? (a: number, b: number) => a !== b
      : (a: number, b: number) =>
          days[a] !== days[b] && Math.abs(ordered[a]!.start - ordered[b]!.start) >= leastBetween(ordered[a]!);
  const found = new Map<LearningWindow, StandingOut>();
  for (const one of byRows(ordered, apart)) found.set(one.window, one);
  names.forEach((name, column) => {
    for (const one of byShares(ordered, column, name, apart)) {
      const known = found.get(one.window);
      if (known === undefined || (known.column !== null && known.size < one.size)) found.set(one.window, one);
    }
  });
  if (found.size > MOST_LEFT_OUT * ordered.length) return { kept: ordered, out: [], unsteady: found.size };
  return {
    kept: ordered.filter((window) => !found.has(window)),
    out: ordered.flatMap((window) => found.get(window) ?? []),
    unsteady: 0,
  };
}

/** Short windows before and after midnight are of one night, and of one incident. */
function leastBetween({ start, end }: LearningWindow): number {
  return end - start < NIGHT ? NIGHT : 0;
}

type Apart = (a: number, b: number) => boolean;

function byRows(windows: readonly LearningWindow[], apart: Apart): StandingOut[] {
  return windows.flatMap((window, a) => {
    let nearest: { ratio: number; rows: number } | null = null;
    windows.forEach((other, b) => {
      if (!apart(a, b)) return;
      const ratio = (window.rows + 1) / (other.rows + 1);
      if (nearest === null || Math.abs(Math.log(ratio)) < Math.abs(Math.log(nearest.ratio)))
        nearest = { ratio, rows: other.rows };
    });
    const found = nearest as { ratio: number; rows: number } | null;
    if (found === null || (found.ratio <= ROWS_RATIO && found.ratio >= 1 / ROWS_RATIO)) return [];
    return [{ window, column: null, size: found.ratio, nearestRows: found.rows }];
  });
}

function byShares(windows: readonly LearningWindow[], column: number, name: string, apart: Apart): StandingOut[] {
  const parts = windows.map(({ columns }) => columns[column] ?? []);
  const sums = parts.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const judged = windows.flatMap((window, a) => {
    if (sums[a]! < LEAST_ROWS) return [];
    let nearest: Distance | null = null;
    windows.forEach((_, b) => {
      if (!apart(a, b) || sums[b]! < LEAST_ROWS) return;
      const distance = distanceOf(parts[a]!, sums[a]!, parts[b]!, sums[b]!);
      if (nearest === null || distance.size < nearest.size) nearest = distance;
    });
    const found = nearest as Distance | null;
    return found === null ? [] : [{ window, ...found }];
  });
  const usual = median(judged.map(({ size }) => size));
  return judged
    .filter(({ size, certainty }) => size >= WORTH_LEAVING && size >= ODD * usual && certainty >= CERTAIN)
    .map(({ window, size }) => ({ window, column: name, size, nearestRows: 0 }));
}

interface Distance {
  readonly size: number;
  readonly certainty: number;
}

function distanceOf(a: ColumnParts, n: number, b: ColumnParts, m: number): Distance {
  let divergence = 0;
  let used = 0;
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i]! / n, b[i]! / m];
    if (p + q === 0) continue;
    used++;
    divergence += (p - q) ** 2 / ((p + q) / 2);
  }
  const noise = 1 / n + 1 / m;
  const freedom = Math.max(1, used - 1);
  return {
    size: Math.sqrt(Math.max(0, divergence - freedom * noise)),
    certainty: (divergence / noise - freedom) / Math.sqrt(2 * freedom),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
