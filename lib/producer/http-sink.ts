/** Batches to a collector over HTTP, which applies the field policy. For few events: above some fifty a second Kinesis costs less. */
import { randomUUID } from 'node:crypto';
import type { FailedRecord, OutgoingRecord, ProducerSink } from './sink.ts';

export interface HttpSinkOptions {
  /** Of the collector, without path: `https://….execute-api.eu-west-1.amazonaws.com/`. */
  readonly url: string;
  /** Who sends, a URI reference. @default /ml-monitoring-constructs/producer */
  readonly source?: string;
  /** Headers that prove who sends: a key or token, or a signature of the request. Asked for each request. */
  readonly authorize?: (request: {
    readonly method: 'POST';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /** @default the global fetch */
  readonly fetch?: typeof fetch;
  /** Of one request. @default 10000 */
  readonly timeoutMs?: number;
}

/** A function on AWS takes 6 MB, less where the body is encoded. */
const LIMITS = { records: 100, bytes: 3_000_000 } as const;
/** Characters of an answer. */
const REASON = 300;
const TYPES = { inference: 'ml.inference.v1', label: 'ml.label.v1' } as const;

export class HttpSink implements ProducerSink {
  readonly appliesPolicy = true;
  readonly limits = LIMITS;
  readonly #options: HttpSinkOptions;
  readonly #url: string;

  constructor(options: HttpSinkOptions) {
    this.#options = options;
    this.#url = new URL('v1/events', options.url.endsWith('/') ? options.url : `${options.url}/`).href;
  }

  async send(records: readonly OutgoingRecord[]): Promise<readonly FailedRecord[]> {
    const { source = '/ml-monitoring-constructs/producer', authorize, timeoutMs = 10_000 } = this.#options;
    const body = `[${records
      .map(({ data, kind }) => {
        const head = {
          specversion: '1.0',
          id: randomUUID(),
          source,
          type: TYPES[kind],
          datacontenttype: 'application/json',
        };
        return `${JSON.stringify(head).slice(0, -1)},"data":[${data.replaceAll('\n', ',')}]}`;
      })
      .join(',')}]`;
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const added = (await authorize?.({ method: 'POST', url: this.#url, headers, body })) ?? {};
    const response = await (this.#options.fetch ?? fetch)(this.#url, {
      method: 'POST',
      headers: { ...headers, ...added },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    // Read to its end, so that the connection can be used again.
    const answer = await response.text();
    const { status } = response;
    if (status === 202) return [];
    const retry = status === 408 || status === 429 || status >= 500;
    // Who may not send is told why by whoever refuses, AWS or the collector; other answers could hold values of events.
    const why = status === 401 || status === 403 ? `: ${answer.slice(0, REASON)}` : '';
    return records.map((record) => ({ record, retry, reason: `HTTP ${status}${why}` }));
  }
}
