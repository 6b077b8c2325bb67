/** JSON objects in the store: read, and change by compare-and-swap with bounded retries. */
import { ConflictError, type ObjectStore, TransientError } from './ports.ts';

const ATTEMPTS = 50;

export async function readJson<T>(
  store: ObjectStore,
  key: string,
): Promise<{ readonly value: T; readonly etag: string } | null> {
  const stored = await store.get(key);
  return stored === null ? null : { value: JSON.parse(new TextDecoder().decode(stored.body)) as T, etag: stored.etag };
}

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

/**
 * Replaces the object by what `change` makes of it; when somebody else wrote first, reads again and changes that.
 * `change` gets `null` when there is none, and answers `null` to leave all as it is. Returns what is stored in the end.
 * @throws TransientError when the race was lost 50 times
 */
export async function changeJson<T>(
  store: ObjectStore,
  key: string,
  change: (present: T | null) => T | null | Promise<T | null>,
): Promise<T | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const present = await readJson<T>(store, key);
    const next = await change(present?.value ?? null);
    if (next === null) return present?.value ?? null;
    try {
      if (present === null) await store.putIfAbsent(key, encodeJson(next));
      else await store.putIfUnchanged(key, encodeJson(next), present.etag);
      return next;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      // The loser waits a moment, longer each time, so that many writers do not march in step.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(200, 2 ** attempt)));
    }
  }
  throw new TransientError(`${key}: lost the race for it ${ATTEMPTS} times; it is written too often`);
}
