/**
 * What the exporter on AWS remembers between two runs: the summaries of all models, in one object, replaced only if unchanged. Nothing stands
 * in it that results and episodes do not tell; where it is missing it is made anew, some models a run.
 */
import { keys } from '../contracts/object-keys.ts';
import type { LedgerTotals } from './cursor.ts';
import { encodeJson } from './json-object.ts';
import type { ModelSummary, WindowSummary } from './model-samples.ts';
import type { ObjectStore } from './ports.ts';

export interface ExportedWindow extends WindowSummary {
  /** Of the result. */
  readonly key: string;
  /** When its features were last written to the metric store; `null` when they are to be. */
  readonly told: number | null;
  /** Digest of the names of their series: when it changes, some have ended. */
  readonly series: string;
  /** Key of the result before, when its series were others: those that are no more are still to be ended. */
  readonly before?: string;
}

export interface ExportedModel extends ModelSummary {
  readonly windows: Readonly<Record<string, ExportedWindow>>;
  /** When all of it was last looked up. */
  readonly read: number;
}

export interface ExportedState {
  readonly schema: 'mlmon.exports/v1';
  /** Goes up with every change, so that no two are equal. */
  readonly epoch: number;
  readonly models: Readonly<Record<string, ExportedModel>>;
  /** Counts of the log as they were last told; `null` before the first run. */
  readonly totals: LedgerTotals | null;
}

const EMPTY: ExportedState = { schema: 'mlmon.exports/v1', epoch: 0, models: {}, totals: null };

export async function loadExported(store: ObjectStore): Promise<{ state: ExportedState; etag: string | null }> {
  const stored = await store.get(keys.exported());
  if (stored === null) return { state: EMPTY, etag: null };
  try {
    const state = JSON.parse(new TextDecoder().decode(stored.body)) as ExportedState;
    if (state.schema === EMPTY.schema) return { state, etag: stored.etag };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { state: EMPTY, etag: stored.etag };
}

/** @throws ConflictError when another exporter wrote meanwhile */
export async function saveExported(store: ObjectStore, state: ExportedState, etag: string | null): Promise<void> {
  const body = encodeJson({ ...state, epoch: state.epoch + 1 });
  if (etag === null) await store.putIfAbsent(keys.exported(), body);
  else await store.putIfUnchanged(keys.exported(), body, etag);
}
