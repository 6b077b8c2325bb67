/**
 * Adds frames to the last segment of a log and begins the next one when it is full.
 * One caller at a time; a frame that fails is taken back, so that the next one follows the last good one.
 */
import { randomBytes } from 'node:crypto';
import { close, closeSync, open, openSync } from 'node:fs';
import { rename, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PartitionEntry } from '../partition-table.ts';
import { type DurableMark, DurableMarkWriter, readDurableMark } from './durable-mark.ts';
import { FrameEncoder, frameOverhead, type PendingAppend } from './frame-encoder.ts';
import { temporaryName } from './log-description.ts';
import { damaged, type LogProblem, Segment } from './segment.ts';
import { readSegmentHead, readSegmentNames, segmentName } from './segment-file.ts';
import { encodeSegmentHead, type Heads } from './segment-format.ts';
import type { SegmentIo } from './segment-io.ts';
import { recoverSegment } from './segment-recovery.ts';
import { type Durability, syncFolder, writeNewFile } from './sync.ts';

const MARK = 'acknowledged';
const openFile = promisify(open);
const closeFile = promisify(close);

export interface SegmentWriterOptions {
  readonly folder: string;
  readonly identity: string;
  readonly partitions: number;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly io: SegmentIo;
  /** Never makes the process wait for the disk: see `DurableMarkWriter`. */
  readonly marksInBackground: boolean;
  readonly onProblem: (problem: LogProblem) => void;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #encoder = new FrameEncoder();
  readonly #mark: DurableMarkWriter;
  readonly #markFile: number;
  /** Oldest first; the last one is written to. */
  segments: readonly Segment[];
  heads: Heads;
  #file: number;
  /** Bytes may lie beyond the last good frame. */
  #unclean = false;
  /** The last segment takes no more frames. */
  #full = false;

  private constructor(options: SegmentWriterOptions, segments: Segment[], heads: Heads, files: [number, number]) {
    this.#options = options;
    this.segments = segments;
    this.heads = heads;
    [this.#file, this.#markFile] = files;
    this.#mark = new DurableMarkWriter(this.#markFile, options.marksInBackground);
  }

  /** Opens the segments of a folder that this process alone writes to, and mends what a kill left. */
  static async open(options: SegmentWriterOptions): Promise<SegmentWriter> {
    const { folder, identity, durability, io, onProblem } = options;
    const mark = readDurableMark(markPath(folder));
    const { segments, highest } = await findSegments(folder, identity, onProblem);
    let heads: Heads = { next: [], time: [] };
    let spoilt = true;
    const last = segments.at(-1);
    if (last !== undefined) {
      const size = last.end;
      const recovery = await recoverSegment(last, size, acknowledgedEnd(mark, last));
      recovery.problems.forEach(onProblem);
      if (recovery.end < size) await truncate(last.path, recovery.end);
      last.end = recovery.end;
      heads = recovery.heads;
      spoilt = recovery.spoilt || last.head.sequence !== highest;
    }
    if (mark !== null && mark.segment > highest) {
      spoilt = true;
      const file = join(folder, segmentName(mark.segment));
      onProblem({
        kind: 'lost',
        file,
        offset: 0,
        message: `${file}: missing, but records in it had been acknowledged; they are lost and show as a gap`,
      });
    }
    heads = atLeast(heads, mark?.heads ?? heads, options.partitions);
    closeSync(openSync(markPath(folder), 'a'));
    const files: [number, number] = [
      last === undefined ? -1 : openSync(last.path, 'r+'),
      openSync(markPath(folder), 'r+'),
    ];
    const writer = new SegmentWriter(options, segments, heads, files);
    if (spoilt) {
      await writer.#begin(Math.max(highest, mark?.segment ?? 0) + 1);
    } else if (durability === 'fsync') {
      // Whole frames that a killed writer had not synced yet are kept, so they are made durable before anybody reads them.
      await io.sync(files[0]);
    }
    writer.acknowledge();
    return writer;
  }

  get #last(): Segment {
    return this.segments.at(-1) as Segment;
  }

