/** Reads bodies within limits: size, and time (the server's own time-outs). */
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '../../contracts/http-problem.ts';
import { BODY_LIMIT, decoded, decompressed, tooLarge } from '../../pipeline/request-body.ts';
import type { Head } from './request-guard.ts';

/** @throws HttpProblem 400 (not UTF-8), 413, 415 */
export async function readBody(request: IncomingMessage, head: Head): Promise<string> {
  return decoded(await readBytes(request, head));
}

/** @throws HttpProblem 400, 413, 415 */
export async function readBytes(request: IncomingMessage, head: Head): Promise<Buffer> {
  const body = await new Promise<Buffer>((resolve, reject) => {
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
  });
  return decompressed(body, head.contentEncoding);
}
