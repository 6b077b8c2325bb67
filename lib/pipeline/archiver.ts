/**
 * Writes the log to capture objects, one for a partition and a range of positions within one hour of append time.
 *
 * Exactly once: the next range is first written down in the progress object (put-if-unchanged), then its object is put
 * (put-if-absent), then the progress moves past it. Whoever finds a range written down, after a crash or as a second
 * archiver, makes exactly that object; so ranges never overlap, and a conflict on the put means that the object is there.
 */

import { EVENT_LIMITS } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { lagOf, type PartitionLag } from './consumer-lag.ts';
import { encodeJson, readJson } from './json-object.ts';
import {
  type CaptureWriter,
  type Clock,
  ConflictError,
  comparePositions,
  type EventLog,
  type LogRecord,
  type ObjectStore,
  type PartitionOwner,
  type PartitionState,
  type Position,
} from './ports.ts';

const HOUR = 3_600_000;
/** Gaps listed in a progress object; older ones stay counted. */
const GAPS_KEPT = 20;

export interface ArchiveRange {
  readonly first: Position;
  readonly last: Position;
  /** Append time of the first record, milliseconds since 1970: decides the hour. */
  readonly appendTime: number;
  /** Append time of the last record. */
  readonly lastAppendTime: number;
}

/** `archive/<log>/<partition>.json` */
export interface ArchiveProgress {
  readonly schema: 'mlmon.archive/v1';
  /** Everything up to here is captured; `null` before the first object. */
  readonly position: Position | null;
  /** Append time of the record at `position`. */
  readonly appendTime: number | null;
  /** The range being written. */
  readonly pending: ArchiveRange | null;
  /** Lines captured, and lines that are no events. */
  readonly captured: number;
  readonly failed: number;
  readonly objects: number;
  /** Places where retention overtook the archiver. */
  readonly gaps: number;
  readonly latestGaps: readonly { readonly after: Position; readonly first: Position }[];
}

const NONE: ArchiveProgress = {
  schema: 'mlmon.archive/v1',
  position: null,
  appendTime: null,
  pending: null,
  captured: 0,
  failed: 0,
  objects: 0,
  gaps: 0,
  latestGaps: [],
};

export interface ArchiverOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly writer: CaptureWriter;
  readonly clock: Clock;
  /** An object is cut at about so many bytes of log records. @default 16 MiB */
  readonly maxBytes?: number;
  /**
   * An object is cut when its oldest record has waited so long, milliseconds, and did so at the step before: a replay, whose hours
   * pass in no time, is cut by the hour alone. @default 300000
   */
  readonly maxAgeMs?: number;
  /** Which partitions it captures. @default all */
  readonly owner?: PartitionOwner;
  /** Told after every step how far it is behind, in each of its partitions. */
  readonly onLag?: (lags: readonly PartitionLag[]) => void;
}

export interface ArchiveStep {
  readonly objects: number;
  readonly captured: number;
  readonly failed: number;
  readonly gaps: number;
}

export class Archiver {
  private readonly options: ArchiverOptions & Required<Pick<ArchiverOptions, 'maxBytes' | 'maxAgeMs'>>;
  private readonly readers = new Map<string, RangeReader>();
  /** How far each partition is captured, as was seen last. */
  private readonly positions = new Map<string, Position | null>();
  private stopped = false;

  constructor(options: ArchiverOptions) {
    this.options = { maxBytes: 16 * 2 ** 20, maxAgeMs: 300_000, ...options };
  }

  /** Captures everything that is due now, in all partitions. Call it again and again. */
  async step(): Promise<ArchiveStep> {
    const { log, owner, onLag } = this.options;
    const identity = await log.identity();
    let sum: ArchiveStep = { objects: 0, captured: 0, failed: 0, gaps: 0 };
    const lags: PartitionLag[] = [];
    for (const partition of await log.partitions()) {
      if (this.stopped) break;
      const owned = owner?.owned() ?? null;
      if (owned !== null && !owned.includes(partition.id)) {
        this.readers.delete(`${identity} ${partition.id}`);
        continue;
      }
      try {
        sum = add(sum, await this.partition(identity, partition));
        const position = this.positions.get(`${identity} ${partition.id}`) ?? null;
        owner?.worked?.(partition.id, position);
        if (onLag !== undefined) lags.push(lagOf(partition, position));
      } catch (error) {
        // What was read, and the gaps noticed with it, are read again.
        this.readers.delete(`${identity} ${partition.id}`);
        throw error;
      }
    }
    onLag?.(lags);
    return sum;
  }

