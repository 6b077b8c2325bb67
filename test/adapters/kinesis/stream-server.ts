/** A simulated stream behind the protocol of Kinesis: JSON over HTTP/2 without encryption, as its client speaks to `http://`. */
import { createServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { SimulatedStream } from './simulated-stream.ts';

export interface StreamServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function startStreamServer(stream: SimulatedStream): Promise<StreamServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer((request, response) => void serve(stream, request, response));
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}

async function serve(
  stream: SimulatedStream,
  request: Http2ServerRequest,
  response: Http2ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const action = String(request.headers['x-amz-target'] ?? '').replace(/^.*\./, '');
  let status = 200;
  let body: string;
  try {
    const input = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    for (const record of (input['Records'] ?? []) as { Data: unknown }[])
      record.Data = Buffer.from(String(record.Data), 'base64');
    body = JSON.stringify(wire(stream.call(action, input)));
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode: number } };
    status = $metadata?.httpStatusCode ?? 500;
    body = JSON.stringify({ __type: name, message });
  }
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(body);
}

/** Bytes as base64, dates as seconds. */
function wire(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.getTime() / 1_000;
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, wire(member)]));
}
