/**
 * Lines of SageMaker Data Capture files as events of the log. A line is one invocation of an endpoint with both payloads as text; it may
 * hold several rows, so one line is one or more predictions. Format: Model Monitor, data capture, `eventVersion` 0.
 */
import { isUtf8 } from 'node:buffer';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import type { SageMakerSource } from '../contracts/sagemaker.ts';
import { csvRows } from './csv-rows.ts';
import {
  type PayloadRules,
  prediction,
  type RequestRow,
  type ResponseRow,
  requestRows,
  responseRows,
  rowFeatures,
  rowOf,
} from './inference-payload.ts';
import { tooDeep } from './json-spans.ts';
import { asObject } from './open-inference.ts';

/** `<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/<name>.jsonl`; `null` for any other object. */
export function captureFile(key: string): { readonly endpoint: string; readonly variant: string } | null {
  const match = /(?:^|\/)([^/]+)\/([^/]+)\/\d{4}\/\d{2}\/\d{2}\/\d{2}\/[^/]+\.jsonl$/.exec(key);
  return match === null ? null : { endpoint: match[1]!, variant: match[2]! };
}

/** The mapping of a variant; else that of its endpoint. */
export function sourceOf(
  sources: readonly SageMakerSource[],
  { endpoint, variant }: { readonly endpoint: string; readonly variant: string },
): SageMakerSource | null {
  const ofEndpoint = sources.filter((source) => source.endpoint === endpoint);
  return (
    ofEndpoint.find((source) => source.variant === variant) ??
    ofEndpoint.find((source) => source.variant === undefined) ??
    null
  );
}

export interface CaptureContext {
  readonly source: SageMakerSource;
  readonly variant: string;
  readonly task: Monitor['task'];
  readonly columns: Monitor['columns'];
  /** Features of the monitor, and of its baseline, in order. */
  readonly types: ReadonlyMap<string, 'numeric' | 'categorical'>;
}

type Names = readonly (string | null)[];
/** Columns that the mapping leaves out. */
const NO_NAME = '';

/** The events of a line. @throws Error saying what is wrong */
export function captureEvents(line: unknown, context: CaptureContext): Readonly<Record<string, unknown>>[] {
  const { captureData, eventMetadata, eventVersion } = asObject(line);
  if (eventVersion !== '0') throw new Error(`eventVersion: expected "0", got ${String(eventVersion).slice(0, 40)}`);
  const { eventId, inferenceId, inferenceTime, customAttributes } = asObject(eventMetadata);
  const id = typeof inferenceId === 'string' && inferenceId !== '' ? inferenceId : eventId;
  if (typeof id !== 'string' || id === '') throw new Error('eventMetadata: expected an inferenceId or an eventId');
  const { endpointInput, endpointOutput } = asObject(captureData);
  const requests = endpointInput === undefined ? null : inputRows(endpointInput, context);
  const responses = endpointOutput === undefined ? null : outputRows(endpointOutput, context);
  const count = requests?.length ?? responses?.length ?? 0;
  if (count === 0) throw new Error('captureData: no rows');
  if (requests !== null && responses !== null && requests.length !== responses.length)
    throw new Error(
      `captureData: ${requests.length} ${noun(requests.length, 'row')} in the request, ${responses.length} in the response`,
    );
  const { source, variant } = context;
  const common = {
    // Where only requests are captured nobody knows what was answered; where only responses are, each is the whole inference.
    type: responses === null ? 'request' : 'inference',
    source: `sagemaker/${source.endpoint}/${variant}`,
    model: source.model,
    version: attribute(customAttributes, source.versionAttribute) ?? source.version ?? variant,
    time: inferenceTime,
  };
  return Array.from({ length: count }, (_, i) => ({
    id: count === 1 ? id : `${id}/${i}`,
    ...common,
    ...requests?.[i],
    ...responses?.[i],
  }));
}

function inputRows(payload: unknown, context: CaptureContext): RequestRow[] {
  const rules = rulesOf(context);
  const { csv, text } = contentOf(payload, 'endpointInput');
  if (csv) {
    const rows = csvRows(text);
    const names: Names = context.source.header ? (rows.shift() ?? []) : (context.source.inputs ?? rules.inputs);
    return rows.map((row) =>
      rowFeatures(
        row.flatMap((field, i): [string, unknown][] => {
          const name = i < names.length ? names[i]! : `input-${i}`;
          return name === null ? [] : [[name, csvValue(field, rules.types.get(name))]];
        }),
        rules,
      ),
    );
  }
  return jsonDocuments(text).flatMap((document) => {
    const { rows: member } = context.source;
    const value = member === undefined ? document : asObject(document)[member];
    const rows = member === undefined ? requestRows(value, new Uint8Array(), rules) : null;
    const list: readonly unknown[] = rows === null ? (Array.isArray(value) && isRows(value) ? value : [value]) : [];
    return (rows ?? list.map((row) => rowOf(row, rules))).map(withoutUnnamed);
  });
}

