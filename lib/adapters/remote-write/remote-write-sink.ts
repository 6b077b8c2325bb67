/**
 * Metrics to any receiver of Prometheus remote write 1.0: Prometheus itself, Managed Prometheus, and what speaks like them.
 *
 * Requests are bounded and go out one after another, so the samples of a series arrive in the order of time. A receiver that is away or
 * overloaded is asked again, boundedly; what it refuses is dropped and counted, since it would refuse it again.
 */
import type { Clock, MetricSink, Sample } from '../../pipeline/ports.ts';
import { TransientError } from '../../pipeline/ports.ts';
import type { RequestSigner } from './sigv4.ts';
import { snappyBlock } from './snappy.ts';
import { encodeSeries, encodeWriteRequest, labelPairs, type SeriesSamples } from './write-request.ts';

export interface RemoteWriteOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Signs every attempt; without it requests go out plain. */
  readonly signer?: RequestSigner;
  /** Labels of every series, as a scrape would add them: `job` and `instance`. Labels of a sample win. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Headers of every request, for a receiver behind a token or a tenant. */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default 2,000 */
  readonly samplesPerRequest?: number;
  /** Of a body before it is compressed. @default 900,000: Managed Prometheus takes a megabyte */
  readonly bytesPerRequest?: number;
  /** In all, for one request. @default 4 */
  readonly attempts?: number;
  /** Upper bound of the first wait, milliseconds; doubles each time. @default 250 */
  readonly firstWaitMs?: number;
  /** Of one attempt, milliseconds. @default 10,000 */
  readonly timeoutMs?: number;
  /** Series that this process remembers, so that it can end them; more are not ended by `forget` and `retain`. @default 100,000 */
  readonly remembered?: number;
  readonly fetch?: typeof fetch;
}

export interface RemoteWriteCounts {
  /** Samples that were taken. */
  sent: number;
  /** Samples of requests that were refused for good. */
  dropped: number;
  /** Requests that were given up after their last attempt. */
  failed: number;
  requests: number;
}

interface Known {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last sample, milliseconds. */
  time: number;
  /** What `add` counts up. */
  total: number;
}

const LONGEST_WAIT_MS = 5_000;

export class RemoteWriteSink implements MetricSink {
  readonly counts: RemoteWriteCounts = { sent: 0, dropped: 0, failed: 0, requests: 0 };
  /** Why the last request was refused or given up. */
  lastFailure: string | null = null;
  readonly #options: RemoteWriteOptions;
  readonly #known = new Map<string, Known>();
  /** Requests of one sink go out one after another. */
  #sending: Promise<void> = Promise.resolve();

  constructor(options: RemoteWriteOptions) {
    this.#options = options;
  }

  /** @throws TransientError when the receiver could not be reached; what came before is there */
  async set(samples: readonly Sample[]): Promise<void> {
    await this.#write(samples, (_known, { value }) => value);
  }

  /** Counters count from when this process began: readers of counters know that they begin anew. */
  async add(samples: readonly Sample[]): Promise<void> {
    await this.#write(samples, (known, { value }) => known.total + value);
  }

  async forget(model: string): Promise<void> {
    await this.#end([...this.#known].filter(([, { labels }]) => labels['model'] === model));
  }

  /** Ends the series of a model in these families that are not among `kept`. */
  async retain(model: string, names: readonly string[], kept: readonly Sample[]): Promise<void> {
    const keep = new Set(kept.map(({ name, labels }) => seriesKey(name, labels)));
    const isGone = ([key, { name, labels }]: [string, Known]): boolean =>
      labels['model'] === model && names.includes(name) && !keep.has(key);
    await this.#end([...this.#known].filter(isGone));
  }

  /** Ends these series, known to this process or not; their values do not matter. */
  async end(samples: readonly Sample[]): Promise<void> {
    const time = this.#options.clock.now();
    await this.#end(
      samples.map(({ name, labels }) => {
        const key = seriesKey(name, labels);
        return [key, this.#known.get(key) ?? { name, labels, time: time - 1, total: 0 }] as const;
      }),
    );
  }

  async #write(samples: readonly Sample[], next: (known: Known, sample: Sample) => number): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    const series = new Map<string, { labels: SeriesSamples['labels']; samples: { value: number; time: number }[] }>();
    for (const sample of samples) {
      const { name, labels, time = now } = sample;
      const key = seriesKey(name, labels);
      const known = this.#remember(key, sample, time);
      const value = next(known, sample);
      known.time = Math.max(known.time, time);
      known.total = value;
      let of = series.get(key);
      if (of === undefined) {
        of = { labels: this.#labelPairs(name, labels), samples: [] };
        series.set(key, of);
      }
      of.samples.push({ value, time });
    }
    await this.#send([...series.values()].map((one) => ({ labels: one.labels, samples: inOrder(one.samples) })));
  }

