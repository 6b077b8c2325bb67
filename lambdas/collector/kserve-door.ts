/**
 * The way in for KServe's logger, which can sign nothing and send no header of ours: a secret segment of the path. Two are valid while it
 * is changed: the secret holds `{ "current": …, "previous": … }`, or the current one alone as plain text.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Ticket } from '../../lib/pipeline/collector.ts';
import type { RawHeaders } from '../../lib/pipeline/ingest.ts';
import type { KServeReader } from '../../lib/pipeline/kserve.ts';
import type { Secrets } from '../secrets.ts';

/** Shorter ones could be guessed. */
const SHORTEST = 24;
/** A segment that is not known makes the secret be read again, at most this often: somebody who guesses must not drive up calls. */
const ASK_AGAIN_MS = 10_000;

export class KServeDoor {
  readonly #secrets: Secrets;
  readonly #arn: string;
  readonly #reader: KServeReader;

  constructor(options: { readonly secrets: Secrets; readonly arn: string; readonly reader: KServeReader }) {
    this.#secrets = options.secrets;
    this.#arn = options.arn;
    this.#reader = options.reader;
  }

  /** Compared in constant time, with all that are valid. */
  async opensTo(segment: string): Promise<boolean> {
    const given = digestOf(decoded(segment));
    const opens = (text: string): boolean => {
      let found = false;
      for (const valid of validSegments(text, this.#arn)) if (timingSafeEqual(digestOf(valid), given)) found = true;
      return found;
    };
    return (
      opens(await this.#secrets.text(this.#arn)) ||
      opens(await this.#secrets.text(this.#arn, { notOlderThanMs: ASK_AGAIN_MS }))
    );
  }

  take(ticket: Ticket, headers: RawHeaders, body: Uint8Array): Ticket {
    this.#reader.take(ticket, headers, body);
    return ticket;
  }
}

/** @throws Error saying what is wrong, never quoting the secret */
export function validSegments(text: string, arn: string): readonly string[] {
  let value: unknown = text.trim();
  if (text.trimStart().startsWith('{')) {
    try {
      value = JSON.parse(text);
    } catch {
      value = null;
    }
  }
  const members = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { current: value };
  const segments = [members['current'], members['previous']].filter(
    (segment) => segment !== undefined && segment !== null && segment !== '',
  );
  if (segments.length === 0 || !segments.every((one) => typeof one === 'string' && one.length >= SHORTEST))
    throw new Error(
      `${arn}: is no path secret; expected text of at least ${SHORTEST} characters, or { "current": …, "previous": … }; put one with \`aws secretsmanager put-secret-value\``,
    );
  return segments as string[];
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
