/**
 * Deletes events that are older than they are to be kept, where no lifecycle rule of a bucket does: whole objects by the age of their prefix
 * (`RETENTION`), and the events of single models, out of objects that they share with others, by `retention.events` of their monitors. By whole
 * days of UTC of when events arrived.
 */
import { keys } from '../contracts/object-keys.ts';
import { AGES, type AgeClass, RETENTION } from '../contracts/retention.ts';
import type { AuditLog } from './audit.ts';
import { withoutEvents } from './erase-events.ts';
import { changeJson, readJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { type CaptureRewriter, type Clock, ConflictError, type ObjectStore } from './ports.ts';
import { cutOf, NO_RETENTION, RETENTION_BY, type RetentionState, retentions } from './retention.ts';

const DAY_MS = 86_400_000;
const ATTEMPTS = 5;

export interface ExpiryOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Milliseconds, `null`: for ever. @default AGES */
  readonly ages?: Partial<Readonly<Record<AgeClass, number | null>>>;
  readonly signal?: Pick<AbortSignal, 'aborted'>;
}

/** Deletes objects by the day in their keys, those that hold single events alone; returns how many. */
export async function expireByAge({ store, clock, audit, ages = {}, signal }: ExpiryOptions): Promise<number> {
  const deleted: Record<string, number> = {};
  for (const { prefix, goes, events } of RETENTION) {
    if (goes.by !== 'age' || events === null) continue;
    const age = ages[goes.class] === undefined ? AGES[goes.class].ms : ages[goes.class];
    if (age === null || age === undefined) continue;
    const before = clock.now() - age;
    for await (const key of listAll(store, prefix)) {
      if (signal?.aborted) break;
      const end = endOfDay(key);
      if (end === null || end > before) continue;
      await store.delete(key);
      deleted[prefix] = (deleted[prefix] ?? 0) + 1;
    }
  }
  if (Object.keys(deleted).length > 0) await audit.record(RETENTION_BY, 'retention.expire', { objects: deleted });
  return Object.values(deleted).reduce((sum, n) => sum + n, 0);
}

export interface EventRetentionOptions extends Omit<ExpiryOptions, 'ages'> {
  readonly rewriter: () => Promise<CaptureRewriter>;
}

/** Takes events of models out of the capture; returns how many went, by model. Days that were done are not read again. */
export async function applyEventRetention(options: EventRetentionOptions): Promise<Readonly<Record<string, number>>> {
  const { store, clock, audit, signal } = options;
  const state = (await readJson<RetentionState>(store, keys.retained()))?.value ?? NO_RETENTION;
  const due = [...(await retentions(store))].flatMap(([model, { events }]) => {
    const cut = events === undefined ? 0 : cutOf(clock.now(), events);
    const from = state.events[model] ?? Number.NEGATIVE_INFINITY;
    return cut > from && events !== undefined ? [{ model, cut, from }] : [];
  });
  if (due.length === 0) return {};
  const last = Math.max(...due.map(({ cut }) => cut));
  const erased: Record<string, number> = {};
  let changed = 0;
  for (const { prefix, events: form, goes } of RETENTION) {
    if (form === null || goes.by !== 'age' || goes.class !== 'events') continue;
    for await (const key of listAll(store, prefix)) {
      const end = endOfDay(key);
      if (end === null || end > last) continue;
      if (signal?.aborted) return erased;
      // One model at a time, so that it can be said how many of each went.
      for (const { model, cut, from } of due) {
        if (end > cut || end <= from) continue;
        const gone = await withoutModel(options, form, key, model);
        if (gone === 0) continue;
        erased[model] = (erased[model] ?? 0) + gone;
        if (form === 'captured') changed += 1;
      }
    }
  }
  if (changed > 0)
    await changeJson<{ readonly n: number }>(store, keys.rewritten(), (present) => ({ n: (present?.n ?? 0) + 1 }));
  if (Object.keys(erased).length > 0) await audit.record(RETENTION_BY, 'retention.events', { events: erased });
  await changeJson<RetentionState>(store, keys.retained(), (present) => ({
    ...(present ?? NO_RETENTION),
    events: { ...present?.events, ...Object.fromEntries(due.map(({ model, cut }) => [model, cut])) },
  }));
  return erased;
}

async function withoutModel(
  { store, rewriter }: EventRetentionOptions,
  form: Parameters<typeof withoutEvents>[0],
  key: string,
  model: string,
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const stored = await store.get(key);
    if (stored === null) return 0;
    const without = await withoutEvents(form, stored.body, [{ model }], rewriter);
    if (without === null) return 0;
    try {
      await store.putIfUnchanged(key, without.body, stored.etag);
      return without.erased;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** End of the day that a key names, milliseconds; `null` where it names none. */
function endOfDay(key: string): number | null {
  const day = /(?:^|\/)(?:dt=)?(\d{4}-\d\d-\d\d)\//.exec(key)?.[1];
  return day === undefined ? null : Date.parse(`${day}T00:00:00Z`) + DAY_MS;
}
