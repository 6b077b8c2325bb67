/**
 * An event log on segment files, for one writing process; others may read (`SegmentLogView`).
 *
 * Appends that come while a write is under way are written together by the next one, so the cost of a write to the
 * device is shared, and nothing waits when nothing is under way. Each call is in one frame: all of it or nothing.
 * A kill at any moment loses nothing that was acknowledged; a torn end is cut off when the log is opened.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { ProblemError } from '../../contracts/problem.ts';
import {
  type Clock,
  type EventLog,
  type PartitionState,
  type Position,
  type ReadResult,
  TransientError,
} from '../../pipeline/ports.ts';
import { mergePartitions, type PartitionEntry, splitPartition } from '../partition-table.ts';
import { type Claim, ClaimedError, claim, removeLeftovers } from './claim.ts';
import { diskFailure, errorCode } from './disk-failure.ts';
import type { PendingAppend, Place } from './frame-encoder.ts';
import { type LogDescription, newDescription, readDescription, writeDescription } from './log-description.ts';
import { PartitionReader, type ReadLimit } from './partition-reader.ts';
import { partitionIndex, partitionStates, positionNumber } from './partition-states.ts';
import type { LogProblem } from './segment.ts';
import { readSegmentNames } from './segment-file.ts';
import { RECORD_HEAD } from './segment-format.ts';
import { type SegmentIo, systemIo } from './segment-io.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { Durability } from './sync.ts';

const MIB = 1024 * 1024;
/** Enough to share the cost of a sync among thousands of records; little enough to be written at once. */
const GROUP_BYTES = 4 * MIB;
const MOST_APPEND_BYTES = 64 * MIB;
const MOST_WAITING_BYTES = 128 * MIB;
const DEFAULT_SEGMENT_BYTES = 64 * MIB;
/** How many deleted segments a read may meet before it gives up. */
const READ_ATTEMPTS = 5;

export interface SegmentLogOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Of a new log; an existing one keeps its own. @default 1 */
  readonly partitions?: number;
  /** @default 'fsync' */
  readonly durability?: Durability;
  /** A segment is closed before it grows beyond this. @default 64 MiB */
  readonly segmentBytes?: number;
  /** What `expire` and each new segment delete: whole segments, oldest first. @default nothing */
  readonly retention?: { readonly ageMs?: number; readonly bytes?: number };
  /** Told of torn, damaged and lost bytes, each once. They are in `problems` too. */
  readonly onProblem?: (problem: LogProblem) => void;
  /** @default the system's */
  readonly io?: SegmentIo;
  /**
   * How far the log goes is told to other processes in the background, a little later: no system call of an append then holds up the event
   * loop, however slow the disk. @default false
   */
  readonly marksInBackground?: boolean;
}

export class SegmentLog implements EventLog {
  readonly #folder: string;
  readonly #options: SegmentLogOptions;
  readonly #claim: Claim;
  readonly #writer: SegmentWriter;
  readonly #reader: PartitionReader;
  readonly #problems: Map<string, LogProblem>;
  #description: LogDescription;
  #waiting: PendingAppend[] = [];
  #waitingBytes = 0;
  /** What runs between two groups. */
  #acts: (() => Promise<void>)[] = [];
  #running: Promise<void> | null = null;
  #newest: number;
  #closed = false;

  private constructor(
    options: SegmentLogOptions,
    parts: { claim: Claim; writer: SegmentWriter; description: LogDescription; problems: Map<string, LogProblem> },
  ) {
    this.#options = options;
    this.#folder = resolve(options.folder);
    this.#claim = parts.claim;
    this.#writer = parts.writer;
    this.#description = parts.description;
    this.#problems = parts.problems;
    this.#reader = new PartitionReader((problem) => noteProblem(this.#problems, problem, options.onProblem));
    this.#newest = Math.max(Number.NEGATIVE_INFINITY, ...this.#writer.heads.time.filter((time) => !Number.isNaN(time)));
  }

