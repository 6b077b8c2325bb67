/**
 * Who may send which model's events and labels. A sender is a principal: the ARN of a role, the id of a key, the subject of a token.
 * What is not granted is refused; grants add up.
 */
import type { SenderRights } from '../contracts/publication.ts';
import type { ObjectStore } from './ports.ts';

export type Bindings = Readonly<Record<string, SenderRights>>;

/** What one sender may send, ready to be asked for every event. */
export class SendingRights {
  readonly #events: ReadonlySet<string>;
  readonly #labels: ReadonlySet<string>;

  constructor({ events, labels }: SenderRights) {
    this.#events = new Set(events);
    this.#labels = new Set(labels);
  }

  mayInfer(model: string): boolean {
    return this.#events.has('*') || this.#events.has(model);
  }

  mayLabel(model: string): boolean {
    return this.#labels.has('*') || this.#labels.has(model);
  }

  /** Models with a right of either kind; another model is none of this sender's business. */
  knows(model: string): boolean {
    return this.mayInfer(model) || this.mayLabel(model);
  }

  get infersNothing(): boolean {
    return this.#events.size === 0;
  }

  get labelsNothing(): boolean {
    return this.#labels.size === 0;
  }
}

/**
 * The rights of a principal: of all bindings that name it, or a beginning of it that ends in `*`. A role counts by account and name,
 * since the caller of a signed request is told without the path of its role.
 */
export function rightsOf(bindings: Bindings, principal: string): SendingRights {
  const caller = roleName(principal);
  const events: string[] = [];
  const labels: string[] = [];
  for (const [bound, rights] of Object.entries(bindings)) {
    if (!binds(bound, caller)) continue;
    events.push(...rights.events);
    labels.push(...rights.labels);
  }
  return new SendingRights({ events, labels });
}

function binds(bound: string, caller: string): boolean {
  if (!bound.endsWith('*')) return roleName(bound) === caller;
  // A path before the star would be cut off, and the star then stand for more than was meant.
  return !/:role\/.*\//.test(bound) && caller.startsWith(bound.slice(0, -1));
}

/**
 * `arn:aws:sts::111122223333:assumed-role/scoring/session` and `arn:aws:iam::111122223333:role/team/scoring` are the same role:
 * `arn:aws:iam::111122223333:role/scoring`. All else stays as it is.
 */
export function roleName(principal: string): string {
  const assumed = /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)(?:\/.*)?$/.exec(principal);
  if (assumed !== null) return `arn:${assumed[1]}:iam::${assumed[2]}:role/${assumed[3]}`;
  const role = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(principal);
  return role === null ? principal : `arn:${role[1]}:iam::${role[2]}:role/${role[3]}`;
}

/** Reads bindings as they were published, again when they are older than `cacheMs`. Bindings that nobody published grant nothing. */
export class PublishedBindings {
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #cacheMs: number;
  readonly #now: () => number;
  #readAt = Number.NEGATIVE_INFINITY;
  #bindings: Bindings = {};
  #known = new Map<string, SendingRights>();

  constructor(options: {
    readonly store: ObjectStore;
    readonly key: string;
    readonly cacheMs: number;
    /** Milliseconds, of any origin. */
    readonly now: () => number;
  }) {
    this.#store = options.store;
    this.#key = options.key;
    this.#cacheMs = options.cacheMs;
    this.#now = options.now;
  }

  /** @throws what the store throws; then nothing is known of the sender */
  async rightsOf(principal: string): Promise<SendingRights> {
    if (this.#now() - this.#readAt >= this.#cacheMs) await this.#read();
    let rights = this.#known.get(principal);
    if (rights === undefined) {
      rights = rightsOf(this.#bindings, principal);
      // Sessions of a role have names of their own.
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      this.#known.set(principal, rights);
    }
    return rights;
  }

  async #read(): Promise<void> {
    const stored = await this.#store.get(this.#key);
    this.#bindings = stored === null ? {} : parseBindings(new TextDecoder().decode(stored.body), this.#key);
    this.#known = new Map();
    this.#readAt = this.#now();
  }
}

const MOST_KNOWN = 1_000;

/** @throws Error for what is no object of rights; a damaged object must not widen or narrow anybody's rights silently */
export function parseBindings(text: string, path: string): Bindings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (!isBindings(value))
    throw new Error(
      `${path}: is no object of principals, each with lists of events and labels; expected what the publisher writes; deploy again`,
    );
  return value;
}

function isBindings(value: unknown): value is Bindings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((rights: unknown) => {
    if (typeof rights !== 'object' || rights === null) return false;
    const { events, labels } = rights as Partial<Record<keyof SenderRights, unknown>>;
    return [events, labels].every((list) => Array.isArray(list) && list.every((model) => typeof model === 'string'));
  });
}
