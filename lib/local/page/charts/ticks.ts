/** Marks of a time axis at round times of the model's zone: midnights, Mondays, firsts of months. */
import { clock, instantOf, shortDay, wallTime } from '../words/times.ts';

export interface Tick {
  readonly at: number;
  readonly label: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Steps, finest first: unit, how many, and about how long one is. */
const STEPS = [
  ['hour', 1, HOUR],
  ['hour', 3, 3 * HOUR],
  ['hour', 6, 6 * HOUR],
  ['hour', 12, 12 * HOUR],
  ['day', 1, DAY],
  ['day', 2, 2 * DAY],
  ['day', 7, 7 * DAY],
  ['day', 14, 14 * DAY],
  ['month', 1, 30 * DAY],
  ['month', 3, 91 * DAY],
  ['month', 6, 182 * DAY],
  ['month', 12, 365 * DAY],
  ['month', 60, 1826 * DAY],
] as const;

/** At most `most` ticks (plus one) in [from, to], ascending. Empty when the span is. */
export function timeTicks(from: number, to: number, zone: string, most: number): Tick[] {
  if (!(to > from) || !(most >= 1)) return [];
  const step = STEPS.find(([, , length]) => (to - from) / length <= most) ?? ['month', 1200, 36_525 * DAY];
  const [unit, n] = step;
  const ticks: Tick[] = [];
  let { year, month, day, hour } = wallTime(from, zone);
  if (unit === 'hour') hour = Math.floor(hour / n) * n;
  else hour = 0;
  if (unit === 'month') {
    day = 1;
    const months = Math.floor((year * 12 + month - 1) / n) * n;
    year = Math.floor(months / 12);
    month = (months % 12) + 1;
  }
  // Days step from a Monday, so that weeks begin where people expect and ticks stay put while the end moves on.
  if (unit === 'day' && n > 1) {
    const midnight = Date.UTC(year, month - 1, day);
    const sinceMonday = Math.floor(midnight / DAY) + 3;
    day -= ((sinceMonday % n) + n) % n;
  }
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < 4 * most + 8; i++) {
    const at =
      unit === 'hour'
        ? instantOf(year, month, day, hour + i * n, zone)
        : unit === 'day'
          ? instantOf(year, month, day + i * n, 0, zone)
          : instantOf(year, month + i * n, 1, 0, zone);
    if (at > to) break;
    if (at >= from && at > last) ticks.push({ at, label: label(at, unit, n, zone) });
    last = at;
  }
  return ticks;
}

function label(at: number, unit: 'hour' | 'day' | 'month', n: number, zone: string): string {
  const wall = wallTime(at, zone);
  if (unit === 'hour') return wall.hour === 0 && wall.minute === 0 ? shortDay(at, zone) : clock(at, zone);
  if (unit === 'day') return shortDay(at, zone);
  const month = shortDay(at, zone).replace(/^\d+\s/, '');
  return n >= 12 ? String(wall.year) : wall.month === 1 ? `${month} ${wall.year}` : month;
}
