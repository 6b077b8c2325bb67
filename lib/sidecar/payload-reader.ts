/**
 * From records of the spool to events of the collector: bodies of model servers become features and predictions by the monitors
 * (lib/pipeline/inference-payload.ts). Done when an event is sent and not when it comes, so that taking it costs next to nothing.
 */
import type { Baseline } from '../contracts/baseline.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { Ticket } from '../pipeline/collector.ts';
import { type PayloadRules, requestRows, responseRows } from '../pipeline/inference-payload.ts';
import { KServeReader, payloadRules, splitPayload } from '../pipeline/kserve.ts';
import type { Clock } from '../pipeline/ports.ts';
import { decompressed } from '../pipeline/request-body.ts';
import type { RefusedReason } from './ledger.ts';
import { decodeRecord, type ExchangeHead, type HalfHead, type SpoolRecord } from './spool-record.ts';

export interface WatchedModel {
  readonly monitor: Monitor;
  /** Types of features that the monitor does not declare. */
  readonly baseline: Baseline | null;
}

/** What a record is to the collector. */
export type Reading =
  /** A structured CloudEvent as it was posted. */
  | { readonly kind: 'cloud-event'; readonly text: string }
  /** Events of one type, each as JSON text. */
  | { readonly kind: 'events'; readonly type: 'inference' | 'request' | 'response'; readonly texts: readonly string[] }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly reason: RefusedReason; readonly detail: string };

export interface PayloadReaderOptions {
  readonly models: readonly WatchedModel[];
  readonly clock: Clock;
  /** Of what is proxied, where its path names no model. */
  readonly model: string | null;
  readonly version: string | null;
}

export class PayloadReader {
  readonly #options: PayloadReaderOptions;
  readonly #halves: KServeReader;
  readonly #rules = new Map<Monitor, PayloadRules>();
  /** What the reader of halves said of the one at hand. */
  #events: Record<string, unknown>[] = [];
  #refusal: { reason: RefusedReason; detail: string } | null = null;

  constructor(options: PayloadReaderOptions) {
    this.#options = options;
    const { models } = options;
    const found = (name: string): WatchedModel | null => models.find(({ monitor }) => monitor.model === name) ?? null;
    this.#halves = new KServeReader({
      clock: options.clock,
      registry: {
        models: () => models.map(({ monitor }) => monitor.model),
        monitorAt: (name) => found(name),
        shapeFor: (name) => {
          const model = found(name);
          return model === null ? null : { shape: model };
        },
      },
      collector: {
        take: (_ticket, event) => {
          this.#events.push(event as Record<string, unknown>);
        },
        refuse: (_ticket, reason, detail) => {
          this.#refusal = { reason: reason === 'unknown-model' ? 'unknown-model' : 'payload', detail };
        },
      },
    });
  }

  async read(bytes: Uint8Array): Promise<Reading> {
    const record = decodeRecord(bytes);
    if (record === null)
      return { kind: 'refused', reason: 'payload', detail: 'a record of the spool that this release cannot read' };
    if (record.kind === 'event') return { kind: 'cloud-event', text: textOf(record.first) };
    return record.kind === 'half' ? this.#half(record) : this.#exchange(record);
  }

  #half({ head, first, keep, time }: SpoolRecord): Reading {
    this.#events = [];
    this.#refusal = null;
    const headers = head as HalfHead;
    const ticket = new Ticket(null, 'kserve', () => undefined);
    this.#halves.take(ticket, timed(headers, time), first);
    if (this.#refusal !== null)
      return { kind: 'refused', ...(this.#refusal as { reason: RefusedReason; detail: string }) };
    if (this.#events.length === 0) return { kind: 'ignored' };
    const type = this.#events[0]!['type'] as 'inference' | 'request' | 'response';
    // Halves have no weight: whoever drops one drops the other (docs/decisions/0023).
    const texts = this.#events.map((event) =>
      JSON.stringify(type === 'inference' && keep < 1 ? { ...event, weight: weightOf(1, keep) } : event),
    );
    return { kind: 'events', type, texts };
  }

  async #exchange({ head, first, second, keep, time }: SpoolRecord): Promise<Reading> {
    const { id, path, latencyMs, requestEncoding, responseEncoding, requestJson, responseJson } = head as ExchangeHead;
    const model = this.#modelOf(path);
    if (model === null)
      return { kind: 'refused', reason: 'unknown-model', detail: `no monitor is of the model of ${path.slice(0, 80)}` };
    const { monitor } = model;
    const rules = this.#rulesOf(model);
    try {
      const request = await payload(first, requestEncoding, requestJson);
      const response = await payload(second, responseEncoding, responseJson);
      const asked = requestRows(request.json, request.binary, rules);
      const answered = responseRows(response.json, response.binary, rules);
      if (asked === null || answered === null || asked.length === 0) return { kind: 'ignored' };
      if (asked.length !== answered.length) throw new Error(`${answered.length} predictions for ${asked.length} rows`);
      const common = {
        type: 'inference',
        model: monitor.model,
        version: this.#options.version ?? monitor.kserve?.version ?? 'unversioned',
        time: new Date(time).toISOString(),
        latency_ms: Math.round(latencyMs * 1_000) / 1_000,
        ...(keep < 1 ? { weight: weightOf(1, keep) } : {}),
      };
      const texts = asked.map((features, i) =>
        JSON.stringify({ id: asked.length === 1 ? id : `${id}/${i}`, ...common, ...features, ...answered[i] }),
      );
      return { kind: 'events', type: 'inference', texts };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return { kind: 'refused', reason: 'payload', detail: `${monitor.model}: ${detail}` };
    }
  }

  /** V1 and V2 name the model in the path; otherwise it is the one that was said, or the only one. */
  #modelOf(path: string): WatchedModel | null {
    const { models, model } = this.#options;
    const name = /\/models\/([^/:]+)/.exec(path)?.[1];
    const named = models.find(({ monitor }) => monitor.kserve?.service === name || monitor.model === name);
    if (named !== undefined) return named;
    if (model !== null) return models.find(({ monitor }) => monitor.model === model) ?? null;
    return models.length === 1 ? models[0]! : null;
  }

  #rulesOf({ monitor, baseline }: WatchedModel): PayloadRules {
    let rules = this.#rules.get(monitor);
    if (rules === undefined) {
      rules = payloadRules(monitor, baseline);
      this.#rules.set(monitor, rules);
    }
    return rules;
  }
}

/** The weight of an event that was kept with a probability, on top of the one it came with. */
export function weightOf(weight: number, keep: number): number {
  return Math.min(EVENT_LIMITS.weight, weight / keep);
}

/** The time of an event is when it came, not when it is sent. */
function timed(headers: HalfHead, time: number): HalfHead {
  for (let i = 0; i < headers.length; i += 2) if (headers[i]!.toLowerCase() === 'ce-time') return headers;
  return [...headers, 'ce-time', new Date(time).toISOString()];
}

/** @throws Error saying why it cannot be read */
async function payload(
  body: Uint8Array,
  encoding: string | undefined,
  length: number | undefined,
): Promise<{ readonly json: unknown; readonly binary: Uint8Array }> {
  const plain = encoding === undefined ? body : await decompressed(bufferOf(body), encoding);
  const split = splitPayload(plain, length ?? null);
  if (split === null) throw new Error('the body is not readable as JSON');
  return split;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function textOf(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('utf8');
}
