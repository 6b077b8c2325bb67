/**
 * Clean-up of packs: those that no cursor lists any more, nor any compacted pack that a cursor lists, once they are older than the log
 * and its on-failure store keep records. Until then a slow profiler could still commit them, or a reader need one leaf again.
 */
import { keys } from '../contracts/object-keys.ts';
import { readCursors } from './cursor.ts';
import { listAll } from './listing.ts';
import { isUnreadable, type PackReader } from './pack-reader.ts';
import type { Clock, ObjectStore } from './ports.ts';

const DAY_MS = 86_400_000;

export interface CleanUpOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly reader: PackReader;
  /** Log retention and on-failure retention together, milliseconds. */
  readonly retentionMs: number;
  readonly signal?: Pick<AbortSignal, 'aborted'>;
}

/**
 * Deletes what may go; returns how many. Nothing goes while a pack that a cursor lists cannot be read, since it may name others.
 * Keys begin with the day of append time, so only old packs are listed.
 */
export async function cleanUp({ store, clock, reader, retentionMs, signal }: CleanUpOptions): Promise<number> {
  // A pack is dated by its first record; its last may be up to a day younger.
  const before = new Date(clock.now() - retentionMs - DAY_MS).toISOString().slice(0, 10);
  const old: string[] = [];
  for await (const key of listAll(store, keys.packs())) {
    if ((key.split('/')[1] ?? '') >= before) break;
    old.push(key);
  }
  if (old.length === 0) return 0;
  // Read after the listing: a pack that was committed in between is seen as referenced.
  const referenced = new Set<string>();
  for (const { cursor } of await readCursors(store))
    for (const pack of cursor.packs) {
      referenced.add(pack);
      try {
        for (const leaf of (await reader.content(pack)).leaves) referenced.add(leaf);
      } catch (error) {
        if (isUnreadable(error)) return 0;
        throw error;
      }
    }
  let deleted = 0;
  for (const key of old) {
    if (referenced.has(key) || signal?.aborted) continue;
    await store.delete(key);
    deleted++;
  }
  return deleted;
}