  /** Opens the log for writing, making it where there is none. Throws when another process writes to it. */
  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    const folder = resolve(options.folder);
    let held: Claim | null = null;
    try {
      await mkdir(folder, { recursive: true });
      held = await claim(folder, 'writer', { waitMs: 0, refresh: true });
      await removeLeftovers(folder);
      const durability = options.durability ?? 'fsync';
      const description = await openDescription(folder, options.partitions ?? 1, durability);
      const problems = new Map<string, LogProblem>();
      const writer = await SegmentWriter.open({
        folder,
        identity: description.identity,
        partitions: description.partitions.length,
        durability,
        segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
        io: options.io ?? systemIo,
        marksInBackground: options.marksInBackground ?? false,
        onProblem: (problem) => noteProblem(problems, problem, options.onProblem),
      });
      return new SegmentLog(options, { claim: held, writer, description, problems });
    } catch (error) {
      await held?.release().catch(() => undefined);
      if (error instanceof ClaimedError) {
        throw new ProblemError([
          {
            code: 'in-use',
            path: folder,
            message: `the log is being written by process ${error.holder.pid}`,
            expected: 'one writer',
            fix: 'stop that process or choose another folder (readers may read)',
          },
        ]);
      }
      throw diskFailure(error, 'open the log for writing', folder);
    }
  }

  /** What was found torn, damaged or lost since the log was opened. */
  get problems(): readonly LogProblem[] {
    return [...this.#problems.values()];
  }

  async identity(): Promise<string> {
    return this.#description.identity;
  }

  /**
   * Reflects every append accepted before the call: a record whose append time is not after the clock's time at the call
   * is in the head, so "at the head and the clock past t" means that nothing before t will come.
   */
  async partitions(): Promise<PartitionState[]> {
    if (this.#running !== null && !this.#closed) await this.#between(async () => undefined);
    return partitionStates(this.#description.partitions, this.#writer.heads, this.#writer.segments[0]);
  }

  async read(partition: string, after: Position | null, limit: ReadLimit): Promise<ReadResult> {
    const index = partitionIndex(this.#description.partitions, partition);
    const position = after === null ? null : positionNumber(after);
    for (let attempt = 1; ; attempt++) {
      if ((position ?? -1) + 1 >= (this.#writer.heads.next[index] ?? 0)) return { records: [], gap: null };
      try {
        return await this.#reader.read(this.#writer.segments, index, position, limit);
      } catch (error) {
        // Retention deleted the segment between choosing and opening it: what is left begins later.
        if (errorCode(error) === 'ENOENT' && attempt < READ_ATTEMPTS) continue;
        throw diskFailure(error, 'read the log', this.#folder);
      }
    }
  }

  /** Resolves when durable. The data must not be changed before that. */
  append(records: readonly { readonly key: string; readonly data: Uint8Array }[]): Promise<readonly Place[]> {
    if (records.length === 0) return Promise.resolve([]);
    let bytes = records.length * RECORD_HEAD;
    for (const record of records) bytes += record.data.length;
    const refused = this.#refusal(bytes);
    if (refused !== null) return Promise.reject(refused);
    this.#newest = Math.max(this.#newest, this.#options.clock.now());
    const time = this.#newest;
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, time, bytes, places: [], resolve, reject });
      this.#wake();
    });
  }

  /** Closes a partition and opens two children; equal keys keep their order when parents are read first. */
  async split(partition: string): Promise<void> {
    await this.#repartition((table) => splitPartition(table, partition));
  }

  /** Closes two neighbouring partitions and opens one child. */
  async merge(left: string, right: string): Promise<void> {
    await this.#repartition((table) => mergePartitions(table, left, right));
  }

  /** Deletes what is older or more than the retention allows. Returns the number of segments deleted. */
  async expire(): Promise<number> {
    let deleted = 0;
    await this.#between(async () => {
      if (this.#lastIsOld()) await this.#writer.roll();
      deleted = await this.#dropExpired();
    });
    return deleted;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#writer.segments.reduce((sum, segment) => sum + segment.end, 0);
  }

  /**
   * Deletes segments with no record after `position`, for a log whose only reader says how far it is; the newest segment stays.
   * Returns the number deleted. @throws RangeError when the log has several partitions
   */
  async trim(position: Position): Promise<number> {
    if (this.#description.partitions.length !== 1)
      throw new RangeError(`${this.#folder}: expected a log of one partition to trim by position`);
    const read = positionNumber(position);
    const isOver = (): boolean =>
      (this.#writer.segments[1]?.head.heads.next[0] ?? Number.POSITIVE_INFINITY) <= read + 1;
    let deleted = 0;
    if (!isOver()) return deleted;
    await this.#between(async () => {
      while (isOver()) {
        const dropped = await this.#writer.dropOldest();
        if (dropped === null) return;
        await this.#reader.drop(dropped);
        deleted += 1;
      }
    });
    return deleted;
  }

  /** Writes what was accepted, then gives the folder free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#running !== null) await this.#running;
    try {
      await this.#writer.close();
    } finally {
      await this.#reader.close();
      await this.#claim.release();
    }
  }

  #refusal(bytes: number): Error | null {
    if (this.#closed) return new Error(`${this.#folder}: the log is closed`);
    if (this.#claim.lost) {
      return new Error(`${this.#folder}: the folder of the log was removed or taken over; start again`);
    }
    if (bytes > MOST_APPEND_BYTES) {
      return new RangeError(
        `${this.#folder}: one append of ${bytes} bytes; expected at most ${MOST_APPEND_BYTES}; append less at once`,
      );
    }
    if (this.#waitingBytes + bytes > MOST_WAITING_BYTES) {
      return new TransientError(`${this.#folder}: the disk is slower than the appends; try again later`);
    }
    return null;
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0 || this.#acts.length > 0) this.#wake();
    });
  }

  async #run(): Promise<void> {
    do {
      // Whatever else arrives in this turn of the event loop goes into the same group.
      await turn();
      for (const act of this.#acts.splice(0)) await act();
      const group = this.#nextGroup();
      if (group.length > 0) await this.#write(group);
    } while (this.#waiting.length > 0 || this.#acts.length > 0);
  }

  #nextGroup(): PendingAppend[] {
    let bytes = 0;
    let count = 0;
    for (const append of this.#waiting) {
      if (count > 0 && bytes + append.bytes > GROUP_BYTES) break;
      bytes += append.bytes;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly PendingAppend[]): Promise<void> {
    const segments = this.#writer.segments.length;
    try {
      if (this.#lastIsOld()) await this.#writer.roll();
      await this.#writer.write(group, this.#description.partitions);
    } catch (error) {
      const failure = diskFailure(error, 'append to the log', this.#folder);
      for (const append of group) append.reject(failure);
      return;
    }
    for (const append of group) append.resolve(append.places);
    // A segment that cannot be deleted now is deleted when the next one begins.
    if (this.#writer.segments.length > segments) await this.#dropExpired().catch(() => 0);
  }

  /** Runs when no write is under way, after every append accepted so far. */
  #between(act: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(new Error(`${this.#folder}: the log is closed`));
    return new Promise((resolve, reject) => {
      const accepted = this.#waiting.length;
      let left = accepted;
      const inTurn = async (): Promise<void> => {
        // Groups are bounded, so it can take several until all that was accepted before is written.
        while (left > 0) {
          const group = this.#nextGroup();
          if (group.length === 0) break;
          left -= group.length;
          await this.#write(group);
        }
        await act().then(resolve, (error: unknown) => reject(diskFailure(error, 'change the log', this.#folder)));
      };
      this.#acts.push(inTurn);
      this.#wake();
    });
  }

  async #repartition(change: (table: readonly PartitionEntry[]) => PartitionEntry[]): Promise<void> {
    await this.#between(async () => {
      const description = { ...this.#description, partitions: change(this.#description.partitions) };
      await writeDescription(this.#folder, description, this.#options.durability ?? 'fsync');
      this.#description = description;
      this.#writer.widen(description.partitions.length);
    });
  }

  /** Segments span a fraction of the retention, so that records go soon after their time. */
  #lastIsOld(): boolean {
    const ageMs = this.#options.retention?.ageMs;
    const firstTime = this.#writer.segments.at(-1)?.index.firstTime ?? null;
    return ageMs !== undefined && firstTime !== null && firstTime < this.#options.clock.now() - ageMs / 8;
  }

  async #dropExpired(): Promise<number> {
    const { ageMs = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = this.#options.retention ?? {};
    const oldestKept = this.#options.clock.now() - ageMs;
    let deleted = 0;
    for (;;) {
      const { segments } = this.#writer;
      const following = segments[1];
      if (following === undefined) return deleted;
      const times = following.head.heads.time.filter((time) => !Number.isNaN(time));
      const tooOld = Math.max(Number.NEGATIVE_INFINITY, ...times) < oldestKept;
      const tooMany = segments.reduce((sum, segment) => sum + segment.end, 0) > bytes;
      if (!tooOld && !tooMany) return deleted;
      const dropped = await this.#writer.dropOldest();
      if (dropped === null) return deleted;
      await this.#reader.drop(dropped);
      deleted += 1;
    }
  }
}

async function openDescription(folder: string, partitions: number, durability: Durability): Promise<LogDescription> {
  const existing = await readDescription(folder);
  if (existing !== null) return existing;
  const segments = await readSegmentNames(folder);
  if (segments.length > 0) {
    throw new Error(
      `${join(folder, 'log.json')}: missing beside ${segments.length} segments; expected the identity of the log; restore the file, or remove the folder to begin a new log`,
    );
  }
  const description = newDescription(partitions);
  await writeDescription(folder, description, durability);
  return description;
}

/** Each problem once. */
function noteProblem(
  problems: Map<string, LogProblem>,
  problem: LogProblem,
  tell: ((problem: LogProblem) => void) | undefined,
): void {
  const id = `${problem.kind} ${problem.file} ${problem.offset}`;
  if (problems.has(id)) return;
  problems.set(id, problem);
  tell?.(problem);
}
