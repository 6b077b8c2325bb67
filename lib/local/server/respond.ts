/** Answers with a body: ETag and 304, gzip where it is wanted and worth it, HEAD without the body. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { SECURITY_HEADERS_FLAT } from './security-headers.ts';

const zip = promisify(gzip);
/** Bodies below this many bytes are not worth compressing. */
const WORTH = 1_024;

export interface Body {
  readonly type: string;
  readonly body: Uint8Array;
  /** Already compressed. */
  readonly gzip?: Uint8Array;
  readonly etag?: string;
  /** @default no-cache: may be kept, is asked for again each time */
  readonly cache?: string;
}

export async function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  value: unknown,
  status = 200,
): Promise<void> {
  await sendBody(
    request,
    response,
    { type: 'application/json', body: Buffer.from(`${JSON.stringify(value)}\n`, 'utf8') },
    status,
  );
}

export async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  content: Body,
  status = 200,
): Promise<void> {
  const etag = content.etag ?? `"${createHash('sha256').update(content.body).digest('base64url').slice(0, 22)}"`;
  const headers = [
    'Cache-Control',
    content.cache ?? 'no-cache',
    'ETag',
    etag,
    'Vary',
    'Accept-Encoding',
    ...SECURITY_HEADERS_FLAT,
  ];
  if (status === 200 && matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  let { body } = content;
  if (acceptsGzip(request.headers['accept-encoding']) && (content.gzip !== undefined || body.length >= WORTH)) {
    body = content.gzip ?? (await zip(body, { level: 4 }));
    headers.push('Content-Encoding', 'gzip');
  }
  headers.push('Content-Type', content.type, 'Content-Length', String(body.length));
  response.writeHead(status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** `If-None-Match` compares weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = etag.replace(/^W\//, '');
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === bare);
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text.split(',').some((one) => {
    const [coding = '', ...parameters] = one
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    return (coding === 'gzip' || coding === '*') && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
