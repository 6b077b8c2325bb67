/**
 * How far the windows of one model have been judged, and which may still be revised: `evaluations/<model>.json`, replaced only if
 * unchanged. It moves after results were written and handed on, so a crash repeats work and never skips any.
 */
import { keys } from '../contracts/object-keys.ts';
import { encodeJson, readJson } from './json-object.ts';
import type { ObjectStore } from './ports.ts';

export interface PendingWindow {
  readonly version: string;
  readonly length: string;
  readonly start: number;
  readonly end: number;
  /** The latest one written. */
  readonly revision: number;
  /** Rows that it judged. */
  readonly rows: number;
  /** When that was, by the platform's clock, milliseconds. */
  readonly at: number;
  /** No record appended from here on can belong to it, milliseconds. */
  readonly until: number;
  /** All records that were on time had been profiled. */
  readonly complete: boolean;
  /** It could not be judged. */
  readonly failed: boolean;
  /** Digest of the objects that were looked at last. */
  readonly sources: string;
}

export interface EvaluationState {
  readonly schema: 'mlmon.evaluation/v1';
  readonly model: string;
  /** Goes up with every change, so that no two states are equal. */
  readonly epoch: number;
  /** By scale: windows that end at or before this have their first result. */
  readonly through: Readonly<Record<string, number>>;
  /** By version: end of the newest window that had rows in time. */
  readonly versions: Readonly<Record<string, number>>;
  readonly pending: readonly PendingWindow[];
  /** When pending windows were last looked through, by the platform's clock. */
  readonly scanned: number;
  /** When something was last judged. */
  readonly evaluated: number | null;
}

export interface LoadedState {
  readonly state: EvaluationState | null;
  readonly etag: string | null;
}

export async function loadEvaluation(store: ObjectStore, model: string): Promise<LoadedState> {
  const stored = await readJson<EvaluationState>(store, keys.evaluation(model));
  return { state: stored?.value ?? null, etag: stored?.etag ?? null };
}

/** @throws ConflictError when somebody else judged meanwhile (or the answer to an own write was lost): load again */
export async function saveEvaluation(
  store: ObjectStore,
  state: EvaluationState,
  etag: string | null,
): Promise<LoadedState> {
  const key = keys.evaluation(state.model);
  const next = { ...state, epoch: state.epoch + 1 };
  const body = encodeJson(next);
  return {
    state: next,
    etag: etag === null ? await store.putIfAbsent(key, body) : await store.putIfUnchanged(key, body, etag),
  };
}