  /** Writes the appends as one frame, durable on return, and fills in their places. Nothing is written when it throws. */
  async write(appends: readonly PendingAppend[], table: readonly PartitionEntry[]): Promise<void> {
    const { io, durability, segmentBytes } = this.#options;
    await this.#clean();
    const size = appends.reduce((sum, append) => sum + append.bytes, frameOverhead(table.length));
    if (this.#full || (!this.#last.empty && this.#last.end + size > segmentBytes)) await this.roll();
    const segment = this.#last;
    const target = { offset: segment.end, salt: segment.head.salt };
    const { bytes, frame, heads } = this.#encoder.encode(appends, table, this.heads, target);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += await io.write(this.#file, bytes, done, bytes.length - done, segment.end + done);
      }
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    if (durability === 'fsync') {
      try {
        await io.sync(this.#file);
      } catch (error) {
        // After a failed sync the system may take the pages for clean: a later sync of this file proves nothing.
        this.#full = true;
        await this.#takeBack();
        throw error;
      }
    }
    segment.index.add(frame);
    segment.end = frame.end;
    this.heads = heads;
    this.acknowledge();
  }

  /** Begins the next segment. */
  async roll(): Promise<void> {
    await this.#clean();
    await this.#begin(this.#last.head.sequence + 1);
  }

  /** New partitions begin empty. */
  widen(partitions: number): void {
    this.heads = atLeast(this.heads, this.heads, partitions);
    this.acknowledge();
  }

  /** Deletes the oldest segment, unless it is the only one. */
  async dropOldest(): Promise<Segment | null> {
    const [oldest, ...rest] = this.segments;
    if (oldest === undefined || rest.length === 0) return null;
    this.segments = rest;
    await unlink(oldest.path);
    if (this.#options.durability === 'fsync') await syncFolder(this.#options.folder);
    return oldest;
  }

  /** Tells readers in other processes, and the next recovery, how far the log goes. */
  acknowledge(): void {
    const mark: DurableMark = { segment: this.#last.head.sequence, offset: this.#last.end, heads: this.heads };
    try {
      this.#mark.write(mark);
    } catch {
      // It is advice: an old mark makes other processes read later, and the frames speak for themselves in a recovery.
    }
  }

  async close(): Promise<void> {
    try {
      await this.#clean();
      await this.#options.io.sync(this.#file);
    } finally {
      await this.#mark.settled();
      closeSync(this.#file);
      closeSync(this.#markFile);
    }
  }

  /** Makes a segment whole before it gets its name, so that no reader and no recovery meets half a head. */
  async #begin(sequence: number): Promise<void> {
    const { folder, identity, durability } = this.#options;
    const path = join(folder, segmentName(sequence));
    const head = { sequence, salt: randomBytes(4).readUInt32LE(), identity, heads: this.heads };
    const bytes = encodeSegmentHead(head);
    const temporary = temporaryName(folder, segmentName(sequence));
    try {
      await writeNewFile(temporary, bytes, durability);
      await rename(temporary, path);
      if (durability === 'fsync') await syncFolder(folder);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    const file = await openFile(path, 'r+');
    const before = this.#file;
    this.#file = file;
    if (before !== -1) await closeFile(before);
    this.segments = [...this.segments, new Segment(path, { ...head, bytes: bytes.length })];
    this.#full = false;
    this.acknowledge();
  }

  /** Removes what a failed write left; kept in mind when that fails too. */
  async #takeBack(): Promise<void> {
    this.#unclean = true;
    await this.#clean().catch(() => undefined);
  }

  async #clean(): Promise<void> {
    if (!this.#unclean) return;
    await this.#options.io.truncate(this.#file, this.#last.end);
    this.#unclean = false;
  }
}

export function markPath(folder: string): string {
  return join(folder, MARK);
}

/** Where the acknowledged part of a segment ends, as far as the mark tells. */
function acknowledgedEnd(mark: DurableMark | null, segment: Segment): number {
  if (mark === null || mark.segment < segment.head.sequence) return 0;
  return mark.segment === segment.head.sequence ? mark.offset : segment.end;
}

/** The readable segments of a folder, oldest first, each with its size as its end; the highest sequence of all, or 0. */
export async function findSegments(
  folder: string,
  identity: string,
  onProblem: (problem: LogProblem) => void,
): Promise<{ segments: Segment[]; highest: number }> {
  const sequences = await readSegmentNames(folder);
  const segments: Segment[] = [];
  for (const sequence of sequences) {
    const path = join(folder, segmentName(sequence));
    const found = await readSegmentHead(path);
    if (found === null) continue;
    if (found.head !== null && found.head.identity !== identity) {
      throw new Error(
        `${path}: belongs to the log ${found.head.identity}, expected ${identity}; the files of two logs are mixed in this folder`,
      );
    }
    if (found.head !== null && found.head.sequence === sequence) {
      segments.push(new Segment(path, found.head, found.size));
      continue;
    }
    onProblem(damaged(path, 0, 'the head of the segment is damaged'));
  }
  return { segments, highest: sequences.at(-1) ?? 0 };
}

/** For each of `partitions` the further of two heads; 0 and never where neither knows it. */
function atLeast(a: Heads, b: Heads, partitions: number): Heads {
  const next: number[] = [];
  const time: number[] = [];
  for (let i = 0; i < partitions; i++) {
    next.push(Math.max(a.next[i] ?? 0, b.next[i] ?? 0));
    const times = [a.time[i], b.time[i]].filter((each) => each !== undefined && !Number.isNaN(each)) as number[];
    time.push(times.length === 0 ? Number.NaN : Math.max(...times));
  }
  return { next, time };
}