  async #end(series: readonly (readonly [string, Known])[]): Promise<void> {
    if (series.length === 0) return;
    const now = this.#options.clock.now();
    for (const [key] of series) this.#known.delete(key);
    await this.#send(
      series.map(([, { name, labels, time }]) => ({
        labels: this.#labelPairs(name, labels),
        samples: [{ value: null, time: Math.max(now, time + 1) }],
      })),
    );
  }

  #labelPairs(name: string, labels: Sample['labels']): SeriesSamples['labels'] {
    return labelPairs(name, { ...this.#options.labels, ...labels });
  }

  #remember(key: string, { name, labels }: Sample, time: number): Known {
    const { remembered = 100_000 } = this.#options;
    const known = this.#known.get(key) ?? { name, labels, time, total: 0 };
    if (this.#known.size < remembered) this.#known.set(key, known);
    return known;
  }

  async #send(series: readonly SeriesSamples[]): Promise<void> {
    const before = this.#sending;
    const sending = (async () => {
      await before.catch(() => undefined);
      for (const part of this.#parts(series)) await this.#post(part);
    })();
    this.#sending = sending;
    await sending;
  }

  /** Requests of bounded size; samples of one series stay in order, in one request after another where they do not fit. */
  *#parts(series: readonly SeriesSamples[]): Generator<SeriesSamples[]> {
    const { samplesPerRequest = 2_000, bytesPerRequest = 900_000 } = this.#options;
    let part: SeriesSamples[] = [];
    let samples = 0;
    let bytes = 0;
    for (const one of series)
      for (let from = 0; from < one.samples.length; from += samplesPerRequest) {
        const piece = { ...one, samples: one.samples.slice(from, from + samplesPerRequest) };
        const size = encodeSeries(piece).length + 8;
        if (part.length > 0 && (samples + piece.samples.length > samplesPerRequest || bytes + size > bytesPerRequest)) {
          yield part;
          part = [];
          samples = 0;
          bytes = 0;
        }
        part.push(piece);
        samples += piece.samples.length;
        bytes += size;
      }
    if (part.length > 0) yield part;
  }

  async #post(series: readonly SeriesSamples[]): Promise<void> {
    const { attempts = 4, firstWaitMs = 250 } = this.#options;
    const count = series.reduce((sum, { samples }) => sum + samples.length, 0);
    const body = snappyBlock(encodeWriteRequest(series));
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#attempt(body);
      if (answer.ok) {
        this.counts.sent += count;
        return;
      }
      this.lastFailure = answer.reason;
      if (!answer.passing) {
        this.counts.dropped += count;
        return;
      }
      if (attempt >= attempts) {
        this.counts.failed++;
        throw new TransientError(`${new URL(this.#options.url).host}: ${answer.reason}; ${attempts} attempts`);
      }
      const wait = Math.min(LONGEST_WAIT_MS, answer.retryAfterMs ?? Math.random() * firstWaitMs * 2 ** (attempt - 1));
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #attempt(
    body: Uint8Array,
  ): Promise<{ ok: true } | { ok: false; passing: boolean; reason: string; retryAfterMs?: number }> {
    const { url, signer, headers, timeoutMs = 10_000, fetch: send = fetch } = this.#options;
    const all = {
      ...headers,
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'user-agent': 'ml-monitoring-constructs',
      'x-prometheus-remote-write-version': '0.1.0',
    };
    this.counts.requests++;
    try {
      const signed =
        signer === undefined ? all : await signer({ method: 'POST', url: new URL(url), headers: all, body });
      const response = await send(url, {
        method: 'POST',
        headers: signed,
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (response.ok) return { ok: true };
      const passing = response.status >= 500 || response.status === 429;
      const after = Number(response.headers.get('retry-after') ?? Number.NaN);
      return {
        ok: false,
        passing,
        reason: `answered ${response.status}: ${text.slice(0, 200).trim()}`,
        ...(Number.isFinite(after) && after >= 0 ? { retryAfterMs: after * 1_000 } : {}),
      };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
      return { ok: false, passing: true, reason: `${error instanceof Error ? error.message : String(error)}${cause}` };
    }
  }
}

/** Ascending by time; of several at one moment the last given. */
function inOrder(samples: readonly { value: number; time: number }[]): { value: number; time: number }[] {
  return [...new Map(samples.map((sample) => [sample.time, sample])).values()].sort((a, b) => a.time - b.time);
}

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  return labelPairs(name, labels)
    .map(([label, value]) => `${label}=${value}`)
    .join('\n');
}
