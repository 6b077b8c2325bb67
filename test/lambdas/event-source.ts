/**
 * The event source between a Kinesis stream and a function, as Lambda runs it, in simulated time and repeatable from one number: batches
 * in the order of each shard, parents before children, retries, halving, partial failures, checkpoints, batches that are given up with
 * their whole records, old records; and what goes wrong around it: answers that get lost, invocations twice at once or later again.
 */
import type { PushedRecord } from '../../lib/adapters/kinesis/pushed-records.ts';
import type { SimulatedRecord, SimulatedShard, SimulatedStream } from '../adapters/kinesis/simulated-stream.ts';

export interface KinesisInvocation {
  readonly Records: PushedRecord[];
}

export interface SimulatedContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export interface EventSourceOptions {
  readonly stream: SimulatedStream;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The function. */
  readonly invoke: (event: KinesisInvocation, context: SimulatedContext) => Promise<unknown>;
  /** The bucket of batches that were given up. */
  readonly giveUp: (key: string, body: Uint8Array) => Promise<void>;
  /** @default 10000 */
  readonly batchSize?: number;
  /** Attempts after the first, besides halvings. @default 8 */
  readonly retries?: number;
  /** @default 24 hours */
  readonly recordAgeMs?: number;
  /** Half the batch after a failure. @default true */
  readonly bisect?: boolean;
  /** Of the function, milliseconds. @default 60000 */
  readonly timeoutMs?: number;
  /** Probabilities of what goes wrong around the function. @default none of it */
  readonly faults?: {
    /** It comes to its end, but its answer is not heard: the batch is tried again. */
    readonly lostAnswer?: number;
    /** Two invocations of one batch at the same time; the answer of either counts. */
    readonly overlap?: number;
    /** An invocation that succeeded is made again later, while others are under way. */
    readonly zombie?: number;
    /** The function is told that its time runs out after a few looks at the clock. */
    readonly shortOfTime?: number;
  };
}

/** A part of a shard that is tried until it is done or given up. */
interface Piece {
  readonly records: readonly SimulatedRecord[];
  readonly attempts: number;
}

interface Line {
  checkpoint: bigint;
  /** What is to be tried before anything new is read, in order. */
  pieces: Piece[];
}

/** Lambda calls with at most this much. */
const PAYLOAD_BYTES = 6 * 1_048_576;
const DAY_MS = 86_400_000;
const ID = '8f4b2c6e-0000-4000-8000-000000000000';

export interface EventSourceCounts {
  invocations: number;
  failures: number;
  halvings: number;
  partial: number;
  givenUp: number;
  overlaps: number;
  zombies: number;
}

export class EventSource {
  readonly counts: EventSourceCounts = {
    invocations: 0,
    failures: 0,
    halvings: 0,
    partial: 0,
    givenUp: 0,
    overlaps: 0,
    zombies: 0,
  };
  /** Keys of the batches that were given up, in order. */
  readonly givenUp: string[] = [];
  readonly #options: EventSourceOptions;
  #lines = new Map<string, Line>();
  #running: Promise<unknown>[] = [];
  #requests = 0;
  #enabled = true;

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  /** Deleted and made again: it begins at the oldest records that are kept. */
  recreate(): void {
    this.#lines = new Map();
  }

  /** No faults any more. */
  calm(): void {
    this.#enabled = false;
  }

  /** One invocation, and what follows from it, of a shard that has something; false when none has. */
  async step(): Promise<boolean> {
    const ready = this.#options.stream.shards.filter((shard) => this.#isReady(shard));
    const shard = ready[Math.floor(this.#options.random() * ready.length)];
    if (shard === undefined) return false;
    await this.#work(shard);
    return true;
  }

  /** Until nothing is left, that which still runs included. */
  async drain(): Promise<void> {
    while (await this.step());
    await this.settle();
  }

  /** Waits for invocations that nobody waits for. */
  async settle(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.allSettled(running);
  }

  #isReady(shard: SimulatedShard): boolean {
    const hasParents = shard.parents.some((id) => {
      const parent = this.#options.stream.shards.find((one) => one.id === id);
      return parent !== undefined && !this.#isDrained(parent);
    });
    return !hasParents && !this.#isDrained(shard);
  }

  #isDrained(shard: SimulatedShard): boolean {
    const { pieces, checkpoint } = this.#line(shard.id);
    return pieces.length === 0 && !shard.records.some(({ sequence }) => BigInt(sequence) > checkpoint);
  }

