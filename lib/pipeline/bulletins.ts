/**
 * Bulletins: small objects that say which results are new, from whoever judged to whoever exports, so that the latter reads what changed and
 * not everything each minute. They are written before the judge's own progress and deleted after the reader's, so each is read at least once.
 */
import { randomUUID } from 'node:crypto';
import { keys } from '../contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../contracts/result.ts';
import { inTurn } from './in-turn.ts';
import { encodeJson, readJson } from './json-object.ts';
import { type Clock, ConflictError, type ObjectStore } from './ports.ts';

interface Bulletin {
  readonly schema: 'mlmon.bulletin/v1';
  /** Keys of results. */
  readonly results: readonly string[];
}

export interface News {
  /** To be deleted once all is done. */
  readonly bulletins: readonly string[];
  /** Model → keys of its new results. */
  readonly results: ReadonlyMap<string, readonly string[]>;
  /** There are more bulletins than were read. */
  readonly more: boolean;
}

const CONCURRENCY = 16;

/** Where a result is kept. */
export function keyOfResult(result: WindowResult | PerformanceResult): string {
  const { model, version, start, length, provenance } = result;
  const make = result.schema === 'mlmon.performance/v1' ? keys.performance : keys.result;
  return make(model, version, Date.parse(start), length, provenance.revision);
}

/** Says that these results are new. */
export async function announce(
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
  results: readonly (WindowResult | PerformanceResult)[],
): Promise<void> {
  if (results.length === 0) return;
  const bulletin: Bulletin = { schema: 'mlmon.bulletin/v1', results: results.map(keyOfResult) };
  try {
    await store.putIfAbsent(keys.bulletin(clock.now(), randomUUID()), encodeJson(bulletin));
  } catch (error) {
    // Nobody else has this key: the answer to an earlier attempt was lost.
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** The oldest bulletins, at most so many, oldest first. */
export function bulletinKeys(store: ObjectStore, limit = 1_000): Promise<string[]> {
  return store.list(keys.bulletins(), { limit });
}

/** Keys of the results that it names. One that cannot be read names none: what it told is found when the model's turn comes. */
export async function readBulletin(store: ObjectStore, key: string): Promise<readonly string[]> {
  const stored = await readJson<Bulletin>(store, key).catch((error: unknown) => {
    if (error instanceof SyntaxError) return null;
    throw error;
  });
  return stored?.value.results ?? [];
}

/** The oldest bulletins, at most so many. */
export async function readNews(store: ObjectStore, limit = 1_000): Promise<News> {
  const bulletins = await bulletinKeys(store, limit);
  const results = new Map<string, string[]>();
  await inTurn(bulletins, CONCURRENCY, async (key) => {
    for (const result of await readBulletin(store, key)) {
      const [, model = ''] = result.split('/');
      results.set(model, [...(results.get(model) ?? []), result]);
    }
  });
  return { bulletins, results, more: bulletins.length >= limit };
}

export async function deleteNews(store: ObjectStore, bulletins: readonly string[]): Promise<void> {
  await inTurn(bulletins, CONCURRENCY, (key) => store.delete(key));
}
