/** How far each shard has been profiled, as its cursor says: what a stream is asked relative to, since it does not tell its head. */
import type { Profiled } from '../lib/adapters/kinesis/kinesis-log.ts';
import { keys } from '../lib/contracts/object-keys.ts';
import { readCursor } from '../lib/pipeline/cursor.ts';
import type { ObjectStore } from '../lib/pipeline/ports.ts';

export function cursorPositions(store: ObjectStore): (identity: string, shard: string) => Promise<Profiled | null> {
  return async (identity, shard) => {
    const { cursor, etag } = await readCursor(store, keys.cursor(identity, shard));
    return etag === null ? null : cursor;
  };
}