  #line(shard: string): Line {
    let line = this.#lines.get(shard);
    if (line === undefined) {
      line = { checkpoint: 0n, pieces: [] };
      this.#lines.set(shard, line);
    }
    return line;
  }

  async #work(shard: SimulatedShard): Promise<void> {
    const { retries = 8, recordAgeMs = DAY_MS, bisect = true, now } = this.#options;
    const line = this.#line(shard.id);
    if (line.pieces.length === 0) line.pieces.push({ records: this.#poll(shard, line.checkpoint), attempts: 0 });
    const piece = line.pieces.shift() as Piece;
    const old = piece.records.filter(({ at }) => now() - at > recordAgeMs);
    if (old.length > 0) {
      await this.#giveUp(shard, old, piece.attempts, 'RecordAgeExceeded');
      this.#again(line, piece.records.slice(old.length), 0);
      return this.#checkpoint(line, old);
    }
    const failedAt = await this.#attempt(shard, piece.records);
    if (failedAt === null) return this.#checkpoint(line, piece.records);
    this.counts.failures++;
    if (failedAt === 'threw' && bisect && piece.records.length > 1) {
      this.counts.halvings++;
      const middle = Math.ceil(piece.records.length / 2);
      const halves = [piece.records.slice(0, middle), piece.records.slice(middle)];
      line.pieces.unshift(...halves.map((records) => ({ records, attempts: piece.attempts })));
      return;
    }
    if (typeof failedAt === 'number' && failedAt > 0) {
      this.counts.partial++;
      this.#again(line, piece.records.slice(failedAt), 0);
      return this.#checkpoint(line, piece.records.slice(0, failedAt));
    }
    if (piece.attempts < retries) return this.#again(line, piece.records, piece.attempts + 1);
    await this.#giveUp(shard, piece.records, piece.attempts + 1, 'RetryAttemptsExhausted');
    this.#checkpoint(line, piece.records);
  }

  /** Index of the first record that failed, `threw`, or `null` when all is done. */
  async #attempt(shard: SimulatedShard, records: readonly SimulatedRecord[]): Promise<number | 'threw' | null> {
    const { faults = {}, random } = this.#options;
    const event = { Records: records.map((record) => this.#pushed(shard.id, record)) };
    const chance = (probability = 0): boolean => random() < probability && this.#enabled;
    const invoke = (): Promise<unknown> => {
      this.counts.invocations++;
      return this.#options.invoke(structuredClone(event), this.#context(chance(faults.shortOfTime)));
    };
    let answer: Promise<unknown>;
    if (chance(faults.overlap)) {
      this.counts.overlaps++;
      const both = [invoke(), invoke()];
      const heard = random() < 0.5 ? 0 : 1;
      answer = both[heard] as Promise<unknown>;
      const other = both[1 - heard] as Promise<unknown>;
      this.#running.push(other.catch(() => undefined));
    } else answer = invoke();
    let response: unknown;
    try {
      response = await answer;
    } catch {
      return 'threw';
    }
    if (chance(faults.zombie)) {
      this.counts.zombies++;
      this.#running.push(invoke().catch(() => undefined));
    }
    if (chance(faults.lostAnswer)) return 'threw';
    return firstFailure(response, records);
  }

  #poll(shard: SimulatedShard, checkpoint: bigint): SimulatedRecord[] {
    const { batchSize = 10_000, random } = this.#options;
    // A batch ends where the window happened to end.
    const most = 1 + Math.floor(random() * batchSize);
    const batch: SimulatedRecord[] = [];
    let bytes = 0;
    for (const record of shard.records) {
      if (BigInt(record.sequence) <= checkpoint) continue;
      bytes += Math.ceil((record.data.byteLength * 4) / 3) + 700;
      if (batch.length >= most || (batch.length > 0 && bytes > PAYLOAD_BYTES)) break;
      batch.push(record);
    }
    return batch;
  }

  #again(line: Line, records: readonly SimulatedRecord[], attempts: number): void {
    if (records.length > 0) line.pieces.unshift({ records, attempts });
  }

  #checkpoint(line: Line, records: readonly SimulatedRecord[]): void {
    const last = records.at(-1);
    if (last !== undefined) line.checkpoint = BigInt(last.sequence);
  }

  async #giveUp(
    shard: SimulatedShard,
    records: readonly SimulatedRecord[],
    attempts: number,
    condition: string,
  ): Promise<void> {
    const { stream, now } = this.#options;
    const time = new Date(now()).toISOString();
    const number = String(++this.counts.givenUp).padStart(12, '0');
    const key = `aws/lambda/${ID}/${shard.id}/${time.slice(0, 10).replaceAll('-', '/')}/${time.slice(0, 19).replaceAll(':', '.')}-${number}`;
    const event = { Records: records.map((record) => this.#pushed(shard.id, record)) };
    const body = {
      requestContext: {
        requestId: number,
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:profiler',
        condition,
        approximateInvokeCount: attempts,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: time,
      KinesisBatchInfo: {
        shardId: shard.id,
        startSequenceNumber: records[0]?.sequence,
        endSequenceNumber: records.at(-1)?.sequence,
        approximateArrivalOfFirstRecord: new Date(records[0]?.at ?? 0).toISOString(),
        approximateArrivalOfLastRecord: new Date(records.at(-1)?.at ?? 0).toISOString(),
        batchSize: records.length,
        streamArn: stream.arn,
      },
      payload: JSON.stringify(event),
    };
    await this.#options.giveUp(key, new TextEncoder().encode(JSON.stringify(body)));
    this.givenUp.push(key);
  }

  #pushed(shard: string, { sequence, at, key, data }: SimulatedRecord): PushedRecord {
    return {
      eventID: `${shard}:${sequence}`,
      eventSourceARN: this.#options.stream.arn,
      ...{
        eventVersion: '1.0',
        eventName: 'aws:kinesis:record',
        eventSource: 'aws:kinesis',
        awsRegion: 'us-east-1',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/profiler',
      },
      kinesis: {
        ...{ kinesisSchemaVersion: '1.0', partitionKey: key },
        sequenceNumber: sequence,
        approximateArrivalTimestamp: at / 1_000,
        data: Buffer.from(data).toString('base64'),
      },
    };
  }

  #context(isShort: boolean): SimulatedContext {
    const { timeoutMs = 60_000, random } = this.#options;
    let looks = isShort ? 1 + Math.floor(random() * 12) : Number.POSITIVE_INFINITY;
    return {
      awsRequestId: `request-${++this.#requests}`,
      getRemainingTimeInMillis: () => (looks-- > 0 ? timeoutMs : 1),
    };
  }
}

/** What Lambda reads from an answer where partial failures are on. */
function firstFailure(response: unknown, records: readonly SimulatedRecord[]): number | 'threw' | null {
  if (response === null || response === undefined) return null;
  const { batchItemFailures: failures } = response as { batchItemFailures?: { itemIdentifier?: unknown }[] | null };
  if (failures === undefined || failures === null || failures.length === 0) return null;
  const indexes = failures.map(({ itemIdentifier }) =>
    records.findIndex(({ sequence }) => sequence === itemIdentifier),
  );
  // What names no record of the batch fails all of it.
  return indexes.some((index) => index < 0) ? 'threw' : Math.min(...indexes);
}
