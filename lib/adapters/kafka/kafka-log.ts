/**
 * The event log on a Kafka topic. A position is an offset; arrival is the time at which the broker appended, so the topic must have
 * `message.timestamp.type=LogAppendTime`. An append to several partitions is not all or nothing: when it fails, some of it may be there.
 */
import type { KafkaConfig } from '../../contracts/roles.ts';
import type { EventLog, PartitionState, Position, ReadResult } from '../../pipeline/ports.ts';
import { Appender, type Place } from './appender.ts';
import { HeadReader } from './head-reader.ts';
import { KafkaClient } from './kafka-client.ts';
import type { KafkaPackage } from './load.ts';
import { PartitionReader, type ReadAhead } from './partition-reader.ts';
import { checkTopic } from './topic-settings.ts';

export interface KafkaLogOptions {
  readonly config: KafkaConfig;
  /** What brokers call this client in their logs. @default mlmon */
  readonly clientId?: string;
  /** Bytes of records fetched before they are asked for, over all partitions. @default 64 MiB */
  readonly readAheadBytes?: number;
  /** Bound of one call of a broker, milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  /** Brings the package; tests bring their own. */
  readonly load?: () => Promise<KafkaPackage>;
}

/** Readers of one partition at different positions: a profiler, an archiver, one that looks again. */
const READERS = 3;

interface Slot {
  readonly reader: PartitionReader;
  /** Settles when nobody reads. */
  busy: Promise<unknown> | null;
}

export class KafkaLog implements EventLog {
  readonly #options: KafkaLogOptions;
  readonly #client: KafkaClient;
  readonly #appender: Appender;
  readonly #ahead: ReadAhead;
  /** Of each partition, least recently used first. */
  readonly #readers = new Map<number, Slot[]>();
  #heads: HeadReader;
  #identity: string | null = null;

  constructor(options: KafkaLogOptions) {
    const { config, clientId = 'mlmon', timeoutMs, load } = options;
    this.#options = options;
    this.#client = new KafkaClient({ config, clientId, timeoutMs, load });
    this.#appender = new Appender({
      config,
      clientId,
      timeoutMs,
      load,
      partitions: async () => (await this.#client.topic()).partitions,
    });
    this.#ahead = { most: options.readAheadBytes ?? 64 * 1_048_576, kept: 0 };
    this.#heads = new HeadReader(this.#client);
  }

  /**
   * The log of a topic that is fit for it.
   * @throws KafkaFault for wrong credentials, a missing topic or right, settings that must be mended; TransientError when no broker answers
   */
  static async open(options: KafkaLogOptions): Promise<KafkaLog> {
    await checkTopic(options);
    const log = new KafkaLog(options);
    await log.identity();
    return log;
  }

  /** `kafka:<cluster>:<topic id>`: a topic made anew has another. */
  async identity(): Promise<string> {
    const { clusterId, topicId } = await this.#client.topic();
    const identity = `kafka:${clusterId}:${topicId}`;
    if (this.#identity !== null && this.#identity !== identity) this.#forget();
    this.#identity = identity;
    return identity;
  }

  async partitions(): Promise<PartitionState[]> {
    const bounds = await this.#client.bounds();
    return Promise.all(
      bounds.map(async ({ first, end }, partition): Promise<PartitionState> => {
        const head = await this.#heads.head(partition, first, end);
        return {
          id: String(partition),
          parents: [],
          closed: false,
          first: head === null || first >= end ? null : String(first),
          head: head === null ? null : String(head.offset),
          headAppendTime: head?.time ?? null,
        };
      }),
    );
  }

  async read(
    partition: string,
    after: Position | null,
    limit: { readonly records: number; readonly bytes: number },
  ): Promise<ReadResult> {
    const { topic } = this.#options.config;
    const number = Number(partition);
    const { partitions } = await this.#client.topic();
    if (!/^\d{1,9}$/.test(partition) || number >= partitions)
      throw new RangeError(
        `kafka ${topic}: there is no partition '${partition}'; it has 0 to ${partitions - 1}; ask for those of partitions()`,
      );
    for (;;) {
      const slots = this.#readers.get(number) ?? [];
      this.#readers.set(number, slots);
      const known = slots.find(({ reader, busy }) => busy === null && reader.continues(after));
      const slot = known ?? this.#slot(slots, number, after);
      if (slot === null) {
        await Promise.race(slots.map(({ busy }) => busy));
        continue;
      }
      slots.splice(slots.indexOf(slot), 1);
      slots.push(slot);
      const reading = slot.reader.read(limit);
      slot.busy = reading.catch(() => undefined);
      try {
        return await reading;
      } catch (error) {
        this.#remove(slots, slot);
        throw error;
      } finally {
        slot.busy = null;
      }
    }
  }

  append(records: readonly { readonly key: string; readonly data: Uint8Array }[]): Promise<readonly Place[]> {
    return this.#appender.append(records);
  }

  /** Appends what was taken, then leaves the broker. */
  async close(): Promise<void> {
    await this.#appender.close();
    this.#forget();
    await this.#client.close();
  }

  /** A new reader, in the place of the least recently used one where there are enough; `null` when all are busy. */
  #slot(slots: Slot[], partition: number, after: Position | null): Slot | null {
    if (slots.length >= READERS) {
      const idle = slots.find(({ busy }) => busy === null);
      if (idle === undefined) return null;
      this.#remove(slots, idle);
    }
    const name = `kafka ${this.#options.config.topic}`;
    const slot: Slot = { reader: new PartitionReader(this.#client, name, partition, after, this.#ahead), busy: null };
    slots.push(slot);
    return slot;
  }

  #remove(slots: Slot[], slot: Slot): void {
    slot.reader.drop();
    const at = slots.indexOf(slot);
    if (at >= 0) slots.splice(at, 1);
  }

  #forget(): void {
    for (const slots of this.#readers.values()) for (const slot of [...slots]) this.#remove(slots, slot);
    this.#readers.clear();
    this.#heads = new HeadReader(this.#client);
  }
}
