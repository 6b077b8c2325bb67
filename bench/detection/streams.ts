/**
 * Traffic: how many rows a window has, and how each window moves by itself although nothing has changed (effects, in standard
 * deviations of a row). Time is whole windows from a Monday, 00:00 UTC.
 */
import type { Random } from '../../lib/stats/random.ts';

export type Cadence = 'hourly' | 'daily';

export const STREAM_KINDS = ['independent', 'days', 'season', 'hours'] as const;
/**
 * independent: rows alone are random; days: each day shifted, days follow each other (AR(1), 0.6, 0.1 sd); season: besides an hour-of-day
 * curve of 0.35 sd and a weekend of 0.2 sd; hours: windows shifted by 0.1 sd, neighbouring ones correlated by 0.9.
 */
export type StreamKind = (typeof STREAM_KINDS)[number];

/** flat, a day curve that spans 1:100, or flat and after the baseline so many times as much. */
export type Traffic = 'flat' | 'curve' | number;

export interface StreamPlan {
  readonly kind: StreamKind;
  readonly cadence: Cadence;
  readonly traffic: Traffic;
  /** Of a typical window. */
  readonly rows: number;
  /** Windows of the baseline. */
  readonly baseline: number;
  /** Windows judged after it. */
  readonly judged: number;
}

const SD = 0.1;
const DAY_CORRELATION = 0.6;
const HOUR_CORRELATION = 0.9;
const SEASON = 0.35;
const WEEKEND = 0.2;
/** Traffic of a seasonal stream between night and noon: ± this share. */
const SWING = 0.4;
/** Busiest hour over quietest. */
const CURVE = 100;

export function windowsADay(cadence: Cadence): number {
  return cadence === 'hourly' ? 24 : 1;
}

/** Rows of each window, baseline first. */
export function rowsOf({ kind, cadence, traffic, rows, baseline, judged }: StreamPlan): Int32Array {
  const windows = new Int32Array(baseline + judged);
  for (let t = 0; t < windows.length; t++) {
    const phase = Math.sin((2 * Math.PI * ((t % 24) - 9)) / 24);
    let factor = typeof traffic === 'number' && t >= baseline ? traffic : 1;
    if (cadence === 'hourly' && traffic === 'curve') factor *= CURVE ** (phase / 2) / MEAN_OF_CURVE;
    else if (cadence === 'hourly' && kind === 'season') factor *= 1 + SWING * phase;
    windows[t] = Math.max(1, Math.round(rows * factor));
  }
  return windows;
}

const MEAN_OF_CURVE =
  Array.from({ length: 24 }, (_, hour) => CURVE ** (Math.sin((2 * Math.PI * (hour - 9)) / 24) / 2)).reduce(
    (sum, value) => sum + value,
    0,
  ) / 24;

/** Effects of one column; its own days, its own phase of the day. */
export function effectsOf({ kind, cadence, baseline, judged }: StreamPlan, random: Random): Float64Array {
  const effects = new Float64Array(baseline + judged);
  if (kind === 'independent') return effects;
  const a_day = windowsADay(cadence);
  const hours = kind === 'hours';
  const step = hours ? 1 : a_day;
  const correlation = hours ? HOUR_CORRELATION : DAY_CORRELATION;
  const phase = random.integer(24);
  const sign = random.next() < 0.5 ? -1 : 1;
  let level = SD * random.normal();
  for (let t = 0; t < effects.length; t++) {
    if (t > 0 && t % step === 0) level = correlation * level + SD * Math.sqrt(1 - correlation ** 2) * random.normal();
    effects[t] = level;
    if (kind !== 'season') continue;
    if (cadence === 'hourly') effects[t]! += SEASON * Math.sin((2 * Math.PI * (t - phase)) / 24);
    if (Math.floor(t / a_day) % 7 >= 5) effects[t]! += sign * WEEKEND;
  }
  return effects;
}
