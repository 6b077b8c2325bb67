/**
 * Sends the events of one model: in the background, batched, with the field policy applied. A prediction never waits for monitoring,
 * and memory is bounded: what comes when the queue is full is dropped and counted, unless the sender waits for `room`.
 *
 * At least once: a request whose answer was lost is sent again, so an event may come twice, with the same id.
 */
import type { Baseline } from '../contracts/baseline.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor, MonitorInput } from '../contracts/monitor.ts';
import { Outgoing, type ProducerKey } from './outgoing.ts';
import type { OutgoingRecord, ProducerSink } from './sink.ts';

export interface ProducerOptions {
  readonly sink: ProducerSink;
  /** The monitor of the model: its field policy, and the types of its features. */
  readonly monitor: Monitor | MonitorInput;
  /** Needed where a feature's policy is `bucket` and the sink applies no policy. */
  readonly baseline?: Baseline;
  /** Needed where a feature's policy is `hash` and the sink applies no policy. */
  readonly policyKey?: ProducerKey;
  /** Events of one record: each record costs at least 5 kB in Firehose, so few of them are dear. @default 15 */
  readonly eventsPerRecord?: number;
  /** How long an event waits for others, milliseconds. @default 1000 */
  readonly lingerMs?: number;
  /** Parts that the model's events are spread over, one shard taking each: raise it for what one shard cannot take (1 MB/s). @default 4 */
  readonly fanOut?: number;
  /** Bytes that wait, beyond which events are dropped. @default 16777216 (16 MiB) */
  readonly bufferBytes?: number;
  /** Attempts to send a record, with growing waits between them, some half a minute in all. @default 8 */
  readonly attempts?: number;
  /** Upper bound of the first wait, milliseconds; doubles each time up to 10 s. @default 200 */
  readonly firstWaitMs?: number;
  /** Told of events that are not sent: without their values. Must not throw. */
  readonly onProblem?: (problem: ProducerProblem) => void;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

export interface ProducerProblem {
  /** `refused`: against the contract; `dropped`: no room; `failed`: could not be sent. */
  readonly kind: 'refused' | 'dropped' | 'failed';
  readonly events: number;
  readonly reason: string;
}

export interface ProducerCounts {
  /** Taken by the sink. */
  readonly sent: number;
  readonly refused: number;
  readonly dropped: number;
  readonly failed: number;
  /** Waiting, or on their way. */
  readonly pending: number;
}

/** An inference without its model; the id is what its label will come with. `time` is now when it is absent. */
export interface OutgoingInference {
  readonly id: string;
  readonly version: string;
  readonly time?: string;
  readonly source?: string;
  readonly segment?: Readonly<Record<string, string>>;
  readonly numeric?: Readonly<Record<string, number | null>>;
  readonly categorical?: Readonly<Record<string, string | null>>;
  readonly invalid?: Readonly<Record<string, string>>;
  readonly score?: number | null;
  readonly predicted?: string | number | null;
  readonly latency_ms?: number | null;
  readonly weight?: number;
}

export interface OutgoingLabel {
  readonly id: string;
  readonly truth: string | number;
  /** When the truth became known. */
  readonly time?: string;
  readonly version?: string;
  readonly source?: string;
}

interface Open {
  readonly key: string;
  readonly kind: OutgoingRecord['kind'];
  lines: string[];
  bytes: number;
}

const LONGEST_WAIT_MS = 10_000;
/** Shares of the queue above which senders are asked to wait, and below which they go on. */
const CROWDED = 0.75;
const CALM = 0.5;

export class Producer {
  readonly #options: ProducerOptions;
  readonly #outgoing: Outgoing;
  readonly #now: () => number;
  /** Records being filled, by kind and key. */
  readonly #open = new Map<string, Open>();
  #sealed: OutgoingRecord[] = [];
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #sending: Promise<void> | null = null;
  #stopped = false;
  #waiting: (() => void)[] = [];
  #leaving: (() => void)[] = [];
  #sent = 0;
  #refused = 0;
  #dropped = 0;
  #failed = 0;
  #pending = 0;

  /** @throws ProblemError for a monitor that is not valid, or a key or a baseline that its policy needs */
  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const { monitor, baseline, policyKey, fanOut = 4 } = options;
    if (!Number.isInteger(fanOut) || fanOut < 1)
      throw new RangeError(`fanOut: expected a whole number from 1, got ${fanOut}`);
    this.#outgoing = new Outgoing({ monitor, baseline, policyKey, fanOut, applyPolicy: !options.sink.appliesPolicy });
  }

  /** Hands an inference over. False when it was refused or dropped. */
  inference(event: OutgoingInference): boolean {
    return this.#take({ ...event }, 'inference');
  }

  /** Hands a label over. False when it was refused or dropped. */
  label(event: OutgoingLabel): boolean {
    return this.#take({ ...event }, 'label');
  }

  get counts(): ProducerCounts {
    return {
      sent: this.#sent,
      refused: this.#refused,
      dropped: this.#dropped,
      failed: this.#failed,
      pending: this.#pending,
    };
  }

