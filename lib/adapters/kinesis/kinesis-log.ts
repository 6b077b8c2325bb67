/**
 * The event log on a Kinesis data stream.
 *
 * Two things differ from a log that knows itself. An append is not all or nothing: what a request refused is sent again, boundedly, and
 * when that fails some of it is on the stream. And nobody tells the head of a shard: it is asked for as "does anything follow what is
 * profiled?", with one read of one record for each shard, so `head` is the profiled position, or beyond everything.
 */
import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis';
import {
  type EventLog,
  type PartitionState,
  type Position,
  type ReadResult,
  TransientError,
} from '../../pipeline/ports.ts';
import { portError, sdkError } from '../aws-error.ts';
import { ShardReader } from './shard-reader.ts';

/** How far a partition has been profiled. */
export interface Profiled {
  readonly position: Position | null;
  readonly appendTime: number | null;
}

export interface KinesisLogOptions {
  readonly client: Pick<KinesisClient, 'send'>;
  readonly streamArn: string;
  /** Asked by `partitions`, which then reads what follows. @default nothing has been profiled */
  readonly profiled?: (identity: string, partition: string) => Promise<Profiled | null>;
  /** How long the time of creation is believed, milliseconds. @default 60000 */
  readonly identityMs?: number;
  /** Attempts of an append, and of a list of shards. @default 6 */
  readonly attempts?: number;
  /** Upper bound of the first wait between them, milliseconds; doubles each time, up to 2 s. @default 50 */
  readonly firstWaitMs?: number;
}

export const PUT_LIMITS = {
  records: 500,
  /** Data and keys of one request. */
  bytes: 10 * 1_048_576,
  /** Data and key of one record. */
  recordBytes: 1_048_576,
} as const;

/** Beyond every sequence number: a head that is not known, only that it has not been reached. */
export const UNKNOWN_HEAD: Position = '9'.repeat(64);

const DEFAULT_IDENTITY_MS = 60_000;
const LONGEST_WAIT_MS = 2_000;
const CONCURRENCY = 8;

type Entry = { readonly key: string; readonly data: Uint8Array };
type Place = { readonly partition: string; readonly position: Position };

/** `<ARN>@<creation, milliseconds since 1970>`: another stream of the same name has another. */
export function streamIdentity(streamArn: string, created: number): string {
  return `${streamArn}@${created}`;
}

/** `null` for what is no identity of a stream. */
export function parseStreamIdentity(identity: string): { readonly streamArn: string; readonly created: number } | null {
  const at = identity.lastIndexOf('@');
  const created = Number(identity.slice(at + 1));
  return at <= 0 || !Number.isSafeInteger(created) ? null : { streamArn: identity.slice(0, at), created };
}

export class KinesisLog implements EventLog {
  readonly #options: KinesisLogOptions;
  readonly #reader: ShardReader;
  #identity: { readonly text: string; readonly at: number } | null = null;

  constructor(options: KinesisLogOptions) {
    this.#options = options;
    this.#reader = new ShardReader(options.client, options.streamArn);
  }

