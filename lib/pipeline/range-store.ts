/**
 * Committed ranges that do not fit into a cursor: the oldest are moved into an immutable object that the cursor names, so that nothing
 * is forgotten while the cursor stays small. Needed where batches were given up often, or where it could not be seen that none was.
 */
import { createHash } from 'node:crypto';
import { keys, unstamp } from '../contracts/object-keys.ts';
import { bounded, type Range, type Ranges, withRanges } from './committed-ranges.ts';
import { type Cursor, changeCursor, readCursors } from './cursor.ts';
import { encodeJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { type Clock, ConflictError, type ObjectStore } from './ports.ts';

export const RANGE_LIMITS = {
  /** Ranges in a cursor; of more, the older half is moved out. */
  inCursor: 64,
  /** Ranges moved out: one a minute for two weeks, the on-failure store's retention. */
  movedOut: 20_160,
} as const;

const SCHEMA = 'mlmon.ranges/v1';
const DAY_MS = 86_400_000;

interface StoredRanges {
  readonly schema: typeof SCHEMA;
  readonly ranges: Ranges;
}

/**
 * The ranges that a cursor moved out. The object never changes, so callers may remember it by its key.
 * @throws Error when the object is not there: then nobody knows what was counted
 */
export async function olderRanges(store: ObjectStore, key: string | undefined): Promise<Ranges> {
  if (key === undefined) return [];
  const stored = await store.get(key);
  if (stored === null) throw new Error(`${key}: named by a cursor, but not in the store; restore it`);
  const value = JSON.parse(new TextDecoder().decode(stored.body)) as StoredRanges;
  if (value.schema !== SCHEMA)
    throw new Error(`${key}: schema ${String(value.schema)}; expected ${SCHEMA}; use a newer release`);
  return value.ranges;
}

/** Moves the older half of the cursor's ranges out when there are too many. */
export async function moveOutRanges(
  store: ObjectStore,
  {
    key,
    cursor,
    log,
    partition,
    clock,
  }: {
    readonly key: string;
    readonly cursor: Cursor;
    readonly log: string;
    readonly partition: string;
    readonly clock: Clock;
  },
): Promise<void> {
  if (cursor.ranges.length <= RANGE_LIMITS.inCursor) return;
  const moved = cursor.ranges.slice(0, Math.ceil(cursor.ranges.length / 2));
  const ranges = bounded(withRanges(await olderRanges(store, cursor.older), moved), RANGE_LIMITS.movedOut);
  const body = encodeJson({ schema: SCHEMA, ranges } satisfies StoredRanges);
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const older = keys.ranges(log, partition, clock.now(), digest);
  try {
    await store.putIfAbsent(older, body);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
  await changeCursor(store, key, (present) => {
    const isSame = present.older === cursor.older && moved.every((range, i) => equal(range, present.ranges[i]));
    if (!isSame) return null;
    return { ...present, epoch: present.epoch + 1, ranges: present.ranges.slice(moved.length), older };
  });
}

/** Deletes moved ranges that no cursor names any more, a day after they were made. Returns how many. */
export async function cleanUpRanges(
  store: ObjectStore,
  clock: Clock,
  signal?: Pick<AbortSignal, 'aborted'>,
): Promise<number> {
  const old: string[] = [];
  for await (const key of listAll(store, keys.allRanges())) {
    const made = unstamp(key.split('/')[3] ?? '');
    if (made < clock.now() - DAY_MS) old.push(key);
  }
  if (old.length === 0) return 0;
  const named = new Set((await readCursors(store)).map(({ cursor }) => cursor.older));
  let deleted = 0;
  for (const key of old) {
    if (named.has(key) || signal?.aborted) continue;
    await store.delete(key);
    deleted++;
  }
  return deleted;
}

function equal(a: Range, b: Range | undefined): boolean {
  return b !== undefined && a[0] === b[0] && a[1] === b[1];
}