  /** Ends `step` after the object it is writing. */
  stop(): void {
    this.stopped = true;
  }

  /** Captures everything that is due now in one partition. */
  async partition(identity: string, partition: PartitionState): Promise<ArchiveStep> {
    const key = keys.archive(identity, partition.id);
    let sum: ArchiveStep = { objects: 0, captured: 0, failed: 0, gaps: 0 };
    for (;;) {
      const stored = await readJson<ArchiveProgress>(this.options.store, key);
      const progress = stored?.value ?? NONE;
      const reader = this.reader(identity, partition.id, progress.position);
      const done =
        progress.pending === null ? null : await this.write(identity, partition.id, progress.pending, reader);
      const position = progress.pending?.last ?? progress.position;
      this.positions.set(`${identity} ${partition.id}`, progress.position);
      const range = this.stopped ? null : await this.plan(reader, position, partition.closed);
      if (done === null && range === null) return sum;
      const gaps = reader.takeGaps();
      const next: ArchiveProgress = {
        ...progress,
        position,
        appendTime: progress.pending?.lastAppendTime ?? progress.appendTime,
        pending: range,
        captured: progress.captured + (done?.rows ?? 0),
        failed: progress.failed + (done?.failed ?? 0),
        objects: progress.objects + (done === null || done.rows === 0 ? 0 : 1),
        gaps: progress.gaps + gaps.length,
        latestGaps: [...progress.latestGaps, ...gaps].slice(-GAPS_KEPT),
      };
      try {
        if (stored === null) await this.options.store.putIfAbsent(key, encodeJson(next));
        else await this.options.store.putIfUnchanged(key, encodeJson(next), stored.etag);
      } catch (error) {
        // Another archiver was quicker, or our own answer was lost: what is stored decides.
        if (error instanceof ConflictError) continue;
        throw error;
      }
      reader.forget(position);
      if (done !== null)
        sum = add(sum, {
          objects: done.rows === 0 ? 0 : 1,
          captured: done.rows,
          failed: done.failed,
          gaps: gaps.length,
        });
    }
  }

  private reader(identity: string, partition: string, position: Position | null): RangeReader {
    const name = `${identity} ${partition}`;
    const known = this.readers.get(name);
    if (known?.startsAt(position)) return known;
    const fresh = new RangeReader(this.options.log, partition, position, this.options.maxBytes);
    this.readers.set(name, fresh);
    return fresh;
  }

  private async write(
    identity: string,
    partition: string,
    range: ArchiveRange,
    reader: RangeReader,
  ): Promise<{ readonly rows: number; readonly failed: number }> {
    const records = await reader.through(range.last);
    const lines: Uint8Array[] = [];
    const times: number[] = [];
    let failed = 0;
    for (const record of records) {
      if (record.data.length > EVENT_LIMITS.recordBytes) {
        failed += 1;
        continue;
      }
      for (const line of splitLines(record.data)) {
        lines.push(line);
        times.push(record.appendTime);
      }
    }
    const encoded = await this.options.writer.encode(lines, times);
    if (encoded.rows > 0) {
      try {
        await this.options.store.putIfAbsent(captureKey(identity, partition, range), encoded.body);
      } catch (error) {
        // The range was written down before: whoever put it, put these records.
        if (!(error instanceof ConflictError)) throw error;
      }
    }
    return { rows: encoded.rows, failed: failed + encoded.failed };
  }

  /** The next range, or `null` when it is worth waiting for more. */
  private async plan(reader: RangeReader, after: Position | null, closed: boolean): Promise<ArchiveRange | null> {
    const now = this.options.clock.now();
    const { records, complete } = await reader.hourAfter(after);
    const first = records[0];
    const last = records.at(-1);
    if (first === undefined || last === undefined) return null;
    const hourEnd = (Math.floor(first.appendTime / HOUR) + 1) * HOUR;
    const aged = reader.waits(first.position) && now - first.appendTime >= this.options.maxAgeMs;
    const due = complete || closed || now >= hourEnd || aged;
    if (!due) return null;
    return {
      first: first.position,
      last: last.position,
      appendTime: first.appendTime,
      lastAppendTime: last.appendTime,
    };
  }
}

/** The log's identity is part of the name: a log made anew may use its positions again. */
export function captureKey(identity: string, partition: string, range: ArchiveRange): string {
  return keys.capture(range.appendTime, `${identity}.${partition}`, range.first, range.last);
}

