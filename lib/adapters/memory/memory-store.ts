/** An object store in memory, for tests. ETags are the hash of the content, so equal bytes have equal ETags as on S3. */
import { createHash } from 'node:crypto';
import { ConflictError, type ObjectStore, type StoredObject } from '../../pipeline/ports.ts';
import { checkKey, checkRange, compareKeys } from '../object-key.ts';

export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  /** Keys in order; `null` when it must be made anew. */
  #order: string[] | null = [];

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
    this.#order ??= [...this.#objects.keys()].sort(compareKeys);
    const order = this.#order;
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
    this.#order = null;
    return this.#put(key, body);
  }

  async putIfUnchanged(key: string, body: Uint8Array, etag: string): Promise<string> {
    checkKey(key);
    if (this.#objects.get(key)?.etag !== etag) throw new ConflictError(key);
    return this.#put(key, body);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    if (this.#objects.delete(key)) this.#order = null;
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
