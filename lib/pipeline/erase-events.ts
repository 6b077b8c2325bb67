/** Takes single events out of an object, whatever form they lie in; all else in it stays as it is, byte for byte where that can be. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { EventForm } from '../contracts/retention.ts';
import { excerptGoes, lineGoes, textGoes } from './event-marks.ts';
import type { CaptureRewriter, EventsToGo } from './ports.ts';

export interface Rewritten {
  readonly body: Uint8Array;
  readonly erased: number;
}

/** An object that may hold what goes, in a form in which it cannot be taken out. */
export class UnerasableError extends Error {
  override readonly name = 'UnerasableError';
}

/** `null` when nothing in it goes. @throws UnerasableError */
export async function withoutEvents(
  form: EventForm,
  body: Uint8Array,
  events: readonly EventsToGo[],
  rewriter: () => Promise<CaptureRewriter>,
): Promise<Rewritten | null> {
  switch (form) {
    case 'captured':
      if (beginsWith(body, 'PAR1')) return (await rewriter()).without(body, events);
      return withoutLines(body, events);
    case 'lines':
      return withoutLines(body, events);
    case 'quarantine':
      return keptOf(body, (line) => quarantinedGoes(line, events));
    case 'failures':
      return withoutFailures(body, events);
    case 'batches':
      return withoutBatched(body, events);
  }
}

/** NDJSON, also compressed. */
function withoutLines(body: Uint8Array, events: readonly EventsToGo[]): Rewritten | null {
  const isZipped = body[0] === 0x1f && body[1] === 0x8b;
  const kept = keptOf(isZipped ? gunzipSync(body) : body, (line) => lineGoes(line, events));
  return kept === null || !isZipped ? kept : { ...kept, body: gzipSync(kept.body) };
}

/** The lines that stay, with their ends. */
function keptOf(body: Uint8Array, goes: (line: string) => boolean): Rewritten | null {
  const kept: Uint8Array[] = [];
  let erased = 0;
  for (let from = 0; from < body.length; ) {
    const at = body.indexOf(10, from);
    const end = at < 0 ? body.length : at + 1;
    const line = body.subarray(from, end);
    const text = new TextDecoder().decode(line).trim();
    if (text !== '' && goes(text)) erased += 1;
    else kept.push(line);
    from = end;
  }
  return erased === 0 ? null : { body: Buffer.concat(kept), erased };
}

function quarantinedGoes(line: string, events: readonly EventsToGo[]): boolean {
  try {
    const { excerpt, detail } = JSON.parse(line) as { readonly excerpt?: unknown; readonly detail?: unknown };
    return excerptGoes(String(excerpt ?? ''), String(detail ?? ''), events);
  } catch {
    return textGoes(line, events);
  }
}

/** What Firehose could not convert: documents one after another, each with a record of the stream in base64. */
function withoutFailures(body: Uint8Array, events: readonly EventsToGo[]): Rewritten | null {
  let erased = 0;
  const documents = new TextDecoder().decode(body).split(/(?<=\})(\s*)(?=\{"attemptsMade")/);
  const kept = documents.map((text) => {
    if (text.trim() === '') return text;
    let failure: { rawData?: unknown };
    try {
      failure = JSON.parse(text) as { rawData?: unknown };
    } catch {
      if (!textGoes(text, events)) return text;
      erased += 1;
      return '';
    }
    if (typeof failure.rawData !== 'string') return text;
    const without = withoutLines(Buffer.from(failure.rawData, 'base64'), events);
    if (without === null) return text;
    erased += without.erased;
    return JSON.stringify({ ...failure, rawData: Buffer.from(without.body).toString('base64') });
  });
  return erased === 0 ? null : { body: new TextEncoder().encode(kept.join('')), erased };
}

/** What Lambda gave up: the invocation with its records in base64. Records stay though nothing is left in them, since their positions are counted. */
function withoutBatched(body: Uint8Array, events: readonly EventsToGo[]): Rewritten | null {
  const text = new TextDecoder().decode(body);
  let value: { payload?: unknown };
  try {
    value = JSON.parse(text) as { payload?: unknown };
  } catch {
    if (textGoes(text, events)) throw new UnerasableError('it is not JSON, and names what is to be erased');
    return null;
  }
  const isText = typeof value.payload === 'string';
  let payload: { Records?: unknown };
  try {
    payload = (isText ? JSON.parse(value.payload as string) : (value.payload ?? {})) as { Records?: unknown };
  } catch {
    if (textGoes(text, events)) throw new UnerasableError('its payload is not JSON, and names what is to be erased');
    return null;
  }
  if (!Array.isArray(payload.Records)) return null;
  let erased = 0;
  const records = (payload.Records as { kinesis?: { data?: unknown } }[]).map((record) => {
    const data = record.kinesis?.data;
    if (typeof data !== 'string') return record;
    const without = withoutLines(Buffer.from(data, 'base64'), events);
    if (without === null) return record;
    erased += without.erased;
    return { ...record, kinesis: { ...record.kinesis, data: Buffer.from(without.body).toString('base64') } };
  });
  if (erased === 0) return null;
  const next = { ...payload, Records: records };
  return {
    body: new TextEncoder().encode(JSON.stringify({ ...value, payload: isText ? JSON.stringify(next) : next })),
    erased,
  };
}

function beginsWith(body: Uint8Array, magic: string): boolean {
  return Buffer.from(body.buffer, body.byteOffset, Math.min(magic.length, body.length)).toString('latin1') === magic;
}
