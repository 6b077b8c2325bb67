/** Reads bodies within limits: size, and time (the server's own time-outs). */

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { HttpProblem } from './problem-document.ts';
import type { Head } from './request-guard.ts';

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

/** @throws HttpProblem 400 (not UTF-8), 413, 415 */
export function readBody(request: IncomingMessage, head: Head): Promise<string> {
  return new Promise<Buffer>((resolve, reject) => {
    if (head.contentLength !== null && Number(head.contentLength) > BODY_LIMIT) {
      reject(tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > BODY_LIMIT) {
        request.pause();
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(new HttpProblem(400, 'aborted', 'the request ended before its body did')));
  })
    .then((body) => decompressed(body, head.contentEncoding))
    .then(decoded);
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
