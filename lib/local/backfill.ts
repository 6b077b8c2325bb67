/** Brings history into a platform that replays it: step by step, never further ahead of the parts than a day. */
import type { HealthAnswer } from '../contracts/api.ts';
import { durationMs } from '../contracts/duration.ts';
import type { InferenceEvent, LabelEvent } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { WindowRule } from '../engine/window.ts';
import type { History } from './history.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface BackfillTarget {
  /** Resolves when the events are durable. `clock`: the time it is meanwhile. Resolves with how many were refused. */
  write(events: readonly (InferenceEvent | LabelEvent)[], clock: number): Promise<number>;
  advanceTo(clock: number): void;
  health(): Promise<HealthAnswer['health']>;
  /** How the baseline is learned: something is being done for it, it waits for time to pass, or nothing is left to do. @default null */
  learning?(): Promise<'busy' | 'waiting' | null>;
}

export interface BackfillOutcome {
  readonly events: number;
  readonly labels: number;
  readonly refused: number;
}

export interface BackfillOptions {
  readonly history: History;
  readonly monitor: Monitor;
  readonly target: BackfillTarget;
  readonly signal: AbortSignal;
  readonly progress?: (what: string) => void;
}

/** Writes everything, lets the clock pass the lateness of the last window, and waits until all parts are done. */
export async function backfill({
  history,
  monitor,
  target,
  signal,
  progress = () => undefined,
}: BackfillOptions): Promise<BackfillOutcome> {
  let events = 0;
  let labels = 0;
  let refused = 0;
  let waitedAt = history.from;
  const { learn } = monitor.baseline;
  const learnedFrom = learn === undefined ? Number.POSITIVE_INFINITY : history.from + durationMs(learn);
  let last = history.from;
  for await (const step of history.steps()) {
    signal.throwIfAborted();
    refused += await target.write(step.events, step.end);
    const inferences = step.events.filter(({ type }) => type === 'inference').length;
    events += inferences;
    labels += step.events.length - inferences;
    last = step.end;
    if (step.end - waitedAt < DAY) continue;
    // A part that falls far behind the clock would look stalled, and its windows stale.
    waitedAt = step.end;
    progress(
      `${new Date(step.end).toISOString().slice(0, 10)}: ${events.toLocaleString('en')} ${noun(events, 'event')}`,
    );
    await settled(target, signal, 'profiled');
    // What comes next is to be judged against the baseline, as it would have been.
    if (step.end >= learnedFrom) await learned(target, signal);
  }
  progress('closing the last windows');
  const rule = new WindowRule(monitor.window, monitor.drift.scales);
  // Past the hour of the last record, so that its capture is cut too; much further on, the silence would look like an outage.
  const closed = rule.windowAt(history.to).end + durationMs(monitor.window.lateness);
  target.advanceTo(Math.max(closed + HOUR, last + 2 * HOUR));
  await settled(target, signal, 'archived');
  return { events, labels, refused };
}

async function learned(target: BackfillTarget, signal: AbortSignal): Promise<void> {
  const idle = async (): Promise<boolean> => {
    for (;;) {
      signal.throwIfAborted();
      const state = (await target.learning?.()) ?? null;
      if (state !== 'busy') return state === null;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  if (await idle()) return;
  // The capture is not waited for by what is judged, but by what is learned.
  await settled(target, signal, 'judged');
  await idle();
}

/** Waits until every partition is read to its head, and nothing has changed for a while. */
async function settled(
  target: BackfillTarget,
  signal: AbortSignal,
  by: 'profiled' | 'judged' | 'archived',
): Promise<void> {
  let before = '';
  let quiet = 0;
  for (;;) {
    signal.throwIfAborted();
    const { partitions, counts, lastEvaluation } = await target.health();
    const done = partitions.every(
      ({ head, profiled, archived }) => head === null || (by === 'archived' ? archived : profiled) === head,
    );
    if (done && by === 'profiled') return;
    const now = JSON.stringify([counts, lastEvaluation]);
    quiet = done && now === before ? quiet + 1 : 0;
    before = now;
    // Evaluating, labelling and learning go on after the last record is read.
    if (quiet >= 10) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
