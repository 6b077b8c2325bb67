/**
 * The five ports. The moving parts know nothing of what stands behind them.
 * Every implementation passes the same conformance suite (test/pipeline/conformance).
 */
import type { Transition } from '../contracts/episode.ts';

/**
 * Position of a record in its partition: a decimal number as text (Kinesis sequence numbers exceed 2^53).
 * Positions ascend within a partition and need not be contiguous.
 */
export type Position = string;

/** Negative, zero or positive, like a comparator. */
export function comparePositions(a: Position, b: Position): number {
  return a.length === b.length ? (a < b ? -1 : a > b ? 1 : 0) : a.length - b.length;
}

export interface LogRecord {
  readonly position: Position;
  /** When the log took the record, milliseconds since 1970. Never descends within a partition. */
  readonly appendTime: number;
  /** NDJSON: one or more events, one a line. */
  readonly data: Uint8Array;
}

export interface PartitionState {
  readonly id: string;
  readonly parents: readonly string[];
  /** No record will be added any more. */
  readonly closed: boolean;
  /** Position of the oldest record still kept; `null` when empty. */
  readonly first: Position | null;
  /** Position of the newest record; `null` when it never had one. */
  readonly head: Position | null;
  /** Append time of the newest record; `null` when it never had one. */
  readonly headAppendTime: number | null;
}

export interface ReadResult {
  readonly records: readonly LogRecord[];
  /** Records lost to retention between `after` and the first record returned. */
  readonly gap: { readonly after: Position; readonly first: Position } | null;
}

export interface EventLog {
  /** Survives restarts and differs after the log was deleted and made again. */
  identity(): Promise<string>;
  partitions(): Promise<PartitionState[]>;
  /**
   * Records after `after` (`null`: from the oldest kept), in order, at most `limit.records` and about `limit.bytes`
   * (at least one record when there is one). Empty when there is none.
   */
  read(
    partition: string,
    after: Position | null,
    limit: { readonly records: number; readonly bytes: number },
  ): Promise<ReadResult>;
  /** Appends all or none; resolves when durable. `key` chooses the partition; equal keys go to the same one. */
  append(
    records: readonly { readonly key: string; readonly data: Uint8Array }[],
  ): Promise<readonly { readonly partition: string; readonly position: Position }[]>;
}

/**
 * Which partitions this process reads, where several share a log. It only spares work: two that read one partition at once change no
 * count, since cursors decide (`cursor.ts`). A partition is given up after the step that is under way has committed.
 */
export interface PartitionOwner {
  /** Ids; `null`: all. Empty until it is known. */
  owned(): readonly string[] | null;
  /** Told how far a partition is read, `null`: nothing yet. For lag alone. */
  worked?(partition: string, through: Position | null): void;
  /** Why nothing new can be learnt about ownership; `null` when all is well. */
  readonly problem?: string | null;
}

export interface StoredObject {
  readonly body: Uint8Array;
  readonly etag: string;
}

/** A conditional write lost its race: somebody else wrote first. Read again and decide anew. */
export class ConflictError extends Error {
  readonly key: string;
  constructor(key: string) {
    super(`${key}: changed by somebody else`);
    this.name = 'ConflictError';
    this.key = key;
  }
}

/** A passing failure of a port (throttled, unavailable): retried with backoff, boundedly. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** The receiver asked to be left alone for so long, milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message?: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface ObjectStore {
  /** `null` when there is none. */
  get(key: string): Promise<StoredObject | null>;
  /** Bytes [start, end) of the object; `null` when there is none. */
  getRange(key: string, start: number, end: number): Promise<Uint8Array | null>;
  /** Keys under a prefix in ascending order of code points, those above `after` only, at most `limit` (default 1,000). */
  list(prefix: string, options?: { readonly after?: string; readonly limit?: number }): Promise<string[]>;
  /** Writes if there is no such object; ConflictError when there is. Returns the ETag. */
  putIfAbsent(key: string, body: Uint8Array): Promise<string>;
  /** Replaces the object if its ETag is still this one; ConflictError otherwise. Returns the new ETag. */
  putIfUnchanged(key: string, body: Uint8Array, etag: string): Promise<string>;
  /** Succeeds when there is none. */
  delete(key: string): Promise<void>;
}

