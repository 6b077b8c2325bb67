/**
 * The audit log: what people decided, chained by hashes. Entry n holds the hash of entry n − 1, so a changed, removed or
 * reordered entry shows. One object an entry, put-if-absent: two writers can never both be entry n.
 */
import { createHash } from 'node:crypto';
import { keys } from '../contracts/object-keys.ts';
import { type Clock, ConflictError, type ObjectStore } from './ports.ts';

export interface AuditEntry {
  readonly n: number;
  readonly at: string;
  readonly by: string;
  /** e.g. `baseline.approve`, `alert.acknowledge`, `monitor.apply`. */
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** SHA-256 of the entry before, as stored; 64 zeros for the first. */
  readonly previous: string;
}

const START = '0'.repeat(64);

export class AuditLog {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  #last: { readonly n: number; readonly hash: string } | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly store: ObjectStore; readonly clock: Clock }) {
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /** Appends one entry; entries of one process keep their order. */
  record(by: string, action: string, details: Readonly<Record<string, unknown>>): Promise<AuditEntry> {
    const next = this.#queue.then(() => this.#append(by, action, details));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #append(by: string, action: string, details: Readonly<Record<string, unknown>>): Promise<AuditEntry> {
    for (;;) {
      const last = this.#last ?? (await lastEntry(this.#store));
      const entry: AuditEntry = {
        n: last.n + 1,
        at: new Date(this.#clock.now()).toISOString(),
        by,
        action,
        details,
        previous: last.hash,
      };
      const body = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
      try {
        await this.#store.putIfAbsent(keys.audit(entry.n), body);
        this.#last = { n: entry.n, hash: hash(body) };
        return entry;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        // Either our own write arrived and its answer was lost, or another process took this number: go on behind it.
        const present = await this.#store.get(keys.audit(entry.n));
        this.#last = null;
        if (present !== null && hash(present.body) === hash(body)) {
          this.#last = { n: entry.n, hash: hash(body) };
          return entry;
        }
      }
    }
  }
}

/** The first entry that breaks the chain, or `null` when it holds. */
export async function verifyAudit(
  store: ObjectStore,
): Promise<{ readonly entries: number; readonly broken: string | null }> {
  let previous = START;
  let n = 0;
  for await (const key of all(store)) {
    const stored = await store.get(key);
    if (stored === null) return { entries: n, broken: key };
    let entry: AuditEntry;
    try {
      entry = JSON.parse(new TextDecoder().decode(stored.body)) as AuditEntry;
    } catch {
      return { entries: n, broken: key };
    }
    if (entry.n !== n + 1 || entry.previous !== previous || key !== keys.audit(n + 1))
      return { entries: n, broken: key };
    previous = hash(stored.body);
    n++;
  }
  return { entries: n, broken: null };
}

async function lastEntry(store: ObjectStore): Promise<{ n: number; hash: string }> {
  let last: string | null = null;
  for await (const key of all(store)) last = key;
  if (last === null) return { n: 0, hash: START };
  const stored = await store.get(last);
  return { n: Number(last.slice(-14, -5)), hash: stored === null ? START : hash(stored.body) };
}

async function* all(store: ObjectStore): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const page = await store.list(keys.audits(), { after, limit: 1_000 });
    yield* page;
    after = page.at(-1);
    if (after === undefined || page.length < 1_000) return;
  }
}

function hash(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}
