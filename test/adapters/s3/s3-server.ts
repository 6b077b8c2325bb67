/**
 * A small S3 server for tests: objects in memory behind the real protocol, with conditional writes, ranges and pages of keys, and the
 * faults that a client must live with. Path style only; signatures are not looked at.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to one request instead of its answer. */
export type S3Fault =
  /** It takes effect, then the connection breaks. */
  | 'lose-answer'
  /** It does not take effect and the connection breaks. */
  | 'break'
  /** 409 ConditionalRequestConflict, without effect. */
  | 'conflict'
  /** 503 SlowDown, without effect. */
  | 'slow-down'
  /** 500 InternalError, without effect. */
  | 'internal-error'
  /** 403 AccessDenied. */
  | 'deny';

export interface S3Request {
  readonly method: string;
  readonly key: string;
}

export interface S3Server {
  readonly url: string;
  readonly requests: S3Request[];
  /** By `<bucket>/<key>`. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Asked for every request; `null` for none. */
  fault: (request: S3Request) => S3Fault | null;
  close(): Promise<void>;
}

interface Stored {
  readonly body: Buffer;
  readonly etag: string;
}

export async function startS3Server(): Promise<S3Server> {
  const stored = new Map<string, Stored>();
  const requests: S3Request[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    void serve(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const handle: S3Server = {
    url: '',
    requests,
    objects: {
      get size() {
        return stored.size;
      },
      get: (name: string) => stored.get(name)?.body,
      has: (name: string) => stored.has(name),
      keys: () => stored.keys(),
    } as unknown as ReadonlyMap<string, Uint8Array>,
    fault: () => null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://s3');
    const [bucket = '', ...rest] = url.pathname.slice(1).split('/');
    const key = decodeURIComponent(rest.join('/'));
    const method = request.method ?? 'GET';
    const about = { method: key === '' && method === 'GET' ? 'LIST' : method, key };
    requests.push(about);
    const fault = handle.fault(about);
    if (fault === 'break') return void request.socket.destroy();
    if (fault === 'conflict') return fail(response, 409, 'ConditionalRequestConflict');
    if (fault === 'slow-down') return fail(response, 503, 'SlowDown');
    if (fault === 'internal-error') return fail(response, 500, 'InternalError');
    if (fault === 'deny') return fail(response, 403, 'AccessDenied');
    const name = `${bucket}/${key}`;
    const answer = act(method, name, Buffer.concat(chunks), request, url);
    if (fault === 'lose-answer') return void request.socket.destroy();
    answer(response);
  }

  function act(
    method: string,
    name: string,
    body: Buffer,
    { headers }: IncomingMessage,
    url: URL,
  ): (response: ServerResponse) => void {
    const present = stored.get(name);
    if (method === 'PUT') {
      if (headers['content-encoding']?.includes('aws-chunked')) return (r) => fail(r, 501, 'NotImplemented');
      if (headers['if-none-match'] === '*' && present !== undefined) return (r) => fail(r, 412, 'PreconditionFailed');
      const expected = headers['if-match'];
      if (expected !== undefined && present === undefined) return (r) => fail(r, 404, 'NoSuchKey');
      if (expected !== undefined && expected !== present?.etag) return (r) => fail(r, 412, 'PreconditionFailed');
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      stored.set(name, { body, etag });
      return (r) => send(r, 200, { etag });
    }
    if (method === 'DELETE') {
      stored.delete(name);
      return (r) => send(r, 204, {});
    }
    if (url.searchParams.get('list-type') === '2') return (r) => list(r, name.slice(0, name.indexOf('/') + 1), url);
    if (present === undefined) return (r) => fail(r, 404, method === 'HEAD' ? null : 'NoSuchKey');
    const { etag } = present;
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    if (range === null) return (r) => send(r, 200, { etag }, present.body, method === 'HEAD');
    const [from, to] = [Number(range[1]), Number(range[2]) + 1];
    if (from >= present.body.length) return (r) => fail(r, 416, 'InvalidRange');
    const part = present.body.subarray(from, to);
    const place = `bytes ${from}-${from + part.length - 1}/${present.body.length}`;
    return (r) => send(r, 206, { etag, 'content-range': place }, part);
  }

  function list(response: ServerResponse, bucket: string, url: URL): void {
    const prefix = url.searchParams.get('prefix') ?? '';
    const after = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? '';
    const most = Number(url.searchParams.get('max-keys') ?? 1000);
    const keys = [...stored.keys()]
      .filter((name) => name.startsWith(bucket))
      .map((name) => name.slice(bucket.length))
      .filter(
        (key) => key.startsWith(prefix) && (after === '' || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0),
      )
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const page = keys.slice(0, most);
    const isTruncated = page.length < keys.length;
    const next = isTruncated ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    const contents = page.map((key) => `<Contents><Key>${escaped(key)}</Key></Contents>`).join('');
    const xml = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>${page.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${next}${contents}</ListBucketResult>`;
    send(response, 200, { 'content-type': 'application/xml' }, Buffer.from(xml));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(handle, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Buffer = Buffer.alloc(0),
  headOnly = false,
): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.end(headOnly ? undefined : body);
}

function fail(response: ServerResponse, status: number, code: string | null): void {
  const xml = code === null ? '' : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  send(response, status, { 'content-type': 'application/xml' }, Buffer.from(xml));
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