/**
 * Append time up to which every record of the log is captured; records appended later may be captured too.
 * A partition whose records are all captured is captured up to now.
 */
export async function archivedThrough(log: EventLog, store: ObjectStore, clock: Clock): Promise<number> {
  const now = clock.now();
  const identity = await log.identity();
  let through = now;
  for (const partition of await log.partitions()) {
    if (partition.head === null) continue;
    const stored = await readJson<ArchiveProgress>(store, keys.archive(identity, partition.id));
    const { position, appendTime } = stored?.value ?? NONE;
    if (position !== null && comparePositions(position, partition.head) >= 0) continue;
    // Equal append times may stand on both sides of the position.
    through = Math.min(through, appendTime === null ? Number.NEGATIVE_INFINITY : appendTime);
  }
  return through;
}

/** Lines of a record without their ends; empty ones are left out. */
export function splitLines(data: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  while (from < data.length) {
    let end = data.indexOf(10, from);
    if (end < 0) end = data.length;
    const line = data.subarray(from, end > from && data[end - 1] === 13 ? end - 1 : end);
    if (line.some((byte) => byte !== 32 && byte !== 9)) lines.push(line);
    from = end + 1;
  }
  return lines;
}

function add(a: ArchiveStep, b: ArchiveStep): ArchiveStep {
  return {
    objects: a.objects + b.objects,
    captured: a.captured + b.captured,
    failed: a.failed + b.failed,
    gaps: a.gaps + b.gaps,
  };
}

/** Reads a partition forward and keeps what was read until it is captured. The log never changes, so neither does what is kept. */
class RangeReader {
  private readonly log: EventLog;
  private readonly partition: string;
  private readonly maxBytes: number;
  private records: LogRecord[] = [];
  private gaps: { readonly after: Position; readonly first: Position }[] = [];
  private start: Position | null;
  private waiting: Position | null = null;

  constructor(log: EventLog, partition: string, start: Position | null, maxBytes: number) {
    this.log = log;
    this.partition = partition;
    this.start = start;
    this.maxBytes = maxBytes;
  }

  startsAt(position: Position | null): boolean {
    return this.start === position;
  }

  /** Whether a record was the first to wait when this was asked before. */
  waits(first: Position): boolean {
    const before = this.waiting;
    this.waiting = first;
    return before === first;
  }

  /** Drops records up to a position: the reader starts there. */
  forget(position: Position | null): void {
    if (position === null) return;
    const keep = this.records.findIndex((record) => comparePositions(record.position, position) > 0);
    this.records = keep < 0 ? [] : this.records.slice(keep);
    this.start = position;
  }

  takeGaps(): { readonly after: Position; readonly first: Position }[] {
    const gaps = this.gaps;
    this.gaps = [];
    return gaps;
  }

  /** Records from the start through `last`. Fewer when retention took some. */
  async through(last: Position): Promise<LogRecord[]> {
    while (this.newest() === null || comparePositions(this.newest() as Position, last) < 0)
      if (!(await this.more())) break;
    return this.records.filter((record) => comparePositions(record.position, last) <= 0);
  }

  /**
   * Records after a position that lie in the hour of the first of them, up to the size of one object. `complete`: another
   * hour or the size ended them, so that no later record can belong to the same object.
   */
  async hourAfter(after: Position | null): Promise<{ readonly records: LogRecord[]; readonly complete: boolean }> {
    for (let from = 0; ; ) {
      while (
        after !== null &&
        from < this.records.length &&
        comparePositions((this.records[from] as LogRecord).position, after) <= 0
      )
        from += 1;
      const first = this.records[from];
      if (first !== undefined) {
        const hour = Math.floor(first.appendTime / HOUR);
        let bytes = 0;
        for (let to = from; to < this.records.length; to++) {
          const record = this.records[to] as LogRecord;
          if (Math.floor(record.appendTime / HOUR) !== hour || bytes >= this.maxBytes)
            return { records: this.records.slice(from, to), complete: true };
          bytes += record.data.length;
        }
      }
      if (!(await this.more())) return { records: this.records.slice(from), complete: false };
    }
  }

  private newest(): Position | null {
    return this.records.at(-1)?.position ?? this.start;
  }

  /** Reads on; false at the end of the log. */
  private async more(): Promise<boolean> {
    const { records, gap } = await this.log.read(this.partition, this.newest(), {
      records: 10_000,
      bytes: this.maxBytes,
    });
    if (gap !== null) this.gaps.push(gap);
    for (const record of records) this.records.push(record);
    return records.length > 0;
  }
}
