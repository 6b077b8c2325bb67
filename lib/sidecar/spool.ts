/**
 * Where events wait until the collector has them: memory, bounded in bytes, and behind it a log on disk. Whoever hands an event over
 * never waits, unless it asks to be told when it is durable. Records of one turn of the event loop share a write.
 *
 * A disk that is full or fails costs durability and not the process: what comes then waits in memory alone, senders that want durability
 * are refused, and the disk is tried again at growing intervals.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogProblem } from '../adapters/disk/segment.ts';
import type { SegmentIo } from '../adapters/disk/segment-io.ts';
import type { Durability } from '../adapters/disk/sync.ts';
import { noun } from '../contracts/noun.ts';
import type { Clock } from '../pipeline/ports.ts';
import type { Ledger } from './ledger.ts';
import { MemoryBudget } from './memory-budget.ts';
import { SpoolDisk } from './spool-disk.ts';

export type Note = (level: 'info' | 'warn' | 'error', message: string) => void;

export interface SpoolOptions {
  /** `null`: memory alone. */
  readonly folder: string | null;
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly note: Note;
  /** Of the disk; a test makes it fail. @default the system's */
  readonly io?: SegmentIo;
  /** Longest wait before the disk is tried again, milliseconds. @default 30000 */
  readonly longestRetryMs?: number;
}

/** The disk did not take it: the sender keeps it and sends it again. */
export class NotDurableError extends Error {
  override readonly name = 'NotDurableError';
}

export interface SpoolBatch {
  readonly records: readonly Uint8Array[];
  /** Nothing of it needs attention any more. Batches are settled in the order in which they were taken. */
  settle(): void;
  /** It is not sent by this process: what is on disk stays there, what is in memory waits in it again. */
  putBack(): void;
}

interface Pending {
  readonly data: Uint8Array;
  /** Of a sender that waits; absent otherwise. */
  readonly waiter?: { resolve(): void; reject(error: Error): void; left: number };
}

/** How long events that nobody waits for gather, milliseconds. */
const GATHER_MS = 20;
const FIRST_RETRY_MS = 500;
/** Of what waits in memory, moved to a disk that works again at once. */
const SPILL_BYTES = 1_048_576;

export class Spool {
  readonly memory: MemoryBudget;
  readonly #options: SpoolOptions;
  #disk: SpoolDisk | null = null;
  /** Records of this turn, and those being written. */
  #batch: Pending[] = [];
  #writing: readonly Pending[] = [];
  #flushing: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Waiting in memory alone, oldest first, with when they came (milliseconds of the process). */
  #held: { readonly data: Uint8Array; readonly at: number }[] = [];
  /** Taken from memory by the delivery and not settled. */
  #leaving = 0;
  #diskOldest: number | null = null;
  /** Why the disk is not used; `null` while it is. */
  #failure: string | null = null;
  #failures = 0;
  #retryAt = 0;
  #waiting: (() => void)[] = [];
  /** Changes when there may be something new to send. */
  version = 0;
  #closed = false;
  /** Unfinished writes of an earlier process that were found and removed; nothing in them had been acknowledged. */
  torn = 0;

  private constructor(options: SpoolOptions) {
    this.#options = options;
    this.memory = new MemoryBudget(options.memoryBytes);
  }

  /** Never fails: without its disk it begins in memory. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    if (options.folder !== null) await spool.#openDisk();
    return spool;
  }

  /** How full it is, 0 to 1 and beyond: the fuller of memory and, while it works, disk. */
  get fill(): number {
    const disk = this.#disk === null || this.#failure !== null ? 0 : this.#disk.bytes / this.#options.diskBytes;
    return Math.max(disk, this.memory.fill);
  }

  /** Records taken and not settled. */
  get records(): number {
    return this.#batch.length + this.#writing.length + this.#held.length + this.#leaving + (this.#disk?.records ?? 0);
  }

  /** Why the disk is not used; `null` while it is, or where there is none. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Whether what is stored survives the process. */
  get isDurable(): boolean {
    return this.#disk !== null && this.#failure === null;
  }

  get diskBytes(): number {
    return this.#disk?.bytes ?? 0;
  }

