/**
 * The collector: takes events, checks them against their monitor, applies the field policy and appends them to the log.
 * What cannot be read goes to quarantine with its reason; the rest of its batch goes on. Nothing is acknowledged before it is durable.
 * Events of all requests of one turn of the event loop share an append (group write); while one is under way the next collects.
 */
import type { Baseline } from '../contracts/baseline.ts';
import { EVENT_LIMITS, type QuarantineReason } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { CollectorCounters, type EventFormat } from './collector-counters.ts';
import { type Arrival, type Envelope, eventLine, NO_ENVELOPE, withoutValue } from './event-line.ts';
import { compilePlan, type FieldPlan, keyMark, type PolicyKey } from './field-policy.ts';
import { tooDeep } from './json-spans.ts';
import type { Clock, EventLog } from './ports.ts';
import type { SendingRights } from './sender-rights.ts';

/** What the collector asks of the registry: a shape is a compiled (monitor, baseline), the same object while it applies. */
export interface CollectorRegistry {
  /** `version` is empty for a label that names none. `null`: no monitor declares the model at that time. */
  shapeFor(
    model: string,
    version: string,
    eventMs: number,
  ): { readonly shape: { readonly monitor: Monitor; readonly baseline: Baseline | null } } | null;
  /**
   * Some monitor that was ever published does not keep every field: of an event that cannot be told to be of another
   * model nothing may be kept in the clear. @default false
   */
  holdsBack?(): boolean;
}

export interface QuarantinedItem {
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly model: string | null;
  /** When the collector took it, milliseconds since 1970. */
  readonly at: number;
  /** As it was sent, at most 64 Ki characters; empty where a monitor's policy forbids to keep it. */
  readonly text: string;
}

/** Keeps what could not be read; resolves when durable. */
export type QuarantineSink = (items: readonly QuarantinedItem[]) => Promise<void>;

export interface CollectorOptions {
  readonly log: Pick<EventLog, 'append'>;
  readonly registry: CollectorRegistry;
  readonly clock: Clock;
  readonly quarantine: QuarantineSink;
  /** @default null: monitors with a hashed field are refused event by event, reason `policy` */
  readonly policyKey?: PolicyKey | null;
  /** Bytes taken and not yet durable, beyond which requests are turned away. @default 67108864 (64 MiB) */
  readonly bytesInFlight?: number;
  /** Largest log record. @default 1048576 (1 MiB) */
  readonly recordBytes?: number;
  /** Chooses the partition of a record: any will do, since every count is independent of order. @default a running number */
  readonly partitionKey?: () => string;
}

export interface ItemReason {
  /** Place in the request, from 0. */
  readonly index: number;
  readonly reason: QuarantineReason | 'scope';
  readonly detail: string;
}

export interface CollectorAnswer {
  /** Durable on the log. */
  readonly accepted: number;
  /** Durable in quarantine. */
  readonly quarantined: number;
  /** The first 100 that were not accepted. */
  readonly reasons: readonly ItemReason[];
}

/** One request on its way: filled by `take`, handed over by `submit`, settled once. */
export class Ticket {
  accepted = 0;
  quarantined = 0;
  /** Not JSON at all: where nothing else was read the request is at fault. */
  unreadable = 0;
  /** Not permitted to this sender. */
  forbidden = 0;
  index = 0;
  reasons: ItemReason[] | null = null;
  format: EventFormat;
  mayInfer = true;
  mayLabel = true;
  /** Models that the sender is bound to; `null`: any. */
  rights: SendingRights | null = null;
  /** Its text has no character beyond ASCII: characters are bytes. */
  ascii = false;
  startedAt = 0;
  /** Whoever waits for it. */
  readonly owner: unknown;
  readonly settle: (ticket: Ticket, failure: Error | null) => void;
  constructor(owner: unknown, format: EventFormat, settle: (ticket: Ticket, failure: Error | null) => void) {
    this.owner = owner;
    this.format = format;
    this.settle = settle;
  }
}

const REASONS_SHOWN = 100;
const QUARANTINE_TEXT = 65_536;

class Batch {
  readonly records: Buffer[] = [];
  lines: string[] = [];
  lineBytes = 0;
  /** Of the lines. */
  ascii = true;
  bytes = 0;
  events = 0;
  readonly tickets: Ticket[] = [];
  readonly quarantined: QuarantinedItem[] = [];
}

