/** How the rows of a span are spread over hours of day and days of week: what its predicted season is a mean over. */
import { localClock } from './local-clock.ts';
import type { Season } from './season.ts';

export interface SeasonWeights {
  /** 24 shares, sum 1. */
  readonly hour: Float64Array;
  /** 7 shares from Monday, sum 1. */
  readonly weekday: Float64Array;
}

export interface SpanRows {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Rows of the parts it was merged from, by the start of the part; without them hours weigh as in the baseline. */
  readonly parts?: readonly { readonly start: number; readonly rows: number }[];
}

const HOUR = 3_600_000;
/** A span is walked in at most so many steps. */
const STEPS = 24 * 31;

/** `hours`: rows of the baseline by hour of day, or empty. */
export function seasonWeights(span: SpanRows, timezone: string, hours: readonly number[]): SeasonWeights {
  const clock = localClock(timezone);
  const hour = new Float64Array(24);
  const weekday = new Float64Array(7);
  let all = 0;
  const add = (at: number, weight: number): void => {
    const time = clock.at(at);
    hour[time.hour]! += weight;
    weekday[time.weekday]! += weight;
    all += weight;
  };
  for (const { start, rows } of span.parts ?? []) if (rows > 0) add(start, rows);
  if (all === 0) {
    const length = span.end - span.start;
    const step = length > STEPS * HOUR ? 24 * HOUR : HOUR;
    for (let at = span.start; at < span.end; at += step) add(at, (hours[clock.at(at).hour] ?? 1) + 1e-9);
  }
  if (all === 0) add(span.start, 1);
  for (let i = 0; i < 24; i++) hour[i]! /= all;
  for (let i = 0; i < 7; i++) weekday[i]! /= all;
  return { hour, weekday };
}

export function seasonOver(season: Season, weights: SeasonWeights): number {
  let value = season.base;
  if (season.hour !== undefined) for (let i = 0; i < 24; i++) value += weights.hour[i]! * (season.hour[i] ?? 0);
  if (season.weekday !== undefined) for (let i = 0; i < 7; i++) value += weights.weekday[i]! * (season.weekday[i] ?? 0);
  return value;
}
