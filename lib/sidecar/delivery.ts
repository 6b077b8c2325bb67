/**
 * From the spool to the collector: batches in order, tried until they are taken. A batch that the collector cannot read is split until the
 * event at fault stands alone; everything else is only ever tried again later.
 */
import { randomUUID } from 'node:crypto';
import { noun } from '../contracts/noun.ts';
import type { PostAnswer } from './collector-client.ts';
import { type Ledger, REFUSED_REASONS, type RefusedReason } from './ledger.ts';
import type { PayloadReader, Reading } from './payload-reader.ts';
import type { Note, Spool, SpoolBatch } from './spool.ts';

export interface DeliveryOptions {
  readonly spool: Spool;
  readonly reader: PayloadReader;
  readonly post: (contentType: string, body: Buffer) => Promise<PostAnswer>;
  readonly ledger: Ledger;
  readonly note: Note;
  /** CloudEvents `source` of what is mapped here. */
  readonly source: string;
  /** Upper bound of the first wait after a failure, milliseconds; doubles each time. @default 200 */
  readonly firstWaitMs?: number;
  /** @default 30000 */
  readonly longestWaitMs?: number;
  /** How long the next request waits for more events where there are few, milliseconds. @default 100 */
  readonly lingerMs?: number;
}

const BATCH = 'application/cloudevents-batch+json';
/** Of one request: a fraction of what a collector takes, so that mapped events fit too. */
const LIMIT = { records: 1_000, bytes: 1_048_576 } as const;
/** Requests under way at once. */
const CONCURRENT = 2;
/** Fewer than these at once are no backlog. */
const FEW = 128;
/** Work in one turn of the event loop, milliseconds: what is proxied must not wait for it. */
const SLICE_MS = 0.1;
/** How long a look for new events waits at most, milliseconds. */
const IDLE_MS = 1_000;
/** A kind of refusal is written down at most so often, milliseconds. */
const QUIET_MS = 60_000;
/** The request is at fault: the same bytes will not be taken later either. */
const AT_FAULT: ReadonlySet<number> = new Set([400, 413, 415, 422]);
type Sendable = Extract<Reading, { kind: 'cloud-event' | 'events' }>;

/** What became of the events of a batch; entered into the ledger when the batch is settled, since until then it may be sent again. */
interface Tally {
  delivered: number;
  ignored: number;
  readonly refused: Record<RefusedReason, number>;
}

