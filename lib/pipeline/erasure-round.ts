/** One walk of the eraser over everything that holds single events. */
import type { ErasureReach, ErasureReport } from '../contracts/erasure.ts';
import { keys } from '../contracts/object-keys.ts';
import { ProblemError } from '../contracts/problem.ts';
import { EVENT_PREFIXES, type EventForm } from '../contracts/retention.ts';
import type { AuditLog } from './audit.ts';
import { withoutEvents } from './erase-events.ts';
import { noteErased } from './erased-events.ts';
import { inTurn } from './in-turn.ts';
import { changeJson } from './json-object.ts';
import { listAll } from './listing.ts';
import {
  type CaptureRewriter,
  type Clock,
  ConflictError,
  type EventsToGo,
  type ObjectStore,
  type ObjectVersion,
  type ObjectVersions,
} from './ports.ts';

export interface EraserOptions {
  readonly store: ObjectStore;
  /** `null`: the store keeps none. */
  readonly versions: ObjectVersions | null;
  readonly clock: Clock;
  readonly audit: AuditLog;
  /** Asked for when there is Parquet to read. */
  readonly rewriter: () => Promise<CaptureRewriter>;
}

type Tally = { examined: number; changed: number; erased: number };

const ATTEMPTS = 5;
const AT_ONCE = 4;
const DAY_MS = 86_400_000;
const PROBLEMS_TOLD = 20;

export class ErasureRound {
  readonly #options: EraserOptions;
  readonly #events: readonly EventsToGo[];
  readonly #dryRun: boolean;
  /** Append time before which nothing landed, milliseconds; `null`: everything is looked at. */
  readonly #since: number | null;
  readonly #seen: Set<string> | null;
  readonly #problems: string[] = [];
  #unfinished = 0;

  constructor(
    options: EraserOptions,
    events: readonly EventsToGo[],
    { dryRun, since, seen }: { readonly dryRun: boolean; readonly since: number | null; readonly seen?: Set<string> },
  ) {
    this.#options = options;
    this.#events = events;
    this.#dryRun = dryRun;
    this.#since = since;
    this.#seen = seen ?? null;
  }

  async run(): Promise<Pick<ErasureReport, 'reached' | 'problems'>> {
    const reached: ErasureReach[] = [];
    for (const { prefix, form } of EVENT_PREFIXES) {
      const tally: Tally = { examined: 0, changed: 0, erased: 0 };
      await this.#current(prefix, form, tally);
      // After them: what was replaced just now is an old version.
      await this.#old(prefix, form, tally);
      reached.push({ prefix, form, ...tally });
    }
    const more = this.#unfinished - this.#problems.length;
    return { reached, problems: more > 0 ? [...this.#problems, `and ${more} more`] : this.#problems };
  }

  async #current(prefix: string, form: EventForm, tally: Tally): Promise<void> {
    const ofModels: Record<string, number> = {};
    const wanted: string[] = [];
    for await (const key of listAll(this.#options.store, prefix))
      if (!this.#isEarlier(key) && !this.#seen?.has(key)) wanted.push(key);
    await inTurn(wanted, AT_ONCE, (key) =>
      this.#guarded(key, async () => {
        const erased = await this.#change(key, form);
        tally.examined += 1;
        this.#seen?.add(key);
        const sum = [...erased.values()].reduce((a, b) => a + b, 0);
        if (sum === 0) return;
        tally.changed += 1;
        tally.erased += sum;
        for (const [model, n] of erased) ofModels[model] = (ofModels[model] ?? 0) + n;
      }),
    );
    const isCapture = form === 'captured' || form === 'lines';
    if (!isCapture || Object.keys(ofModels).length === 0 || this.#dryRun) return;
    const { store, clock } = this.#options;
    await changeJson<{ readonly n: number }>(store, keys.rewritten(), (present) => ({ n: (present?.n ?? 0) + 1 }));
    await noteErased(store, clock.now(), ofModels);
  }

  /** Events erased, by model. */
  async #change(key: string, form: EventForm): Promise<ReadonlyMap<string, number>> {
    const { store, rewriter } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const stored = await store.get(key);
      const erased = new Map<string, number>();
      if (stored === null || (await withoutEvents(form, stored.body, this.#events, rewriter)) === null) return erased;
      // Rare: model by model, so that it can be said how many of each.
      let { body } = stored;
      for (const one of this.#events) {
        const without = await withoutEvents(form, body, [one], rewriter);
        if (without === null) continue;
        body = without.body;
        erased.set(one.model, (erased.get(one.model) ?? 0) + without.erased);
      }
      if (this.#dryRun) return erased;
      try {
        await store.putIfUnchanged(key, body, stored.etag);
        return erased;
      } catch (error) {
        // Somebody else erased too, or removed it.
        if (!(error instanceof ConflictError) || attempt >= ATTEMPTS) throw error;
      }
    }
  }

  async #old(prefix: string, form: EventForm, tally: Tally): Promise<void> {
    const { versions, rewriter } = this.#options;
    if (versions === null) return;
    const wanted: ObjectVersion[] = [];
    await this.#guarded(`old versions under ${prefix}`, async () => {
      for await (const one of versions.list(prefix))
        if (!one.current && !this.#isEarlier(one.key) && !this.#seen?.has(`${one.key} ${one.version}`))
          wanted.push(one);
    });
    await inTurn(wanted, AT_ONCE, ({ key, version }) =>
      this.#guarded(`${key}, version ${version}`, async () => {
        const body = await versions.get(key, version);
        const without = body === null ? null : await withoutEvents(form, body, this.#events, rewriter);
        tally.examined += 1;
        this.#seen?.add(`${key} ${version}`);
        if (without === null) return;
        // What a restore would need of it lies in the version that is current, or was to go anyway.
        if (!this.#dryRun) await versions.delete(key, version);
        tally.changed += 1;
        tally.erased += without.erased;
      }),
    );
  }

  /** What cannot be done with one object is told and keeps nothing else from being done. */
  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Without what reads Parquet nothing can be reached.
      if (error instanceof ProblemError) throw error;
      this.#unfinished += 1;
      if (this.#problems.length < PROBLEMS_TOLD)
        this.#problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** By the day in a key, where it has one. */
  #isEarlier(key: string): boolean {
    if (this.#since === null) return false;
    const day = /(?:^|\/)(?:dt=)?(\d{4}-\d\d-\d\d)\//.exec(key)?.[1];
    return day !== undefined && Date.parse(`${day}T00:00:00Z`) + DAY_MS < this.#since;
  }
}
