/** Times of events, read quickly: nearly all are written as `2001-02-01T10:05:00Z` or with milliseconds. */
import { TIME_PATTERN } from '../contracts/event.ts';

/** Milliseconds since 1970 (finer digits cut off), or NaN when the text is not RFC 3339 with an offset. A day beyond its month runs into the next. */
export function parseTime(text: string): number {
  const length = text.length;
  if ((length === 24 || length === 20) && text.charCodeAt(length - 1) === 90) {
    const ms = length === 24 ? digits(text, 20, 3) : 0;
    const year = digits(text, 0, 4);
    const month = digits(text, 5, 2);
    const day = digits(text, 8, 2);
    const hour = digits(text, 11, 2);
    const minute = digits(text, 14, 2);
    const second = digits(text, 17, 2);
    // Any wrong digit made its number NaN, and a comparison with NaN is false.
    if (
      ms >= 0 &&
      year >= 100 &&
      month >= 1 &&
      month <= 12 &&
      day >= 1 &&
      day <= 31 &&
      hour <= 23 &&
      minute <= 59 &&
      second <= 59 &&
      text.charCodeAt(4) === 45 &&
      text.charCodeAt(7) === 45 &&
      text.charCodeAt(10) === 84 &&
      text.charCodeAt(13) === 58 &&
      text.charCodeAt(16) === 58 &&
      (length === 20 || text.charCodeAt(19) === 46)
    )
      return Date.UTC(year, month - 1, day, hour, minute, second, ms);
  }
  if (!TIME_PATTERN.test(text)) return Number.NaN;
  return Date.parse(text);
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
