/** An object store in memory, for tests. ETags are the hash of the content, so equal bytes have equal ETags as on S3. */
import { createHash } from 'node:crypto';
import { ConflictError, type ObjectStore, type StoredObject } from '../../pipeline/ports.ts';
import { checkKey, checkRange, compareKeys } from '../object-key.ts';

export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  /** Keys in order, but for those of `#added`. */
  #order: string[] = [];
  /** Keys put since the last `list`. */
  #added: string[] = [];

  /** Number of objects. */
  get size(): number {
    return this.#objects.size;
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    const object = this.#objects.get(key);
    return object === undefined ? null : { body: Uint8Array.from(object.body), etag: object.etag };
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | null> {
    checkKey(key);
    checkRange(key, start, end);
    return this.#objects.get(key)?.body.slice(start, end) ?? null;
  }

  async list(prefix: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<string[]> {
    const order = this.#sorted();
    const { after, limit = 1000 } = options;
    let i = lowerBound(order, prefix);
    if (after !== undefined && compareKeys(after, prefix) >= 0) {
      i = lowerBound(order, after);
      if (order[i] === after) i += 1;
    }
    const found: string[] = [];
    for (; i < order.length && found.length < limit; i++) {
      const key = order[i] as string;
      if (!key.startsWith(prefix)) break;
      found.push(key);
    }
    return found;
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<string> {
    checkKey(key);
    if (this.#objects.has(key)) throw new ConflictError(key);
    this.#added.push(key);
    return this.#put(key, body);
  }

  async putIfUnchanged(key: string, body: Uint8Array, etag: string): Promise<string> {
    checkKey(key);
    if (this.#objects.get(key)?.etag !== etag) throw new ConflictError(key);
    return this.#put(key, body);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    if (!this.#objects.delete(key)) return;
    const order = this.#sorted();
    order.splice(lowerBound(order, key), 1);
  }

  /** Sorts the new keys in: sorting all of them anew would make each `list` after a `put` cost as much as the store is large. */
  #sorted(): string[] {
    const order = this.#order;
    const added = this.#added.sort(compareKeys);
    this.#added = [];
    if (added.length > order.length / 8) this.#order = [...order, ...added].sort(compareKeys);
    else for (const key of added) order.splice(lowerBound(order, key), 0, key);
    return this.#order;
  }

  #put(key: string, body: Uint8Array): string {
    const etag = createHash('sha256').update(body).digest('hex');
    this.#objects.set(key, { body: Uint8Array.from(body), etag });
    return etag;
  }
}

/** Index of the first key at or above this one. */
function lowerBound(order: readonly string[], key: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(order[middle] as string, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
