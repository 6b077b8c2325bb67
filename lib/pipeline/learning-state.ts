/** Reading and changing `learning/<model>.json` (contracts/learning.ts), and where learning began. */
import type { LearningState } from '../contracts/learning.ts';
import { keys } from '../contracts/object-keys.ts';
import { changeJson, readJson } from './json-object.ts';
import type { ObjectStore } from './ports.ts';
import type { Registry } from './registry.ts';

export async function readLearning(store: ObjectStore, model: string): Promise<LearningState | null> {
  return (await readJson<LearningState>(store, keys.learning(model)))?.value ?? null;
}

/** Replaces the state that was read by the next one, unless somebody else did meanwhile. Answers whether `next` is there now. */
export async function moveLearning(
  store: ObjectStore,
  before: LearningState | null,
  next: LearningState,
): Promise<boolean> {
  const expected = JSON.stringify(before);
  const wanted = JSON.stringify(next);
  const stored = await changeJson<LearningState>(store, keys.learning(next.model), (present) =>
    JSON.stringify(present) === expected ? next : null,
  );
  return JSON.stringify(stored) === wanted;
}

/** Why the window still has no baseline although the days of learning are over; `null` while they last. */
export async function learningHeld(store: ObjectStore, model: string, start: number): Promise<string | null> {
  const state = await readLearning(store, model);
  return state === null || state.hold === null || start < state.due ? null : heldText(state);
}

/** In words, e.g. for the page. `null` while the days of learning last. */
export function heldText({ hold }: LearningState): string | null {
  return hold === null ? null : `the baseline is learned for longer than asked (${hold.reason}): ${hold.detail}`;
}

export interface Learning {
  readonly shape: NonNullable<ReturnType<Registry['shapeFor']>>['shape'];
  /** Event time from which on nothing that decides what is learned has changed, milliseconds; -Infinity: ever. */
  readonly since: number;
}

/** `null` for a model that has a baseline at `now`, or one that is in force soon, or that learns none. */
export function learningOf(registry: Registry, model: string, now: number): Learning | null {
  const current = registry.shapeFor(model, '', now);
  if (current === null || !current.shape.learning) return null;
  for (const list of registry.timeline(model)?.baselines.values() ?? [])
    if (list.some(({ effectiveFrom }) => effectiveFrom !== null && Date.parse(effectiveFrom) > now)) return null;
  let { from } = current;
  while (from !== Number.NEGATIVE_INFINITY) {
    const earlier = registry.shapeFor(model, '', from - 1);
    if (earlier?.shape.digest !== current.shape.digest) break;
    from = earlier.from;
  }
  return { shape: current.shape, since: from };
}
