/**
 * Appends records: those of calls that overlap go together, one request at a time, so that the order of each key is the order of the
 * calls. Every replica that must have a batch has it when a call resolves (acks=all).
 */
import type { Producer } from '@platformatic/kafka';
import type { KafkaConfig } from '../../contracts/roles.ts';
import type { Position } from '../../pipeline/ports.ts';
import { connectionOptions } from './connection-options.ts';
import { within } from './deadline.ts';
import { hasCause, KafkaFault, kafkaError } from './kafka-error.ts';
import { type KafkaPackage, loadKafka } from './load.ts';
import { partitionOf } from './partitioner.ts';

export interface Place {
  readonly partition: string;
  readonly position: Position;
}

export interface AppenderOptions {
  readonly config: KafkaConfig;
  readonly clientId: string;
  /** Number of partitions now. */
  readonly partitions: () => Promise<number>;
  readonly timeoutMs?: number;
  readonly load?: () => Promise<KafkaPackage>;
}

export const APPEND_LIMITS = {
  /** Of one record with its key: the default `message.max.bytes` of a broker, less what a batch needs around it. */
  recordBytes: 1_048_000,
  /** Of the batch of one partition, before compression. */
  batchBytes: 900_000,
  /** Of all batches of one request. */
  requestBytes: 8 * 1_048_576,
} as const;

interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

interface Call {
  readonly entries: readonly Entry[];
  readonly places: Place[];
  /** Entries that are sent. */
  sent: number;
  /** Entries that are appended. */
  done: number;
  settle(error: Error | null): void;
}

interface Sending {
  readonly call: Call;
  readonly index: number;
  readonly partition: number;
  readonly entry: Entry;
}

type Client = Producer<Buffer, Buffer, Buffer, Buffer>;

/** Records of one session: the numbers that make a repetition known are 32 bits wide. */
const SESSION_RECORDS = 1_000_000_000;

export class Appender {
  readonly #options: AppenderOptions;
  readonly #timeoutMs: number;
  #client: Promise<Client> | null = null;
  #sessionRecords = 0;
  #queue: Call[] = [];
  #running: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  /**
   * @throws RangeError for a record that is too large, before any is sent; TransientError when it is not known whether all arrived:
   * sending them again may append some twice
   */
  async append(records: readonly { readonly key: string; readonly data: Uint8Array }[]): Promise<readonly Place[]> {
    if (this.#isClosed) throw new Error(`kafka append ${this.#options.config.topic}: closed`);
    if (records.length === 0) return [];
    const entries = records.map(({ key, data }, i): Entry => {
      // Copied: the caller may use its bytes again while they wait here.
      const entry = { key: Buffer.from(key), value: Buffer.from(data) };
      const bytes = sizeOf(entry);
      if (bytes > APPEND_LIMITS.recordBytes)
        throw new RangeError(
          `record ${i}: ${bytes} bytes with its key; expected at most ${APPEND_LIMITS.recordBytes}; send fewer events in one record`,
        );
      return entry;
    });
    return new Promise((resolve, reject) => {
      const places = new Array<Place>(entries.length);
      const settle = (error: Error | null): void => (error === null ? resolve(places) : reject(error));
      this.#queue.push({ entries, places, sent: 0, done: 0, settle });
      this.#running ??= this.#run().finally(() => {
        this.#running = null;
      });
    });
  }

  /** Resolves when what was taken is appended or refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#discard();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      let sending: Sending[] = [];
      try {
        sending = this.#next(await this.#options.partitions());
        await this.#send(sending);
      } catch (error) {
        const failure = kafkaError(`kafka append ${this.#options.config.topic}`, error);
        // Without a request none of the waiting can be sent.
        const failed = new Set(sending.length === 0 ? this.#queue : sending.map(({ call }) => call));
        this.#queue = this.#queue.filter((call) => !failed.has(call));
        for (const call of failed) call.settle(failure);
        continue;
      }
      for (const call of new Set(sending.map(({ call: of }) => of)))
        if (call.done === call.entries.length) call.settle(null);
      this.#queue = this.#queue.filter(({ done, entries }) => done < entries.length);
    }
  }

  /** As many of the waiting records, in order, as one request takes; at least one. */
  #next(partitions: number): Sending[] {
    const sending: Sending[] = [];
    const filled = new Array<number>(partitions).fill(0);
    let total = 0;
    for (const call of this.#queue) {
      for (let index = call.sent; index < call.entries.length; index++) {
        const entry = call.entries[index] as Entry;
        const partition = partitionOf(entry.key, partitions);
        const bytes = sizeOf(entry);
        const present = filled[partition] ?? 0;
        if (
          sending.length > 0 &&
          (total + bytes > APPEND_LIMITS.requestBytes || (present > 0 && present + bytes > APPEND_LIMITS.batchBytes))
        )
          return sending;
        filled[partition] = present + bytes;
        total += bytes;
        sending.push({ call, index, partition, entry });
        call.sent = index + 1;
      }
    }
    return sending;
  }

  /** One request; in smaller ones where the topic's limit of a batch is lower than ours. */
  async #send(sending: readonly Sending[]): Promise<void> {
    const { topic } = this.#options.config;
    if (this.#sessionRecords > SESSION_RECORDS) await this.#discard();
    let offsets: readonly { readonly partition: number; readonly offset: bigint }[];
    try {
      const client = await (this.#client ??= this.#open());
      const messages = sending.map(({ partition, entry: { key, value } }) => ({ topic, partition, key, value }));
      const answer = await within(this.#timeoutMs, `kafka append ${topic}`, client.send({ messages }));
      offsets = answer.offsets ?? [];
    } catch (error) {
      // The numbers of a session say which batch is a repetition. After a failure they are not certain any more, and a new batch
      // with the numbers of one that arrived would be taken for it and lost.
      await this.#discard();
      if (!hasCause(error, 'MESSAGE_TOO_LARGE') && !hasCause(error, 'RECORD_LIST_TOO_LARGE')) throw error;
      if (sending.length === 1)
        throw new KafkaFault(
          `kafka append ${topic}: a record of ${sizeOf((sending[0] as Sending).entry)} bytes is larger than max.message.bytes of the topic; raise it to 1048588, or send fewer events in one record`,
          { cause: error },
        );
      const half = Math.ceil(sending.length / 2);
      await this.#send(sending.slice(0, half));
      return this.#send(sending.slice(half));
    }
    this.#sessionRecords += sending.length;
    const next = new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
    for (const { call, index, partition } of sending) {
      const offset = next.get(partition);
      if (offset === undefined) throw new Error(`answered without partition ${partition}`);
      call.places[index] = { partition: String(partition), position: String(offset) };
      call.done++;
      next.set(partition, offset + 1);
    }
  }

  async #open(): Promise<Client> {
    const { Producer, ProduceAcks } = await loadKafka(this.#options.load);
    const client = new Producer<Buffer, Buffer, Buffer, Buffer>({
      ...connectionOptions(this.#options.config, this.#options.clientId),
      acks: ProduceAcks.ALL,
      idempotent: true,
      // Decoding would take longer than reading; a topic that shall be small has compression.type of its own.
      compression: 'none',
      // Repetitions are known as such by the broker.
      retries: 3,
      retryDelay: 250,
    });
    client.on('error', () => undefined);
    this.#sessionRecords = 0;
    return client;
  }

  async #discard(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    await within(
      2_000,
      'close',
      client.then((open) => open.close()),
    ).catch(() => undefined);
  }
}

function sizeOf({ key, value }: Entry): number {
  return key.length + value.length + 64;
}