interface Prepared {
  readonly batch: SpoolBatch;
  readonly sendable: readonly Sendable[];
  readonly tally: Tally;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #toldAt = new Map<string, number>();
  #failures = 0;
  /** Why the newest request failed; `null` when it did not. */
  failure: string | null = null;
  /** Requests that failed, whatever the reason. */
  failedRequests = 0;
  /** Events that the collector put into quarantine; they are delivered. */
  quarantined = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Sends nothing more. What is under way and not taken stays in the spool. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#options.spool.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { spool, note } = this.#options;
    const { lingerMs = 100 } = this.#options;
    const open = new Set<Promise<boolean>>();
    let last = Promise.resolve(true);
    while (!this.#stop.signal.aborted) {
      // While batches are on their way the next is read and mapped.
      if (open.size >= CONCURRENT) await Promise.race(open);
      const { version } = spool;
      let batch: SpoolBatch | null;
      try {
        batch = await spool.next(LIMIT);
      } catch (error) {
        note('error', `the spool cannot be read: ${messageOf(error)}; it is tried again`);
        await this.#wait(IDLE_MS);
        continue;
      }
      if (batch === null) {
        await spool.changed(version, IDLE_MS);
        continue;
      }
      const delivery = this.#deliver(await this.#prepare(batch), last);
      last = delivery;
      open.add(delivery);
      void delivery.then(() => open.delete(delivery));
      // A backlog goes at full speed; what trickles in is gathered.
      if (batch.records.length < FEW) await this.#wait(lingerMs);
    }
    await last;
  }

  async #prepare(batch: SpoolBatch): Promise<Prepared> {
    const { reader } = this.#options;
    const tally: Tally = { delivered: 0, ignored: 0, refused: { 'unknown-model': 0, payload: 0, collector: 0 } };
    const sendable: Sendable[] = [];
    let begun = performance.now();
    for (const record of batch.records) {
      const reading = await reader.read(record).catch((error: unknown): Reading => {
        return { kind: 'refused', reason: 'payload', detail: messageOf(error) };
      });
      if (reading.kind === 'ignored') tally.ignored++;
      else if (reading.kind === 'refused') {
        tally.refused[reading.reason]++;
        this.#tell(reading.reason, `an event cannot be read, ${reading.detail}`);
      } else sendable.push(reading);
      if (performance.now() - begun > SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        begun = performance.now();
      }
    }
    return { batch, sendable, tally };
  }

  /** Settles in the order in which batches were taken: false when this one, or one before it, was given up. */
  async #deliver({ batch, sendable, tally }: Prepared, before: Promise<boolean>): Promise<boolean> {
    const { ledger } = this.#options;
    const isSent = await this.#send(sendable, tally);
    // What is settled on disk is so up to a position: a batch before it must be settled too.
    if (!(await before) || !isSent) {
      batch.putBack();
      return false;
    }
    batch.settle();
    ledger.delivered += tally.delivered;
    ledger.ignored['no-inference'] += tally.ignored;
    for (const reason of REFUSED_REASONS) ledger.refused[reason] += tally.refused[reason];
    return true;
  }

  /** False when it was given up because of the end of the process. */
  async #send(sendable: readonly Sendable[], tally: Tally): Promise<boolean> {
    if (sendable.length === 0) return true;
    const body = Buffer.from(this.#compose(sendable), 'utf8');
    while (!this.#stop.signal.aborted) {
      let waitMs: number | null = null;
      try {
        const answer = await this.#options.post(BATCH, body);
        if (answer.status === 200 || answer.status === 202) {
          tally.delivered += sendable.length;
          this.#taken(answer);
          return true;
        }
        if (AT_FAULT.has(answer.status)) return await this.#split(sendable, answer, tally);
        this.#failed(`the collector answered ${answer.status}${reasonIn(answer)}`);
        waitMs = answer.retryAfterMs;
      } catch (error) {
        this.#failed(`the collector cannot be reached: ${messageOf(error)}`);
      }
      await this.#wait(Math.max(waitMs ?? 0, this.#backoff()));
    }
    return false;
  }

  async #split(sendable: readonly Sendable[], answer: PostAnswer, tally: Tally): Promise<boolean> {
    if (sendable.length === 1) {
      tally.refused.collector++;
      this.#tell('collector', `the collector refuses an event, ${answer.status}${reasonIn(answer)}`);
      return true;
    }
    const half = sendable.length >> 1;
    const first = await this.#send(sendable.slice(0, half), tally);
    return first && this.#send(sendable.slice(half), tally);
  }

  #taken({ text }: PostAnswer): void {
    if (this.failure !== null) this.#options.note('info', 'the collector takes events again');
    this.failure = null;
    this.#failures = 0;
    const quarantined = Number(/"quarantined":(\d+)/.exec(text)?.[1] ?? 0);
    if (quarantined > 0) {
      this.quarantined += quarantined;
      const detail = /"detail":"([^"]{0,200})/.exec(text)?.[1] ?? 'without a reason';
      this.#tell(
        'quarantine',
        `the collector put ${quarantined} ${noun(quarantined, 'event')} into quarantine, the first: ${detail}`,
      );
    }
  }

  #failed(reason: string): void {
    this.failedRequests++;
    if (this.failure === null) this.#options.note('warn', `${reason}; events wait and are sent again`);
    this.failure = reason;
    this.#failures++;
  }

  /** Full jitter: sidecars that failed together do not come back together. */
  #backoff(): number {
    const { firstWaitMs = 200, longestWaitMs = 30_000 } = this.#options;
    return Math.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failures, 16));
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }

  #tell(kind: string, message: string): void {
    const now = performance.now();
    if (now - (this.#toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    this.#toldAt.set(kind, now);
    this.#options.note('warn', message);
  }

  /** A batch of CloudEvents; what was mapped here goes in one for each type. */
  #compose(sendable: readonly Sendable[]): string {
    const parts: string[] = [];
    const mapped = new Map<string, string[]>();
    for (const one of sendable)
      if (one.kind === 'cloud-event') parts.push(one.text);
      else {
        const texts = mapped.get(one.type) ?? [];
        if (texts.length === 0) mapped.set(one.type, texts);
        for (const text of one.texts) texts.push(text);
      }
    for (const [type, texts] of mapped) {
      const head = {
        specversion: '1.0',
        id: randomUUID(),
        source: this.#options.source,
        type: `ml.${type}.v1`,
        datacontenttype: 'application/json',
      };
      parts.push(`${JSON.stringify(head).slice(0, -1)},"data":[${texts.join(',')}]}`);
    }
    return `[${parts.join(',')}]`;
  }
}

/** What a problem document is about. */
/** Of a problem document what is wrong, which its title alone does not say; nothing of what somebody else answers. */
function reasonIn({ text }: PostAnswer): string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return '';
  }
  const { detail, title } = (document ?? {}) as Readonly<Record<string, unknown>>;
  const found = typeof detail === 'string' && detail !== '' ? detail : title;
  return typeof found === 'string' && found !== '' ? `: ${found.slice(0, 200)}` : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
