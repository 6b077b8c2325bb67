/** Reading one shard after a position: iterators are remembered, answers without records are walked over, boundedly. */
import { type _Record, GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import type { LogRecord, Position } from '../../pipeline/ports.ts';
import { portError, sdkError } from '../aws-error.ts';

export interface ShardRead {
  readonly records: readonly LogRecord[];
  /** There is no record after the last one returned: the shard's tip, or the end of a closed one. */
  readonly isAtTip: boolean;
}

/** Most records of one GetRecords call. */
const MOST_RECORDS = 10_000;
/** An answer may be empty although records follow: each moves on by a stretch of the shard. */
const MOST_CALLS = 20;

export class ShardReader {
  readonly #client: Pick<KinesisClient, 'send'>;
  readonly #streamArn: string;
  /** By shard: where reading after this position goes on. */
  readonly #iterators = new Map<string, { readonly after: Position | null; readonly iterator: string }>();

  constructor(client: Pick<KinesisClient, 'send'>, streamArn: string) {
    this.#client = client;
    this.#streamArn = streamArn;
  }

  /** Forgets the iterators: they belong to a stream that is no more. */
  reset(): void {
    this.#iterators.clear();
  }

  /**
   * The first records after a position, at most `limit`; empty and not at the tip when none came within some calls.
   * @throws TransientError when throttled
   */
  async read(shard: string, after: Position | null, limit: number): Promise<ShardRead> {
    try {
      return await this.#walk(shard, after, limit);
    } catch (error) {
      this.#iterators.delete(shard);
      if (sdkError(error).name !== 'ExpiredIteratorException') throw this.#failed(shard, error);
    }
    try {
      return await this.#walk(shard, after, limit);
    } catch (error) {
      throw this.#failed(shard, error);
    }
  }

  async #walk(shard: string, after: Position | null, limit: number): Promise<ShardRead> {
    let iterator: string | undefined = await this.#iterator(shard, after);
    for (let call = 0; call < MOST_CALLS; call++) {
      const answer: { Records?: _Record[]; NextShardIterator?: string; MillisBehindLatest?: number } =
        await this.#client.send(
          new GetRecordsCommand({
            ShardIterator: iterator,
            StreamARN: this.#streamArn,
            Limit: Math.min(MOST_RECORDS, Math.max(1, limit)),
          }),
        );
      const records = (answer.Records ?? []).map(logRecord);
      iterator = answer.NextShardIterator;
      const isAtTip = iterator === undefined || answer.MillisBehindLatest === 0;
      if (records.length > 0 || isAtTip) {
        const reached = records.at(-1)?.position ?? after;
        if (iterator === undefined) this.#iterators.delete(shard);
        else this.#iterators.set(shard, { after: reached, iterator });
        return { records, isAtTip };
      }
    }
    if (iterator !== undefined) this.#iterators.set(shard, { after, iterator });
    return { records: [], isAtTip: false };
  }

  async #iterator(shard: string, after: Position | null): Promise<string> {
    const known = this.#iterators.get(shard);
    if (known !== undefined && known.after === after) return known.iterator;
    const { ShardIterator } = await this.#client.send(
      new GetShardIteratorCommand({
        StreamARN: this.#streamArn,
        ShardId: shard,
        ...(after === null
          ? { ShardIteratorType: 'TRIM_HORIZON' }
          : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: after }),
      }),
    );
    if (ShardIterator === undefined) throw new Error('answered without an iterator');
    return ShardIterator;
  }

  #failed(shard: string, error: unknown): Error {
    if (sdkError(error).name === 'ResourceNotFoundException')
      return new RangeError(`partition ${shard}: unknown in ${this.#streamArn}; list them with partitions()`);
    return portError(
      `kinesis read ${this.#streamArn} ${shard}`,
      error,
      'grant kinesis:GetShardIterator and GetRecords',
    );
  }
}

function logRecord({ SequenceNumber = '', ApproximateArrivalTimestamp, Data }: _Record): LogRecord {
  return {
    position: SequenceNumber,
    appendTime: ApproximateArrivalTimestamp?.getTime() ?? 0,
    data: Data ?? new Uint8Array(),
  };
}
