/**
 * The profiler where the log pushes: batches come as somebody else cut them, again and with other ends after a failure, twice at once, or
 * out of an on-failure store weeks later. What counts is decided per record: one that lies in no committed range is folded, and its
 * batch's range is committed with its pack in one replacement of the cursor, if none of its records has been committed meanwhile.
 *
 * So a redrive is a push like any other, and needs no memory of its own.
 */
import { keys } from '../contracts/object-keys.ts';
import { Batch } from './batch.ts';
import { justBefore, type Range, type Ranges, rangeOf, withRanges } from './committed-ranges.ts';
import { type Commit, type Cursor, CursorFullError, changeCursor, committedPush, readCursor } from './cursor.ts';
import {
  type Clock,
  comparePositions,
  type EventLog,
  type LogRecord,
  type ObjectStore,
  type Position,
  TransientError,
} from './ports.ts';
import type { ProfilerOptions } from './profiler.ts';
import { putPack } from './put-pack.ts';
import { moveOutRanges, olderRanges } from './range-store.ts';
import type { Registry } from './registry.ts';

export interface PushedProfilerOptions extends Pick<ProfilerOptions, 'records' | 'bytes' | 'relieve' | 'onCommit'> {
  /** Asked who it is, and what follows a position. */
  readonly log: Pick<EventLog, 'identity' | 'read'>;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
}

export interface Push {
  readonly partition: string;
  /** Consecutive records of the partition, ascending. */
  readonly records: readonly LogRecord[];
  /** Of the log they come from. @default that of the log as it is now */
  readonly identity?: string;
  /** No time is left: what has been folded is committed, the rest is left. */
  readonly isLate?: () => boolean;
}

export interface PushOutcome {
  /** Records that this push committed. */
  readonly records: number;
  /** Records that had been committed before. */
  readonly known: number;
  /** The first record that is not committed; `null` when all are. */
  readonly unprocessed: Position | null;
  /** Why; `null` when only time was lacking. */
  readonly failure: Error | null;
}

const DEFAULTS = { records: 10_000, bytes: 16 * 1_048_576 } as const;
/** Replacements of a cursor that others changed under the same records. */
const ATTEMPTS = 20;
/**
 * How old a record may be to be asked what follows it. Behind an older one retention may have taken records that are in an
 * on-failure store still, so that what follows says nothing. Half of the shortest retention of a stream.
 */
const FRESH_MS = 12 * 3_600_000;

/** What one attempt to commit a part of a push came to; `fewer`: it did not fit, so many records may. */
type Part =
  | { readonly end: number; readonly records: number; readonly known: number }
  | 'again'
  | { readonly fewer: number };

export class PushedProfiler {
  readonly #options: PushedProfilerOptions;
  readonly #older = new Map<string, Ranges>();

  constructor(options: PushedProfilerOptions) {
    this.#options = options;
  }

