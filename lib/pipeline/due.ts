/**
 * What is due of one model, told from little: its monitors, how far its windows were judged, and how far the log is profiled. Both the
 * evaluator and its dispatcher ask here, so what one sends the other finds. Pure.
 */
import type { EvaluationState, PendingWindow } from './evaluation-state.ts';
import type { Timeline } from './timeline.ts';
import { nextWindow, ruleOf, type ScheduledWindow, scaleNames } from './window-schedule.ts';

/** The clock, and the moment before which all records that were appended are profiled; both milliseconds. */
export interface Profiled {
  readonly now: number;
  readonly through: number;
}

/** The window whose first result is next, of all scales: the one that ended first; `null` when none has ended that is not judged. */
export function nextToJudge(
  timeline: Timeline,
  through: Readonly<Record<string, number>>,
  now: number,
): ScheduledWindow | null {
  const [first] = scaleNames(timeline)
    .map((length) => nextWindow(timeline, length, through[length] ?? scaleStart(timeline, length)))
    .filter((window) => window !== null && window.end <= now)
    .map((window) => window as ScheduledWindow)
    .sort((a, b) => a.end - b.end || a.scale - b.scale);
  return first ?? null;
}

/** From this append time on no record is on time for the window. */
export function completeAt({ end, rule }: ScheduledWindow): number {
  return end + rule.latenessMs;
}

/** All that was on time is profiled; or it has been waited for long enough, and the window will be stale. */
export function canJudge(window: ScheduledWindow, { now, through }: Profiled, stalledAfterMs: number): boolean {
  const complete = completeAt(window);
  return through >= complete || now >= complete + stalledAfterMs;
}

/** What of the pending windows decides when they are looked through. */
export interface Revisions {
  /** When that was done last. */
  readonly scanned: number;
  /** For none of them can a record come that is appended from here on, the earliest of all; `null` when nothing is pending. */
  readonly until: number | null;
  /** The earliest moment at which one that was stale is complete; `null` when none was. */
  readonly complete: number | null;
}

export function revisionsOf(timeline: Timeline, { pending, scanned }: EvaluationState): Revisions {
  const complete = pending.filter((window) => !window.complete).map((window) => completionOf(timeline, window));
  return { scanned, until: least(pending.map(({ until }) => until)), complete: least(complete) };
}

/**
 * At most once in a window's length of clock time; besides when no further record can belong to a window, and when one that was stale
 * became complete.
 */
export function revisionsDue(timeline: Timeline, { scanned, until, complete }: Revisions, at: Profiled): boolean {
  if (until === null) return false;
  if (at.through >= until || (complete !== null && at.through >= complete)) return true;
  const published = timeline.monitorAt(at.now);
  const pause = published === null ? 0 : (ruleOf(published).scales[0]?.ms ?? 0);
  return at.now >= scanned + pause;
}

/** A window that was judged without having seen all partitions has been seen whole. */
export function isNowComplete(timeline: Timeline, window: PendingWindow, through: number): boolean {
  return !window.complete && through >= completionOf(timeline, window);
}

/** A scale that a later monitor brought begins with it. */
function scaleStart(timeline: Timeline, length: string): number {
  const first = timeline.monitors.find(
    (published) => !published.removed && ruleOf(published).scales.some(({ name }) => name === length),
  );
  const from = first === undefined ? 0 : Date.parse(first.effectiveFrom);
  const window = nextWindow(timeline, length, from);
  return window !== null && window.start < from ? window.end : from;
}

function completionOf(timeline: Timeline, { end }: PendingWindow): number {
  const published = timeline.monitorAt(end - 1);
  return end + (published === null ? 0 : ruleOf(published).latenessMs);
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b));
}
