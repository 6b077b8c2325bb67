/**
 * Erases predictions by their ids: from captured events and labels, from what was redriven, quarantined or given up, and from old versions
 * of all of these. A request is remembered, by marks and never by ids, so that records which land later are erased too.
 *
 * Safe to kill and to repeat: the request is stored first, every object is replaced only if it is as it was read, and an object without
 * anything to erase is left alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import { ERASURE_MOST_IDS, type ErasureReach, type ErasureReport, type ErasureRequest } from '../contracts/erasure.ts';
import { EVENT_LIMITS, MODEL_PATTERN } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { EVENT_PREFIXES, type EventForm } from '../contracts/retention.ts';
import type { AuditLog } from './audit.ts';
import { withoutEvents } from './erase-events.ts';
import { noteErased } from './erased-events.ts';
import { markOf } from './event-marks.ts';
import { inTurn } from './in-turn.ts';
import { changeJson, encodeJson, readJson } from './json-object.ts';
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

export interface ErasureInput {
  readonly model: string;
  readonly ids: readonly string[];
  readonly by: string;
  /** How long records of it can still land, milliseconds. */
  readonly rememberMs: number;
  /** Says what would be erased, and stores nothing. */
  readonly dryRun?: boolean;
}

interface Salt {
  readonly salt: string;
}

type Tally = { examined: number; changed: number; erased: number };

const ATTEMPTS = 5;
const AT_ONCE = 4;
const DAY_MS = 86_400_000;
/** Names of objects that were seen, in the memory of one process. */
const MOST_SEEN = 500_000;
const PROBLEMS_TOLD = 20;
/** Who acts when nobody asked just now. */
const BY = 'eraser';

export class Eraser {
  readonly #options: EraserOptions;
  /** What held nothing of the requests that are remembered, so that it need not be read again. */
  #seen = new Set<string>();
  #seenFor = '';

  constructor(options: EraserOptions) {
    this.#options = options;
  }