  /** Commits what is not committed yet, in order, as far as it comes. Never throws: what failed is said with the first record left. */
  async take(push: Push): Promise<PushOutcome> {
    const { records, isLate = () => false } = push;
    let at = 0;
    let committed = 0;
    let known = 0;
    let attempts = 0;
    let most = this.#options.records ?? DEFAULTS.records;
    const left = () => records[at]?.position ?? null;
    try {
      const identity = push.identity ?? (await this.#options.log.identity());
      // Whatever was published in time for these records is known now.
      await this.#options.registry.refresh();
      while (at < records.length) {
        if (isLate()) return { records: committed, known, unprocessed: left(), failure: null };
        const part = await this.#part({ ...push, isLate, identity, at, most });
        if (part === 'again') {
          if (++attempts < ATTEMPTS) continue;
          throw new TransientError(`${push.partition}: its cursor was changed by others ${ATTEMPTS} times`);
        }
        if ('fewer' in part) {
          most = part.fewer;
          continue;
        }
        committed += part.records;
        known += part.known;
        at = part.end;
        attempts = 0;
      }
      return { records: committed, known, unprocessed: null, failure: null };
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      return { records: committed, known, unprocessed: left(), failure };
    }
  }

  /** Folds and commits records from `at` on, as many as fit. */
  async #part(push: Required<Push> & { readonly at: number; readonly most: number }): Promise<Part> {
    const { store, registry, onCommit } = this.#options;
    const { partition, identity, records, at } = push;
    const key = keys.cursor(identity, partition);
    const { cursor } = await readCursor(store, key);
    const older = await this.#olderOf(cursor);
    const isKnown = ({ position }: LogRecord): boolean =>
      rangeOf(cursor.ranges, position) !== null || rangeOf(older, position) !== null;

    const batch = new Batch(registry, partition);
    const folded: Position[] = [];
    let bytes = 0;
    let end = at;
    let appendTime = Number.NEGATIVE_INFINITY;
    for (; end < records.length; end++) {
      const record = records[end] as LogRecord;
      if (isKnown(record)) continue;
      const isEnough = folded.length >= push.most || bytes >= (this.#options.bytes ?? DEFAULTS.bytes) || batch.isFull;
      if (folded.length > 0 && (isEnough || push.isLate())) break;
      const { position, data } = record;
      batch.add({ position, appendTime: record.appendTime, data });
      bytes += data.byteLength;
      appendTime = Math.max(appendTime, record.appendTime);
      folded.push(position);
    }
    const known = end - at - folded.length;
    if (folded.length === 0) return { end, records: 0, known };

    if (!batch.quarantine.isEmpty) await batch.quarantine.write(store);
    const pack = batch.pack();
    if (pack !== null) await putPack(store, pack.key, pack.body);
    const commit: Commit = {
      // Records of one push are neighbours.
      after: at > 0 ? (records[at - 1] as LogRecord).position : justBefore((records[0] as LogRecord).position),
      through: (records[end - 1] as LogRecord).position,
      appendTime,
      pack: pack?.key ?? null,
      hours: batch.hours,
      totals: batch.totals(),
    };
    const empty = await this.#emptyRanges(push, cursor, commit);
    const outcome = await this.#replace(key, cursor, { commit, empty, folded });
    if (outcome === 'again') return 'again';
    if (outcome === 'full') return { fewer: Math.max(1, Math.floor(folded.length / 2)) };
    if (outcome === 'known') return { end, records: 0, known: end - at };
    await moveOutRanges(store, { key, cursor: outcome, log: identity, partition, clock: this.#options.clock });
    onCommit?.({ partition, records: folded.length, lost: 0, ledger: batch.ledger() });
    return { end, records: folded.length, known };
  }

  /** The cursor as this commit made it; `known` when all of it had been committed, `again` when some of it, `full` when it does not fit. */
  async #replace(
    key: string,
    read: Cursor,
    {
      commit,
      empty,
      folded,
    }: { readonly commit: Commit; readonly empty: Ranges; readonly folded: readonly Position[] },
  ): Promise<Cursor | 'known' | 'again' | 'full'> {
    const { store, relieve } = this.#options;
    for (let isRelieved = false; ; isRelieved = true) {
      let outcome: 'mine' | 'known' | 'again' = 'mine';
      let isTried = false;
      try {
        const cursor = await changeCursor(store, key, (present) => {
          const done = folded.filter((position) => rangeOf(present.ranges, position) !== null).length;
          if (present.older !== read.older) outcome = 'again';
          else if (done === 0) {
            outcome = 'mine';
            isTried = true;
            return committedPush(present, commit, empty);
          } else if (done < folded.length) outcome = 'again';
          // Somebody else was faster, or the answer to our own write was lost.
          else outcome = isTried && commit.pack !== null && present.packs.includes(commit.pack) ? 'mine' : 'known';
          return null;
        });
        return outcome === 'mine' ? cursor : outcome;
      } catch (error) {
        if (!(error instanceof CursorFullError)) throw error;
        if (relieve !== undefined && !isRelieved) await relieve(key);
        else if (folded.length === 1) throw error;
        // Its events are spread over too many hours for one commit.
        else return 'full';
      }
    }
  }

  /** Ranges beside the commit of which the log shows that they hold no record, so that ranges join. */
  async #emptyRanges({ partition, identity }: Required<Push>, cursor: Cursor, commit: Commit): Promise<Ranges> {
    const { position, appendTime } = cursor;
    const { after, through } = commit;
    if (position === null || appendTime === null) return [];
    const isNewest = comparePositions(through, position) > 0;
    const present = rangeOf(withRanges(cursor.ranges, [[after, through]]), through);
    const isJoined = present !== null && (isNewest ? rangeOf([present], position) !== null : present[1] !== through);
    // Behind the newest record so far; or, where a hole is filled, behind what fills it.
    const [from, fromTime] = isNewest ? [position, appendTime] : [through, commit.appendTime];
    if (isJoined || this.#options.clock.now() - fromTime > FRESH_MS) return [];
    try {
      // Positions of a log that was recreated since say nothing of this one.
      if ((await this.#options.log.identity()) !== identity) return [];
      const { records } = await this.#options.log.read(partition, from, { records: 1, bytes: 1 });
      const [following] = records;
      const end = following === undefined ? null : justBefore(following.position);
      return end === null ? [] : [[from, end] satisfies Range];
    } catch {
      // It only makes ranges fewer: without it this one begins just before its first record.
      return [];
    }
  }

  async #olderOf({ older }: Cursor): Promise<Ranges> {
    if (older === undefined) return [];
    const remembered = this.#older.get(older);
    if (remembered !== undefined) return remembered;
    const ranges = await olderRanges(this.#options.store, older);
    this.#older.clear();
    this.#older.set(older, ranges);
    return ranges;
  }
}
