/**
 * Deletes profiles and results that are older than `retention` of their model's monitor says, once a day and by whole days of UTC. What a removed
 * monitor said goes on. Each day's deletions are one entry of the audit log.
 */
import { durationMs, isDuration } from '../contracts/duration.ts';
import type { Monitor, PublishedMonitor } from '../contracts/monitor.ts';
import { keys, unsegment, unstamp } from '../contracts/object-keys.ts';
import type { AuditLog } from './audit.ts';
import { inTurn } from './in-turn.ts';
import { changeJson, readJson } from './json-object.ts';
import { listAll, listFolders } from './listing.ts';
import type { Clock, ObjectStore } from './ports.ts';

export const RETENTION_BY = 'retention';
const DAY_MS = 86_400_000;
const MODELS_AT_ONCE = 8;

/** `retention/state.json` */
export interface RetentionState {
  readonly schema: 'mlmon.retention/v1';
  /** Profiles and results were deleted on this day, YYYY-MM-DD. */
  readonly day: string | null;
  /** Captured events of a model are gone up to here, milliseconds since 1970. */
  readonly events: Readonly<Record<string, number>>;
}

export const NO_RETENTION: RetentionState = { schema: 'mlmon.retention/v1', day: null, events: {} };

export interface RetentionOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** What is not deleted in time is deleted at the next run. */
  readonly signal?: Pick<AbortSignal, 'aborted'>;
}

type Signal = RetentionOptions['signal'];

export interface Deleted {
  readonly profiles: number;
  readonly results: number;
}

/** `null`: it was done today. */
export async function applyRetention({ store, clock, audit, signal }: RetentionOptions): Promise<Deleted | null> {
  const now = clock.now();
  const day = dayOf(now);
  const present = await readJson<RetentionState>(store, keys.retained());
  if (present?.value.day === day) return null;
  const models: Record<string, Deleted> = {};
  await inTurn([...(await retentions(store))], MODELS_AT_ONCE, async ([model, { profiles, results }]) => {
    if (signal?.aborted) return;
    const deleted = {
      profiles: profiles === undefined ? 0 : await deleteProfiles(store, model, cutOf(now, profiles), signal),
      results: results === undefined ? 0 : await deleteResults(store, model, cutOf(now, results), signal),
    };
    if (deleted.profiles + deleted.results > 0) models[model] = deleted;
  });
  if (Object.keys(models).length > 0) await audit.record(RETENTION_BY, 'retention.delete', { models });
  if (!signal?.aborted)
    await changeJson<RetentionState>(store, keys.retained(), (state) => ({ ...(state ?? NO_RETENTION), day }));
  const all = Object.values(models);
  return {
    profiles: all.reduce((sum, one) => sum + one.profiles, 0),
    results: all.reduce((sum, one) => sum + one.results, 0),
  };
}

/** Of the newest monitor of every model that says something of it, removed ones included. */
export async function retentions(store: ObjectStore): Promise<Map<string, NonNullable<Monitor['retention']>>> {
  const newest = new Map<string, string>();
  for await (const key of listAll(store, keys.monitors())) newest.set(unsegment(key.split('/')[1] ?? ''), key);
  const found = new Map<string, NonNullable<Monitor['retention']>>();
  await inTurn([...newest], MODELS_AT_ONCE, async ([model, key]) => {
    const retention = (await readJson<PublishedMonitor>(store, key))?.value.monitor?.retention;
    // Nothing is deleted because of what nobody could have meant.
    if (retention !== undefined && Object.values(retention).every((text) => text === undefined || isDuration(text)))
      found.set(model, retention);
  });
  return found;
}

/** Start of the day of UTC so long ago: everything before it goes. */
export function cutOf(now: number, retention: string): number {
  return Math.floor((now - durationMs(retention)) / DAY_MS) * DAY_MS;
}

/** Profiles of grains that begin before `cut`; none is longer than an hour. */
function deleteProfiles(store: ObjectStore, model: string, cut: number, signal: Signal): Promise<number> {
  return deleteByTime(
    store,
    (version) => keys.profiles(model, version),
    cut,
    signal,
    () => true,
  );
}

/** Results of windows that end before `cut`, with all their revisions. */
function deleteResults(store: ObjectStore, model: string, cut: number, signal: Signal): Promise<number> {
  return deleteByTime(
    store,
    (version) => keys.results(model, version),
    cut,
    signal,
    (start, length) => isDuration(length) && start + durationMs(length) <= cut,
  );
}

/** Of all versions, what begins before `cut` and `isOver`. Keys go on with the start and, for windows, their length. */
async function deleteByTime(
  store: ObjectStore,
  prefixOf: (version?: string) => string,
  cut: number,
  signal: Signal,
  isOver: (start: number, length: string) => boolean,
): Promise<number> {
  let deleted = 0;
  for (const folder of await listFolders(store, prefixOf())) {
    const prefix = prefixOf(unsegment(folder));
    for await (const key of listAll(store, prefix)) {
      const [stamped = '', length = ''] = key.slice(prefix.length).split('/');
      const start = unstamp(stamped);
      // In order of time.
      if (signal?.aborted || !(start < cut)) break;
      if (!isOver(start, length)) continue;
      await store.delete(key);
      deleted += 1;
    }
  }
  return deleted;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