  /** Seconds since the oldest record of each tier came; 0 without any. */
  ages(): { readonly memory: number; readonly disk: number } {
    const oldest = this.#held[0]?.at;
    return {
      memory: oldest === undefined ? 0 : (performance.now() - oldest) / 1000,
      disk:
        this.#diskOldest === null || (this.#disk?.records ?? 0) === 0
          ? 0
          : Math.max(0, (this.#options.clock.now() - this.#diskOldest) / 1000),
    };
  }

  /** Takes a record whose bytes the caller has reserved in `memory`. */
  take(data: Uint8Array): void {
    this.#batch.push({ data });
    this.#flushSoon();
  }

  /** The same for records that belong together; resolves when durable. @throws NotDurableError: none of them was taken */
  store(records: readonly Uint8Array[]): Promise<void> {
    if (this.#options.folder === null) {
      for (const data of records) this.take(data);
      return Promise.resolve();
    }
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject, left: records.length };
      for (const data of records) this.#batch.push({ data, waiter });
      this.#flush();
    });
  }

  /** What to send next, memory first; `null` when there is nothing. */
  async next(limit: { readonly records: number; readonly bytes: number }): Promise<SpoolBatch | null> {
    if (this.#held.length > 0) return this.#fromMemory(limit);
    const disk = this.#disk;
    if (disk === null || !disk.hasUnread) return null;
    const read = await disk.read(limit);
    if (read === null) return null;
    const { ledger } = this.#options;
    ledger.lost += read.lost;
    this.#diskOldest = read.oldest;
    return { records: read.records, settle: () => disk.settle(read.last), putBack: () => undefined };
  }

  /** Resolves when something came since `version` was looked at, after `ms` at the latest. */
  changed(version: number, ms: number): Promise<void> {
    if (version !== this.version) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  wake(): void {
    this.version++;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when everything taken so far is on disk, or has been tried to be; what is left waits in memory. */
  async flush(): Promise<void> {
    this.#retryAt = 0;
    do {
      this.#flush();
      await this.#flushing;
    } while (this.#batch.length > 0 || (this.isDurable && this.#held.length > 0));
  }

  /** Writes what it can and gives the folder free. */
  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    await this.#disk?.close();
    this.wake();
  }

  #fromMemory(limit: { readonly records: number; readonly bytes: number }): SpoolBatch {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.#held) {
      if (count > 0 && (count >= limit.records || bytes + data.length > limit.bytes)) break;
      bytes += data.length;
      count++;
    }
    const taken = this.#held.splice(0, count);
    this.#leaving += count;
    return {
      records: taken.map(({ data }) => data),
      putBack: () => {
        this.#leaving -= count;
        this.#held.unshift(...taken);
      },
      settle: () => {
        this.#leaving -= count;
        this.memory.release(bytes);
      },
    };
  }

  /** Nobody waits: events of some milliseconds share a write, which costs the process, and so what it passes on, less. */
  #flushSoon(): void {
    if (this.#flushing !== null || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushing ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#write())
      .finally(() => {
        this.#flushing = null;
        if (this.#batch.some(({ waiter }) => waiter !== undefined)) this.#flush();
        else if (this.#batch.length > 0) this.#flushSoon();
      });
  }

  /** One group: to disk, or what nobody waits for into the queue in memory. Never rejects. */
  async #write(): Promise<void> {
    const disk = await this.#usableDisk();
    const spilled = disk === null ? [] : this.#spill();
    const group = this.#batch;
    this.#batch = [];
    if (group.length === 0 && spilled.length === 0) return;
    this.#writing = group;
    if (disk === null) {
      this.#keep(group, this.#failure ?? 'there is no disk');
    } else {
      try {
        await disk.append([...spilled.map(({ data }) => data), ...group.map(({ data }) => data)]);
        this.#works();
        for (const { data } of spilled) this.memory.release(data.length);
        for (const { data, waiter } of group) {
          this.memory.release(data.length);
          if (waiter !== undefined && --waiter.left === 0) waiter.resolve();
        }
      } catch (error) {
        this.#fails(error);
        this.#held.unshift(...spilled);
        this.#keep(group, this.#failure ?? '');
      }
      this.#leaving -= spilled.length;
    }
    this.#writing = [];
    this.wake();
  }

  /** Takes some of what waits in memory, to go to disk. Counted as leaving until it is there. */
  #spill(): { readonly data: Uint8Array; readonly at: number }[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#held.length && bytes < SPILL_BYTES) bytes += this.#held[count++]!.data.length;
    this.#leaving += count;
    return this.#held.splice(0, count);
  }

  #keep(group: readonly Pending[], why: string): void {
    const at = performance.now();
    for (const { data, waiter } of group) {
      if (waiter === undefined) this.#held.push({ data, at });
      else {
        this.memory.release(data.length);
        if (--waiter.left === 0) waiter.reject(new NotDurableError(why));
      }
    }
  }

  /** `null` while the disk is failing and not yet to be tried again. */
  async #usableDisk(): Promise<SpoolDisk | null> {
    if (this.#options.folder === null) return null;
    if (this.#failure !== null && performance.now() < this.#retryAt) return null;
    if (this.#disk === null) await this.#openDisk();
    return this.#disk;
  }

  async #openDisk(): Promise<void> {
    const { folder, diskBytes, durability, clock, io, ledger } = this.#options;
    try {
      const disk = await SpoolDisk.open({
        folder: folder!,
        diskBytes,
        durability,
        clock,
        io,
        onProblem: (problem) => this.#problem(problem),
      });
      ledger.recovered += disk.records;
      this.#disk = disk;
      if (this.#failure !== null) this.#works();
    } catch (error) {
      this.#fails(error);
    }
  }

  #problem({ kind, message }: LogProblem): void {
    if (kind === 'torn') this.torn++;
    this.#options.note(kind === 'torn' ? 'warn' : 'error', message);
  }

  #works(): void {
    if (this.#failure !== null)
      this.#options.note(
        'info',
        `${this.#options.folder}: the spool is on disk again; ${this.#held.length} ${noun(this.#held.length, 'event waits', 'events wait')} in memory`,
      );
    this.#failure = null;
    this.#failures = 0;
  }

  #fails(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failure === null)
      this.#options.note(
        'error',
        `${reason}; events wait in memory until the disk works, and those who want them durable are refused`,
      );
    this.#failure = reason;
    const longest = this.#options.longestRetryMs ?? 30_000;
    const wait = Math.min(longest, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    this.#retryAt = performance.now() + wait;
    // So that a quiet sidecar finds out too.
    void sleep(wait, undefined, { ref: false }).then(() => {
      if (this.#closed) return;
      // Timers may fire a little early; one that found it too early would be the last.
      this.#retryAt = 0;
      this.#flush();
    });
  }
}
