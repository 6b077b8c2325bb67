/**
 * A stream with the bundled profiler and redrive behind it, in processes of their own: records with their times of append go in, what a
 * deployment would keep of them lies in the bucket. The event source is simulated, with any faults; the store is a server of the S3
 * protocol, an emulator's or the small one of the tests.
 */
import { S3Client } from '@aws-sdk/client-s3';
import { S3Store } from '../../lib/adapters/s3/s3-store.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { SimulatedStream } from '../adapters/kinesis/simulated-stream.ts';
import { type StreamServer, startStreamServer } from '../adapters/kinesis/stream-server.ts';
import { type S3Server, startS3Server } from '../adapters/s3/s3-server.ts';
import { seeded } from '../pipeline/simulation.ts';
import { type BundleOptions, BundleProcess } from './bundle-process.ts';
import { EventSource, type EventSourceOptions } from './event-source.ts';

export interface TimedRecord {
  /** When the stream took it, milliseconds since 1970; ascending. */
  readonly appendTime: number;
  /** NDJSON. */
  readonly data: string | Uint8Array;
  /** Chooses the shard. @default by turns */
  readonly key?: string;
}

export interface StreamDriverOptions extends Pick<BundleOptions, 'node' | 'folder'> {
  /** Time of the first record, or before it: the stream is made then. */
  readonly from: number;
  readonly shards?: number;
  readonly seed?: number;
  /** @default a server of its own, empty */
  readonly s3?: { readonly endpoint: string; readonly bucket: string };
  readonly source?: Partial<Pick<EventSourceOptions, 'batchSize' | 'retries' | 'bisect' | 'faults' | 'recordAgeMs'>>;
  /** How long the stream keeps records, milliseconds. @default seven days */
  readonly retentionMs?: number;
  /** The event source works when so much time has passed, milliseconds. @default one minute */
  readonly windowMs?: number;
}

export class StreamDriver {
  readonly stream: SimulatedStream;
  readonly source: EventSource;
  /** The bucket, as any part of the platform sees it. */
  readonly store: ObjectStore;
  /** Of any function on this stream and this bucket. */
  readonly env: Readonly<Record<string, string>>;
  readonly random: () => number;
  #now: number;
  #worked: number;
  #redriven = 0;
  #fed = 0;
  readonly #windowMs: number;
  readonly #retentionMs: number;
  readonly #closing: (() => Promise<void>)[] = [];
  #profiler: BundleProcess | null = null;
  #redrive: BundleProcess | null = null;
  readonly #bundles: Pick<BundleOptions, 'node' | 'folder'>;

  private constructor(
    options: StreamDriverOptions,
    stream: SimulatedStream,
    servers: { readonly streamUrl: string; readonly endpoint: string; readonly bucket: string },
  ) {
    this.stream = stream;
    this.#now = options.from;
    this.#worked = options.from;
    this.#windowMs = options.windowMs ?? 60_000;
    this.#retentionMs = options.retentionMs ?? 7 * 86_400_000;
    this.#bundles = { node: options.node, folder: options.folder };
    this.random = seeded(options.seed ?? 1);
    const client = new S3Client({
      endpoint: servers.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    this.#closing.push(async () => client.destroy());
    this.store = new S3Store({ client, bucket: servers.bucket });
    this.env = {
      AWS_ENDPOINT_URL_S3: servers.endpoint,
      AWS_ENDPOINT_URL_KINESIS: servers.streamUrl,
      MLMON_BUCKET: servers.bucket,
      MLMON_STREAM_ARN: stream.arn,
      MLMON_ENVIRONMENT: 'test',
    };
    this.source = new EventSource({
      stream,
      now: () => this.#now,
      random: this.random,
      invoke: async (event) => {
        this.#profiler ??= await this.start('profiler');
        return (await this.#profiler.invoke(event, this.#now)).value;
      },
      giveUp: async (key, body) => void (await this.store.putIfAbsent(key, body)),
      ...options.source,
    });
  }

  static async start(options: StreamDriverOptions): Promise<StreamDriver> {
    let driver: StreamDriver | null = null;
    const now = (): number => driver?.now ?? options.from;
    const stream = new SimulatedStream({ now, shards: options.shards ?? 1 });
    const streamServer: StreamServer = await startStreamServer(stream);
    const own: S3Server | null = options.s3 === undefined ? await startS3Server() : null;
    const s3 = options.s3 ?? { endpoint: own?.url ?? '', bucket: 'bucket' };
    driver = new StreamDriver(options, stream, { streamUrl: streamServer.url, ...s3 });
    driver.#closing.push(() => streamServer.close());
    if (own !== null) driver.#closing.push(() => own.close());
    return driver;
  }

  /** What the functions take for the time, milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Another function on the same stream and bucket; it ends with this. */
  async start(name: Parameters<typeof BundleProcess.start>[0], env: Readonly<Record<string, string>> = {}) {
    const started = await BundleProcess.start(name, { ...this.#bundles, env: { ...this.env, ...env } });
    this.#closing.unshift(() => started.close());
    return started;
  }

  /** Lets the time come to a moment, with what the event source does until then. */
  async advance(to: number): Promise<void> {
    this.#now = Math.max(this.#now, to);
    if (this.#now < this.#worked + this.#windowMs) return;
    this.#worked = this.#now;
    await this.source.drain();
    await this.#redriveNew();
    for (const shard of this.stream.shards) {
      const old = shard.records.findLast(({ at }) => at < this.#now - this.#retentionMs);
      if (old !== undefined) this.stream.trim(shard.id, old.sequence);
    }
  }

  /** Appends records in the order of their times. */
  async feed(records: Iterable<TimedRecord> | AsyncIterable<TimedRecord>): Promise<void> {
    for await (const { appendTime, data, key = String(this.#fed) } of records) {
      await this.advance(appendTime);
      const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
      this.stream.put(key, bytes, { at: appendTime });
      this.#fed++;
    }
  }

  /** Until everything appended is profiled, given up and redriven included. */
  async drain(): Promise<void> {
    await this.source.drain();
    await this.#redriveNew();
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close();
  }

  async #redriveNew(): Promise<void> {
    const { givenUp } = this.source;
    for (; this.#redriven < givenUp.length; this.#redriven++) {
      this.#redrive ??= await this.start('redrive');
      await this.#redrive.invoke({ Records: [{ s3: { object: { key: givenUp[this.#redriven] } } }] }, this.#now);
    }
  }
}
