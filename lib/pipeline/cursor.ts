/**
 * The cursor: how far one partition of one log has been profiled, and which packs no stored profile names yet. It is the only
 * object that decides what counts: a pack counts when, and only when, a cursor has listed it. Replaced only if unchanged.
 */
import type { QuarantineReason } from '../contracts/event.ts';
import { keys, stamp, unstamp } from '../contracts/object-keys.ts';
import { type Ranges, withRanges } from './committed-ranges.ts';
import { encodeJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { ConflictError, comparePositions, type ObjectStore, type Position, TransientError } from './ports.ts';
import { sleep } from './retry.ts';

export const CURSOR_LIMITS = {
  /** Bytes of the object. */
  bytes: 65_536,
  /** Packs listed for one hour; more are compacted. */
  packsPerHour: 64,
} as const;

export const HOUR_MS = 3_600_000;
const ATTEMPTS = 50;

/** Counts of log events since the log began. received = profiled + beyond + labels + Σ quarantined. */
export interface LedgerTotals {
  readonly received: number;
  readonly profiled: number;
  /** Appended too late for any window. */
  readonly beyond: number;
  readonly labels: number;
  readonly quarantined: Readonly<Partial<Record<QuarantineReason, number>>>;
  /** Records that retention took before they were read; where positions are not contiguous, at least so many. */
  readonly lost: number;
}

export interface Cursor {
  readonly schema: 'mlmon.cursor/v1';
  /** The newest record profiled; `null` before the first. */
  readonly position: Position | null;
  /** Its append time: all records appended before that have been profiled. */
  readonly appendTime: number | null;
  /** Committed positions as (after, through], ascending, merged where they touch; `null`: from the beginning. */
  readonly ranges: readonly (readonly [after: Position | null, through: Position])[];
  /** Key of the object that holds further ranges, moved out where there were many (`range-store.ts`). */
  readonly older?: string;
  /** Goes up with every change, so that no two states are ever equal. */
  readonly epoch: number;
  /** Keys of the open packs. */
  readonly packs: readonly string[];
  /** For each of them, append time of its newest record. */
  readonly appended: readonly number[];
  /** Hour of event time → indexes into `packs` whose rows of that hour no stored profile names yet. */
  readonly open: Readonly<Record<string, readonly number[]>>;
  readonly totals: LedgerTotals;
}

export const EMPTY_TOTALS: LedgerTotals = {
  received: 0,
  profiled: 0,
  beyond: 0,
  labels: 0,
  quarantined: {},
  lost: 0,
};

export const EMPTY_CURSOR: Cursor = {
  schema: 'mlmon.cursor/v1',
  position: null,
  appendTime: null,
  ranges: [],
  epoch: 0,
  packs: [],
  appended: [],
  open: {},
  totals: EMPTY_TOTALS,
};

/** The next state does not fit: hours must be closed first. */
export class CursorFullError extends Error {
  override readonly name = 'CursorFullError';
}

export interface Commit {
  /** The position after which the batch was read, or where what was pushed begins. */
  readonly after: Position | null;
  readonly through: Position;
  readonly appendTime: number;
  /** `null` when the batch had nothing to keep. */
  readonly pack: string | null;
  /** Starts of the hours of event time that the pack has rows of, milliseconds. */
  readonly hours: Iterable<number>;
  readonly totals: LedgerTotals;
}

/** The cursor after a batch that was read after its position. Pure. */
export function committed(cursor: Cursor, commit: Commit): Cursor {
  const ranges = withRange(cursor.ranges, [commit.after, commit.through]);
  return { ...listed(cursor, commit), position: commit.through, ranges };
}

/**
 * The cursor after a batch that was pushed, wherever it lies: its range begins just before its first record, since what is between the
 * position and that record may have been given up and wait for its redrive. `empty`: ranges that are known to hold no record. Pure.
 */
export function committedPush(cursor: Cursor, commit: Commit, empty: Ranges): Cursor {
  const { position } = cursor;
  const isNewest = position === null || comparePositions(commit.through, position) > 0;
  return {
    ...listed(cursor, commit),
    position: isNewest ? commit.through : position,
    ranges: withRanges(cursor.ranges, [[commit.after, commit.through], ...empty]),
  };
}

/** All that a commit changes but for positions. */
function listed(cursor: Cursor, commit: Commit): Cursor {
  const hours = [...commit.hours].map(stamp).sort();
  const open: Record<string, readonly number[]> = { ...cursor.open };
  const listed = commit.pack !== null && hours.length > 0 ? commit.pack : null;
  for (const hour of listed === null ? [] : hours) open[hour] = [...(open[hour] ?? []), cursor.packs.length];
  return {
    ...cursor,
    appendTime: Math.max(commit.appendTime, cursor.appendTime ?? Number.NEGATIVE_INFINITY),
    epoch: cursor.epoch + 1,
    packs: listed === null ? cursor.packs : [...cursor.packs, listed],
    appended: listed === null ? cursor.appended : [...cursor.appended, commit.appendTime],
    open,
    totals: addTotals(cursor.totals, commit.totals),
  };
}

/** Ascending, merged where they touch. Pure. */
export function withRange(ranges: Cursor['ranges'], added: Cursor['ranges'][number]): Cursor['ranges'] {
  const last = ranges.at(-1);
  if (last === undefined) return [added];
  const touches = added[0] !== null && comparePositions(added[0], last[1]) <= 0;
  return touches ? [...ranges.slice(0, -1), [last[0], added[1]]] : [...ranges, added];
}

/** The cursor without the packs that stored profiles name: hour start → packs. `null` when nothing changes. Pure. */
export function released(cursor: Cursor, done: ReadonlyMap<number, ReadonlySet<string>>): Cursor | null {
  let isChanged = false;
  const open: Record<string, readonly number[]> = {};
  for (const [hour, indexes] of Object.entries(cursor.open)) {
    const named = done.get(unstamp(hour));
    const rest = named === undefined ? indexes : indexes.filter((index) => !named.has(cursor.packs[index] ?? ''));
    if (rest.length < indexes.length) isChanged = true;
    if (rest.length > 0) open[hour] = rest;
  }
  return isChanged ? withoutUnused({ ...cursor, epoch: cursor.epoch + 1, open }) : null;
}

/** The cursor with `packs` of one hour replaced by the one they were compacted into; `null` when one is gone already. Pure. */
export function compacted(cursor: Cursor, hour: number, packs: ReadonlySet<string>, into: string): Cursor | null {
  const present = (cursor.open[stamp(hour)] ?? []).filter((index) => packs.has(cursor.packs[index] ?? ''));
  if (present.length < packs.size) return null;
  const rest = (cursor.open[stamp(hour)] ?? []).filter((index) => !present.includes(index));
  return withoutUnused({
    ...cursor,
    epoch: cursor.epoch + 1,
    packs: [...cursor.packs, into],
    // As old as its oldest part: it must not wait longer to be closed.
    appended: [...cursor.appended, Math.min(...present.map((index) => cursor.appended[index] ?? 0))],
    open: { ...cursor.open, [stamp(hour)]: [...rest, cursor.packs.length] },
  });
}

function withoutUnused(cursor: Cursor): Cursor {
  const used = [...new Set(Object.values(cursor.open).flat())].sort((a, b) => a - b);
  const moved = new Map(used.map((index, at) => [index, at]));
  return {
    ...cursor,
    packs: used.map((index) => cursor.packs[index] ?? ''),
    appended: used.map((index) => cursor.appended[index] ?? 0),
    open: Object.fromEntries(
      Object.entries(cursor.open).map(([hour, indexes]) => [hour, indexes.map((index) => moved.get(index) ?? 0)]),
    ),
  };
}

export function addTotals(a: LedgerTotals, b: LedgerTotals): LedgerTotals {
  const quarantined: Partial<Record<QuarantineReason, number>> = { ...a.quarantined };
  for (const [reason, count] of Object.entries(b.quarantined) as [QuarantineReason, number][])
    quarantined[reason] = (quarantined[reason] ?? 0) + count;
  return {
    received: a.received + b.received,
    profiled: a.profiled + b.profiled,
    beyond: a.beyond + b.beyond,
    labels: a.labels + b.labels,
    quarantined,
    lost: a.lost + b.lost,
  };
}

export function cursorBytes(cursor: Cursor): Uint8Array {
  return encodeJson(cursor);
}

export async function readCursor(store: ObjectStore, key: string): Promise<{ cursor: Cursor; etag: string | null }> {
  const stored = await store.get(key);
  if (stored === null) return { cursor: EMPTY_CURSOR, etag: null };
  return { cursor: decodeCursor(key, stored.body), etag: stored.etag };
}

/**
 * Replaces the cursor by what `change` makes of it, reading it again after each lost race; `change` answers `null` to leave it.
 * Returns the cursor as it is in the end.
 * @throws CursorFullError when the next state is beyond 64 kB; TransientError when the race was lost 50 times
 */
export async function changeCursor(
  store: ObjectStore,
  key: string,
  change: (present: Cursor) => Cursor | null,
): Promise<Cursor> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { cursor, etag } = await readCursor(store, key);
    const next = change(cursor);
    if (next === null) return cursor;
    const body = cursorBytes(next);
    if (body.byteLength > CURSOR_LIMITS.bytes)
      throw new CursorFullError(`${key}: ${body.byteLength} bytes; expected at most ${CURSOR_LIMITS.bytes}`);
    try {
      if (etag === null) await store.putIfAbsent(key, body);
      else await store.putIfUnchanged(key, body, etag);
      return next;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      await sleep(Math.random() * Math.min(200, 2 ** attempt));
    }
  }
  throw new TransientError(`${key}: lost the race for it ${ATTEMPTS} times`);
}

export interface StoredCursor {
  readonly key: string;
  /** As path segments. */
  readonly log: string;
  readonly partition: string;
  readonly cursor: Cursor;
}

/** All cursors, those of logs that were recreated since included: their open packs still count. */
export async function readCursors(store: ObjectStore): Promise<StoredCursor[]> {
  const found: string[] = [];
  for await (const key of listAll(store, keys.allCursors())) found.push(key);
  const all = await Promise.all(
    found.map(async (key) => {
      const [, log = '', file = ''] = key.split('/');
      const stored = await store.get(key);
      if (stored === null) return null;
      return { key, log, partition: file.replace(/\.json$/, ''), cursor: decodeCursor(key, stored.body) };
    }),
  );
  return all.filter((one) => one !== null);
}

function decodeCursor(key: string, body: Uint8Array): Cursor {
  let value: Cursor;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Cursor;
  } catch (error) {
    throw new Error(`${key}: not readable as JSON; restore it from a copy (deleting it counts the log again)`, {
      cause: error,
    });
  }
  if (value.schema !== 'mlmon.cursor/v1')
    throw new Error(`${key}: schema ${String(value.schema)}; expected mlmon.cursor/v1; use a newer release`);
  return value;
}
