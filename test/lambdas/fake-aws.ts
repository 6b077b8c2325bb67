/**
 * As much of S3, Kinesis and Secrets Manager as the functions of the way in need, over HTTP on a free port: bundles run against it as they
 * are, with `AWS_ENDPOINT_URL`. Conditional writes and partial failures are those of the services.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { ConflictError } from '../../lib/pipeline/ports.ts';

export interface FakeAws {
  readonly url: string;
  /** Of the stream, whose client speaks HTTP/2. */
  readonly streamUrl: string;
  /** The bucket of the platform. */
  readonly store: MemoryStore;
  /** Objects of any other bucket: `<bucket>/<key>`. */
  readonly objects: Map<string, Buffer>;
  readonly secrets: Map<string, string>;
  /** Data of records in the order in which they were taken, with their partition keys. */
  readonly records: { readonly key: string; readonly data: string }[];
  /** Names of calls, in order. */
  readonly calls: string[];
  /** Of each record of a PutRecords, whether it is refused this time. */
  refuse: (() => boolean) | null;
  /** The stream does not answer. */
  down: boolean;
  close(): Promise<void>;
}

export const BUCKET = 'platform-bucket';

export async function startFakeAws(): Promise<FakeAws> {
  const fake = {
    store: new MemoryStore(),
    objects: new Map<string, Buffer>(),
    secrets: new Map<string, string>(),
    records: [] as { key: string; data: string }[],
    calls: [] as string[],
    refuse: null as (() => boolean) | null,
    down: false,
  };
  const server = createServer((request, response) => {
    answer(fake, request, response).catch((failure: unknown) => response.writeHead(500).end(String(failure)));
  });
  const sessions = new Set<ServerHttp2Session>();
  const stream = createHttp2Server((request, response) => {
    const plain = response as unknown as ServerResponse;
    answer(fake, request as unknown as IncomingMessage, plain).catch(() => plain.writeHead(500).end());
  });
  stream.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  const [url, streamUrl] = await Promise.all([listening(server), listening(stream)]);
  return Object.assign(fake, {
    url,
    streamUrl,
    close: async () => {
      server.closeAllConnections();
      for (const session of sessions) session.destroy();
      await Promise.all([server, stream].map((one) => new Promise((resolve) => one.close(resolve))));
    },
  });
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type State = Omit<FakeAws, 'url' | 'streamUrl' | 'close'>;

async function answer(fake: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const target = String(request.headers['x-amz-target'] ?? '');
  if (target.startsWith('Kinesis_')) await kinesis(fake, target.split('.')[1] ?? '', body, response);
  else if (target.startsWith('secretsmanager.')) secret(fake, body, response);
  else await s3(fake, request, body, response);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(value));
}

async function kinesis(fake: State, action: string, body: Buffer, response: ServerResponse): Promise<void> {
  fake.calls.push(action);
  if (fake.down) {
    json(response, 400, { __type: 'ProvisionedThroughputExceededException', message: 'rate exceeded' });
    return;
  }
  const { Records } = JSON.parse(body.toString('utf8')) as { Records: { PartitionKey: string; Data: string }[] };
  const answers = Records.map(({ PartitionKey, Data }) => {
    if (fake.refuse?.() === true) return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'slow' };
    fake.records.push({ key: PartitionKey, data: Buffer.from(Data, 'base64').toString('utf8') });
    return { ShardId: 'shardId-000000000000', SequenceNumber: String(fake.records.length) };
  });
  json(response, 200, { Records: answers, FailedRecordCount: answers.filter(({ ErrorCode }) => ErrorCode).length });
}

function secret(fake: State, body: Buffer, response: ServerResponse): void {
  fake.calls.push('GetSecretValue');
  const { SecretId } = JSON.parse(body.toString('utf8')) as { SecretId: string };
  const text = fake.secrets.get(SecretId);
  if (text === undefined) json(response, 400, { __type: 'ResourceNotFoundException', message: 'no such secret' });
  else json(response, 200, { ARN: SecretId, Name: SecretId, SecretString: text });
}

async function s3(fake: State, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  fake.calls.push(`${request.method} ${key}`);
  if (bucket !== BUCKET) {
    const object = fake.objects.get(`${bucket}/${key}`);
    if (object === undefined) error(response, 404, 'NoSuchKey');
    else response.writeHead(200, { etag: '"1"', 'content-length': object.length }).end(object);
    return;
  }
  const { store } = fake;
  if (request.method === 'GET' && searchParams.get('list-type') === '2') {
    const keys = await store.list(searchParams.get('prefix') ?? '', {
      after: searchParams.get('start-after') ?? undefined,
      limit: 1_000,
    });
    // Nobody asks for keys that are encoded; those of the platform need no escapes either.
    const contents = keys.map((one) => `<Contents><Key>${one}</Key></Contents>`);
    xml(response, 200, `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`);
    return;
  }
  if (request.method === 'GET') {
    const object = await store.get(key);
    if (object === null) error(response, 404, 'NoSuchKey');
    else response.writeHead(200, { etag: `"${object.etag}"` }).end(Buffer.from(object.body));
    return;
  }
  if (request.method === 'DELETE') {
    await store.delete(key);
    response.writeHead(204).end();
    return;
  }
  try {
    const ifMatch = request.headers['if-match'];
    const etag =
      ifMatch === undefined
        ? await store.putIfAbsent(key, plainBody(request, body))
        : await store.putIfUnchanged(key, plainBody(request, body), ifMatch.replaceAll('"', ''));
    response.writeHead(200, { etag: `"${etag}"` }).end();
  } catch (failure) {
    if (!(failure instanceof ConflictError)) throw failure;
    error(response, 412, 'PreconditionFailed');
  }
}

/** Uploads with a checksum behind them come in chunks: `<size in hexadecimal>;…\r\n<bytes>\r\n`. */
function plainBody(request: IncomingMessage, body: Buffer): Buffer {
  if (!String(request.headers['content-encoding'] ?? '').includes('aws-chunked')) return body;
  const parts: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.subarray(at, end).toString('ascii'), 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

function xml(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

function error(response: ServerResponse, status: number, code: string): void {
  xml(response, status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