/** An array of rows, not a row of values. */
function isRows(value: readonly unknown[]): boolean {
  return value.length > 0 && value.every((row) => typeof row === 'object' && row !== null);
}

function outputRows(payload: unknown, context: CaptureContext): ResponseRow[] {
  const rules = rulesOf(context);
  const { outputs } = context.source;
  const { csv, text } = contentOf(payload, 'endpointOutput');
  const one = (entry: unknown): ResponseRow =>
    outputs !== undefined && Array.isArray(entry)
      ? prediction(
          Object.fromEntries(
            entry.flatMap((value: unknown, i) => {
              const name = outputs[i] ?? null;
              return name === null ? [] : [[name, value]];
            }),
          ),
          rules,
        )
      : prediction(entry, rules);
  if (csv)
    return csvRows(text).map((row) => {
      const values = row.map((field) => csvValue(field, undefined));
      return one(values.length === 1 && outputs === undefined ? values[0] : values);
    });
  return jsonDocuments(text).flatMap((document) => {
    const { predictions } = asObject(document);
    if (outputs !== undefined && Array.isArray(predictions)) return predictions.map(one);
    const rows = responseRows(document, new Uint8Array(), rules);
    if (rows !== null) return rows;
    if (Array.isArray(document) && (outputs === undefined || isRows(document))) return document.map(one);
    return [one(document)];
  });
}

function rulesOf({ source, task, columns, types }: CaptureContext): PayloadRules {
  const inputs = source.inputs?.map((name) => name ?? NO_NAME) ?? [...types.keys()];
  return { mapping: source, task, columns, inputs, types };
}

function withoutUnnamed(row: RequestRow): RequestRow {
  delete row.numeric[NO_NAME];
  delete row.categorical[NO_NAME];
  return row;
}

function contentOf(payload: unknown, path: string): { readonly csv: boolean; readonly text: string } {
  const { data, encoding, observedContentType } = asObject(payload);
  if (typeof data !== 'string') throw new Error(`${path}.data: expected text`);
  if (encoding === 'CSV') return { csv: true, text: data };
  if (encoding === 'JSON') return { csv: false, text: data };
  if (encoding !== 'BASE64') throw new Error(`${path}.encoding: expected CSV, JSON or BASE64`);
  const bytes = Buffer.from(data, 'base64');
  if (!isUtf8(bytes)) throw new Error(`${path}.data: is not text; expected CSV or JSON`);
  const type = String(observedContentType).toLowerCase();
  if (!type.includes('csv') && !type.includes('json'))
    throw new Error(`${path}.observedContentType: expected CSV or JSON; set CaptureContentTypeHeader`);
  return { csv: type.includes('csv'), text: bytes.toString('utf8') };
}

/** One JSON document, or one a line (JSON Lines). Errors quote nothing: payloads may hold what must not be kept. */
function jsonDocuments(text: string): unknown[] {
  const whole = parsed(text);
  if (whole !== undefined) return [whole];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const documents = lines.map(parsed);
  if (lines.length < 2 || documents.includes(undefined)) throw new Error('a payload is not readable as JSON');
  return documents;
}

function parsed(text: string): unknown {
  if (tooDeep(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** Empty is missing. Of a categorical feature text stays text; otherwise what looks like a number is one. */
function csvValue(field: string, type: 'numeric' | 'categorical' | undefined): string | number | null {
  if (field === '') return null;
  return type !== 'categorical' && NUMBER.test(field) ? Number(field) : field;
}

/** `["model=7;tenant=eu"]` */
function attribute(attributes: unknown, name: string | undefined): string | undefined {
  if (name === undefined || !Array.isArray(attributes)) return undefined;
  for (const text of attributes)
    for (const pair of String(text).split(/[;,]/)) {
      const at = pair.indexOf('=');
      if (at > 0 && pair.slice(0, at).trim() === name && pair.slice(at + 1).trim() !== '')
        return pair.slice(at + 1).trim();
    }
  return undefined;
}
