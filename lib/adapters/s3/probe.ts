/**
 * Whether a service keeps the conditions of writes. Everything rests on them: on one that ignores `If-None-Match` or `If-Match` two writers
 * would both win, and counts would be wrong without anybody noticing. So it is asked before anything else is written.
 */
import { randomUUID } from 'node:crypto';
import { ProblemError } from '../../contracts/problem.ts';
import { ConflictError, type ObjectStore } from '../../pipeline/ports.ts';
import { statusOf } from '../aws-error.ts';

const PREFIX = 'probes/';
const FIX =
  'use a service that has conditional writes: AWS S3, Cloudflare R2, a recent MinIO, versitygw; or update this one';

/**
 * Writes an object under a name of its own, under every condition that is used, and removes it.
 * @param called what the store is called in problems
 * @throws ProblemError when conditions are ignored or not known; what the store throws when it cannot be reached or refuses the caller
 */
export async function probeConditionalWrites(store: ObjectStore, called: string): Promise<void> {
  const key = `${PREFIX}${randomUUID()}`;
  try {
    const first = await known(called, 'If-None-Match: *', () => store.putIfAbsent(key, bytes('1')));
    if (!(await conflicts(() => store.putIfAbsent(key, bytes('2'))))) throw lacking(called, 'If-None-Match: *');
    await known(called, 'If-Match', () => store.putIfUnchanged(key, bytes('3'), first));
    if (!(await conflicts(() => store.putIfUnchanged(key, bytes('4'), first)))) throw lacking(called, 'If-Match');
    const present = await store.get(key);
    if (present === null || Buffer.compare(present.body, bytes('3')) !== 0)
      throw problem(called, 'an object that was just written reads otherwise', 'reads that show the newest write');
    if (!(await store.list(key)).includes(key))
      throw problem(called, 'an object that was just written is not listed', 'lists that show the newest write');
  } finally {
    // What is left behind does no harm; why it could not be written is what matters.
    await store.delete(key).catch(() => undefined);
  }
}

/** Answers that mean that the header is not understood. */
async function known<T>(called: string, header: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Error && [400, 501].includes(statusOf(error.cause) ?? 0)) throw lacking(called, header);
    throw error;
  }
}

async function conflicts(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (error instanceof ConflictError) return true;
    throw error;
  }
}

function lacking(called: string, header: string): ProblemError {
  return problem(called, `does not keep conditional writes: ${header} is ignored or not known`, 'conditional writes');
}

function problem(called: string, message: string, expected: string): ProblemError {
  return new ProblemError([{ code: 'no-conditional-writes', path: called, message, expected, fix: FIX }]);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
