/**
 * What comes in, on its way to the spool: counted, kept or shed. Nothing here waits, and nothing of it can fail for whoever hands an event over.
 */
import { randomUUID } from 'node:crypto';
import { eachElement, envelopeSpan } from '../pipeline/json-spans.ts';
import type { Clock } from '../pipeline/ports.ts';
import type { Exchange, Outcome, WatchSink } from './exchange-watch.ts';
import type { Ledger } from './ledger.ts';
import { weightOf } from './payload-reader.ts';
import { isKept, keepProbability } from './sampling.ts';
import type { Spool } from './spool.ts';
import { type ExchangeHead, encodeRecord, type HalfHead } from './spool-record.ts';

export interface Taken {
  readonly accepted: number;
  readonly shed: number;
}

const COUNTED = { accepted: 1, shed: 0 } as const;

export class Intake implements WatchSink {
  readonly #spool: Spool;
  readonly #ledger: Ledger;
  readonly #clock: Clock;

  constructor(spool: Spool, ledger: Ledger, clock: Clock) {
    this.#spool = spool;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** Probability with which the next event is kept. */
  get keep(): number {
    return keepProbability(this.#spool.fill);
  }

  /** An inference that was proxied. */
  inference(exchange: Exchange): void {
    const { id, path, time, latencyMs, request, response, reserved } = exchange;
    this.#ledger.received.proxy++;
    const { keep } = this;
    this.#spool.memory.release(reserved);
    if (!this.#isKept(id, keep)) return;
    const head: ExchangeHead = {
      id,
      path,
      latencyMs,
      ...(request.encoding === undefined ? {} : { requestEncoding: request.encoding }),
      ...(response.encoding === undefined ? {} : { responseEncoding: response.encoding }),
      ...(request.jsonLength === undefined ? {} : { requestJson: request.jsonLength }),
      ...(response.jsonLength === undefined ? {} : { responseJson: response.jsonLength }),
    };
    this.#take(encodeRecord({ kind: 'exchange', keep, time, head, first: request.pieces, second: response.pieces }));
  }

  lost(outcome: Outcome): void {
    this.#ledger.received.proxy++;
    if (outcome === 'cut') this.#ledger.cut++;
    else if (outcome === 'full') this.#ledger.shed.full++;
    else this.#ledger.ignored[outcome]++;
  }

  /** One post of KServe's logger; `headers`: those of the CloudEvent alone. An empty body is a call that infers nothing. */
  half(id: string, headers: HalfHead, body: Uint8Array): Taken {
    this.#ledger.received.kserve++;
    if (body.length === 0) {
      this.#ledger.ignored['no-inference']++;
      return COUNTED;
    }
    const { keep } = this;
    if (!this.#isKept(id, keep)) return { accepted: 0, shed: 1 };
    return this.#take(encodeRecord({ kind: 'half', keep, time: this.#clock.now(), head: headers, first: [body] }));
  }

  /** A post of the logger whose body could not be kept while it came. */
  lostHalf(): Taken {
    this.#ledger.received.kserve++;
    this.#ledger.shed.full++;
    return { accepted: 0, shed: 1 };
  }

  /** Structured CloudEvents of a sender that does not wait. */
  events(texts: readonly string[]): Taken {
    let accepted = 0;
    for (const text of texts) {
      this.#ledger.received.events++;
      const { keep } = this;
      const kept = keep === 1 ? text : this.#sampled(text, keep);
      if (kept !== null) accepted += this.#take(this.#recordOf(kept)).accepted;
    }
    return { accepted, shed: texts.length - accepted };
  }

  /** The same of a sender that waits until they are durable. `null`: there is no room, and nothing was taken. @throws NotDurableError */
  async store(texts: readonly string[]): Promise<Taken | null> {
    if (this.#spool.fill >= 1) return null;
    const records = texts.map((text) => this.#recordOf(text));
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    if (!this.#spool.memory.reserve(bytes)) return null;
    this.#ledger.received.events += texts.length;
    try {
      await this.#spool.store(records);
    } catch (error) {
      // The sender keeps them: they were never taken.
      this.#ledger.received.events -= texts.length;
      throw error;
    }
    return { accepted: texts.length, shed: 0 };
  }

  #recordOf(text: string): Buffer {
    return encodeRecord({ kind: 'event', keep: 1, time: this.#clock.now(), first: [Buffer.from(text, 'utf8')] });
  }

  #isKept(id: string, keep: number): boolean {
    if (isKept(id, keep)) return true;
    this.#ledger.shed[keep === 0 ? 'full' : 'sampled']++;
    return false;
  }

  #take(record: Buffer): Taken {
    if (!this.#spool.memory.reserve(record.length)) {
      this.#ledger.shed.full++;
      return { accepted: 0, shed: 1 };
    }
    this.#spool.take(record);
    return COUNTED;
  }

  /**
   * The event with its weight, or `null` when it is shed. Labels, which have none, are kept while there is room: they are few, and
   * belong to inferences whose own weight tells what they stand for.
   */
  #sampled(text: string, keep: number): string | null {
    if (keep === 0) {
      this.#ledger.shed.full++;
      return null;
    }
    let envelope: Record<string, unknown>;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null) return text;
      envelope = value as Record<string, unknown>;
    } catch {
      // The collector will say what is wrong with it.
      return text;
    }
    const list = Array.isArray(envelope['data']) ? (envelope['data'] as unknown[]) : null;
    const data = list === null ? envelope['data'] : list[0];
    if (typeof data !== 'object' || data === null || (list !== null && list.length !== 1)) return text;
    const event = data as Record<string, unknown>;
    const type = event['type'] ?? KIND[String(envelope['type'])];
    if (type === 'label') return text;
    const id = event['id'] ?? envelope['id'];
    if (!this.#isKept(String(id), keep)) return null;
    if (type !== 'inference') return text;
    const given = event['weight'];
    const weighed = { ...event, weight: weightOf(typeof given === 'number' ? given : 1, keep) };
    return JSON.stringify({ ...envelope, data: list === null ? weighed : [weighed] });
  }
}

const KIND: Readonly<Record<string, string>> = {
  'ml.inference.v1': 'inference',
  'ml.request.v1': 'request',
  'ml.response.v1': 'response',
  'ml.label.v1': 'label',
};

/** One structured CloudEvent as one for each of its events; what cannot be read goes on as it is, and the collector says so. */
export function singleEvents(text: string): string[] {
  const span = envelopeSpan(text);
  if (span === null || span.data.charCodeAt(0) !== 91) return [text];
  const singles: string[] = [];
  const { specversion, type, source, time, contentType } = span;
  const head = JSON.stringify({
    specversion,
    id: randomUUID(),
    type,
    source,
    ...(time === null ? {} : { time }),
    ...(contentType === null ? {} : { datacontenttype: contentType }),
  }).slice(0, -1);
  const isArray = eachElement(span.data, (element, tentative) => {
    if (tentative && !isJson(element)) return false;
    // In an array, so that an event without an id does not get that of the envelope.
    singles.push(`${head},"data":[${element}]}`);
    return true;
  });
  return isArray && singles.length > 0 ? singles : [text];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
