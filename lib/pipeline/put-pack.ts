/** Packs are immutable, and their keys are made from their bytes. */
import { ConflictError, type ObjectStore } from './ports.ts';

/** Writes a pack unless it is there: equal keys have equal bytes. */
export async function putPack(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  try {
    await store.putIfAbsent(key, body);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}
