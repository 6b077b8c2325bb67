/** What people are told of a baseline that is being learned. */
import type { LearningState, LearningView } from '../contracts/learning.ts';
import { completeAt, nextToJudge } from './due.ts';
import { loadEvaluation } from './evaluation-state.ts';
import { heldText, learningOf, readLearning } from './learning-state.ts';
import type { ObjectStore } from './ports.ts';
import type { Registry } from './registry.ts';

/** `null` for a model that has a baseline, or one that is in force soon, or that learns none. `now`: milliseconds. */
export async function learningView(
  { store, registry }: { readonly store: ObjectStore; readonly registry: Registry },
  model: string,
  now: number,
): Promise<LearningView | null> {
  const learning = learningOf(registry, model, now);
  if (learning === null) return null;
  const state = await readLearning(store, model);
  const isCurrent = state !== null && state.shape === learning.shape.digest && state.from >= learning.since;
  return isCurrent ? viewOf(state, now) : NOT_BEGUN;
}

const NOT_BEGUN: LearningView = { from: null, due: null, until: null, progress: 0, hold: null, held: null };

export function viewOf(state: LearningState, now: number): LearningView {
  const { from, due, until, hold } = state;
  return {
    from: timeText(from),
    due: timeText(due),
    until: timeText(until),
    progress: Math.min(1, Math.max(0, (now - from) / (due - from))),
    hold: hold?.reason ?? null,
    held: heldText(state),
  };
}

/** Whether something is being done so that the baseline is learned, or it waits for time to pass; `null` when nothing is left to do. */
export async function learningActivity(
  { store, registry }: { readonly store: ObjectStore; readonly registry: Registry },
  model: string,
  now: number,
): Promise<'busy' | 'waiting' | null> {
  const timeline = registry.timeline(model);
  if (timeline === null || learningOf(registry, model, now) === null) return null;
  const state = await readLearning(store, model);
  if (state?.status === 'learned') return null;
  const { state: evaluation } = await loadEvaluation(store, model);
  if (state?.status === 'making' || evaluation === null) return 'busy';
  const next = nextToJudge(timeline, evaluation.through, now);
  return next !== null && completeAt(next) <= now ? 'busy' : 'waiting';
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
