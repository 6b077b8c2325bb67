/**
 * How event time is cut into windows, scales and grains, and how append time decides what a record still counts for.
 *
 * Windows tumble. Whole days are calendar days of the monitor's zone, counted from 1970-01-01; whole weeks begin on Monday
 * (unless another length of several days is judged too, which weeks from a Monday could not be filled with).
 * Lengths that divide a day are cut by elapsed time from each local midnight, so a day is always a whole number of windows,
 * of which one of a day of 23 or 25 hours may be short or more. All other lengths (5h, 36h) are counted from 1970-01-01T00:00Z.
 *
 * Scales are the durations that are judged: the window first, then ascending, each a whole multiple of the one before, so a
 * longer scale never ends before a shorter one that it contains. Grains are hours of UTC cut at window boundaries, or the
 * window where that is shorter than an hour.
 */
import { durationMs, durationText } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import { TimeZone } from './time-zone.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Of 1970-01-01, a Thursday, to the Monday before it, in days. */
const MONDAY = -3;
const CACHE = 1_024;

export interface Span {
  /** Milliseconds since 1970, half-open. */
  readonly start: number;
  readonly end: number;
}

export interface ScaleSpan extends Span {
  /** Name of the scale, e.g. `7d`. */
  readonly length: string;
}

export interface Scale {
  readonly name: string;
  /** 0 is the monitor's own window. */
  readonly index: number;
  /** Nominal length, milliseconds. */
  readonly ms: number;
}

export interface Timeliness {
  /** Of the record's own window. */
  readonly timeliness: 'on-time' | 'revising' | 'beyond';
  /** Index of the shortest scale that the record is on time for; the number of scales when it is for none. */
  readonly stage: number;
}

const DEFAULT_SCALES = ['1d', '7d'];

export class WindowRule {
  readonly window: Monitor['window'];
  readonly scales: readonly Scale[];
  /** Longest length of a grain, milliseconds. */
  readonly grainMs: number;
  readonly latenessMs: number;
  readonly reviseMs: number;
  private readonly zone: TimeZone;
  /** Day number that whole weeks are counted from. */
  private readonly weekOrigin: number;
  /** For each scale, spans by hour of UTC, where one span covers the hour. */
  private readonly cached: Map<number, Span>[];

  /** `scales`: durations, `monitor.drift.scales`; those shorter than the window are left out. Throws ProblemError. */
  constructor(window: Monitor['window'], scales?: readonly string[]) {
    this.window = window;
    this.zone = new TimeZone(window.timezone);
    this.latenessMs = durationMs(window.lateness);
    this.reviseMs = durationMs(window.revise);
    const base = durationMs(window.every);
    const lengths = scaleLengths(window.every, scales);
    this.scales = lengths.map((ms, index) => ({ name: durationText(ms), index, ms }));
    this.grainMs = Math.min(HOUR, base);
    this.weekOrigin = lengths.every((ms) => ms % DAY !== 0 || ms === DAY || ms % (7 * DAY) === 0) ? MONDAY : 0;
    this.cached = lengths.map(() => new Map());
  }

  /** The monitor's own window that holds an instant. */
  windowAt(at: number): Span {
    return this.span(0, at);
  }

  scaleWindow(index: number, at: number): ScaleSpan {
    const scale = this.scales[index];
    if (scale === undefined)
      throw new RangeError(`there is no scale ${index}; expected 0 to ${this.scales.length - 1}`);
    const { start, end } = this.span(index, at);
    return { start, end, length: scale.name };
  }

  grainStart(at: number): number {
    const { start } = this.span(0, at);
    return this.grainMs < HOUR ? start : Math.max(start, Math.floor(at / HOUR) * HOUR);
  }

  grainEnd(at: number): number {
    const { end } = this.span(0, at);
    return this.grainMs < HOUR ? end : Math.min(end, Math.floor(at / HOUR) * HOUR + HOUR);
  }

  /** Starts of the grains that [start, end) is made of, both being window boundaries. */
  grainsOf(start: number, end: number): number[] {
    const grains: number[] = [];
    for (let at = start; at < end; at = this.grainEnd(at)) grains.push(this.grainStart(at));
    return grains;
  }

  classify(eventMs: number, appendMs: number): Timeliness {
    const { end } = this.span(0, eventMs);
    const stages = this.scales.length;
    if (appendMs < end + this.latenessMs) return ON_TIME;
    if (appendMs >= end + this.latenessMs + this.reviseMs) return { timeliness: 'beyond', stage: stages };
    for (let stage = 1; stage < stages; stage++)
      if (appendMs < this.span(stage, eventMs).end + this.latenessMs) return { timeliness: 'revising', stage };
    return { timeliness: 'revising', stage: stages };
  }

  private span(index: number, at: number): Span {
    const hour = Math.floor(at / HOUR);
    const cached = this.cached[index]!;
    const known = cached.get(hour);
    if (known !== undefined && at >= known.start && at < known.end) return known;
    const span = this.spanOf(this.scales[index]!.ms, at);
    if (cached.size >= CACHE) cached.clear();
    cached.set(hour, span);
    return span;
  }

  private spanOf(ms: number, at: number): Span {
    if (ms % DAY === 0) {
      const days = ms / DAY;
      const origin = days % 7 === 0 ? this.weekOrigin : 0;
      const first = Math.floor((this.zone.dayOf(at) - origin) / days) * days + origin;
      return { start: this.zone.dayStart(first), end: this.zone.dayStart(first + days) };
    }
    const origin = DAY % ms === 0 ? this.zone.dayOf(at) : null;
    const from = origin === null ? 0 : this.zone.dayStart(origin);
    const start = from + Math.floor((at - from) / ms) * ms;
    const end = start + ms;
    return { start, end: origin === null ? end : Math.min(end, this.zone.dayStart(origin + 1)) };
  }
}

const ON_TIME: Timeliness = { timeliness: 'on-time', stage: 0 };

/** The window and the scales judged, milliseconds, ascending, each a multiple of the one before. */
function scaleLengths(every: string, scales: readonly string[] | undefined): number[] {
  const base = durationMs(every);
  const lengths = [base];
  for (const ms of [...(scales ?? DEFAULT_SCALES)].map(durationMs).sort((a, b) => a - b)) {
    const last = lengths.at(-1) ?? base;
    if (ms <= last) continue;
    if (nests(last, ms)) lengths.push(ms);
    else if (scales !== undefined)
      throw new ProblemError([
        {
          code: 'scale-not-multiple',
          path: 'drift.scales',
          message: `windows of ${durationText(last)} do not fill this scale`,
          got: durationText(ms),
          expected: `a whole multiple of ${durationText(last)}`,
        },
      ]);
  }
  return lengths;
}

/** Whether spans of `long` are always whole numbers of spans of `short`. */
function nests(short: number, long: number): boolean {
  if (long % short !== 0) return false;
  const counted = (ms: number) => ms % DAY !== 0 && DAY % ms !== 0;
  return counted(short) === counted(long);
}
