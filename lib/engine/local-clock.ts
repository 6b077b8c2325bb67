/** Hour, weekday and day of instants in a time zone: what a season repeats by. */
import { TimeZone } from './time-zone.ts';

export interface LocalTime {
  /** 0–23. */
  readonly hour: number;
  /** Monday is 0. */
  readonly weekday: number;
  /** Local days since 1970-01-01. */
  readonly day: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CACHE = 20_000;

export class LocalClock {
  private readonly zone: TimeZone;
  private readonly known = new Map<number, LocalTime>();

  /** Throws RangeError when there is no such zone. */
  constructor(timezone: string) {
    this.zone = new TimeZone(timezone);
  }

  at(instant: number): LocalTime {
    const known = this.known.get(instant);
    if (known !== undefined) return known;
    const day = this.zone.dayOf(instant);
    const local = instant + this.zone.offset(instant) - day * DAY;
    const hour = Math.min(23, Math.max(0, Math.floor(local / HOUR)));
    const time = { hour, weekday: (((day + 3) % 7) + 7) % 7, day };
    if (this.known.size >= CACHE) this.known.clear();
    this.known.set(instant, time);
    return time;
  }
}

const clocks = new Map<string, LocalClock>();

/** One clock a zone: formatting dates is slow, and windows come again. */
export function localClock(timezone: string): LocalClock {
  let clock = clocks.get(timezone);
  if (clock === undefined) {
    clock = new LocalClock(timezone);
    clocks.set(timezone, clock);
  }
  return clock;
}
