/**
 * A Kinesis data stream for tests, without a network: shards with hash ranges, splits and merges, retention, sequence numbers of 56
 * digits with gaps, iterators, answers without records, throttling. `client` answers the commands of the SDK, `call` the JSON protocol.
 */
import { createHash } from 'node:crypto';
import type { KinesisClient } from '@aws-sdk/client-kinesis';

export interface SimulatedRecord {
  readonly sequence: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly key: string;
  readonly data: Uint8Array;
}

export interface SimulatedShard {
  readonly id: string;
  readonly parents: readonly string[];
  /** Hash keys [from, to]. */
  readonly from: bigint;
  readonly to: bigint;
  readonly start: string;
  end: string | null;
  /** Those that retention kept. */
  records: SimulatedRecord[];
}

export interface SimulatedStreamOptions {
  readonly arn?: string;
  readonly shards?: number;
  readonly now: () => number;
  /** Asked at every call; an error is thrown instead of the answer. */
  readonly fault?: (action: string) => Error | null;
  /** Asked at every GetRecords: true for an answer without records, although there may be some. */
  readonly empty?: () => boolean;
  /** Asked for every record of a PutRecords: true to refuse it. */
  readonly refuse?: () => boolean;
}

type Json = Record<string, unknown>;

const HASHES = 1n << 128n;
const FIRST = 49590338271490256608559692538361571095921575989136588898n;

/** As the SDK throws it. */
export function serviceError(name: string, status: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status, attempts: 1 } });
}

export class SimulatedStream {
  readonly arn: string;
  shards: SimulatedShard[] = [];
  createdAt = 0;
  readonly calls: string[] = [];
  readonly #options: SimulatedStreamOptions;
  #sequence = FIRST;
  #names = 0;

  constructor(options: SimulatedStreamOptions) {
    this.#options = options;
    this.arn = options.arn ?? 'arn:aws:kinesis:us-east-1:000000000000:stream/events';
    this.recreate();
  }

