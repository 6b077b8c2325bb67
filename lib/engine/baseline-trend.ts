/**
 * A drift through a baseline: the slope of one score over its days (or its windows, where they are as long), against what days
 * that follow each other do by themselves. Least squares weighted by sampling noise and the moment estimate of what days
 * differ by; the error of the slope is widened, and its freedom cut, by the lag-1 correlation of the residuals.
 */
import { studentTwoSided } from '../stats/special.ts';

export interface TrendWindow {
  /** Milliseconds since 1970. */
  readonly start: number;
  /** Local day. */
  readonly day: number;
  /** > 0. */
  readonly rows: number;
}

export interface Trend {
  /** Change of the score from the first window to the last. */
  readonly change: number;
  /** Two-sided. */
  readonly pValue: number;
}

/** Fewer say nothing of how they follow each other. */
const LEAST_POINTS = 7;
const LARGEST_CORRELATION = 0.95;

/** `effects`: the score of each window, less its season, n·variance 1 for independent rows. `null` for fewer than seven days or windows. */
export function trendOf(windows: readonly TrendWindow[], effects: ArrayLike<number>, joinDays: boolean): Trend | null {
  const points = joined(windows, effects, joinDays);
  if (points.length < LEAST_POINTS) return null;
  const excess = excessOf(points);
  const weights = points.map(({ rows }) => 1 / (1 / rows + excess));
  const { slope, spreadOfTime, residuals } = fitLine(points, weights);
  const correlation = lagOne(residuals, weights);
  const count = points.length;
  // Around a fitted line the correlation is estimated too low by (2 + 4r)/n (Kendall and Marriott), and is itself uncertain.
  const error = Math.sqrt((1 - correlation ** 2) / count);
  const r = Math.min(LARGEST_CORRELATION, Math.max(0, correlation + (2 + 4 * correlation) / count + error));
  const design = (1 + r) / (1 - r);
  const freedom = Math.max(1, count / design - 2);
  let squares = 0;
  let noise = 0;
  residuals.forEach((residual, i) => {
    squares += weights[i]! * residual ** 2;
    noise += weights[i]! / points[i]!.rows;
  });
  // By luck residuals may vary less than rows drawn at random do: never taken as less.
  const variance = Math.max(noise / count, squares / (count - 2)) * design;
  const change = slope * (points.at(-1)!.at - points[0]!.at);
  return { change, pValue: studentTwoSided(slope / Math.sqrt(variance / spreadOfTime), freedom) };
}

interface Point {
  /** Days, or milliseconds: the slope's unit cancels. */
  readonly at: number;
  readonly rows: number;
  readonly value: number;
}

function joined(windows: readonly TrendWindow[], effects: ArrayLike<number>, joinDays: boolean): Point[] {
  if (!joinDays) return windows.map(({ start, rows }, i) => ({ at: start, rows, value: effects[i]! }));
  const days = new Map<number, { rows: number; sum: number }>();
  windows.forEach(({ day, rows }, i) => {
    const point = days.get(day) ?? { rows: 0, sum: 0 };
    point.rows += rows;
    point.sum += rows * effects[i]!;
    days.set(day, point);
  });
  return [...days].map(([at, { rows, sum }]) => ({ at, rows, value: sum / rows }));
}

/** Moment estimate of the variance of the effects beyond sampling noise. */
function excessOf(points: readonly Point[]): number {
  const all = points.reduce((sum, { rows }) => sum + rows, 0);
  const mean = points.reduce((sum, { rows, value }) => sum + rows * value, 0) / all;
  const moment = points.reduce((sum, { rows, value }) => sum + rows * ((value - mean) ** 2 - 1 / rows), 0) / all;
  return Math.max(0, moment);
}

function fitLine(
  points: readonly Point[],
  weights: readonly number[],
): { readonly slope: number; readonly spreadOfTime: number; readonly residuals: number[] } {
  let all = 0;
  let time = 0;
  let value = 0;
  points.forEach((point, i) => {
    all += weights[i]!;
    time += weights[i]! * point.at;
    value += weights[i]! * point.value;
  });
  time /= all;
  value /= all;
  let spreadOfTime = 0;
  let cross = 0;
  points.forEach((point, i) => {
    spreadOfTime += weights[i]! * (point.at - time) ** 2;
    cross += weights[i]! * (point.at - time) * (point.value - value);
  });
  const slope = cross / spreadOfTime;
  return { slope, spreadOfTime, residuals: points.map((point) => point.value - value - slope * (point.at - time)) };
}

function lagOne(residuals: readonly number[], weights: readonly number[]): number {
  let cross = 0;
  let squares = 0;
  residuals.forEach((residual, i) => {
    squares += weights[i]! * residual ** 2;
    if (i > 0) cross += Math.sqrt(weights[i]! * weights[i - 1]!) * residual * residuals[i - 1]!;
  });
  return squares > 0 ? cross / squares : 0;
}
