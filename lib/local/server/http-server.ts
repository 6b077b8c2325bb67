/**
 * The HTTP server: limits and time-outs, the checks that every request passes, and the way to its handler.
 * The two ways in for events (`Ingest`) are found before anything is parsed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type AddressSettings, cannotListen } from '../../contracts/cannot-listen.ts';
import { asHttpProblem, fromProblems, HttpProblem, PROBLEM_TYPE, problemText } from '../../contracts/http-problem.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { isJsonType } from '../../pipeline/cloud-events.ts';
import type { Collector } from '../../pipeline/collector.ts';
import { Ingest } from './ingest.ts';
import { sendProblem } from './problem-document.ts';
import { type GuardOptions, RequestGuard, readHead } from './request-guard.ts';
import { makeContext, type Route, Router } from './router.ts';

export interface HttpServerOptions extends GuardOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** `null`: this server takes no events. */
  readonly collector: Collector | null;
  readonly routes: readonly Route[];
  /** Moves the clock of a platform that replays the past. @default null */
  readonly advance?: ((ms: number) => void) | null;
  /** Failures that are ours, for the log of whoever runs it. */
  readonly onFailure?: (error: unknown, what: string) => void;
  /** How its address is chosen, for problems. @default the options of `mlmon serve` */
  readonly chosenBy?: AddressSettings;
}

/** Milliseconds a client has for its headers, and for the whole request. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const KEEP_ALIVE_TIMEOUT = 65_000;
const HEADER_BYTES = 16_384;
const CONNECTIONS = 2_048;

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: Server;
  readonly #guard: RequestGuard;
  readonly #router: Router;
  readonly #ingest: Ingest | null;
  #leaving = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#guard = new RequestGuard(options);
    this.#router = new Router(options.routes);
    this.#ingest =
      options.collector === null ? null : new Ingest(options.collector, this.#guard, options.advance ?? null);
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
        connectionsCheckingInterval: 5_000,
        noDelay: true,
      },
      this.#onRequest,
    );
    this.#server.maxConnections = CONNECTIONS;
    this.#server.on('clientError', onClientError);
  }

  /** @throws ProblemError when the address cannot be listened on */
  async listen(): Promise<string> {
    const { host, port, chosenBy = { host: '--host', port: '--port' } } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => reject(cannotListen(error, { host, port }, chosenBy));
      this.#server.once('error', fail);
      this.#server.listen(port, host, () => {
        this.#server.off('error', fail);
        resolve();
      });
    });
    return this.url;
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Goes on answering, and asks every sender to take another connection the next time: before `close`, so that none is cut. */
  leave(): void {
    this.#leaving = true;
  }

  /** Takes no new requests, lets those under way end (at most `graceMs`), then closes what is left. */
  async close(graceMs = 5_000): Promise<void> {
    this.#leaving = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (this.#leaving) response.shouldKeepAlive = false;
    if (request.method === 'POST' && this.#ingest !== null) {
      const { url } = request;
      if (url === '/v1/events' || url === '/v1/labels') {
        try {
          this.#ingest.handle(request, response, url === '/v1/labels');
        } catch (error) {
          this.#refuse(request, response, error);
        }
        return;
      }
    }
    this.#route(request, response).catch((error: unknown) => this.#refuse(request, response, error));
  };

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const head = readHead(request);
    this.#guard.check(head);
    const method = request.method ?? 'GET';
    const target = request.url ?? '/';
    const mark = target.indexOf('?');
    const path = mark === -1 ? target : target.slice(0, mark);
    const { route, params } = this.#router.find(method, path);
    const identity = this.#guard.identify(head, route.scope, route.scope === null);
    if (route.scope === 'admin' && (head.contentType === null || !isJsonType(head.contentType)))
      throw new HttpProblem(
        415,
        'content-type',
        `Content-Type: expected application/json, got ${head.contentType?.slice(0, 100) ?? 'none'}`,
      );
    const query = new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1));
    await route.handle(makeContext({ request, response, head, identity, params, query }));
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    let problem: HttpProblem;
    if (error instanceof HttpProblem) problem = error;
    else if (error instanceof ProblemError) problem = fromProblems(error.problems);
    else {
      this.#options.onFailure?.(error, `${request.method} ${request.url}`);
      problem = asHttpProblem(error);
    }
    // Where a body is still coming that nobody will read, the connection ends with the answer.
    sendProblem(response, problem, {
      close: !request.complete && request.method !== 'GET' && request.method !== 'HEAD',
    });
  }
}

/** A request that is no HTTP, is too slow or has headers too large. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason, detail] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', `headers have at most ${HEADER_BYTES} bytes`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [
            408,
            'Request Timeout',
            `a request has ${REQUEST_TIMEOUT / 1000} seconds, its headers ${HEADERS_TIMEOUT / 1000}`,
          ]
        : [400, 'Bad Request', 'the request is not readable as HTTP'];
  const body = problemText(new HttpProblem(status as number, 'http', detail as string).document);
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
