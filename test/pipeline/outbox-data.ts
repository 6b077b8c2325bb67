/** Outboxes, channels and clocks for tests of the notifier. */
import type { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { Episode, EpisodeState, OutboxEntry, Transition } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import { entryOf, hintAt } from '../../lib/pipeline/outbox.ts';
import type { AlertChannel, Clock, ObjectStore } from '../../lib/pipeline/ports.ts';

export const NOW = Date.parse('2026-03-01T00:00:00Z');

export class TestClock implements Clock {
  #now: number;
  constructor(now = NOW) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  pass(ms: number): void {
    this.#now += ms;
  }
}

export interface Got {
  readonly key: string;
  readonly repeat: boolean;
  readonly at: number;
  readonly transition: Transition;
}

export class TestChannel implements AlertChannel {
  readonly name: string;
  readonly records: boolean | undefined;
  readonly keepsState: boolean | undefined;
  readonly got: Got[] = [];
  readonly #clock: Clock;
  fail: (transition: Transition) => Error | null = () => null;

  constructor(name: string, clock: Clock, kind: Pick<AlertChannel, 'records' | 'keepsState'> = {}) {
    this.name = name;
    this.records = kind.records;
    this.keepsState = kind.keepsState;
    this.#clock = clock;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const error = this.fail(transition);
    if (error !== null) throw error;
    this.got.push({ key: transition.key, repeat, at: this.#clock.now(), transition });
  }

  get keys(): string[] {
    return this.got.map(({ key }) => key);
  }
}

export function transitionFor(
  model: string,
  kind: Transition['kind'] = 'opened',
  episode: Partial<Episode> = {},
  at = NOW,
): Transition {
  const id = episode.id ?? `${model}-e1`;
  return {
    key: `${id}/${kind}/1`,
    kind,
    at: new Date(at).toISOString(),
    runbook: '/runbook#drift',
    link: `/#/models/${model}`,
    context: [],
    episode: {
      id,
      model,
      version: '1',
      signal: 'drift',
      severity: 'warning',
      owner: 'team',
      opened: '2026-02-28T00:00:00.000Z',
      closed: kind === 'closed' ? '2026-03-01T00:00:00.000Z' : null,
      since: '2026-02-27T00:00:00.000Z',
      length: '1d',
      features: [],
      summary: `${model} moved`,
      provisional: false,
      ...episode,
    },
  };
}

/** Adds transitions to the outbox of their model, as the keeper of episodes does: the state first, then the hint. */
export async function addTransitions(
  store: ObjectStore,
  transitions: readonly Transition[],
  { hint = true }: { readonly hint?: boolean } = {},
): Promise<void> {
  for (const transition of transitions) {
    const { model } = transition.episode;
    const key = keys.episodes(model);
    const present = await readJson<EpisodeState>(store, key);
    const outbox: OutboxEntry[] = [...(present?.value.outbox ?? []), entryOf(transition)];
    const state: EpisodeState = {
      schema: 'mlmon.episodes/v1',
      model,
      appliedThrough: { checkpoint: [], tail: [], settled: { window: 0, performance: 0 } },
      episodes: [],
      acknowledged: {},
      silences: present?.value.silences ?? [],
      outbox,
    };
    if (present === null) await store.putIfAbsent(key, encodeJson(state));
    else await store.putIfUnchanged(key, encodeJson(state), present.etag);
    if (hint) await hintAt(store, model, [entryOf(transition)]);
  }
}

export async function outboxOf(store: ObjectStore, model: string): Promise<readonly OutboxEntry[]> {
  return (await readJson<EpisodeState>(store, keys.episodes(model)))?.value.outbox ?? [];
}

/** Counts what is read. */
export function counting(store: MemoryStore): {
  readonly store: ObjectStore;
  readonly counts: { gets: number; lists: number; writes: number };
} {
  const counts = { gets: 0, lists: 0, writes: 0 };
  const counted: ObjectStore = {
    get: (key) => {
      counts.gets++;
      return store.get(key);
    },
    getRange: (key, start, end) => store.getRange(key, start, end),
    list: (prefix, options) => {
      counts.lists++;
      return store.list(prefix, options);
    },
    putIfAbsent: (key, body) => {
      counts.writes++;
      return store.putIfAbsent(key, body);
    },
    putIfUnchanged: (key, body, etag) => {
      counts.writes++;
      return store.putIfUnchanged(key, body, etag);
    },
    delete: (key) => {
      counts.writes++;
      return store.delete(key);
    },
  };
  return { store: counted, counts };
}
