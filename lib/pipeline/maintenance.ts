/** Whether it is maintenance now, and until when. Pure. */
import { durationMs } from '../contracts/duration.ts';
import { type Maintenance, WEEKDAYS } from '../contracts/maintenance.ts';
import { TimeZone } from '../engine/time-zone.ts';

export interface Withheld {
  readonly reason: string;
  /** Milliseconds since 1970: people may be told from then on. */
  readonly until: number;
}

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday; `WEEKDAYS` begins with Monday. */
const FIRST_DAY = 3;
/** Windows that follow each other without a gap are one; more than these are told of in between. */
const MOST_IN_A_ROW = 100;

/** `null`: it is none. Windows that touch or overlap are one, under the reason of the first. */
export function maintenanceAt(windows: readonly Maintenance[] | undefined, now: number): Withheld | null {
  if (windows === undefined) return null;
  const first = longest(windows, now);
  if (first === null) return null;
  let { until } = first;
  for (let i = 0; i < MOST_IN_A_ROW; i++) {
    const next = longest(windows, until);
    if (next === null) break;
    until = next.until;
  }
  return { reason: first.reason, until };
}

/** Of the windows that hold a moment the one that ends last. */
function longest(windows: readonly Maintenance[], at: number): Withheld | null {
  let found: Withheld | null = null;
  for (const window of windows) {
    const until = endOf(window, at);
    if (until !== null && (found === null || until > found.until)) found = { reason: window.reason, until };
  }
  return found;
}

/** `null`: the moment lies outside. */
function endOf(window: Maintenance, at: number): number | null {
  if ('from' in window) {
    const until = Date.parse(window.until);
    return Date.parse(window.from) <= at && at < until ? until : null;
  }
  const zone = new TimeZone(window.timezone);
  const length = durationMs(window.for);
  const [hours = 0, minutes = 0] = window.at.split(':').map(Number);
  const today = zone.dayOf(at);
  let end: number | null = null;
  // It may have begun yesterday; the day before where a day has 25 hours.
  for (let day = today - 2; day <= today; day++) {
    const weekday = WEEKDAYS[(((day + FIRST_DAY) % 7) + 7) % 7]!;
    if (window.days !== undefined && !window.days.includes(weekday)) continue;
    const start = zone.instant(day * DAY_MS + (hours * 60 + minutes) * 60_000);
    if (start <= at && at < start + length) end = start + length;
  }
  return end;
}
