/**
 * One connection to a cluster for reading a topic. After an error that is not an answer of the broker it is thrown away and made anew:
 * connections that were in the middle of something are not trusted again.
 */
import type { Consumer } from '@platformatic/kafka';
import type { KafkaConfig } from '../../contracts/roles.ts';
import { TransientError } from '../../pipeline/ports.ts';
import type { FetchedPartition } from './batch-records.ts';
import { connectionOptions } from './connection-options.ts';
import { within } from './deadline.ts';
import { hasCause, kafkaError } from './kafka-error.ts';
import { type KafkaPackage, loadKafka } from './load.ts';
import { OutOfRangeError } from './out-of-range.ts';
import type { PartitionSource } from './partition-reader.ts';

export interface TopicState {
  readonly clusterId: string;
  readonly topicId: string;
  readonly partitions: number;
}

export interface KafkaClientOptions {
  readonly config: KafkaConfig;
  readonly clientId: string;
  /** Bound of one call, milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  /** Brings the package; tests bring their own. */
  readonly load?: () => Promise<KafkaPackage>;
}

const METADATA_MS = 5_000;
const EARLIEST = -2n;
const LATEST = -1n;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

export class KafkaClient implements PartitionSource {
  readonly #options: KafkaClientOptions;
  readonly #timeoutMs: number;
  #consumer: Promise<Consumer<Buffer, Buffer, Buffer, Buffer>> | null = null;
  #isClosed = false;

  constructor(options: KafkaClientOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  /** @param maxAgeMs how old the answer may be */
  async topic(maxAgeMs = METADATA_MS): Promise<TopicState> {
    const { topic } = this.#options.config;
    const { id, topics } = await this.#call('describe', (consumer) =>
      consumer.metadata({ topics: [topic], metadataMaxAge: maxAgeMs, forceUpdate: maxAgeMs <= 0 }),
    );
    const found = topics.get(topic);
    if (found === undefined) throw new TransientError(`kafka ${topic}: answered without the topic`);
    return { clusterId: id, topicId: found.id, partitions: found.partitionsCount };
  }

  /** The first offset kept and the one after the last, of every partition. */
  async bounds(): Promise<{ readonly first: number; readonly end: number }[]> {
    const { topic } = this.#options.config;
    const ask = (timestamp: bigint) =>
      this.#call('list offsets', (consumer) =>
        consumer.listOffsets({ topics: [topic], timestamp, isolationLevel: READ_UNCOMMITTED }),
      );
    // The end first: what retention removes meanwhile then never lies beyond it.
    const ends = (await ask(LATEST)).get(topic) ?? [];
    const firsts = (await ask(EARLIEST)).get(topic) ?? [];
    return Array.from(ends, (end, partition) => {
      const first = firsts[partition];
      if (end === undefined || first === undefined)
        throw new TransientError(`kafka ${topic}: partition ${partition} has no leader that answers`);
      return { first: Math.min(Number(first), Number(end)), end: Number(end) };
    });
  }

  /**
   * What follows an offset, at once, about so many bytes.
   * @throws OutOfRangeError when the offset is before the first one kept or after the end
   */
  async fetch(partition: number, offset: number, bytes: number): Promise<FetchedPartition> {
    const { topic } = this.#options.config;
    const answer = await this.#call(`read ${partition}`, async (consumer) => {
      const { topics } = await consumer.metadata({ topics: [topic] });
      const known = topics.get(topic);
      const leader = known?.partitions[partition]?.leader;
      if (known === undefined || leader === undefined)
        throw new TransientError(`kafka ${topic}: partition ${partition} has no leader`);
      return consumer.fetch({
        node: leader,
        maxWaitTime: 0,
        minBytes: 1,
        maxBytes: bytes,
        isolationLevel: READ_COMMITTED,
        topics: [
          {
            topicId: known.id,
            partitions: [
              {
                partition,
                currentLeaderEpoch: -1,
                fetchOffset: BigInt(offset),
                lastFetchedEpoch: -1,
                partitionMaxBytes: bytes,
              },
            ],
          },
        ],
      });
    });
    const found = answer.responses[0]?.partitions[0];
    if (found === undefined) throw new TransientError(`kafka ${topic}: answered without partition ${partition}`);
    return found;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#discard();
  }

  async #call<T>(
    operation: string,
    work: (consumer: Consumer<Buffer, Buffer, Buffer, Buffer>) => Promise<T>,
  ): Promise<T> {
    const what = `kafka ${operation} ${this.#options.config.topic}`;
    if (this.#isClosed) throw new Error(`${what}: closed`);
    try {
      const consumer = await (this.#consumer ??= this.#open());
      return await within(this.#timeoutMs, what, work(consumer));
    } catch (error) {
      if (hasCause(error, 'OFFSET_OUT_OF_RANGE')) throw new OutOfRangeError(what, { cause: error });
      await this.#discard();
      throw kafkaError(what, error);
    }
  }

  async #open(): Promise<Consumer<Buffer, Buffer, Buffer, Buffer>> {
    const { Consumer } = await loadKafka(this.#options.load);
    // It needs the name of a group, which it never joins.
    const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
      ...connectionOptions(this.#options.config, this.#options.clientId),
      groupId: this.#options.config.group,
      metadataMaxAge: METADATA_MS,
    });
    consumer.on('error', () => undefined);
    return consumer;
  }

  async #discard(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = null;
    if (consumer === null) return;
    await within(
      2_000,
      'close',
      consumer.then((open) => open.close(true)),
    ).catch(() => undefined);
  }
}
