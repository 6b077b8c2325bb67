/**
 * What the dispatcher remembers of every model between two looks: one object, `dispatch/agenda.json`, so that a thousand models cost one
 * read a minute and not a thousand. It holds nothing that `evaluations/<model>.json` does not tell; where it is older than that, a model is
 * asked for once too often, never too seldom.
 */
import { keys } from '../contracts/object-keys.ts';
import { canJudge, completeAt, nextToJudge, type Profiled, type Revisions, revisionsDue, revisionsOf } from './due.ts';
import type { EvaluationState } from './evaluation-state.ts';
import { encodeJson } from './json-object.ts';
import type { ObjectStore } from './ports.ts';
import type { Timeline } from './timeline.ts';

export interface AgendaEntry {
  /** Of the state that this was read from; `null` when there was none. */
  readonly epoch: number | null;
  readonly through: Readonly<Record<string, number>>;
  readonly revisions: Revisions;
  /** When the state was read. */
  readonly read: number;
  /** When the evaluator was last asked, with nothing heard since; `null` when nothing is owed. */
  readonly asked: number | null;
  /** How often in a row. */
  readonly asks: number;
}

export interface Agenda {
  readonly schema: 'mlmon.agenda/v1';
  /** Goes up with every change, so that no two are equal. */
  readonly epoch: number;
  readonly models: Readonly<Record<string, AgendaEntry>>;
  /** The closing of hours, likewise. */
  readonly closing: Pick<AgendaEntry, 'asked' | 'asks'>;
}

export interface LoadedAgenda {
  readonly agenda: Agenda;
  readonly etag: string | null;
}

export const NOTHING_ASKED = { asked: null, asks: 0 } as const;
const EMPTY: Agenda = { schema: 'mlmon.agenda/v1', epoch: 0, models: {}, closing: NOTHING_ASKED };

/** One that is missing or not readable is made anew: that costs reads, and nothing else. */
export async function loadAgenda(store: ObjectStore): Promise<LoadedAgenda> {
  const stored = await store.get(keys.agenda());
  if (stored === null) return { agenda: EMPTY, etag: null };
  try {
    const agenda = JSON.parse(new TextDecoder().decode(stored.body)) as Agenda;
    if (agenda.schema === EMPTY.schema) return { agenda, etag: stored.etag };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { agenda: EMPTY, etag: stored.etag };
}

/** @throws ConflictError when another dispatcher wrote meanwhile */
export async function saveAgenda(store: ObjectStore, agenda: Agenda, etag: string | null): Promise<void> {
  const body = encodeJson({ ...agenda, epoch: agenda.epoch + 1 });
  if (etag === null) await store.putIfAbsent(keys.agenda(), body);
  else await store.putIfUnchanged(keys.agenda(), body, etag);
}

/** What a state just read tells; what was asked for is no longer owed once the state has changed. */
export function entryOf(
  timeline: Timeline,
  state: EvaluationState | null,
  before: AgendaEntry | undefined,
  now: number,
): AgendaEntry {
  const epoch = state?.epoch ?? null;
  const owed = before !== undefined && before.epoch === epoch ? before : NOTHING_ASKED;
  return {
    epoch,
    through: state?.through ?? {},
    revisions: state === null ? { scanned: now, until: null, complete: null } : revisionsOf(timeline, state),
    read: now,
    asked: owed.asked,
    asks: owed.asks,
  };
}

/** Something is due of the model; `since`: from when on its oldest unjudged window could be judged, `null` when it is a revision. */
export interface Due {
  readonly since: number | null;
}

export function dueOf(timeline: Timeline, entry: AgendaEntry, at: Profiled, stalledAfterMs: number): Due | null {
  // Nothing was ever judged: the evaluator finds out where to begin.
  if (entry.epoch === null) return timeline.monitors.length === 0 ? null : { since: null };
  const window = nextToJudge(timeline, entry.through, at.now);
  if (window !== null && canJudge(window, at, stalledAfterMs)) return { since: completeAt(window) };
  return revisionsDue(timeline, entry.revisions, at) ? { since: null } : null;
}
