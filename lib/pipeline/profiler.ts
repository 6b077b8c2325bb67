/**
 * The profiler owns one partition: it folds the records after the cursor into profiles, writes them as one immutable pack and moves the
 * cursor, if nobody else did. Two of them on one partition, a zombie or a replay change nothing: only what a cursor lists counts.
 */
import { keys } from '../contracts/object-keys.ts';
import type { LedgerRow } from '../engine/pack.ts';
import { Batch } from './batch.ts';
import {
  addTotals,
  type Commit,
  type Cursor,
  CursorFullError,
  changeCursor,
  committed,
  EMPTY_TOTALS,
  readCursor,
} from './cursor.ts';
import { comparePositions, type EventLog, type ObjectStore, type PartitionState, type Position } from './ports.ts';
import { putPack } from './put-pack.ts';
import type { Registry } from './registry.ts';

export interface ProfilerOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly partition: string;
  /** Most records of one commit. @default 4000 */
  readonly records?: number;
  /** Most bytes of one commit, about. @default 16 MiB */
  readonly bytes?: number;
  /** Makes room in a cursor that is full, by closing hours; without it the profiler stops with CursorFullError. */
  readonly relieve?: (cursorKey: string) => Promise<void>;
  /** Told after every commit, at most once for each (a crash may swallow it): for counters in this process. */
  readonly onCommit?: (commit: ProfilerCommit) => void;
}

export interface ProfilerCommit {
  readonly partition: string;
  readonly records: number;
  readonly lost: number;
  readonly ledger: readonly LedgerRow[];
}

export interface ProfilerStep {
  /** Records committed by this step. */
  readonly records: number;
  /** There is more to read at once. */
  readonly more: boolean;
  /** Somebody else moved the cursor, or the log was recreated, meanwhile: nothing of this step counts. */
  readonly lostRace: boolean;
  /** Where the cursor was seen last. */
  readonly position: Position | null;
}

const DEFAULTS = { records: 4_000, bytes: 16 * 1_048_576 } as const;
/** Bytes folded before the event loop may serve others: a few milliseconds. */
const YIELD_BYTES = 262_144;

export class Profiler {
  readonly #options: ProfilerOptions;
  readonly #limit: { readonly records: number; readonly bytes: number };
  /** Smaller for a while after a batch that did not fit into the cursor. */
  #records: number;

  constructor(options: ProfilerOptions) {
    this.#options = options;
    this.#limit = { records: options.records ?? DEFAULTS.records, bytes: options.bytes ?? DEFAULTS.bytes };
    this.#records = this.#limit.records;
  }

  get partition(): string {
    return this.#options.partition;
  }

