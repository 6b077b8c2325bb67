/** What callers and the model server see of the proxy: nothing. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Exchange, Outcome } from '../../lib/sidecar/exchange-watch.ts';
import { MemoryBudget } from '../../lib/sidecar/memory-budget.ts';
import { ModelProxy } from '../../lib/sidecar/proxy.ts';
import { serve, until } from './stand.ts';

interface Seen {
  readonly exchanges: Exchange[];
  readonly lost: Outcome[];
}

async function proxied(port: number, options: { copyBytes?: number; memory?: number } = {}) {
  const seen: Seen = { exchanges: [], lost: [] };
  const budget = new MemoryBudget(options.memory ?? 64_000_000);
  const proxy = await ModelProxy.listen({
    host: '127.0.0.1',
    port: 0,
    upstream: { host: '127.0.0.1', port },
    rules: { paths: [/:predict$/], idHeader: 'x-request-id', copyBytes: options.copyBytes ?? 1_048_576 },
    budget,
    clock: { now: () => 1_700_000_000_000 },
    sink: {
      inference: (exchange) => seen.exchanges.push(exchange),
      lost: (outcome) => seen.lost.push(outcome),
    },
  });
  onTestFinished(() => proxy.drain(0));
  return { proxy, seen, budget };
}

/** A server that records the bytes it gets and answers as it is told. */
async function rawServer(answer: (socket: Socket, received: Buffer) => void) {
  const received: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    let all = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      all = Buffer.concat([all, chunk]);
      received.push(chunk);
      answer(socket, all);
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, received: () => Buffer.concat(received), sockets };
}

/** Sends pieces, one after another came to something, and gives back all that is answered until the other side ends. */
function exchange(port: number, pieces: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => {
      socket.end();
      resolve(Buffer.concat(chunks));
    });
    socket.on('error', reject);
    void (async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((go) => setTimeout(go, 15));
      }
    })();
  });
}

const text = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');
const binary = Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7) % 256));

/** Requests and answers as bytes, each ending the connection. */
const CASES: readonly (readonly [string, readonly Buffer[], Buffer])[] = [
  [
    'a body with a length, header names and order as they are',
    [
      Buffer.concat([
        text('POST /m:predict HTTP/1.1', 'hOST: x', 'X-b: 1', 'X-b: 2', 'X-A:  3 ', 'Content-Length: 3000', '', ''),
        binary,
      ]),
    ],
    Buffer.concat([text('HTTP/1.1 200 Fine', 'connection: close', 'Content-Length: 3000', '', ''), binary]),
  ],
  [
    'chunks and trailers',
    [
      text('POST /m:predict HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', '', '5;a=b', 'hello', ''),
      text('1', '!', '0', 'T: 1', '', ''),
    ],
    text(
      'HTTP/1.1 200 OK',
      'Transfer-Encoding: chunked',
      'Connection: close',
      '',
      '3',
      'abc',
      '0',
      'Trailer: x',
      '',
      '',
    ),
  ],
  [
    'HTTP/1.0',
    [text('POST /m:predict HTTP/1.0', 'Content-Length: 2', '', '{}')],
    text('HTTP/1.0 200 OK', '', 'until the end'),
  ],
  [
    'requests in a pipeline',
    [
      text('POST /m:predict HTTP/1.1', 'Content-Length: 1', '', 'a'),
      text('GET / HTTP/1.1', '', ''),
      text('POST /m:predict HTTP/1.1', 'Content-Length: 1', '', 'b'),
    ],
    text(
      'HTTP/1.1 200 OK',
      'Content-Length: 1',
      '',
      '1HTTP/1.1 304 Not Modified',
      '',
      'HTTP/1.1 200 OK',
      'Content-Length: 1',
      '',
      '2',
    ),
  ],
  [
    'an error',
    [text('POST /m:predict HTTP/1.1', 'Content-Length: 1', '', 'a')],
    text('HTTP/1.1 502 Bad Gateway', 'Retry-After: 7', 'Content-Length: 4', 'Connection: close', '', 'down'),
  ],
  ['what is no HTTP', [Buffer.from([0x16, 0x03, 0x01, 0x00, 0xff, 0x0d, 0x0a, 0x0d, 0x0a]), binary], binary],
];