  async identity(): Promise<string> {
    const { client, streamArn, identityMs = DEFAULT_IDENTITY_MS } = this.#options;
    const now = performance.now();
    if (this.#identity !== null && now - this.#identity.at < identityMs) return this.#identity.text;
    const answer = await this.#asked('describe', () =>
      client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn })),
    );
    const created = answer.StreamDescriptionSummary?.StreamCreationTimestamp?.getTime();
    if (created === undefined) throw new Error(`kinesis ${streamArn}: answered without a time of creation`);
    const text = streamIdentity(streamArn, created);
    if (this.#identity !== null && this.#identity.text !== text) this.#reader.reset();
    this.#identity = { text, at: now };
    return text;
  }

  async partitions(): Promise<PartitionState[]> {
    const identity = await this.identity();
    const shards = await this.#shards();
    const states: PartitionState[] = [];
    let next = 0;
    const ask = async (): Promise<void> => {
      for (let at = next++; at < shards.length; at = next++)
        states[at] = await this.#state(identity, shards[at] as Shard);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, shards.length) }, ask));
    return states;
  }

  async read(
    partition: string,
    after: Position | null,
    limit: { readonly records: number; readonly bytes: number },
  ): Promise<ReadResult> {
    const { records } = await this.#reader.read(partition, after, limit.records);
    let bytes = 0;
    const end = records.findIndex(({ data }, i) => {
      bytes += data.byteLength;
      return i > 0 && bytes > limit.bytes;
    });
    // What retention took cannot be told: positions are not contiguous, and no answer says where the shard begins now.
    return { records: end < 0 ? records : records.slice(0, end), gap: null };
  }

  async append(records: readonly Entry[]): Promise<readonly Place[]> {
    const sizes = records.map(({ key, data }) => Buffer.byteLength(key) + data.byteLength);
    const tooLarge = sizes.findIndex((size) => size > PUT_LIMITS.recordBytes);
    if (tooLarge >= 0)
      throw new RangeError(
        `record ${tooLarge}: ${sizes[tooLarge]} bytes with its key; expected at most ${PUT_LIMITS.recordBytes}; send fewer events in one record`,
      );
    const places: Place[] = new Array<Place>(records.length);
    for (let from = 0; from < records.length; ) {
      let to = from;
      let bytes = 0;
      while (to < records.length && to - from < PUT_LIMITS.records && bytes + (sizes[to] ?? 0) <= PUT_LIMITS.bytes)
        bytes += sizes[to++] ?? 0;
      const indexes = Array.from({ length: to - from }, (_, i) => from + i);
      await this.#put(records, indexes, places);
      from = to;
    }
    return places;
  }

  /** Puts these records, those that were refused again, until all are there. */
  async #put(records: readonly Entry[], indexes: readonly number[], places: Place[]): Promise<void> {
    const { client, streamArn, attempts = 6 } = this.#options;
    let open = indexes;
    let refusal = '';
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (attempt > 1) await this.#wait(attempt);
      try {
        const answer = await client.send(
          new PutRecordsCommand({
            StreamARN: streamArn,
            Records: open.map((index) => {
              const { key, data } = records[index] as Entry;
              return { PartitionKey: key, Data: data };
            }),
          }),
        );
        const refused: number[] = [];
        for (const [i, { ShardId, SequenceNumber, ErrorCode }] of (answer.Records ?? []).entries()) {
          const index = open[i] as number;
          if (ErrorCode !== undefined || ShardId === undefined || SequenceNumber === undefined) {
            refused.push(index);
            refusal = ErrorCode ?? 'no sequence number';
          } else places[index] = { partition: ShardId, position: SequenceNumber };
        }
        if (refused.length === 0) return;
        open = refused;
      } catch (error) {
        const failure = portError(`kinesis append ${streamArn}`, error, 'grant kinesis:PutRecords');
        if (!(failure instanceof TransientError) || attempt === attempts) throw failure;
        refusal = failure.message;
      }
    }
    throw new TransientError(
      `kinesis append ${streamArn}: ${open.length} of ${indexes.length} records refused ${attempts} times: ${refusal}`,
    );
  }

  async #shards(): Promise<Shard[]> {
    const { client, streamArn } = this.#options;
    const shards: Shard[] = [];
    let token: string | undefined;
    do {
      const of = token === undefined ? { StreamARN: streamArn } : { NextToken: token };
      const page = await this.#asked('list shards', () => client.send(new ListShardsCommand(of)));
      shards.push(...(page.Shards ?? []));
      token = page.NextToken;
    } while (token !== undefined);
    return shards;
  }

  async #state(identity: string, shard: Shard): Promise<PartitionState> {
    const id = shard.ShardId ?? '';
    const { position, appendTime } = (await this.#options.profiled?.(identity, id)) ?? {
      position: null,
      appendTime: null,
    };
    const { records, isAtTip } = await this.#reader.read(id, position, 1);
    const [following] = records;
    const isBehind = following !== undefined || !isAtTip;
    return {
      id,
      parents: [shard.ParentShardId, shard.AdjacentParentShardId].filter((parent) => parent !== undefined),
      closed: shard.SequenceNumberRange?.EndingSequenceNumber !== undefined,
      first: isBehind ? (following?.position ?? position ?? '0') : position,
      head: isBehind ? UNKNOWN_HEAD : position,
      headAppendTime: following?.appendTime ?? appendTime,
    };
  }

  /** A call that changes nothing: repeated when throttled, since many functions ask at the same minute. */
  async #asked<T>(what: string, call: () => Promise<T>): Promise<T> {
    const { streamArn, attempts = 6 } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (sdkError(error).name === 'ResourceNotFoundException')
          throw new Error(`kinesis ${streamArn}: no such stream; deploy it, or correct MLMON_STREAM_ARN`, {
            cause: error,
          });
        const failure = portError(
          `kinesis ${what} ${streamArn}`,
          error,
          'grant kinesis:DescribeStreamSummary and ListShards',
        );
        if (!(failure instanceof TransientError) || attempt >= attempts) throw failure;
        await this.#wait(attempt + 1);
      }
    }
  }

  /** Full jitter: many clients that were refused together do not come back together. */
  #wait(attempt: number): Promise<void> {
    const longest = Math.min(LONGEST_WAIT_MS, (this.#options.firstWaitMs ?? 50) * 2 ** (attempt - 2));
    return new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  }
}
