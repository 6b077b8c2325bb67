/**
 * `POST /v1/events` and `POST /v1/labels` without the server: which form a request has, its body into the collector, and what is
 * answered. The server of one machine and the function on AWS differ in how bytes come in and go out, and in nothing else.
 */
import { HttpProblem } from '../contracts/http-problem.ts';
import {
  type Attributes,
  eventMode,
  headerText,
  isJsonType,
  takeBatch,
  takeBinary,
  takeLabels,
  takeStructured,
} from './cloud-events.ts';
import type { Collector, Ticket } from './collector.ts';
import type { EventFormat } from './collector-counters.ts';

export type IngestMode = 'structured' | 'batched' | 'binary' | 'labels';

/** Headers as Node gives them: names in any case and values by turns. */
export type RawHeaders = readonly string[];

/**
 * The form of a request.
 * @throws HttpProblem 400, 415
 */
export function ingestMode(contentType: string | null, labelsOnly: boolean, headers: RawHeaders): IngestMode {
  if (contentType === null)
    throw new HttpProblem(
      415,
      'content-type',
      'Content-Type: is required; expected application/cloudevents+json, application/cloudevents-batch+json, or application/json with ce- headers',
    );
  const mode = eventMode(contentType);
  if (mode === 'structured' || mode === 'batched') return mode;
  if (mode === 'unsupported' || !isJsonType(contentType))
    throw new HttpProblem(
      415,
      'content-type',
      `Content-Type: expected a JSON format, got ${contentType.slice(0, 100)}`,
    );
  if (hasAttributes(headers)) return 'binary';
  if (labelsOnly) return 'labels';
  throw new HttpProblem(
    400,
    'not-a-cloudevent',
    'the request is no CloudEvent: its content type is plain JSON and it has no ce- headers; send application/cloudevents+json with specversion, id, source, type and data, or set ce-specversion, ce-id, ce-source and ce-type',
  );
}

export function formatOf(mode: IngestMode): EventFormat {
  return mode === 'labels' ? 'json' : 'cloudevents';
}

/** Over its limits: nothing of the request was read. */
export function queueFull(): HttpProblem {
  return new HttpProblem(
    429,
    'queue-full',
    'events come in faster than they become durable; send this request again later',
    { headers: ['Retry-After', '1'] },
  );
}

function hasAttributes(headers: RawHeaders): boolean {
  for (let i = 0; i < headers.length; i += 2) if (/^ce-(?:specversion|type)$/i.test(headers[i]!)) return true;
  return false;
}

/** What `ce-` headers say, by name in lower case without the prefix. */
export function ceHeaders(headers: RawHeaders): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (!name.startsWith('ce-')) continue;
    const value = headerText(headers[i + 1]!);
    if (value !== null) found.set(name.slice(3), value);
  }
  return found;
}

/** Attributes of a CloudEvent in binary mode. */
function attributesOf(headers: RawHeaders): Attributes {
  const found = ceHeaders(headers);
  return {
    specversion: found.get('specversion'),
    id: found.get('id'),
    type: found.get('type'),
    source: found.get('source'),
    time: found.get('time'),
    datacontenttype: null,
  };
}

/**
 * Gives the events of a body to the collector; `submit` must follow in the same turn.
 * @throws HttpProblem 400
 */
export function takeBody(
  collector: Collector,
  ticket: Ticket,
  body: { readonly mode: IngestMode; readonly text: string; readonly headers: RawHeaders },
): void {
  const { mode, text } = body;
  switch (mode) {
    case 'structured':
      takeStructured(collector, ticket, text);
      break;
    case 'batched':
      if (!takeBatch(collector, ticket, text))
        throw new HttpProblem(400, 'not-a-batch', 'a batch is a JSON array of CloudEvents, and this body is no array');
      break;
    case 'labels':
      takeLabels(collector, ticket, text);
      break;
    case 'binary':
      takeBinary(collector, ticket, attributesOf(body.headers), text);
      break;
  }
}

/** Why a settled request is refused as a whole; `null` when it is answered 202 with its counts. */
export function refusalOf(ticket: Ticket, failure: Error | null): HttpProblem | null {
  if (failure !== null)
    return new HttpProblem(
      503,
      'not-durable',
      `the events could not be made durable and were not taken: ${failure.message}`,
      { headers: ['Retry-After', '5'] },
    );
  const refused = ticket.quarantined + ticket.forbidden;
  if (ticket.accepted > 0 || refused === 0) return null;
  if (ticket.forbidden === refused)
    return new HttpProblem(403, 'scope', ticket.reasons?.[0]?.detail ?? 'not permitted');
  if (ticket.unreadable === refused)
    return new HttpProblem(
      400,
      'unreadable',
      'nothing of the request could be read as JSON; it is kept in quarantine',
      { problems: ticket.reasons ?? [] },
    );
  return null;
}