  /** Deletes the stream and makes it again: shard names begin anew, sequence numbers go on. */
  recreate(): void {
    this.createdAt = Math.max(this.#options.now(), this.createdAt + 1);
    this.#names = 0;
    const count = BigInt(this.#options.shards ?? 1);
    this.shards = [];
    for (let i = 0n; i < count; i++) this.#open([], (HASHES * i) / count, (HASHES * (i + 1n)) / count - 1n);
  }

  shard(id: string): SimulatedShard {
    const found = this.shards.find((one) => one.id === id);
    if (found === undefined) throw serviceError('ResourceNotFoundException', 400);
    return found;
  }

  get open(): readonly SimulatedShard[] {
    return this.shards.filter(({ end }) => end === null);
  }

  /** Into the shard of its key, or into a chosen open one. */
  put(
    key: string,
    data: Uint8Array,
    { shard, at }: { shard?: string; at?: number } = {},
  ): SimulatedRecord & { shard: string } {
    const hash = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
    const into = this.open.find((one) => (shard === undefined ? hash >= one.from && hash <= one.to : one.id === shard));
    if (into === undefined) throw new Error(`${shard}: no open shard`);
    const time = Math.max(at ?? this.#options.now(), into.records.at(-1)?.at ?? 0);
    const record = { sequence: this.#next(), at: time, key, data: Uint8Array.from(data) };
    into.records.push(record);
    return { ...record, shard: into.id };
  }

  split(id: string): void {
    const parent = this.#close(id);
    const middle = (parent.from + parent.to) / 2n;
    this.#open([id], parent.from, middle);
    this.#open([id], middle + 1n, parent.to);
  }

  merge(left: string, right: string): void {
    const [a, b] = [this.shard(left), this.shard(right)];
    if (a.to + 1n !== b.from) throw new Error(`${left} and ${right} are no neighbours`);
    this.#close(left);
    this.#close(right);
    this.#open([left, right], a.from, b.to);
  }

  /** Retention: loses the records up to and including this one. */
  trim(id: string, through: string): void {
    const shard = this.shard(id);
    shard.records = shard.records.filter(({ sequence }) => BigInt(sequence) > BigInt(through));
  }

  /** For adapters: answers SDK commands. */
  client(): Pick<KinesisClient, 'send'> {
    const send = async (command: { readonly constructor: { readonly name: string }; readonly input: Json }) => {
      await Promise.resolve();
      return this.call(command.constructor.name.replace(/Command$/, ''), command.input);
    };
    return { send } as unknown as Pick<KinesisClient, 'send'>;
  }

  /** One action of the API, with the input and the answer of the SDK (dates and bytes as such). */
  call(action: string, input: Json): Json {
    this.calls.push(action);
    const fault = this.#options.fault?.(action) ?? null;
    if (fault !== null) throw fault;
    if (input['StreamARN'] !== undefined && input['StreamARN'] !== this.arn)
      throw serviceError('ResourceNotFoundException', 400);
    switch (action) {
      case 'DescribeStreamSummary':
        return { StreamDescriptionSummary: { StreamARN: this.arn, StreamCreationTimestamp: new Date(this.createdAt) } };
      case 'ListShards':
        return this.#listShards(input);
      case 'GetShardIterator':
        return this.#iterator(input);
      case 'GetRecords':
        return this.#getRecords(input);
      case 'PutRecords':
        return this.#putRecords(input);
      default:
        throw serviceError('UnknownOperationException', 400);
    }
  }

  #listShards({ NextToken }: Json): Json {
    const from = Number(NextToken ?? 0);
    const page = this.shards.slice(from, from + 3);
    return {
      Shards: page.map(({ id, parents, start, end }) => ({
        ShardId: id,
        ParentShardId: parents[0],
        AdjacentParentShardId: parents[1],
        SequenceNumberRange: { StartingSequenceNumber: start, EndingSequenceNumber: end ?? undefined },
      })),
      NextToken: from + page.length < this.shards.length ? String(from + page.length) : undefined,
    };
  }

  #iterator({ ShardId, ShardIteratorType, StartingSequenceNumber }: Json): Json {
    const shard = this.shard(String(ShardId));
    const after = ShardIteratorType === 'AFTER_SEQUENCE_NUMBER' ? String(StartingSequenceNumber) : '0';
    if (after !== '0' && BigInt(after) < BigInt(shard.start)) throw serviceError('InvalidArgumentException', 400);
    return { ShardIterator: `${this.createdAt}/${shard.id}/${after}` };
  }

  #getRecords({ ShardIterator, Limit }: Json): Json {
    const [created, id = '', after = '0'] = String(ShardIterator).split('/');
    if (Number(created) !== this.createdAt) throw serviceError('ExpiredIteratorException', 400);
    const shard = this.shard(id);
    const following = shard.records.filter(({ sequence }) => BigInt(sequence) > BigInt(after));
    const isEmpty = this.#options.empty?.() ?? false;
    const page = isEmpty ? [] : following.slice(0, Number(Limit ?? 10_000));
    const reached = page.at(-1)?.sequence ?? after;
    const isDone = page.length === following.length;
    return {
      Records: page.map(({ sequence, at, key, data }) => ({
        SequenceNumber: sequence,
        ApproximateArrivalTimestamp: new Date(at),
        PartitionKey: key,
        Data: data,
      })),
      NextShardIterator: isDone && shard.end !== null ? undefined : `${created}/${id}/${reached}`,
      MillisBehindLatest: isDone ? 0 : 1 + this.#options.now() - (following[page.length]?.at ?? 0),
    };
  }

  #putRecords({ Records }: Json): Json {
    const records = (Records as { PartitionKey: string; Data: Uint8Array }[]).map(({ PartitionKey, Data }) => {
      if (this.#options.refuse?.() ?? false)
        return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' };
      const { shard, sequence } = this.put(PartitionKey, Data);
      return { ShardId: shard, SequenceNumber: sequence };
    });
    return { FailedRecordCount: records.filter((one) => 'ErrorCode' in one).length, Records: records };
  }

  #open(parents: readonly string[], from: bigint, to: bigint): void {
    const id = `shardId-${String(this.#names++).padStart(12, '0')}`;
    this.shards.push({ id, parents, from, to, start: this.#next(), end: null, records: [] });
  }

  #close(id: string): SimulatedShard {
    const shard = this.shard(id);
    if (shard.end !== null) throw new Error(`${id}: closed already`);
    shard.end = this.#next();
    return shard;
  }

  /** Strides differ, as they do. */
  #next(): string {
    this.#sequence += 1n + ((this.#sequence * 31n) % 9_973n) * 10n ** 8n;
    return this.#sequence.toString();
  }
}