  /** @throws ProblemError for a model or ids that cannot be */
  async erase({ model, ids, by, rememberMs, dryRun = false }: ErasureInput): Promise<ErasureReport> {
    const wanted = checkedIds(model, ids);
    const { store, clock, audit } = this.#options;
    const salt = await this.#salt(dryRun);
    const marks = wanted.map((id) => markOf(salt, model, id)).sort();
    const now = clock.now();
    const until = new Date(now + rememberMs).toISOString();
    const request: ErasureRequest = {
      schema: 'mlmon.erasure/v1',
      model,
      marks,
      by,
      at: new Date(now).toISOString(),
      until,
    };
    if (!dryRun) {
      const digest = createHash('sha256').update(marks.join('\n')).update(model).digest('hex').slice(0, 32);
      try {
        await store.putIfAbsent(keys.erasure(now, digest), encodeJson(request));
      } catch (error) {
        // Asked twice within a second: it is remembered.
        if (!(error instanceof ConflictError)) throw error;
      }
      await audit.record(by, 'erasure.request', { model, marks, until });
    }
    const round = new Round(this.#options, [{ model, marked: { salt, marks: new Set(marks) } }], {
      dryRun,
      since: null,
    });
    const outcome = await round.run();
    const remembered = dryRun ? [] : await this.remembered();
    if (!dryRun) await audit.record(by, 'erasure.done', { model, marks, ...brief(outcome) });
    return {
      schema: 'mlmon.erasure-report/v1',
      model,
      ids: wanted.length,
      dryRun,
      ...outcome,
      versions: this.#options.versions !== null,
      remembered: remembered.length,
      until: dryRun ? null : lastOf(remembered),
    };
  }

  /** Requests that are remembered, oldest first. */
  async remembered(): Promise<ErasureRequest[]> {
    return (await this.#requests()).map(({ request }) => request);
  }

  /** Looks for what landed since; forgets requests of which nothing can land any more. `null` when nothing is remembered. */
  async again(): Promise<ErasureReport | null> {
    const { store, clock, audit } = this.#options;
    const now = clock.now();
    const requests = await this.#requests();
    if (requests.length === 0) {
      this.#seen = new Set();
      return null;
    }
    const salt = await this.#salt(false);
    const marks = new Map<string, Set<string>>();
    for (const { request } of requests) {
      const of = marks.get(request.model) ?? new Set();
      for (const mark of request.marks) of.add(mark);
      marks.set(request.model, of);
    }
    const known = requests.map(({ key }) => key).join(' ');
    // A round that still goes on for fewer requests keeps the set that it has.
    if (known !== this.#seenFor || this.#seen.size > MOST_SEEN) this.#seen = new Set();
    this.#seenFor = known;
    // A request is remembered as long as a record can lie elsewhere: what lands after it was appended no longer before it than that.
    const since = Math.min(...requests.map(({ request: { at, until } }) => 2 * Date.parse(at) - Date.parse(until)));
    const events = [...marks].map(([model, of]): EventsToGo => ({ model, marked: { salt, marks: of } }));
    const outcome = await new Round(this.#options, events, { dryRun: false, since, seen: this.#seen }).run();
    const ids = [...marks.values()].reduce((sum, of) => sum + of.size, 0);
    const { changed } = brief(outcome);
    if (changed > 0)
      await audit.record(BY, 'erasure.again', {
        marks: Object.fromEntries([...marks].map(([m, of]) => [m, [...of]])),
        ...brief(outcome),
      });
    let left = requests;
    if (outcome.problems.length === 0) {
      const over = requests.filter(({ request }) => Date.parse(request.until) <= now);
      for (const { key, request } of over) {
        await audit.record(BY, 'erasure.end', { model: request.model, marks: request.marks });
        await store.delete(key);
      }
      left = requests.filter((one) => !over.includes(one));
    }
    return {
      schema: 'mlmon.erasure-report/v1',
      model: null,
      ids,
      dryRun: false,
      ...outcome,
      versions: this.#options.versions !== null,
      remembered: left.length,
      until: lastOf(left.map(({ request }) => request)),
    };
  }

  async #requests(): Promise<{ readonly key: string; readonly request: ErasureRequest }[]> {
    const found: { readonly key: string; readonly request: ErasureRequest }[] = [];
    for await (const key of listAll(this.#options.store, keys.erasureRequests())) {
      const stored = await readJson<ErasureRequest>(this.#options.store, key);
      if (stored?.value.schema === 'mlmon.erasure/v1') found.push({ key, request: stored.value });
    }
    return found;
  }

  async #salt(dryRun: boolean): Promise<string> {
    const { store } = this.#options;
    const present = await readJson<Salt>(store, keys.erasureSalt());
    if (present !== null) return present.value.salt;
    const fresh: Salt = { salt: randomBytes(16).toString('hex') };
    if (dryRun) return fresh.salt;
    return (
      (await changeJson<Salt>(store, keys.erasureSalt(), (other) => (other === null ? fresh : null)))?.salt ??
      fresh.salt
    );
  }
}

/** One walk over everything that holds single events. */
class Round {
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

/** @throws ProblemError */
function checkedIds(model: string, ids: readonly string[]): string[] {
  const problems: Problem[] = [];
  if (!MODEL_PATTERN.test(model))
    problems.push({
      code: 'wrong-value',
      path: 'model',
      message: 'is no name of a model',
      got: shown(model),
      expected: 'lower-case letters, digits and inner hyphens, at most 63',
    });
  const wanted = [...new Set(ids)];
  if (wanted.length === 0 || wanted.length > ERASURE_MOST_IDS)
    problems.push({
      code: 'wrong-value',
      path: 'ids',
      message: 'are none or too many',
      got: String(wanted.length),
      expected: `1 to ${ERASURE_MOST_IDS} ids a request`,
    });
  if (wanted.some((id) => id === '' || id.length > EVENT_LIMITS.idLength))
    problems.push({
      code: 'wrong-value',
      path: 'ids',
      message: 'hold one that no event can have',
      expected: `1 to ${EVENT_LIMITS.idLength} characters each`,
    });
  if (problems.length > 0) throw new ProblemError(problems);
  return wanted;
}

function brief({ reached, problems }: Pick<ErasureReport, 'reached' | 'problems'>): {
  readonly changed: number;
  readonly erased: number;
  readonly problems: number;
} {
  return {
    changed: reached.reduce((sum, { changed }) => sum + changed, 0),
    erased: reached.reduce((sum, { erased }) => sum + erased, 0),
    problems: problems.length,
  };
}

function lastOf(requests: readonly ErasureRequest[]): string | null {
  return (
    requests
      .map(({ until }) => until)
      .sort()
      .at(-1) ?? null
  );
}
