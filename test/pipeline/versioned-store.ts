/** A store that keeps what was replaced or deleted, as a versioned bucket does. */
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { ObjectStore, ObjectVersion, ObjectVersions } from '../../lib/pipeline/ports.ts';

export class VersionedStore {
  readonly store: ObjectStore;
  readonly versions: ObjectVersions;
  readonly #all = new Map<string, { readonly key: string; readonly body: Uint8Array }>();
  readonly #current = new Map<string, string>();
  #n = 0;

  constructor(inner: ObjectStore = new MemoryStore()) {
    const note = (key: string, body: Uint8Array): void => {
      const version = `v${++this.#n}`;
      this.#all.set(version, { key, body: Uint8Array.from(body) });
      this.#current.set(key, version);
    };
    this.store = {
      get: (key) => inner.get(key),
      getRange: (key, start, end) => inner.getRange(key, start, end),
      list: (prefix, options) => inner.list(prefix, options),
      putIfAbsent: async (key, body) => {
        const etag = await inner.putIfAbsent(key, body);
        note(key, body);
        return etag;
      },
      putIfUnchanged: async (key, body, etag) => {
        const next = await inner.putIfUnchanged(key, body, etag);
        note(key, body);
        return next;
      },
      delete: async (key) => {
        await inner.delete(key);
        this.#current.delete(key);
      },
    };
    const all = this.#all;
    const current = this.#current;
    this.versions = {
      async *list(prefix): AsyncGenerator<ObjectVersion> {
        for (const [version, { key }] of [...all])
          if (key.startsWith(prefix)) yield { key, version, current: current.get(key) === version };
      },
      get: async (_key, version) => all.get(version)?.body ?? null,
      delete: async (_key, version) => {
        all.delete(version);
      },
    };
  }

  /** Bodies of all versions of all keys under a prefix, as text. */
  texts(prefix: string): string[] {
    return [...this.#all.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ body }) => Buffer.from(body).toString('latin1'));
  }
}
