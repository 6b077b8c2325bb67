/** Reads the times of events: RFC 3339 with an offset, as TIME_PATTERN of contracts/event.ts has it, to the millisecond. */
import { TIME_PATTERN } from '../contracts/event.ts';

const DAY = 86_400_000;

let lastDay = '';
let lastDayMs = 0;

/** Milliseconds since 1970, finer digits cut off; NaN when it is no such time or no such date. */
export function parseTime(text: string): number {
  // The form nearly all producers send, 2001-02-01T10:05:00.000Z, is read without the pattern.
  if (text.length === 24 && text.charCodeAt(23) === 90 && text.charCodeAt(19) === 46) {
    const time = clock(text);
    const milliseconds = digits3(text, 20);
    if (time >= 0 && milliseconds >= 0) return dayMs(text) + time + milliseconds;
    return Number.NaN;
  }
  if (text.length === 20 && text.charCodeAt(19) === 90) {
    const time = clock(text);
    return time >= 0 ? dayMs(text) + time : Number.NaN;
  }
  if (!TIME_PATTERN.test(text)) return Number.NaN;
  const zone = text.endsWith('Z') ? text.length - 1 : text.length - 6;
  const fraction = text[19] === '.' ? Number(text.slice(20, zone).slice(0, 3).padEnd(3, '0')) : 0;
  const sign = text[zone] === '-' ? -1 : 1;
  const offset =
    zone === text.length - 1 ? 0 : sign * (digits2(text, zone + 1) * 60 + digits2(text, zone + 4)) * 60_000;
  return dayMs(text) + clock(text) + fraction - offset;
}

/** `THH:MM:SS` at 10 in milliseconds; -1 when it is not. */
function clock(text: string): number {
  const hour = digits2(text, 11);
  const minute = digits2(text, 14);
  const second = digits2(text, 17);
  const punctuated = text.charCodeAt(10) === 84 && text.charCodeAt(13) === 58 && text.charCodeAt(16) === 58;
  if (!punctuated || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1;
  return hour * 3_600_000 + minute * 60_000 + second * 1_000;
}

/** `YYYY-MM-DD` at the start; NaN when there is no such date. Events come in order, mostly: one day is remembered. */
function dayMs(text: string): number {
  if (lastDay.length === 10 && text.startsWith(lastDay)) return lastDayMs;
  const high = digits2(text, 0);
  const low = digits2(text, 2);
  const month = digits2(text, 5);
  const day = digits2(text, 8);
  const punctuated = text.charCodeAt(4) === 45 && text.charCodeAt(7) === 45;
  if (!punctuated || high < 0 || low < 0 || month < 1 || month > 12 || day < 1) return Number.NaN;
  const year = high * 100 + low;
  if (day > daysIn(year, month)) return Number.NaN;
  lastDay = text.slice(0, 10);
  lastDayMs = daysFromCivil(year, month, day) * DAY;
  return lastDayMs;
}

function digits2(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function digits3(text: string, at: number): number {
  const hundreds = text.charCodeAt(at) - 48;
  const rest = digits2(text, at + 1);
  return hundreds >= 0 && hundreds <= 9 && rest >= 0 ? hundreds * 100 + rest : -1;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, chrono-compatible date algorithms). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
