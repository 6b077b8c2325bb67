/**
 * The keys that an HTTP API lets in: a secret with `{ "<id>": "<SHA-256 of the key, hexadecimal>" }`, or two digests for one id while its
 * key is changed. A sender shows `Authorization: Bearer <id>.<key>`. A key is random, at least 32 characters, so its digest tells nothing.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const DIGEST = /^[0-9a-f]{64}$/i;
/** Shorter ones could be guessed from their digests. */
const SHORTEST = 32;
const LONGEST = 256;

export type KnownKeys = ReadonlyMap<string, readonly Buffer[]>;

/** @throws Error saying what is wrong, never quoting the secret */
export function parseKeys(text: string, arn: string): KnownKeys {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  const known = new Map<string, readonly Buffer[]>();
  let right = typeof value === 'object' && value !== null && !Array.isArray(value);
  for (const [id, given] of Object.entries(right ? (value as object) : {})) {
    const digests: unknown[] = Array.isArray(given) ? given : [given];
    right &&= ID.test(id) && digests.length > 0 && digests.every((one) => typeof one === 'string' && DIGEST.test(one));
    if (right)
      known.set(
        id,
        digests.map((digest) => Buffer.from(digest as string, 'hex')),
      );
  }
  if (!right)
    throw new Error(
      `${arn}: is no object of keys; expected { "<id>": "<SHA-256 of the key, 64 hexadecimal digits>" }, or a list of two digests; put one with \`aws secretsmanager put-secret-value\``,
    );
  return known;
}

/** The id in an `Authorization` header whose key is known; `null` for anything else. Takes the same time whichever digest differs. */
export function identify(known: KnownKeys, authorization: string | undefined): string | null {
  const match = /^bearer +([A-Za-z0-9_-]{1,64})\.(\S+)$/i.exec(authorization ?? '');
  if (match === null) return null;
  const [, id = '', key = ''] = match;
  if (key.length < SHORTEST || key.length > LONGEST) return null;
  const given = createHash('sha256').update(key, 'utf8').digest();
  let found = false;
  for (const digest of known.get(id) ?? [NO_DIGEST]) if (timingSafeEqual(digest, given)) found = true;
  return found ? id : null;
}

/** An id that nobody has takes as long as one with a wrong key. */
const NO_DIGEST = Buffer.alloc(32);