describe('bytes', () => {
  it.each(CASES)('pass as they are: %s', async (_name, pieces, answer) => {
    const asked = pieces.reduce((sum, { length }) => sum + length, 0);
    const model = await rawServer((socket, received) => {
      if (received.length === asked) socket.end(answer);
    });
    const { proxy } = await proxied(model.port);
    const answered = await exchange(proxy.port, pieces);
    expect(answered.equals(answer)).toBe(true);
    expect(model.received().equals(Buffer.concat(pieces))).toBe(true);
  });

  it('are those of 100-continue', async () => {
    const model = await rawServer((socket, received) => {
      const head = received.indexOf('\r\n\r\n') + 4;
      if (received.length === head) socket.write(text('HTTP/1.1 100 Continue', '', ''));
      else socket.end(text('HTTP/1.1 200 OK', 'Content-Length: 2', 'Connection: close', '', '{}'));
    });
    const { proxy, seen } = await proxied(model.port);
    const answered = await exchange(proxy.port, [
      text('POST /m:predict HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 4', '', ''),
      Buffer.from('body'),
    ]);
    expect(answered.toString()).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    await until(() => seen.exchanges.length === 1);
    expect(Buffer.concat(seen.exchanges[0]!.request.pieces).toString()).toBe('body');
  });

  it('are those of another protocol after an upgrade, unwatched', async () => {
    const model = await rawServer((socket, received) => {
      if (received.toString('latin1').endsWith('\r\n\r\n'))
        socket.write(text('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', '', ''));
      else if (received.includes('bye')) socket.end(Buffer.from([0x88, 0x00]));
    });
    const { proxy, seen, budget } = await proxied(model.port);
    const answered = await exchange(proxy.port, [
      text('GET /ws HTTP/1.1', 'Upgrade: websocket', 'Connection: Upgrade', '', ''),
      Buffer.from([0x81, 0x83, 1, 2, 3, 4]),
      Buffer.from('bye'),
    ]);
    expect(answered.subarray(-2)).toEqual(Buffer.from([0x88, 0x00]));
    expect([seen.exchanges, seen.lost, budget.used]).toEqual([[], [], 0]);
  });

  it('pass however long a body is, and copies stay bounded', async () => {
    const length = 24_000_000;
    let most = 0;
    const model = await serve((_request, body, response) => {
      response.end(JSON.stringify({ got: body.length }));
    });
    const { proxy, seen, budget } = await proxied(model.port, { copyBytes: 100_000 });
    const watching = setInterval(() => {
      most = Math.max(most, budget.used);
    }, 1);
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/m:predict`, {
      method: 'POST',
      body: Buffer.alloc(length, 97),
    });
    expect(await answer.json()).toEqual({ got: length });
    clearInterval(watching);
    await until(() => seen.lost.length === 1);
    expect(seen.lost).toEqual(['cut']);
    expect(most).toBeLessThanOrEqual(100_000);
    expect(budget.used).toBe(0);
  });

  it('pass while there is no memory for copies', async () => {
    const model = await serve((_request, body, response) => response.end(body));
    const { proxy, seen, budget } = await proxied(model.port, { memory: 10 });
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/m:predict`, { method: 'POST', body: 'x'.repeat(5_000) });
    expect((await answer.text()).length).toBe(5_000);
    await until(() => seen.lost.length === 1);
    expect([seen.lost, budget.used]).toEqual([['full'], 0]);
  });
});

describe('connections', () => {
  it('are kept for many requests, each copied with its id', async () => {
    let connections = 0;
    const { server, port } = await serve((request, _body, response) =>
      response.end(`{"of":"${request.headers['x-request-id']}"}`),
    );
    server.on('connection', () => connections++);
    const { proxy, seen } = await proxied(port);
    for (let i = 0; i < 20; i++) {
      const answer = await fetch(`http://127.0.0.1:${proxy.port}/m:predict?x=1`, {
        method: 'POST',
        headers: { 'x-request-id': `id-${i}` },
        body: `{"i":${i}}`,
      });
      await answer.text();
    }
    await until(() => seen.exchanges.length === 20);
    // A client may open one more while the first is not free yet.
    expect(connections).toBeLessThan(4);
    expect(seen.exchanges.map(({ id, request }) => [id, Buffer.concat(request.pieces).toString()])).toEqual(
      Array.from({ length: 20 }, (_, i) => [`id-${i}`, `{"i":${i}}`]),
    );
    expect(seen.exchanges[0]).toMatchObject({ path: '/m:predict', time: 1_700_000_000_000 });
  });

  it('end at the model server when the caller goes away, and nothing is kept of them', async () => {
    const model = await rawServer((socket) => {
      socket.write(text('HTTP/1.1 200 OK', 'Content-Length: 1000', '', 'beginning'));
    });
    const { proxy, seen, budget } = await proxied(model.port);
    const caller = connect(proxy.port, '127.0.0.1');
    caller.write(text('POST /m:predict HTTP/1.1', 'Content-Length: 2', '', '{}'));
    await new Promise((resolve) => caller.once('data', resolve));
    caller.resetAndDestroy();
    await until(() => model.sockets[0]?.destroyed === true);
    await until(() => proxy.connections === 0);
    expect([seen.exchanges, seen.lost, budget.used]).toEqual([[], ['aborted'], 0]);
  });

  it('get 502 where the model server takes none, and what it serves as soon as it does', async () => {
    const taken = await serve(() => undefined);
    await new Promise((resolve) => taken.server.close(resolve));
    const { proxy } = await proxied(taken.port);
    const call = () => fetch(`http://127.0.0.1:${proxy.port}/m:predict`, { method: 'POST', body: 'x'.repeat(100_000) });
    const refused = await call();
    expect([refused.status, await refused.text()]).toEqual([502, 'the model server cannot be reached\n']);
    expect(proxy.unreachable).toBe(1);
    await serve((_request, _body, response) => response.end('up'), taken.port);
    expect(await (await call()).text()).toBe('up');
  });

  it('under way end by themselves when it drains, idle ones at once', async () => {
    let answer: (() => void) | null = null;
    const model = await serve((request, _body, response) => {
      if (request.url === '/slow:predict') answer = () => response.end('late');
      else response.end('quick');
    });
    const { proxy, seen } = await proxied(model.port);
    const url = `http://127.0.0.1:${proxy.port}`;
    await (await fetch(`${url}/quick:predict`, { method: 'POST', body: '1' })).text();
    const slow = fetch(`${url}/slow:predict`, { method: 'POST', body: '2' });
    await until(() => answer !== null);
    const drained = proxy.drain(5_000);
    answer!();
    expect(await (await slow).text()).toBe('late');
    await drained;
    expect(proxy.connections).toBe(0);
    expect(seen.exchanges.length).toBe(2);
    await expect(fetch(`${url}/quick:predict`)).rejects.toThrow();
  });
});
