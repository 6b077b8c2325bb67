/** Which windows a model has, scale by scale, as its monitors follow each other. Pure. */
import type { PublishedMonitor } from '../contracts/monitor.ts';
import { WindowRule } from '../engine/window.ts';
import type { Timeline } from './timeline.ts';

export interface ScheduledWindow {
  readonly start: number;
  readonly end: number;
  /** Name of the scale, e.g. `1d`. */
  readonly length: string;
  /** Index of the scale in `rule`. */
  readonly scale: number;
  /** Of the monitor in force at the window's end. */
  readonly rule: WindowRule;
}

/** Windows before the first event that are still judged (as empty) when a monitor took effect long ago. */
const EMPTY_WINDOWS = 1_000;

const rules = new WeakMap<PublishedMonitor, WindowRule>();

export function ruleOf(published: PublishedMonitor): WindowRule {
  let rule = rules.get(published);
  if (rule === undefined) {
    rule = new WindowRule(published.monitor.window, published.monitor.drift.scales);
    rules.set(published, rule);
  }
  return rule;
}

/** Names of all scales that some monitor of the model has. */
export function scaleNames(timeline: Timeline): string[] {
  const names = timeline.monitors.flatMap((published) => ruleOf(published).scales.map(({ name }) => name));
  return [...new Set(names)];
}

/**
 * The first window of a scale that ends after `after`. A window belongs to the monitor that is in force at its end; where the next
 * monitor does not know the scale, or the model was removed, there is none until a monitor has it again. `null`: none any more.
 */
export function nextWindow(timeline: Timeline, length: string, after: number): ScheduledWindow | null {
  for (let t = after; ; ) {
    const published = timeline.monitorAt(t);
    const change = timeline.nextMonitorChange(t);
    if (published !== null && !published.removed) {
      const rule = ruleOf(published);
      const scale = rule.scales.find(({ name }) => name === length)?.index;
      if (scale !== undefined) {
        const { start, end } = rule.scaleWindow(scale, t);
        if (end <= change) return { start, end, length, scale, rule };
      }
    }
    if (change === Number.POSITIVE_INFINITY) return null;
    t = change;
  }
}

/**
 * Where judging begins: the window in which the first monitor took effect. When that lies more than a thousand windows before
 * anything was seen, at the first event, or, without any, at the oldest window that on-time events may still belong to.
 * `through`: all records appended before it are profiled (-Infinity: nothing is known). `null` as long as it cannot be told.
 */
export function firstWindowStart(
  timeline: Timeline,
  { through, now, firstEvent }: { readonly through: number; readonly now: number; readonly firstEvent: number | null },
): number | null {
  const effective = timeline.firstEffective;
  const published = effective === null ? null : timeline.monitorAt(effective);
  if (effective === null || published === null) return null;
  const rule = ruleOf(published);
  const { start, end } = rule.windowAt(effective);
  const isRecent = (t: number): boolean => t - start <= EMPTY_WINDOWS * (end - start);
  if (isRecent(now) || (firstEvent !== null && isRecent(firstEvent))) return start;
  const seen = firstEvent ?? through - rule.latenessMs;
  return seen === Number.NEGATIVE_INFINITY ? null : rule.windowAt(seen).start;
}
