/**
 * Takes posts: `POST /v1/events` and `/v1/labels` from the app, `POST /v1/kserve` from KServe's logger.
 *
 * An app is answered 202 when its events are durable; with `Prefer: respond-async` (RFC 7240) at once, and then it is told how many were shed.
 * The logger is always answered 200: it takes anything else for an error, tries nothing again, and must not be slowed.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { asHttpProblem, HttpProblem, PROBLEM_TYPE, problemText } from '../contracts/http-problem.ts';
import { headerText } from '../pipeline/cloud-events.ts';
import { type IngestMode, ingestMode, type RawHeaders } from '../pipeline/ingest.ts';
import { arrayElements, tooDeep } from '../pipeline/json-spans.ts';
import { KSERVE_TYPES } from '../pipeline/kserve.ts';
import { BODY_LIMIT, decoded, decompressed, tooLarge } from '../pipeline/request-body.ts';
import { type Intake, singleEvents } from './intake.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { NotDurableError } from './spool.ts';

export interface ReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** Names besides those of this machine under which it is reached. */
  readonly names: readonly string[];
  /** Whether the bearer of a token may send; `null`: whoever reaches the port may. */
  readonly authorize: ((token: string | null) => boolean) | null;
  readonly intake: Intake;
  readonly memory: MemoryBudget;
}

/** Requests turned away unread, by why: they were never taken. */
export const TURNED_AWAY = ['queue_full', 'not_durable'] as const;
export type TurnedAway = (typeof TURNED_AWAY)[number];

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #server: Server;
  readonly #names: ReadonlySet<string>;
  readonly turnedAway: Record<TurnedAway, number> = { queue_full: 0, not_durable: 0 };

  private constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#names = new Set([...LOOPBACK, options.host, ...options.names]);
    this.#server = createServer(
      { keepAliveTimeout: 60_000, requestTimeout: 30_000, noDelay: true },
      (request, response) => this.#handle(request, response),
    );
  }

  /** @throws the error of `listen` */
  static async listen(options: ReceiverOptions): Promise<Receiver> {
    const receiver = new Receiver(options);
    await new Promise<void>((resolve, reject) => {
      receiver.#server.once('error', reject);
      receiver.#server.listen(options.port, options.host, () => {
        receiver.#server.off('error', reject);
        resolve();
      });
    });
    return receiver;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Takes no more connections; those under way end by themselves, or after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Those that are kept open fall idle one after another.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), 50);
    const timer = setTimeout(() => this.#server.closeAllConnections(), limitMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(timer);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { memory } = this.#options;
    let route: Route;
    try {
      route = this.#route(request);
    } catch (error) {
      refuse(response, error);
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    let reserved = 0;
    let state: 'reading' | 'full' | 'over' = 'reading';
    const giveBack = (): void => {
      memory.release(reserved);
      reserved = 0;
      chunks.length = 0;
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (state !== 'reading') return;
      if (size > BODY_LIMIT) {
        state = 'over';
        giveBack();
        refuse(response, tooLarge());
      } else if (memory.reserve(chunk.length)) {
        reserved += chunk.length;
        chunks.push(chunk);
      } else {
        // Read to its end all the same: the sender may be one that cannot stop.
        state = 'full';
        giveBack();
      }
    });
    request.once('end', () => {
      if (state === 'over') return;
      const body = state === 'full' ? null : chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      giveBack();
      this.#take(route, request, body)
        .then((answer) => reply(response, answer.status, answer.body))
        .catch((error: unknown) => refuse(response, error));
    });
    request.once('close', giveBack);
    request.once('error', giveBack);
  }

  /** @throws HttpProblem 400, 401, 404, 405, 413, 415 */
  #route(request: IncomingMessage): Route {
    const { headers } = request;
    const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    // A page that a browser was led to by a name of its own must not reach a port of this machine.
    if (!this.#names.has(host))
      throw new HttpProblem(
        400,
        'host',
        `Host: expected one of ${[...this.#names].join(', ')}, got ${host.slice(0, 80)}`,
      );
    const path = (request.url ?? '').split('?', 1)[0]!;
    const [, version, name, token, more] = path.split('/');
    const isKserve = name === 'kserve' && more === undefined;
    const known = version === 'v1' && (isKserve || ((name === 'events' || name === 'labels') && token === undefined));
    if (!known) throw new HttpProblem(404, 'no-such-path', 'expected /v1/events, /v1/labels or /v1/kserve');
    if (request.method !== 'POST')
      throw new HttpProblem(405, 'method', 'expected POST', { headers: ['Allow', 'POST'] });
    const { authorize } = this.#options;
    if (authorize !== null) {
      const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? null;
      // The logger can send no header of ours.
      if (!authorize(bearer ?? (isKserve ? (token ?? null) : null)))
        throw new HttpProblem(401, 'token', 'Authorization: expected a bearer token with the scope events:write', {
          headers: ['WWW-Authenticate', 'Bearer'],
        });
    }
    if (Number(headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge();
    if (isKserve) return { kind: 'kserve' };
    const mode = ingestMode(headers['content-type'] ?? null, name === 'labels', request.rawHeaders);
    const waits = !/(?:^|[,\s])respond-async(?:$|[,;\s])/i.test(String(headers['prefer'] ?? ''));
    return { kind: 'events', mode, waits };
  }

  async #take(
    route: Route,
    request: IncomingMessage,
    sent: Buffer | null,
  ): Promise<{ readonly status: number; readonly body: object }> {
    const { intake } = this.#options;
    if (route.kind === 'kserve') return { status: 200, body: await this.#half(request, sent) };
    if (sent === null) {
      this.turnedAway.queue_full++;
      throw full();
    }
    const body = await decompressed(sent, request.headers['content-encoding'] ?? null);
    const texts = eventTexts(route.mode, decoded(body), request.rawHeaders);
    if (!route.waits) return { status: 202, body: intake.events(texts) };
    try {
      const taken = await intake.store(texts);
      if (taken !== null) return { status: 202, body: taken };
    } catch (error) {
      if (!(error instanceof NotDurableError)) throw error;
      this.turnedAway.not_durable++;
      throw new HttpProblem(
        503,
        'not-durable',
        `the events could not be made durable and were not taken: ${error.message}`,
        {
          headers: ['Retry-After', '5'],
        },
      );
    }
    this.turnedAway.queue_full++;
    throw full();
  }

  /** @throws HttpProblem 400: not of the logger */
  async #half(request: IncomingMessage, sent: Buffer | null): Promise<object> {
    const headers = attributes(request.rawHeaders);
    const type = attribute(headers, 'ce-type');
    if (type === null || !Object.hasOwn(KSERVE_TYPES, type))
      throw new HttpProblem(400, 'type', `ce-type: expected ${Object.keys(KSERVE_TYPES).join(' or ')}`);
    if (sent === null) return this.#options.intake.lostHalf();
    const encoding = request.headers['content-encoding'] ?? null;
    const body = encoding === null ? sent : await decompressed(sent, encoding);
    return this.#options.intake.half(attribute(headers, 'ce-id') ?? randomUUID(), headers, body);
  }
}