  /**
   * One batch: read, fold, write, commit. Safe to call again after any error.
   * @throws what the ports throw, CursorFullError when one record does not fit
   */
  async step(): Promise<ProfilerStep> {
    const { log, store, registry, partition } = this.#options;
    const identity = await log.identity();
    const cursorKey = keys.cursor(identity, partition);
    const { cursor } = await readCursor(store, cursorKey);
    const after = cursor.position;
    const limit = { records: this.#records, bytes: this.#limit.bytes };
    const { records, gap } = await log.read(partition, after, limit);
    // Read after the log: whatever was published in time for these records is known now.
    await registry.refresh();
    if ((await log.identity()) !== identity) return lostAt(after);
    if (records.length === 0) return this.#skipLost(cursorKey, cursor);

    const batch = new Batch(registry, partition);
    let folded = 0;
    let bytes = 0;
    for (const record of records) {
      // A store or log that answers from a stale view must not make anything count twice.
      if (after !== null && comparePositions(record.position, after) <= 0) continue;
      batch.add(record);
      bytes += record.data.byteLength;
      if (batch.isFull) break;
      folded += record.data.byteLength;
      if (folded >= YIELD_BYTES) {
        folded = 0;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    }
    const { through } = batch;
    if (through === null) return nothingAt(after);
    if (!batch.quarantine.isEmpty) await batch.quarantine.write(store);
    const lost = gap === null ? 0 : lostBetween(gap.after, gap.first);
    const isMine = await this.#commit(cursorKey, batch, { after, through, lost });
    if (!isMine) return lostAt(after);
    this.#records = Math.min(this.#limit.records, this.#records * 2);
    this.#options.onCommit?.({ partition, records: batch.records, lost, ledger: batch.ledger() });
    const isCut = batch.records < records.length;
    const wasFull = records.length >= limit.records || bytes >= 0.9 * limit.bytes;
    return { records: batch.records, more: isCut || wasFull, lostRace: false, position: through };
  }

  async #commit(
    cursorKey: string,
    batch: Batch,
    { after, through, lost }: { after: Position | null; through: Position; lost: number },
  ): Promise<boolean> {
    const { store } = this.#options;
    const pack = batch.pack();
    if (pack !== null) await putPack(store, pack.key, pack.body);
    const totals = addTotals(batch.totals(), { ...EMPTY_TOTALS, lost });
    const commit: Commit = {
      after,
      through,
      appendTime: batch.appendTime,
      pack: pack?.key ?? null,
      hours: batch.hours,
      totals,
    };
    try {
      return await this.#move(cursorKey, commit);
    } catch (error) {
      if (!(error instanceof CursorFullError)) throw error;
      if (this.#options.relieve !== undefined) {
        await this.#options.relieve(cursorKey);
        try {
          return await this.#move(cursorKey, commit);
        } catch (again) {
          if (!(again instanceof CursorFullError) || batch.records === 1) throw again;
        }
      } else if (batch.records === 1) throw error;
      // Its events are spread over too many hours for one commit: read again, fewer.
      this.#records = Math.max(1, Math.floor(batch.records / 2));
      return false;
    }
  }

  /** Whether this commit is the one that counts. */
  async #move(cursorKey: string, commit: Commit): Promise<boolean> {
    let mine = false;
    await changeCursor(this.#options.store, cursorKey, (present) => {
      if (present.position === commit.after) {
        mine = true;
        return committed(present, commit);
      }
      // Either somebody else was faster, or the answer to our own write was lost: then our pack is listed or released already.
      mine = mine && present.position === commit.through;
      return null;
    });
    return mine;
  }

  /** Nothing to read: idle, unless retention took all that was left. */
  async #skipLost(cursorKey: string, cursor: Cursor): Promise<ProfilerStep> {
    const { log, partition } = this.#options;
    if (cursor.position === null) return nothingAt(null);
    const state = (await log.partitions()).find(({ id }) => id === partition);
    if (state === undefined || !isAllLost(state, cursor.position)) return nothingAt(cursor.position);
    const commit: Commit = {
      after: cursor.position,
      through: state.head as Position,
      appendTime: state.headAppendTime ?? cursor.appendTime ?? 0,
      pack: null,
      hours: [],
      totals: { ...EMPTY_TOTALS, lost: lostBetween(cursor.position, state.head as Position) + 1 },
    };
    if (!(await this.#move(cursorKey, commit))) return lostAt(cursor.position);
    this.#options.onCommit?.({ partition, records: 0, lost: commit.totals.lost, ledger: [] });
    return nothingAt(commit.through);
  }
}

function nothingAt(position: Position | null): ProfilerStep {
  return { records: 0, more: false, lostRace: false, position };
}

function lostAt(position: Position | null): ProfilerStep {
  return { records: 0, more: true, lostRace: true, position };
}

function isAllLost(state: PartitionState, position: Position): boolean {
  return state.first === null && state.head !== null && comparePositions(state.head, position) > 0;
}

/** Records between two positions, both excluded. Where positions are not contiguous (beyond 2^40 apart) only that there was one. */
function lostBetween(after: Position, first: Position): number {
  const between = BigInt(first) - BigInt(after) - 1n;
  return between < 0n ? 0 : between > 1n << 40n ? 1 : Number(between);
}
