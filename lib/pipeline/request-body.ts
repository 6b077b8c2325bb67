/** Bodies of requests, whoever read their bytes: limits, gzip, UTF-8. */
import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HttpProblem } from '../contracts/http-problem.ts';

/** Largest body, bytes, after decompression too. */
export const BODY_LIMIT = 8_388_608;

const unzip = promisify(gunzip);

export function tooLarge(): HttpProblem {
  return new HttpProblem(
    413,
    'body-too-large',
    `a request body has at most ${BODY_LIMIT} bytes; send several requests`,
  );
}

/** @throws HttpProblem 400, 413, 415 */
export async function decompressed(body: Buffer, encoding: string | null): Promise<Buffer> {
  if (encoding === null || encoding.toLowerCase() === 'identity') return body;
  if (encoding.toLowerCase() !== 'gzip')
    throw new HttpProblem(415, 'content-encoding', `Content-Encoding: expected gzip or none, got ${encoding}`);
  try {
    return await unzip(body, { maxOutputLength: BODY_LIMIT });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new HttpProblem(400, 'gzip', 'the body is not readable as gzip');
  }
}

/** @throws HttpProblem 400 */
export function decoded(body: Buffer): string {
  if (!isUtf8(body)) throw new HttpProblem(400, 'utf-8', 'the body is not UTF-8');
  return body.toString('utf8');
}
