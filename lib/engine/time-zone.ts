/**
 * Local midnights of an IANA time zone. A local day is [first instant of its date, first instant of the next date), so days
 * partition time whatever clocks do: 23 or 25 hours long, beginning at 01:00 where midnight is skipped, empty where a date is.
 */
const DAY = 86_400_000;

export class TimeZone {
  readonly name: string;
  private readonly format: Intl.DateTimeFormat | null;
  private readonly starts = new Map<number, number>();

  /** Throws RangeError when there is no such zone. */
  constructor(name: string) {
    this.name = name;
    this.format =
      name === 'UTC'
        ? null
        : new Intl.DateTimeFormat('en-US', {
            timeZone: name,
            calendar: 'gregory',
            numberingSystem: 'latn',
            hourCycle: 'h23',
            era: 'short',
            year: 'numeric',
            month: 'numeric',
            day: 'numeric',
            hour: 'numeric',
            minute: 'numeric',
            second: 'numeric',
          });
  }

  /** Local time minus UTC at an instant, milliseconds, whole seconds. */
  offset(at: number): number {
    if (this.format === null) return 0;
    const second = Math.floor(at / 1_000) * 1_000;
    let [year, month, day, hour, minute, seconds] = [0, 1, 1, 0, 0, 0];
    let before = false;
    for (const { type, value } of this.format.formatToParts(second)) {
      if (type === 'year') year = Number(value);
      else if (type === 'month') month = Number(value);
      else if (type === 'day') day = Number(value);
      else if (type === 'hour') hour = Number(value);
      else if (type === 'minute') minute = Number(value);
      else if (type === 'second') seconds = Number(value);
      else if (type === 'era') before = value.startsWith('B');
    }
    const date = new Date(0);
    date.setUTCFullYear(before ? 1 - year : year, month - 1, day);
    date.setUTCHours(hour, minute, seconds);
    return date.getTime() - second;
  }

  /** The first instant at which local time (milliseconds as if UTC) is at or beyond `local`. */
  instant(local: number): number {
    if (this.format === null) return local;
    const before = this.offset(local - DAY);
    const after = this.offset(local + DAY);
    if (before === after) return local - before;
    let low = local - DAY;
    let high = local + DAY;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === before) low = middle;
      else high = middle;
    }
    return local - before < high ? local - before : Math.max(high, local - after);
  }

  /** First instant of local day `day`, counted from 1970-01-01. */
  dayStart(day: number): number {
    if (this.format === null) return day * DAY;
    let start = this.starts.get(day);
    if (start === undefined) {
      if (this.starts.size >= 4_096) this.starts.clear();
      start = this.instant(day * DAY);
      this.starts.set(day, start);
    }
    return start;
  }

  /** Number of the local day that holds an instant. */
  dayOf(at: number): number {
    if (this.format === null) return Math.floor(at / DAY);
    let day = Math.floor((at + this.offset(at)) / DAY);
    // Where clocks went back over midnight, local time says yesterday once more.
    while (at >= this.dayStart(day + 1)) day++;
    return day;
  }
}
