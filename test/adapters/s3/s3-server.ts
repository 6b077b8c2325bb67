/**
 * A small S3 server for tests: objects in memory behind the real protocol, with conditional writes, ranges and pages of keys, and the
 * faults that a client must live with. Path style only; signatures are not looked at.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { ConflictError, type StoredObject } from '../../../lib/pipeline/ports.ts';

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
  /** What a bucket holds. ETags are without their quotes. */
  bucket(name: string): MemoryStore;
  /** Asked for every request; `null` for none. */
  fault: (request: S3Request) => S3Fault | null;
  /** What becomes of conditions of writes. @default kept */
  conditions: 'kept' | 'ignored' | 'match-ignored' | 'unknown';
  /** Access keys that are taken; `null`: any. */
  accessKeys: ReadonlySet<string> | null;
  close(): Promise<void>;
}

type Answer = (response: ServerResponse) => void;

export async function startS3Server(): Promise<S3Server> {
  const buckets = new Map<string, MemoryStore>();
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    serve(handle, request, response).catch(() => fail(response, 500, 'InternalError'));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const handle: S3Server = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    bucket: (name) => {
      const bucket = buckets.get(name) ?? new MemoryStore();
      buckets.set(name, bucket);
      return bucket;
    },
    fault: () => null,
    conditions: 'kept',
    accessKeys: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return handle;
}

async function serve(handle: S3Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', 'http://s3');
  const [name = '', ...rest] = url.pathname.slice(1).split('/');
  const key = decodeURIComponent(rest.join('/'));
  const isList = url.searchParams.get('list-type') === '2';
  const about = { method: isList ? 'LIST' : (request.method ?? 'GET'), key };
  handle.requests.push(about);
  const accessKey = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (handle.accessKeys?.has(accessKey) === false) return fail(response, 403, 'InvalidAccessKeyId');
  const fault = handle.fault(about);
  if (fault === 'break') return void request.socket.destroy();
  if (fault === 'conflict') return fail(response, 409, 'ConditionalRequestConflict');
  if (fault === 'slow-down') return fail(response, 503, 'SlowDown');
  if (fault === 'internal-error') return fail(response, 500, 'InternalError');
  if (fault === 'deny') return fail(response, 403, 'AccessDenied');
  const store = handle.bucket(name);
  const answer = isList
    ? await list(store, url)
    : about.method === 'PUT'
      ? await put(store, key, Buffer.concat(chunks), conditionsOf(handle, request))
      : about.method === 'DELETE'
        ? await remove(store, key)
        : read(await store.get(key), request);
  if (fault === 'lose-answer') return void request.socket.destroy();
  answer(response);
}

function conditionsOf({ conditions }: S3Server, { headers }: IncomingMessage): IncomingMessage['headers'] | null {
  const { 'if-match': match, 'if-none-match': noneMatch, ...rest } = headers;
  if (conditions === 'unknown') return match === undefined && noneMatch === undefined ? headers : null;
  if (conditions === 'ignored') return rest;
  return conditions === 'match-ignored' && match !== undefined ? rest : headers;
}

/** `headers`: `null` when a header is not known. */
async function put(
  store: MemoryStore,
  key: string,
  body: Buffer,
  headers: IncomingMessage['headers'] | null,
): Promise<Answer> {
  if (headers === null) return (response) => fail(response, 501, 'NotImplemented');
  if (headers['content-encoding']?.includes('aws-chunked')) return (response) => fail(response, 501, 'NotImplemented');
  const expected = headers['if-match'];
  try {
    if (expected !== undefined) {
      if ((await store.get(key)) === null) return (response) => fail(response, 404, 'NoSuchKey');
      const etag = await store.putIfUnchanged(key, body, expected.replaceAll('"', ''));
      return (response) => send(response, 200, { etag: `"${etag}"` });
    }
    if (headers['if-none-match'] !== '*') await store.delete(key);
    const etag = await store.putIfAbsent(key, body);
    return (response) => send(response, 200, { etag: `"${etag}"` });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return (response) => fail(response, 412, 'PreconditionFailed');
  }
}

async function remove(store: MemoryStore, key: string): Promise<Answer> {
  await store.delete(key);
  return (response) => send(response, 204, {});
}

function read(present: StoredObject | null, { method, headers }: IncomingMessage): Answer {
  if (present === null) return (response) => fail(response, 404, method === 'HEAD' ? null : 'NoSuchKey');
  const etag = `"${present.etag}"`;
  const body = Buffer.from(present.body);
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  if (range === null) return (response) => send(response, 200, { etag }, body, method === 'HEAD');
  const from = Number(range[1]);
  if (from >= body.length) return (response) => fail(response, 416, 'InvalidRange');
  const part = body.subarray(from, Number(range[2]) + 1);
  const place = `bytes ${from}-${from + part.length - 1}/${body.length}`;
  return (response) => send(response, 206, { etag, 'content-range': place }, part);
}

async function list(store: MemoryStore, { searchParams }: URL): Promise<Answer> {
  const prefix = searchParams.get('prefix') ?? '';
  const after = searchParams.get('continuation-token') ?? searchParams.get('start-after') ?? undefined;
  const limit = Number(searchParams.get('max-keys') ?? 1_000);
  const keys = await store.list(prefix, { after, limit: limit + 1 });
  const page = keys.slice(0, limit);
  const isTruncated = page.length < keys.length;
  const next = isTruncated ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : '';
  const contents = page.map((key) => `<Contents><Key>${escaped(key)}</Key></Contents>`).join('');
  const xml = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>${page.length}</KeyCount><IsTruncated>${isTruncated}</IsTruncated>${next}${contents}</ListBucketResult>`;
  return (response) => send(response, 200, { 'content-type': 'application/xml' }, Buffer.from(xml));
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
