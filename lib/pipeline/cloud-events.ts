/**
 * CloudEvents 1.0 over HTTP: binary, structured and batched, into the collector. `data` is one event of the log record, or an array of them.
 * Format: reference/cloudevents (spec.md, bindings/http-protocol-binding.md, formats/json-format.md of CloudEvents 1.0.2).
 */
import type { EventType } from '../contracts/event.ts';
import { shown } from '../contracts/problem.ts';
import type { Collector, Ticket } from './collector.ts';
import type { Envelope } from './event-line.ts';
import { arrayElements, eachElement, envelopeSpan, skipSpace, tooDeep } from './json-spans.ts';

export const EVENT_TYPES: Readonly<Record<string, EventType>> = {
  'ml.inference.v1': 'inference',
  'ml.request.v1': 'request',
  'ml.response.v1': 'response',
  'ml.label.v1': 'label',
};

export type EventMode = 'binary' | 'structured' | 'batched' | 'unsupported';

/** The mode, from the content type alone, the longer prefix first. Formats other than JSON are not supported. */
export function eventMode(contentType: string): EventMode {
  if (contentType === 'application/cloudevents+json') return 'structured';
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (type.startsWith('application/cloudevents-batch'))
    return type === 'application/cloudevents-batch+json' ? 'batched' : 'unsupported';
  if (type.startsWith('application/cloudevents'))
    return type === 'application/cloudevents+json' ? 'structured' : 'unsupported';
  return 'binary';
}

/** `application/json`, `text/json`, `…/…+json`, with or without parameters; an absent type counts as JSON. */
export function isJsonType(contentType: string | null): boolean {
  if (contentType === null || contentType === '' || contentType === 'application/json') return true;
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return type.endsWith('/json') || type.endsWith('+json');
}

/** Attributes of an event, from its members or its headers. */
export interface Attributes {
  readonly specversion: unknown;
  readonly id: unknown;
  readonly type: unknown;
  readonly source: unknown;
  readonly time: unknown;
  readonly datacontenttype: unknown;
}

/** What is wrong with the attributes, or what they say. */
function envelopeOf(attributes: Attributes): Envelope | string {
  const { specversion, id, type, source, time, datacontenttype } = attributes;
  if (specversion !== '1.0') return `specversion: expected "1.0", got ${shown(specversion)}`;
  if (typeof id !== 'string' || id === '') return `id: expected text, got ${shown(id)}`;
  if (typeof source !== 'string' || source === '') return `source: expected text, got ${shown(source)}`;
  const kind = typeof type === 'string' && Object.hasOwn(EVENT_TYPES, type) ? EVENT_TYPES[type]! : null;
  if (kind === null) return `type: expected ${Object.keys(EVENT_TYPES).join(' or ')}, got ${shown(type)}`;
  if (time !== null && time !== undefined && typeof time !== 'string')
    return `time: expected RFC 3339 text, got ${shown(time)}`;
  if (datacontenttype !== null && datacontenttype !== undefined) {
    if (typeof datacontenttype !== 'string' || !isJsonType(datacontenttype))
      return `datacontenttype: expected JSON, got ${shown(datacontenttype)}`;
  }
  return { type: kind, id, source, time: time ?? null };
}

/** One structured event: the whole body is its JSON. */
export function takeStructured(collector: Collector, ticket: Ticket, text: string): void {
  const span = envelopeSpan(text);
  if (span === null) {
    takeUncommon(collector, ticket, text);
    return;
  }
  const envelope = envelopeOf({
    specversion: span.specversion,
    id: span.id,
    type: span.type,
    source: span.source,
    time: span.time,
    datacontenttype: span.contentType,
  });
  if (typeof envelope === 'string') collector.refuse(ticket, 'schema', envelope, text);
  else takeData(collector, ticket, span.data, envelope);
}

/** A batch: the body is an array of structured events. False when it is no array at all. */
export function takeBatch(collector: Collector, ticket: Ticket, text: string): boolean {
  const elements = arrayElements(text);
  if (elements === null) return false;
  for (const element of elements) takeStructured(collector, ticket, element);
  return true;
}

/** One event in binary mode: attributes from the headers, the body is `data`. */
export function takeBinary(collector: Collector, ticket: Ticket, attributes: Attributes, text: string): void {
  // What headers say may be beyond ASCII once it is decoded.
  ticket.ascii = false;
  const envelope = envelopeOf(attributes);
  if (typeof envelope === 'string') collector.refuse(ticket, 'schema', `ce-${envelope}`, text);
  else takeData(collector, ticket, text, envelope);
}

/** Labels as plain objects: `{id, model, truth, time?}`, one or an array. */
export function takeLabels(collector: Collector, ticket: Ticket, text: string): void {
  takeData(collector, ticket, text, { type: 'label', id: null, source: null, time: null });
}

/** `data` as text: one event or an array of them. */
function takeData(collector: Collector, ticket: Ticket, data: string, envelope: Envelope): void {
  const start = skipSpace(data, 0);
  if (data.charCodeAt(start) === 91) {
    // The id of the envelope cannot be that of each.
    const each: Envelope = { ...envelope, id: null };
    if (eachElement(data, (element, tentative) => collector.takeText(ticket, element, each, tentative))) return;
  }
  collector.takeText(ticket, start === 0 ? data.trimEnd() : data.trim(), envelope);
}

/** The long way: members in any order, escapes in attributes, `data_base64`. */
function takeUncommon(collector: Collector, ticket: Ticket, text: string): void {
  if (tooDeep(text)) {
    collector.refuse(ticket, 'schema', 'nested too deeply', text);
    return;
  }
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    ticket.unreadable++;
    collector.refuse(ticket, 'json', 'not readable as JSON', text);
    return;
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    collector.refuse(ticket, 'schema', `expected a CloudEvent, got ${shown(event)}`, text);
    return;
  }
  const members = event as Record<string, unknown>;
  const envelope = envelopeOf({
    specversion: members['specversion'],
    id: members['id'],
    type: members['type'],
    source: members['source'],
    time: members['time'],
    datacontenttype: members['datacontenttype'],
  });
  if (typeof envelope === 'string') {
    collector.refuse(ticket, 'schema', envelope, text);
    return;
  }
  const encoded = members['data_base64'];
  if (typeof encoded === 'string' && members['data'] === undefined) {
    ticket.ascii = false;
    takeData(collector, ticket, Buffer.from(encoded, 'base64').toString('utf8'), envelope);
    return;
  }
  const { data } = members;
  if (data === undefined || (encoded !== undefined && encoded !== null)) {
    collector.refuse(ticket, 'schema', 'expected either data or data_base64', text);
    return;
  }
  if (Array.isArray(data)) for (const item of data) collector.take(ticket, item, null, { ...envelope, id: null });
  else collector.take(ticket, data, null, envelope);
}

/**
 * The text of a `ce-` header: quotes undone, then one pass of percent-decoding. `null` when the result is not UTF-8.
 */
export function headerText(value: string): string | null {
  let text = value.trim();
  if (text.length >= 2 && text.startsWith('"') && text.endsWith('"')) text = text.slice(1, -1).replace(/\\(.)/g, '$1');
  if (!text.includes('%')) return text;
  try {
    // Only what looks like an encoded byte is one: `100%` stays as it is.
    return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => decodeURIComponent(run));
  } catch {
    return null;
  }
}
