/**
 * `POST /v1/events` and `POST /v1/labels`: from the request to the collector and back. This is the path that every event takes, so it
 * builds no closures and no promises a request, and looks at each byte of a body as seldom as it can.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTime } from '../../engine/event-time.ts';
import {
  type Attributes,
  eventMode,
  headerText,
  isJsonType,
  takeBatch,
  takeBinary,
  takeLabels,
  takeStructured,
} from '../../pipeline/cloud-events.ts';
import { answerOf, type Collector, Ticket } from '../../pipeline/collector.ts';
import { HttpProblem, sendProblem } from './problem-document.ts';
import { BODY_LIMIT, decoded, decompressed, tooLarge } from './request-body.ts';
import { type Head, type RequestGuard, readHead } from './request-guard.ts';

type Mode = 'structured' | 'batched' | 'binary' | 'labels';

/** What is known of a request while its body comes in. */
interface Pending {
  readonly ingest: Ingest;
  readonly response: ServerResponse;
  readonly head: Head;
  readonly mode: Mode;
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
    const mode = modeOf(request, head, labelsOnly);
    if (head.contentLength !== null && Number(head.contentLength) > BODY_LIMIT) throw tooLarge();
    const { collector } = this;
    if (collector.full) {
      collector.counters.shed.queue_full++;
      throw new HttpProblem(
        429,
        'queue-full',
        'events come in faster than they become durable; send this request again later',
        {
          headers: ['Retry-After', '1'],
        },
      );
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
    const ticket = new Ticket(pending.response, pending.mode === 'labels' ? 'json' : 'cloudevents', settle);
    ticket.mayInfer = pending.mayInfer;
    ticket.mayLabel = pending.mayLabel;
    ticket.ascii = text.length === body.length;
    switch (pending.mode) {
      case 'structured':
        takeStructured(collector, ticket, text);
        break;
      case 'batched':
        if (!takeBatch(collector, ticket, text))
          throw new HttpProblem(
            400,
            'not-a-batch',
            'a batch is a JSON array of CloudEvents, and this body is no array',
          );
        break;
      case 'labels':
        takeLabels(collector, ticket, text);
        break;
      case 'binary':
        takeBinary(collector, ticket, attributesOf(request), text);
        break;
    }
    collector.submit(ticket);
  }
}

/** @throws HttpProblem 400, 415 */
function modeOf(request: IncomingMessage, head: Head, labelsOnly: boolean): Mode {
  if (head.contentType === null)
    throw new HttpProblem(
      415,
      'content-type',
      'Content-Type: is required; expected application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce- headers',
    );
  const mode = eventMode(head.contentType);
  if (mode === 'structured' || mode === 'batched') return mode;
  if (mode === 'unsupported' || !isJsonType(head.contentType))
    throw new HttpProblem(
      415,
      'content-type',
      `Content-Type: expected a JSON format, got ${head.contentType.slice(0, 100)}`,
    );
  if (hasAttributes(request)) return 'binary';
  if (labelsOnly) return 'labels';
  throw new HttpProblem(
    400,
    'not-a-cloudevent',
    'the request is no CloudEvent: its content type is plain JSON and it has no ce- headers; send application/cloudevents+json with specversion, id, source, type and data, or set ce-specversion, ce-id, ce-source and ce-type',
  );
}

function hasAttributes(request: IncomingMessage): boolean {
  const raw = request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) if (/^ce-(?:specversion|type)$/i.test(raw[i]!)) return true;
  return false;
}

function attributesOf(request: IncomingMessage): Attributes {
  const found: Record<string, string> = {};
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!name.startsWith('ce-')) continue;
    const value = headerText(raw[i + 1]!);
    if (value !== null) found[name.slice(3)] = value;
  }
  return {
    specversion: found['specversion'],
    id: found['id'],
    type: found['type'],
    source: found['source'],
    time: found['time'],
    datacontenttype: null,
  };
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
      .catch((error: unknown) => sendProblem(pending.response, asProblem(error)));
    return;
  }
  try {
    pending.ingest.take(pending, this, body);
  } catch (error) {
    sendProblem(pending.response, asProblem(error));
  }
}

/** The sender went away: nobody waits for an answer, and nothing of the request was taken. */
function onError(this: IncomingMessage): void {
  (this as Carrier)[PENDING]!.ended = true;
}

function settle(ticket: Ticket, failure: Error | null): void {
  const response = ticket.owner as ServerResponse;
  if (response.destroyed) return;
  if (failure !== null) {
    sendProblem(
      response,
      new HttpProblem(
        503,
        'not-durable',
        `the events could not be made durable and were not taken: ${failure.message}`,
        {
          headers: ['Retry-After', '5'],
        },
      ),
    );
    return;
  }
  const refused = ticket.quarantined + ticket.forbidden;
  if (ticket.accepted === 0 && refused > 0) {
    if (ticket.forbidden === refused) {
      sendProblem(response, new HttpProblem(403, 'scope', ticket.reasons?.[0]?.detail ?? 'not permitted'));
      return;
    }
    if (ticket.unreadable === refused) {
      sendProblem(
        response,
        new HttpProblem(400, 'unreadable', 'nothing of the request could be read as JSON; it is kept in quarantine', {
          problems: ticket.reasons ?? [],
        }),
      );
      return;
    }
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

export function asProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  return new HttpProblem(500, 'internal', error instanceof Error ? error.message : 'an unexpected failure');
}
