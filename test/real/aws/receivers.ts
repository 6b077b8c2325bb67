/** Slack and PagerDuty, at a local address: they take what is posted to them and remember it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export class Receivers {
  readonly received: Received[] = [];
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Receivers> {
    const server = createServer();
    await new Promise<void>((listening) => {
      server.listen(0, '127.0.0.1', listening);
    });
    const receivers = new Receivers(server);
    server.on('request', (request, answer) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      request.on('end', () => {
        const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
        receivers.received.push({ path: request.url ?? '', body });
        // PagerDuty takes events with 202, Slack with 200 and `ok`.
        answer.statusCode = request.url === '/v2/enqueue' ? 202 : 200;
        answer.end(request.url === '/v2/enqueue' ? '{"status":"success"}' : 'ok');
      });
    });
    return receivers;
  }

  /** What came to a path, oldest first. */
  at(path: string): readonly Readonly<Record<string, unknown>>[] {
    return this.received.filter((one) => one.path === path).map(({ body }) => body);
  }

  stop(): Promise<void> {
    return new Promise((stopped) => {
      this.#server.close(() => stopped());
      this.#server.closeAllConnections();
    });
  }
}