  /** Resolves when the queue has a quarter of its room left, or again: senders that wait for it before each event lose none. */
  room(): Promise<void> {
    if (this.#bytes <= this.#most * CROWDED || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when all that was handed over so far has been sent, or given up. */
  async flush(): Promise<void> {
    this.#sealAll();
    // Records leave in the order in which they were sealed, so what comes meanwhile need not be waited for.
    const through = this.#sent + this.#failed + this.#pending;
    while (this.#sent + this.#failed < through) {
      this.#start();
      await Promise.race([this.#sending, new Promise<void>((resolve) => this.#leaving.push(resolve))]);
    }
  }

  /** Sends what waits, and takes nothing more. To be called before a process ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#letIn();
  }

  get #most(): number {
    return this.#options.bufferBytes ?? 16_777_216;
  }

  #take(event: Readonly<Record<string, unknown>>, kind: OutgoingRecord['kind']): boolean {
    if (this.#stopped) return this.#drop('the producer has stopped');
    const line = this.#outgoing.line(event, kind, this.#now());
    if (typeof line === 'string') {
      this.#refused++;
      this.#tell('refused', 1, line);
      return false;
    }
    // Its line break, and its share of the key.
    const bytes = Buffer.byteLength(line.line, 'utf8') + 1;
    const limit = EVENT_LIMITS.recordBytes - Buffer.byteLength(line.key, 'utf8');
    if (bytes > limit) {
      this.#refused++;
      this.#tell('refused', 1, `too-large: at most ${limit} bytes`);
      return false;
    }
    if (this.#bytes + bytes > this.#most) return this.#drop('the queue is full');
    const name = `${kind} ${line.key}`;
    let open = this.#open.get(name);
    if (open !== undefined && open.bytes + bytes > limit) {
      this.#seal(name, open);
      open = undefined;
    }
    if (open === undefined) {
      open = { key: line.key, kind, lines: [], bytes: 0 };
      this.#open.set(name, open);
    }
    open.lines.push(line.line);
    open.bytes += bytes;
    this.#bytes += bytes;
    this.#pending++;
    if (open.lines.length >= (this.#options.eventsPerRecord ?? 15)) this.#seal(name, open);
    this.#arrange();
    return true;
  }

  #drop(reason: string): false {
    this.#dropped++;
    this.#tell('dropped', 1, reason);
    return false;
  }

  #seal(name: string, { key, kind, lines }: Open): void {
    this.#open.delete(name);
    this.#sealed.push({ key, kind, data: lines.join('\n'), events: lines.length });
  }

  #sealAll(): void {
    for (const [name, open] of [...this.#open]) this.#seal(name, open);
  }

  /** A full request goes at once, anything else after the linger time. */
  #arrange(): void {
    if (this.#sealed.length >= this.#options.sink.limits.records) {
      this.#start();
      return;
    }
    if (this.#timer !== null || this.#sending !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sealAll();
      this.#start();
    }, this.#options.lingerMs ?? 1_000);
    // Monitoring keeps no process alive: `stop` sends what is left.
    this.#timer.unref();
  }

  #start(): void {
    if (this.#sending !== null || this.#sealed.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
      if (!this.#stopped && (this.#open.size > 0 || this.#sealed.length > 0)) this.#arrange();
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#sealed.length > 0) {
      const { records, bytes } = this.#options.sink.limits;
      const request: OutgoingRecord[] = [];
      let size = 0;
      for (const record of this.#sealed) {
        size += Buffer.byteLength(record.data, 'utf8') + Buffer.byteLength(record.key, 'utf8');
        if (request.length === records || (request.length > 0 && size > bytes)) break;
        request.push(record);
      }
      this.#sealed = this.#sealed.slice(request.length);
      await this.#send(request);
    }
  }

  /** One request, and what of it was not taken again, until all is taken or given up. Never rejects. */
  async #send(request: readonly OutgoingRecord[]): Promise<void> {
    const { sink, attempts = 8, firstWaitMs = 200 } = this.#options;
    let open = request;
    for (let attempt = 1; open.length > 0; attempt++) {
      let reason = '';
      let failed: readonly { record: OutgoingRecord; retry: boolean; reason: string }[];
      try {
        failed = await sink.send(open);
      } catch (error) {
        reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        failed = open.map((record) => ({ record, retry: true, reason }));
      }
      const missing = new Set(failed.map(({ record }) => record));
      for (const record of open) if (!missing.has(record)) this.#leave(record, true);
      const lost = failed.filter(({ retry }) => !retry || attempt >= attempts);
      for (const { record } of lost) this.#leave(record, false);
      if (lost.length > 0)
        this.#tell(
          'failed',
          lost.reduce((sum, { record }) => sum + record.events, 0),
          lost[0]!.reason,
        );
      const given = new Set(lost.map(({ record }) => record));
      open = failed.filter(({ record }) => !given.has(record)).map(({ record }) => record);
      if (open.length > 0) await wait(Math.random() * Math.min(LONGEST_WAIT_MS, firstWaitMs * 2 ** (attempt - 1)));
    }
  }

  #leave(record: OutgoingRecord, sent: boolean): void {
    this.#bytes -= Buffer.byteLength(record.data, 'utf8') + 1;
    this.#pending -= record.events;
    if (sent) this.#sent += record.events;
    else this.#failed += record.events;
    if (this.#bytes <= this.#most * CALM) this.#letIn();
    const leaving = this.#leaving;
    this.#leaving = [];
    for (const resolve of leaving) resolve();
  }

  #letIn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #tell(kind: ProducerProblem['kind'], events: number, reason: string): void {
    this.#options.onProblem?.({ kind, events, reason });
  }
}

/** Holds the process: it is asked for only while something is being sent. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
