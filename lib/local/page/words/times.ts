/** Times in the model's zone; milliseconds since 1970 in, words out. An unknown zone falls back to UTC and says so by its name. */
import { UNKNOWN } from './numbers.ts';

const DAY = 86_400_000;

type Style = 'day' | 'day-year' | 'time' | 'parts';
const STYLES: Readonly<Record<Style, Intl.DateTimeFormatOptions>> = {
  day: { day: 'numeric', month: 'short' },
  'day-year': { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  parts: {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
    era: 'short',
  },
};

/** Making a formatter costs far more than using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(style: Style, zone: string): Intl.DateTimeFormat {
  const key = `${style} ${zone}`;
  let made = formatters.get(key);
  if (made === undefined) {
    try {
      made = new Intl.DateTimeFormat('en-GB', { ...STYLES[style], timeZone: zone });
    } catch {
      made = new Intl.DateTimeFormat('en-GB', { ...STYLES[style], timeZone: 'UTC' });
    }
    formatters.set(key, made);
  }
  return made;
}

/** RFC 3339 to milliseconds; `null` for what is absent or not a time. */
export function instant(text: string | null | undefined): number | null {
  if (text === null || text === undefined) return null;
  const at = Date.parse(text);
  return Number.isFinite(at) ? at : null;
}

function valid(at: number | null | undefined): at is number {
  return typeof at === 'number' && Math.abs(at) <= 8.64e15;
}

/** `Sat, 3 Mar 2001`. */
export function day(at: number | null | undefined, zone: string): string {
  return valid(at) ? formatter('day-year', zone).format(at) : UNKNOWN;
}

/** `3 Mar`. */
export function shortDay(at: number | null | undefined, zone: string): string {
  return valid(at) ? formatter('day', zone).format(at) : UNKNOWN;
}

/** `14:05`. */
export function clock(at: number | null | undefined, zone: string): string {
  return valid(at) ? formatter('time', zone).format(at) : UNKNOWN;
}

/** `Sat, 3 Mar 2001, 14:05`; at midnight the day alone is said with `00:00`, so that nobody has to guess. */
export function moment(at: number | null | undefined, zone: string): string {
  return valid(at) ? `${day(at, zone)}, ${clock(at, zone)}` : UNKNOWN;
}

/** `2001-03-03 14:05 UTC`: what is shown on hover. */
export function utc(at: number | null | undefined): string {
  return valid(at) ? `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC` : UNKNOWN;
}

/** A window in words: a day, a span of days, or hours of a day. The end is exclusive, and words are inclusive. */
export function windowWords(start: number, end: number, zone: string): string {
  if (!valid(start) || !valid(end)) return UNKNOWN;
  const wholeDays = clock(start, zone) === '00:00' && clock(end, zone) === '00:00';
  if (wholeDays) {
    const last = end - 1;
    return day(start, zone) === day(last, zone)
      ? day(start, zone)
      : `${shortDay(start, zone)} – ${shortDay(last, zone)} ${year(last, zone)}`;
  }
  return end - start < DAY
    ? `${day(start, zone)}, ${clock(start, zone)}–${clock(end, zone)}`
    : `${moment(start, zone)} – ${moment(end, zone)}`;
}

function year(at: number, zone: string): string {
  return String(wallTime(at, zone).year);
}

/** A span: 90061000 → `1 d 1 h`. The two largest units; under a second is `under 1 s`. */
export function span(ms: number | null | undefined): string {
  if (typeof ms !== 'number' || !Number.isFinite(ms)) return UNKNOWN;
  let rest = Math.max(0, Math.round(ms / 1000));
  if (rest === 0) return 'under 1 s';
  const parts: string[] = [];
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const n = Math.floor(rest / seconds);
    rest -= n * seconds;
    if (n > 0) parts.push(`${n} ${unit}`);
    if (parts.length === 2 || (parts.length === 1 && n === 0)) break;
  }
  return parts.join(' ');
}

export interface WallTime {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** What a clock on the wall of the zone shows. */
export function wallTime(at: number, zone: string): WallTime {
  const parts = new Map(
    formatter('parts', zone)
      .formatToParts(at)
      .map((part) => [part.type, part.value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type) ?? 0);
  const shown = number('year');
  return {
    year: parts.get('era') === 'BC' ? 1 - shown : shown,
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
  };
}

/** The instant at which the zone's clock shows a time; on a skipped hour, the instant after the skip. */
export function instantOf(year: number, month: number, dayOfMonth: number, hour: number, zone: string): number {
  const wanted = Date.UTC(year, month - 1, dayOfMonth, hour);
  let at = wanted;
  // The offset is looked up at a guess; the second round settles changes of summer time.
  for (let round = 0; round < 2; round++) {
    const wall = wallTime(at, zone);
    at += wanted - Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  }
  return at;
}
