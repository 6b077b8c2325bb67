/**
 * Quarantine: what could not be read or may not be kept, with its reason. One object for each record and reason, under a key made
 * from partition and position, so that a replay writes the same object again. An excerpt is kept, never the whole of a huge record.
 */
import { QUARANTINE_REASONS, type QuarantineReason } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { listAll } from './listing.ts';
import { ConflictError, type ObjectStore } from './ports.ts';

export const QUARANTINE_LIMITS = {
  /** Bytes of the input kept for each rejection. */
  excerptBytes: 2_048,
  /** Characters of the detail. */
  detailLength: 300,
  /** Rejections kept of one record and reason; more are counted only. */
  perRecord: 20,
  /** Objects of their own in one batch; the rejections of further records share one object for each reason. */
  objectsPerBatch: 200,
  /** Rejections in a shared object; more are counted only. */
  shared: 500,
} as const;

const CONCURRENCY = 8;

export interface QuarantineEntry {
  /** Append time, RFC 3339. */
  readonly at: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
  /** The beginning of the input; what is not UTF-8 is replaced. */
  readonly excerpt: string;
  readonly partition: string;
  readonly position: string;
}

export interface RejectedInput {
  readonly position: string;
  readonly appendTime: number;
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly input: Uint8Array | string;
}

/** Gathers the rejections of one batch in bounded memory, then writes them. */
export class QuarantineBatch {
  readonly #partition: string;
  /** By reason and position, in the order of the log. */
  readonly #records = new Map<string, { appendTime: number; reason: QuarantineReason; entries: QuarantineEntry[] }>();
  readonly #shared = new Map<
    QuarantineReason,
    { appendTime: number; first: string; last: string; entries: QuarantineEntry[] }
  >();

  constructor(partition: string) {
    this.#partition = partition;
  }

  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  add(rejected: RejectedInput): void {
    const { reason, position, appendTime } = rejected;
    const name = `${reason}/${position}`;
    const present = this.#records.get(name);
    if (present !== undefined) {
      if (present.entries.length < QUARANTINE_LIMITS.perRecord) present.entries.push(this.#entry(rejected));
      return;
    }
    if (this.#records.size < QUARANTINE_LIMITS.objectsPerBatch) {
      this.#records.set(name, { appendTime, reason, entries: [this.#entry(rejected)] });
      return;
    }
    let shared = this.#shared.get(reason);
    if (shared === undefined) {
      shared = { appendTime, first: position, last: position, entries: [] };
      this.#shared.set(reason, shared);
    }
    shared.last = position;
    if (shared.entries.length < QUARANTINE_LIMITS.shared) shared.entries.push(this.#entry(rejected));
  }

  /** Writes all; what is there already is the same and stays. */
  async write(store: ObjectStore): Promise<void> {
    const objects: [string, QuarantineEntry[]][] = [];
    for (const [name, { appendTime, reason, entries }] of this.#records)
      objects.push([keys.quarantine(appendTime, reason, this.#partition, name.slice(reason.length + 1)), entries]);
    for (const [reason, { appendTime, first, last, entries }] of this.#shared)
      objects.push([keys.quarantine(appendTime, reason, this.#partition, `${first}-${last}`), entries]);
    let next = 0;
    const writeSome = async (): Promise<void> => {
      for (let object = objects[next++]; object !== undefined; object = objects[next++])
        await putQuarantine(store, object[0], object[1]);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, objects.length) }, writeSome));
  }

  #entry({ position, appendTime, reason, detail, input }: RejectedInput): QuarantineEntry {
    return {
      at: new Date(appendTime).toISOString(),
      reason,
      detail: detail.slice(0, QUARANTINE_LIMITS.detailLength),
      excerpt: excerptOf(input),
      partition: this.#partition,
      position,
    };
  }
}

/** The beginning of an input, as text that is safe to write as JSON. */
export function excerptOf(input: Uint8Array | string): string {
  const bytes =
    typeof input === 'string' ? new TextEncoder().encode(input.slice(0, QUARANTINE_LIMITS.excerptBytes)) : input;
  return new TextDecoder().decode(bytes.subarray(0, QUARANTINE_LIMITS.excerptBytes));
}

/** Writes entries under a key unless they are there. */
export async function putQuarantine(
  store: ObjectStore,
  key: string,
  entries: readonly QuarantineEntry[],
): Promise<void> {
  const body = new TextEncoder().encode(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  try {
    await store.putIfAbsent(key, body);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

/** The newest entries of a day of append time and the days before it, newest first; `days` back, at most `limit`. */
export async function readQuarantine(
  store: ObjectStore,
  { now, days = 7, limit = 100 }: { readonly now: number; readonly days?: number; readonly limit?: number },
): Promise<QuarantineEntry[]> {
  const entries: QuarantineEntry[] = [];
  for (let back = 0; back < days && entries.length < limit; back++) {
    const day = keys.quarantineDay(now - back * 86_400_000);
    for (const reason of QUARANTINE_REASONS) {
      const found: string[] = [];
      for await (const key of listAll(store, `${day}${reason}/`)) found.push(key);
      for (const key of found.slice(-limit)) {
        const stored = await store.get(key);
        for (const line of new TextDecoder().decode(stored?.body).split('\n'))
          if (line !== '') entries.push(JSON.parse(line) as QuarantineEntry);
      }
    }
  }
  return entries.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, limit);
}
