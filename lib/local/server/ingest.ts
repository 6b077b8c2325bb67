/**
 * `POST /v1/events` and `POST /v1/labels`: from the request to the collector and back. This is the path that every event takes, so it
 * builds no closures and no promises a request, and looks at each byte of a body as seldom as it can.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asHttpProblem, HttpProblem } from '../../contracts/http-problem.ts';
import { parseTime } from '../../engine/event-time.ts';
import { answerOf, type Collector, Ticket } from '../../pipeline/collector.ts';
import { formatOf, type IngestMode, ingestMode, queueFull, refusalOf, takeBody } from '../../pipeline/ingest.ts';
import { BODY_LIMIT, decoded, decompressed, tooLarge } from '../../pipeline/request-body.ts';
import { sendProblem } from './problem-document.ts';
import { type Head, type RequestGuard, readHead } from './request-guard.ts';

/** What is known of a request while its body comes in. */
interface Pending {
  readonly ingest: Ingest;
  readonly response: ServerResponse;
  readonly head: Head;
  readonly mode: IngestMode;
  readonly mayInfer: boolean;
  readonly mayLabel: boolean;
  first: Buffer | null;
  more: Buffer[] | null;
  size: number;
  ended: boolean;
}

const PENDING = Symbol('pending');
type Carrier = IncomingMessage & { [PENDING]?: Pending };

/** Answers without reasons are the same for every request. */
const PLAIN_ANSWERS = new Map<number, string>();

export class Ingest {
  readonly collector: Collector;
  readonly #guard: RequestGuard;
  readonly #advance: ((ms: number) => void) | null;

  /** `advance` moves the clock of a platform that replays the past; `null`: such headers mean nothing. */
  constructor(collector: Collector, guard: RequestGuard, advance: ((ms: number) => void) | null = null) {
    this.collector = collector;
    this.#guard = guard;
    this.#advance = advance;
  }

  /** @throws HttpProblem before the body is read */
  handle(request: IncomingMessage, response: ServerResponse, labelsOnly: boolean): void {
    const head = readHead(request);
    this.#guard.check(head);
    const identity = this.#guard.identify(head, null);
    const mayLabel = identity.scopes.has('labels:write');
    const mayInfer = !labelsOnly && identity.scopes.has('events:write');
    if (!mayInfer && !mayLabel)
      throw new HttpProblem(
        403,
        'scope',
        `the token of ${identity.name} lacks the scope ${labelsOnly ? 'labels:write' : 'events:write'}`,
      );
    const mode = ingestMode(head.contentType, labelsOnly, request.rawHeaders);
    if (head.contentLength !== null && Number(head.contentLength) > BODY_LIMIT) throw tooLarge();
    const { collector } = this;
    if (collector.full) {
      collector.counters.shed.queue_full++;
      throw queueFull();
    }
    (request as Carrier)[PENDING] = {
      ingest: this,
      response,
      head,
      mode,
      mayInfer,
      mayLabel,
      first: null,
      more: null,
      size: 0,
      ended: false,
    };
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onError);
  }

  take(pending: Pending, request: IncomingMessage, body: Buffer): void {
    const text = decoded(body);
    const { collector } = this;
    if (this.#advance !== null && pending.head.replayClock !== null) this.#advance(parseTime(pending.head.replayClock));
    const ticket = new Ticket(pending.response, formatOf(pending.mode), settle);
    ticket.mayInfer = pending.mayInfer;
    ticket.mayLabel = pending.mayLabel;
    ticket.ascii = text.length === body.length;
    takeBody(collector, ticket, {
      mode: pending.mode,
      text,
      headers: request.rawHeaders,
    });
    collector.submit(ticket);
  }
}

function onData(this: IncomingMessage, chunk: Buffer): void {
  const pending = (this as Carrier)[PENDING]!;
  pending.size += chunk.length;
  if (pending.size > BODY_LIMIT) {
    if (pending.ended) return;
    pending.ended = true;
    pending.first = null;
    pending.more = null;
    this.pause();
    sendProblem(pending.response, tooLarge(), { close: true });
    return;
  }
  if (pending.first === null) pending.first = chunk;
  else if (pending.more === null) pending.more = [pending.first, chunk];
  else pending.more.push(chunk);
}

function onEnd(this: IncomingMessage): void {
  const pending = (this as Carrier)[PENDING]!;
  if (pending.ended) return;
  pending.ended = true;
  const body = pending.more === null ? (pending.first ?? Buffer.alloc(0)) : Buffer.concat(pending.more);
  pending.first = null;
  pending.more = null;
  if (pending.head.contentEncoding !== null) {
    decompressed(body, pending.head.contentEncoding)
      .then((plain) => pending.ingest.take(pending, this, plain))
      .catch((error: unknown) => sendProblem(pending.response, asHttpProblem(error)));
    return;
  }
  try {
    pending.ingest.take(pending, this, body);
  } catch (error) {
    sendProblem(pending.response, asHttpProblem(error));
  }
}

/** The sender went away: nobody waits for an answer, and nothing of the request was taken. */
function onError(this: IncomingMessage): void {
  (this as Carrier)[PENDING]!.ended = true;
}

function settle(ticket: Ticket, failure: Error | null): void {
  const response = ticket.owner as ServerResponse;
  if (response.destroyed) return;
  const refusal = refusalOf(ticket, failure);
  if (refusal !== null) {
    sendProblem(response, refusal);
    return;
  }
  const body = ticket.reasons === null ? plainAnswer(ticket.accepted) : `${JSON.stringify(answerOf(ticket))}\n`;
  response.writeHead(202, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(ticket.reasons === null ? body.length : Buffer.byteLength(body, 'utf8')),
    'X-Content-Type-Options',
    'nosniff',
  ]);
  response.end(body, 'utf8');
}

function plainAnswer(accepted: number): string {
  let text = PLAIN_ANSWERS.get(accepted);
  if (text === undefined) {
    text = `{"accepted":${accepted},"quarantined":0,"reasons":[]}\n`;
    if (PLAIN_ANSWERS.size < 1_000) PLAIN_ANSWERS.set(accepted, text);
  }
  return text;
}