export class Collector {
  readonly counters = new CollectorCounters();
  readonly #options: CollectorOptions;
  readonly #limit: number;
  readonly #recordBytes: number;
  #plans = new WeakMap<object, FieldPlan>();
  #policyKey: PolicyKey | null;
  readonly #planFor: (model: string, version: string, eventMs: number) => FieldPlan | null;
  #batch = new Batch();
  #bytesInFlight = 0;
  #oldest: number | null = null;
  #scheduled = false;
  #appending: Promise<void> | null = null;
  #arrival: Arrival = { ms: Number.NaN, text: '' };
  #keyNumber = 0;
  readonly #partitionKey: () => string;
  #failure: string | null = null;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#limit = options.bytesInFlight ?? 67_108_864;
    this.#recordBytes = Math.min(options.recordBytes ?? EVENT_LIMITS.recordBytes, EVENT_LIMITS.recordBytes);
    this.#policyKey = options.policyKey ?? null;
    this.#partitionKey = options.partitionKey ?? (() => `${this.#keyNumber++}`);
    this.#planFor = (model, version, eventMs) => {
      const found = options.registry.shapeFor(model, version, eventMs);
      if (found === null) return null;
      let plan = this.#plans.get(found.shape);
      if (plan === undefined) {
        plan = compilePlan(found.shape.monitor, found.shape.baseline, this.#policyKey);
        this.#plans.set(found.shape, plan);
      }
      return plan;
    };
  }

  /** Hashes with this key from now on; what was taken before keeps the one it was taken with. */
  rekey(key: PolicyKey | null): void {
    const old = this.#policyKey;
    if (old === key || (old !== null && key !== null && keyMark(old) === keyMark(key))) return;
    this.#policyKey = key;
    this.#plans = new WeakMap();
  }

  /** Takes events that are already parsed. Rejects when they could not be made durable: nothing of them counts then, send them again. */
  accept(events: readonly unknown[], options: { readonly format?: EventFormat } = {}): Promise<CollectorAnswer> {
    return new Promise((resolve, reject) => {
      const ticket = new Ticket(null, options.format ?? 'json', (settled, failure) => {
        if (failure !== null) reject(failure);
        else resolve(answerOf(settled));
      });
      for (const event of events) this.take(ticket, event, null, NO_ENVELOPE);
      this.submit(ticket);
    });
  }

  /** Over its limit: requests are to be turned away unread (429). */
  get full(): boolean {
    return this.#bytesInFlight >= this.#limit;
  }

  /** Why the newest append failed; `null` when it did not. */
  get failure(): string | null {
    return this.#failure;
  }

  queue(): { readonly bytes: number; readonly limit: number; readonly oldestMs: number } {
    const oldestMs = this.#oldest === null ? 0 : Math.max(0, performance.now() - this.#oldest);
    return { bytes: this.#bytesInFlight, limit: this.#limit, oldestMs };
  }

  /**
   * Takes one event as JSON text. False when it is none and `tentative` asked to be told so instead of refusing it:
   * the text may have been cut in the wrong place.
   */
  takeText(ticket: Ticket, text: string, envelope: Envelope, tentative = false): boolean {
    if (text.length > this.#recordBytes) {
      if (!tentative)
        this.refuse(ticket, 'too-large', `at most ${this.#recordBytes} bytes, got ${text.length} characters`, text);
      return false;
    }
    if (tooDeep(text)) {
      if (!tentative) this.refuse(ticket, 'schema', 'nested too deeply', text);
      return false;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (!tentative) {
        ticket.unreadable++;
        this.refuse(ticket, 'json', 'not readable as JSON', text);
      }
      return false;
    }
    this.take(ticket, value, text, envelope);
    return true;
  }

  /** Takes one parsed event; `raw` is its JSON text without outer white space, if known. Must be followed by `submit` in the same turn. */
  take(ticket: Ticket, value: unknown, raw: string | null, envelope: Envelope): void {
    // Whether another model exists is none of the sender's business: nothing else is said of it.
    if (ticket.rights !== null && !isBoundTo(ticket.rights, value)) {
      this.#forbid(ticket, 'the sender is not bound to this model');
      return;
    }
    const outcome = eventLine(value, raw, envelope, this.#now(), this.#planFor);
    if ('reason' in outcome) {
      const { reason, detail, model, open } = outcome;
      if (open === true) this.#refuse(ticket, reason, detail, model, raw ?? textOf(value));
      else if (open === false) this.#refuse(ticket, reason, withoutValue(detail), model, '');
      else this.refuse(ticket, reason, detail, raw ?? textOf(value));
      return;
    }
    const { line, kind } = outcome;
    if (!(kind === 'inference' ? ticket.mayInfer : ticket.mayLabel)) {
      const scope = kind === 'inference' ? 'events:write' : 'labels:write';
      this.#forbid(ticket, `an event of type ${kind} needs a token with the scope ${scope}`);
      return;
    }
    const { rights } = ticket;
    if (rights !== null && !(kind === 'inference' ? rights.mayInfer(outcome.model) : rights.mayLabel(outcome.model))) {
      this.#forbid(ticket, `the sender is not bound to this model for events of type ${kind}`);
      return;
    }
    const ascii = ticket.ascii && outcome.asSent;
    const bytes = ascii ? line.length : Buffer.byteLength(line, 'utf8');
    if (bytes > this.#recordBytes) {
      this.#refuse(ticket, 'too-large', `at most ${this.#recordBytes} bytes, got ${bytes}`, outcome.model, '');
      return;
    }
    this.counters.of(outcome.model)[kind][ticket.format]++;
    ticket.index++;
    ticket.accepted++;
    const batch = this.#batch;
    if (batch.lineBytes > 0 && batch.lineBytes + bytes + 1 > this.#recordBytes) seal(batch);
    batch.lines.push(line);
    batch.ascii &&= ascii;
    batch.lineBytes += bytes + 1;
    batch.bytes += bytes;
    batch.events++;
    this.#bytesInFlight += bytes;
  }

  #forbid(ticket: Ticket, detail: string): void {
    this.#note(ticket, 'scope', detail);
    ticket.forbidden++;
  }

  /** Refuses one event of which it is not known whose it is: it may hold what some monitor holds back. */
  refuse(ticket: Ticket, reason: QuarantineReason, detail: string, text: string): void {
    if (this.#options.registry.holdsBack?.() === true) this.#refuse(ticket, reason, withoutValue(detail), null, '');
    else this.#refuse(ticket, reason, detail, null, text);
  }

  /** The ticket is complete; it is settled when all its events are durable, on the log or in quarantine. */
  submit(ticket: Ticket): void {
    ticket.startedAt = performance.now();
    this.#batch.tickets.push(ticket);
    if (this.#scheduled || this.#appending !== null) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  /** Resolves when everything that was submitted is settled. */
  async drain(): Promise<void> {
    while (this.#scheduled || this.#appending !== null) {
      await this.#appending;
      if (this.#scheduled) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#appending = this.#write(this.#swap()).finally(() => {
      this.#appending = null;
      if (this.#batch.tickets.length > 0 && !this.#scheduled) {
        this.#scheduled = true;
        setImmediate(this.#flush);
      }
    });
  };

  #swap(): Batch {
    const batch = this.#batch;
    this.#batch = new Batch();
    seal(batch);
    return batch;
  }

  async #write(batch: Batch): Promise<void> {
    const begun = performance.now();
    this.#oldest = batch.tickets[0]?.startedAt ?? begun;
    let failure: Error | null = null;
    try {
      if (batch.quarantined.length > 0) await this.#options.quarantine(batch.quarantined);
      if (batch.records.length > 0) {
        await this.#options.log.append(batch.records.map((data) => ({ key: this.#partitionKey(), data })));
        this.counters.delivered += batch.events;
        this.counters.delivery.observe((performance.now() - begun) / 1000);
      }
      this.#failure = null;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      this.#failure = failure.message;
      this.counters.deliveryFailures++;
    }
    this.#bytesInFlight -= batch.bytes;
    this.#oldest = null;
    const ended = performance.now();
    for (const ticket of batch.tickets) {
      this.counters.ingest.observe((ended - ticket.startedAt) / 1000);
      ticket.settle(ticket, failure);
    }
  }

  #refuse(ticket: Ticket, reason: QuarantineReason, detail: string, model: string | null, text: string): void {
    this.counters.reject(model, reason);
    this.#note(ticket, reason, detail);
    ticket.quarantined++;
    const kept = text.length > QUARANTINE_TEXT ? text.slice(0, QUARANTINE_TEXT) : text;
    const batch = this.#batch;
    batch.quarantined.push({ reason, detail, model, at: this.#now().ms, text: kept });
    // Two bytes a character, so that refused input is bounded like accepted input.
    batch.bytes += kept.length * 2;
    this.#bytesInFlight += kept.length * 2;
  }

  #note(ticket: Ticket, reason: ItemReason['reason'], detail: string): void {
    ticket.reasons ??= [];
    if (ticket.reasons.length < REASONS_SHOWN) ticket.reasons.push({ index: ticket.index, reason, detail });
    ticket.index++;
  }

  #now(): Arrival {
    const ms = this.#options.clock.now();
    if (ms !== this.#arrival.ms) this.#arrival = { ms, text: new Date(ms).toISOString() };
    return this.#arrival;
  }
}

/** An event that names no model is judged by its contract instead. */
function isBoundTo(rights: SendingRights, value: unknown): boolean {
  const model = typeof value === 'object' && value !== null ? (value as { model?: unknown }).model : undefined;
  return typeof model !== 'string' || rights.knows(model);
}

export function answerOf(ticket: Ticket): CollectorAnswer {
  return { accepted: ticket.accepted, quarantined: ticket.quarantined, reasons: ticket.reasons ?? [] };
}

/** Ends the record that is being filled. No line break at its end: a record is lines joined, so splitting it gives no empty line. */
function seal(batch: Batch): void {
  if (batch.lines.length === 0) return;
  batch.records.push(Buffer.from(batch.lines.join('\n'), batch.ascii ? 'latin1' : 'utf8'));
  batch.lines = [];
  batch.lineBytes = 0;
  batch.ascii = true;
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return `(${typeof value} that cannot be written as JSON)`;
  }
}
