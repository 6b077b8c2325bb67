/**
 * Erases predictions by their ids: from captured events and labels, from what was redriven, quarantined or given up, and from old versions
 * of all of these. A request is remembered, by marks and never by ids, so that records which land later are erased too.
 *
 * Safe to kill and to repeat: the request is stored first, every object is replaced only if it is as it was read, and an object without
 * anything to erase is left alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import { ERASURE_MOST_IDS, type ErasureReport, type ErasureRequest } from '../contracts/erasure.ts';
import { EVENT_LIMITS, MODEL_PATTERN } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { type EraserOptions, ErasureRound } from './erasure-round.ts';
import { markOf } from './event-marks.ts';
import { changeJson, encodeJson, readJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { ConflictError, type EventsToGo } from './ports.ts';

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

/** Names of objects that were seen, in the memory of one process. */
const MOST_SEEN = 500_000;
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
    const round = new ErasureRound(this.#options, [{ model, marked: { salt, marks: new Set(marks) } }], {
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
    const outcome = await new ErasureRound(this.#options, events, { dryRun: false, since, seen: this.#seen }).run();
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
      ...(wanted.length === 0
        ? {}
        : { fix: `ask for ${ERASURE_MOST_IDS} at a time: \`split -l ${ERASURE_MOST_IDS}\` makes files of a list` }),
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