/** One SQL over captured files. Returns integers and text only: every statistic is computed from counts by the engine. */
export interface Query {
  /** `{capture}` in the SQL stands for a relation with the capture columns over exactly these objects. Rows in the SQL's order. */
  run(sql: string, objects: readonly string[]): Promise<Readonly<Record<string, string | number | bigint | null>>[]>;
}

/** Turns log records into one capture object (Parquet); lines that are no events are skipped and counted. */
export interface CaptureWriter {
  /** `appendTimes`, one a line, milliseconds since 1970: the arrival of lines that carry none. */
  encode(
    lines: readonly Uint8Array[],
    appendTimes: readonly number[],
  ): Promise<{ readonly body: Uint8Array; readonly rows: number; readonly failed: number }>;
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970; now when absent. */
  readonly time?: number;
}

export interface MetricSink {
  /** Sets gauges. */
  set(samples: readonly Sample[]): Promise<void>;
  /** Adds to counters. */
  add(samples: readonly Sample[]): Promise<void>;
  /** Removes every series of a model. */
  forget(model: string): Promise<void>;
}

export interface DeliveryOptions {
  /** An earlier attempt may have arrived. */
  readonly repeat: boolean;
  /** Why people are not told: only to channels that take all. */
  readonly withheld?: string | undefined;
  /** Somebody tries the channels: nothing happened. */
  readonly test?: boolean | undefined;
}

export interface AlertChannel {
  readonly name: string;
  /**
   * Keeps a record rather than ring for people: it gets every transition by itself. Others may get many that come at once as one.
   * @default false
   */
  readonly records?: boolean;
  /**
   * Its receiver keeps what is open until it is closed: a closing is sent for each opening, by itself, and rings for nobody.
   * @default false
   */
  readonly keepsState?: boolean;
  /**
   * It tells programs and rings for nobody: it gets what routes, mutes, silences and maintenance hold back too, with the reason.
   * @default false
   */
  readonly takesAll?: boolean;
  /** Delivers at least once; throws TransientError to be tried again, any other error to be given up. */
  deliver(transition: Transition, options: DeliveryOptions): Promise<void>;
  /**
   * Of a channel whose receiver forgets what it is not told again: takes the openings of everything that is open. Throws when it was not told.
   * Absent: the receiver remembers.
   */
  restate?(open: readonly Transition[]): Promise<void>;
  /** How often it wants that, milliseconds of real time. @default 60000 */
  readonly restateEveryMs?: number;
}

/** Time as the platform sees it: the wall clock, or the simulated one of a replay. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** Which events are to be taken out of what is kept. */
export interface EventsToGo {
  readonly model: string;
  /** Those whose SHA-256 of `<salt>/<model>/<id>`, hexadecimal, is one of the marks. Absent: all of the model. */
  readonly marked?: { readonly salt: string; readonly marks: ReadonlySet<string> };
}

/** Takes rows out of captured objects. */
export interface CaptureRewriter {
  /** The Parquet object without the events that go, all others as they were and in their order; `null` when none of its rows goes. */
  without(
    body: Uint8Array,
    events: readonly EventsToGo[],
  ): Promise<{ readonly body: Uint8Array; readonly erased: number } | null>;
}

export interface ObjectVersion {
  readonly key: string;
  readonly version: string;
  /** What a plain `get` answers. */
  readonly current: boolean;
}

/** Old versions of objects, of a store that keeps them. Markers of deletions are left out: they hold nothing. */
export interface ObjectVersions {
  list(prefix: string): AsyncIterable<ObjectVersion>;
  /** `null` when there is none. */
  get(key: string, version: string): Promise<Uint8Array | null>;
  /** For good. */
  delete(key: string, version: string): Promise<void>;
}
