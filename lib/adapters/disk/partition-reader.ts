/** Reads one partition forward through the segments. Memory: one chunk, besides the records returned. */
import type { LogRecord, Position, ReadResult } from '../../pipeline/ports.ts';
import { OpenFiles } from './open-files.ts';
import { damaged, type LogProblem, type Segment } from './segment.ts';
import { Window } from './segment-file.ts';
import { type Block, isIntact, RECORD_HEAD } from './segment-format.ts';

const LEAST_CHUNK = 64 * 1024;
const MOST_CHUNK = 1024 * 1024;
const MOST_OPEN_FILES = 8;

export interface ReadLimit {
  readonly records: number;
  readonly bytes: number;
}

/** Where the next read of a partition probably begins. */
interface Bookmark {
  readonly position: number;
  readonly sequence: number;
  readonly offset: number;
}

/** One read under way. */
interface Harvest {
  readonly partition: number;
  readonly limit: ReadLimit;
  /** First position wanted. */
  readonly want: number;
  readonly records: LogRecord[];
  bytes: number;
  /** The first position found, when `want` is not there. */
  jumpedTo: number | null;
  next: number;
}

export class PartitionReader {
  readonly #files = new OpenFiles(MOST_OPEN_FILES);
  readonly #bookmarks = new Map<number, Bookmark>();
  readonly #onDamage: (problem: LogProblem) => void;

  constructor(onDamage: (problem: LogProblem) => void) {
    this.#onDamage = onDamage;
  }

  /**
   * Records of the partition with this index after a position (`null`: from the oldest kept). Throws the ENOENT of a
   * segment that was deleted meanwhile: read again with the segments that are left.
   */
  async read(
    segments: readonly Segment[],
    partition: number,
    after: number | null,
    limit: ReadLimit,
  ): Promise<ReadResult> {
    const oldest = segments[0]?.head.heads.next[partition] ?? 0;
    const want = after === null ? oldest : after + 1;
    const harvest: Harvest = { partition, limit, want, records: [], bytes: 0, jumpedTo: null, next: want };
    let { at, offset } = this.#begin(segments, partition, want);
    for (; at < segments.length; at++) {
      const segment = segments[at] as Segment;
      const from = offset ?? segment.index.lookUp(partition, want);
      offset = null;
      if (from >= segment.end) continue;
      const stopped = await this.#files.use(segment.path, (handle) => {
        const chunk = Math.min(Math.max(limit.bytes, LEAST_CHUNK), MOST_CHUNK);
        return this.#walk(segment, new Window(handle, segment.end, chunk), from, harvest);
      });
      if (stopped) break;
    }
    const lostAfter = after ?? oldest;
    const gap =
      harvest.jumpedTo === null ? null : { after: String(lostAfter), first: String(harvest.jumpedTo) as Position };
    return { records: harvest.records, gap };
  }

  async drop(segment: Segment): Promise<void> {
    await this.#files.drop(segment.path);
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  /** The segment, and the offset in it where known, at which a position is found. */
  #begin(segments: readonly Segment[], partition: number, want: number): { at: number; offset: number | null } {
    const bookmark = this.#bookmarks.get(partition);
    if (bookmark?.position === want) {
      const at = segments.findIndex((segment) => segment.head.sequence === bookmark.sequence);
      if (at !== -1) return { at, offset: bookmark.offset };
    }
    let at = 0;
    for (let i = 1; i < segments.length; i++) {
      if (((segments[i] as Segment).head.heads.next[partition] ?? 0) <= want) at = i;
      else break;
    }
    return { at, offset: null };
  }

  /** Takes records from one segment. True when the read is over. */
  async #walk(segment: Segment, window: Window, from: number, harvest: Harvest): Promise<boolean> {
    const { salt, sequence } = segment.head;
    let offset = from;
    while (offset < window.end) {
      const frame = await window.frame(offset, salt);
      if (frame === null) {
        const next = await window.findFrame(offset + 1, salt);
        const to = next?.offset ?? window.end;
        this.#onDamage(damaged(segment.path, offset, `bytes ${offset} to ${to} are damaged`));
        segment.index.skip(offset, to);
        offset = to;
        continue;
      }
      segment.index.add(frame);
      for (const block of frame.blocks) {
        if (block.partition !== harvest.partition || block.first + block.records <= harvest.want) continue;
        if (await this.#take(segment, window, block, harvest)) {
          this.#bookmarks.set(harvest.partition, { position: harvest.next, sequence, offset: frame.offset });
          return true;
        }
      }
      offset = frame.end;
    }
    this.#bookmarks.set(harvest.partition, { position: harvest.next, sequence, offset });
    return false;
  }

  /** Takes records from one block. True when the read is over. */
  async #take(segment: Segment, window: Window, block: Block, harvest: Harvest): Promise<boolean> {
    const { records, limit, want } = harvest;
    const blockEnd = block.offset + block.bytes;
    let position = block.first;
    let offset = block.offset;
    for (; offset < blockEnd; position++) {
      const head = window.peek(offset, RECORD_HEAD) ?? (await window.load(offset, RECORD_HEAD));
      const length = head?.readUInt32LE(4) ?? 0;
      const end = offset + RECORD_HEAD + length;
      if (position < want && end <= blockEnd) {
        offset = end;
        continue;
      }
      if (records.length > 0) {
        if (records.length >= limit.records || harvest.bytes + length > limit.bytes) return true;
        // A gap is told at the beginning of a read only.
        if (position !== harvest.next) return true;
      }
      const record =
        end > blockEnd ? null : (window.peek(offset, end - offset) ?? (await window.load(offset, end - offset)));
      if (record === null || !isIntact(record, segment.head.salt, position)) {
        if (records.length > 0) return true;
        this.#onDamage(damaged(segment.path, offset, `the record at position ${position} is damaged`));
        if (record === null) return false;
        offset = end;
        continue;
      }
      if (position !== harvest.next) harvest.jumpedTo = position;
      records.push({
        position: String(position),
        appendTime: record.readDoubleLE(8),
        data: record.subarray(RECORD_HEAD),
      });
      harvest.bytes += length;
      harvest.next = position + 1;
      offset = end;
    }
    return false;
  }
}
