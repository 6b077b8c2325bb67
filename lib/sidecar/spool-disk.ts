/**
 * The part of the spool on disk: a segment log of one partition with one reader, and how far that reader is.
 * What was appended survives the end of the process; after a restart reading goes on behind what was settled, so that a
 * record may be read twice and none is left out.
 */
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DurableMarkWriter, readDurableMark } from '../adapters/disk/durable-mark.ts';
import type { LogProblem } from '../adapters/disk/segment.ts';
import type { SegmentIo } from '../adapters/disk/segment-io.ts';
import { SegmentLog } from '../adapters/disk/segment-log.ts';
import type { Durability } from '../adapters/disk/sync.ts';
import type { Clock } from '../pipeline/ports.ts';

export interface SpoolDiskOptions {
  readonly folder: string;
  readonly diskBytes: number;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly onProblem: (problem: LogProblem) => void;
  /** @default the system's */
  readonly io?: SegmentIo | undefined;
}

export interface DiskRead {
  readonly records: readonly Uint8Array[];
  /** Position of the last record. */
  readonly last: number;
  /** Records that are missing before the first: damaged, or removed by somebody. */
  readonly lost: number;
  /** Append time of the first record, milliseconds since 1970. */
  readonly oldest: number;
}

const SETTLED = 'settled';
/** Small enough that what was settled is soon deleted, large enough that files are few. */
const SEGMENTS = 16;
const MOST_SEGMENT_BYTES = 64 * 1024 * 1024;

export class SpoolDisk {
  readonly #log: SegmentLog;
  readonly #partition: string;
  readonly #mark: DurableMarkWriter;
  readonly #markFile: number;
  /** Position of the newest record; -1 without any. */
  #head: number;
  /** Position up to which everything is settled, and up to which it was read. */
  #settled: number;
  #read: number;

  private constructor(parts: {
    log: SegmentLog;
    partition: string;
    markFile: number;
    head: number;
    settled: number;
  }) {
    this.#log = parts.log;
    this.#partition = parts.partition;
    this.#markFile = parts.markFile;
    this.#mark = new DurableMarkWriter(parts.markFile, true);
    this.#head = parts.head;
    this.#settled = parts.settled;
    this.#read = parts.settled;
  }

  /** @throws Error saying why the folder cannot be used */
  static async open(options: SpoolDiskOptions): Promise<SpoolDisk> {
    const { folder, diskBytes, durability, clock, onProblem, io } = options;
    // Bodies lie here in the clear.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const segmentBytes = Math.min(MOST_SEGMENT_BYTES, Math.floor(diskBytes / SEGMENTS));
    const log = await SegmentLog.open({
      folder,
      clock,
      durability,
      segmentBytes,
      onProblem,
      // The model's answers pass through this process: it must not wait for a disk.
      marksInBackground: true,
      ...(io === undefined ? {} : { io }),
    });
    try {
      const [state] = await log.partitions();
      if (state === undefined) throw new Error(`${folder}: the log has no partition`);
      const head = state.head === null ? -1 : Number(state.head);
      const path = join(folder, SETTLED);
      const marked = readDurableMark(path)?.offset ?? -1;
      closeSync(openSync(path, 'a', 0o600));
      return new SpoolDisk({
        log,
        partition: state.id,
        markFile: openSync(path, 'r+'),
        head,
        // Segments that are gone were settled: they are deleted afterwards alone.
        settled: Math.min(head, Math.max(marked, state.first === null ? head : Number(state.first) - 1)),
      });
    } catch (error) {
      await log.close().catch(() => undefined);
      throw error;
    }
  }

  /** Bytes on disk, settled ones that are not deleted yet included. */
  get bytes(): number {
    return this.#log.bytes;
  }

  /** Records that are not settled. */
  get records(): number {
    return this.#head - this.#settled;
  }

  get hasUnread(): boolean {
    return this.#head > this.#read;
  }

  /** Resolves when durable; all or none. */
  async append(records: readonly Uint8Array[]): Promise<void> {
    const places = await this.#log.append(records.map((data) => ({ key: '', data })));
    const last = places.at(-1);
    if (last !== undefined) this.#head = Math.max(this.#head, Number(last.position));
  }

  /** The next records, each once; `null` when there is none. */
  async read(limit: { readonly records: number; readonly bytes: number }): Promise<DiskRead | null> {
    const after = this.#read;
    const { records } = await this.#log.read(this.#partition, after < 0 ? null : String(after), limit);
    const first = records[0];
    if (first === undefined) {
      // Acknowledged bytes at the end cannot be read: nothing can come after them but new records.
      const lost = this.#head - after;
      this.#read = this.#head;
      return lost > 0 ? { records: [], last: this.#head, lost, oldest: Number.NaN } : null;
    }
    const last = Number(records.at(-1)!.position);
    this.#read = last;
    // The log knows of an append before whoever made it does.
    this.#head = Math.max(this.#head, last);
    return {
      records: records.map(({ data }) => data),
      last,
      // Positions within one read may leave gaps out too.
      lost: last - after - records.length,
      oldest: first.appendTime,
    };
  }

  /** Everything up to `position` needs no more attention. Positions must ascend. */
  settle(position: number): void {
    this.#settled = position;
    // Advice: with an old mark a restart sends some records again, with the same ids.
    this.#mark.write({ segment: 0, offset: position, heads: { next: [], time: [] } });
    // What cannot be deleted now is deleted with what is settled next.
    this.#log.trim(String(position)).catch(() => undefined);
  }

  async close(): Promise<void> {
    try {
      await this.#log.close();
    } finally {
      await this.#mark.settled();
      closeSync(this.#markFile);
    }
  }
}