type Route =
  | { readonly kind: 'kserve' }
  | { readonly kind: 'events'; readonly mode: IngestMode; readonly waits: boolean };

/**
 * The events of a body, each as a structured CloudEvent.
 * @throws HttpProblem 400
 */
function eventTexts(mode: IngestMode, text: string, headers: RawHeaders): string[] {
  if (mode === 'structured') return singleEvents(text);
  if (mode === 'batched') {
    if (tooDeep(text)) throw new HttpProblem(400, 'nesting', 'the body is nested too deeply');
    const elements = arrayElements(text);
    if (elements === null)
      throw new HttpProblem(400, 'not-a-batch', 'a batch is a JSON array of CloudEvents, and this body is no array');
    return elements.flatMap(singleEvents);
  }
  const of = (name: string): string | undefined => {
    const value = attribute(headers, `ce-${name}`);
    return value === null ? undefined : (headerText(value) ?? undefined);
  };
  const envelope =
    mode === 'labels'
      ? { specversion: '1.0', id: randomUUID(), type: 'ml.label.v1', source: '/mlmon/sidecar' }
      : { specversion: of('specversion'), id: of('id'), type: of('type'), source: of('source'), time: of('time') };
  return singleEvents(`${JSON.stringify(envelope).slice(0, -1)},"data":${text.trim()}}`);
}

/** Headers of the CloudEvent, as they came. */
function attributes(headers: RawHeaders): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2)
    if (/^ce-/i.test(headers[i]!)) found.push(headers[i]!, headers[i + 1]!);
  return found;
}

function attribute(headers: RawHeaders, name: string): string | null {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i]!.toLowerCase() === name) return headers[i + 1]!;
  return null;
}

function full(): HttpProblem {
  return new HttpProblem(
    429,
    'queue-full',
    'events come in faster than they can be kept; send this request again later',
    {
      headers: ['Retry-After', '1'],
    },
  );
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** A problem document (RFC 9457). */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.headersSent) return;
  const problem = asHttpProblem(error);
  const body = Buffer.from(problemText(problem.document), 'utf8');
  // What is left of the request is not read: the connection ends with the answer.
  const close = response.req.complete ? [] : ['Connection', 'close'];
  response.writeHead(problem.document.status, [
    'Content-Type',
    PROBLEM_TYPE,
    'Content-Length',
    String(body.length),
    ...problem.headers,
    ...close,
  ]);
  response.end(body);
}
