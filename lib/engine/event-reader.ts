/**
 * Reads log records: hand-written checks that agree with `eventSchema` (contracts/event.ts) and cost a small part of parsing.
 *
 * One leniency, since a producer that writes to the log directly must not lose an event for one bad value: in `numeric` and
 * `categorical` a value of the wrong kind is accepted and counted as a type error of its feature. All else that the schema
 * refuses is refused here, and nothing more.
 */
import { isUtf8 } from 'node:buffer';
import { EVENT_LIMITS, MODEL_PATTERN, type QuarantineReason } from '../contracts/event.ts';
import { shown } from '../contracts/problem.ts';
import { parseTime } from './event-time.ts';

/** A checked event. Maps are those that were parsed, not copies; absent ones are `null`. */
export interface ReadEvent {
  readonly kind: 'inference' | 'label';
  /** Of an inference whose request and response arrive apart: which it is. */
  readonly half: 'request' | 'response' | null;
  readonly id: string;
  readonly source: string | null;
  readonly model: string;
  /** `null` for a label that names none. */
  readonly version: string | null;
  /** Event time; of a label, when the truth became known. Milliseconds since 1970. */
  readonly timeMs: number;
  readonly arrivalMs: number | null;
  readonly segment: Readonly<Record<string, string>> | null;
  /** A value that is no number is a type error. */
  readonly numeric: Readonly<Record<string, unknown>> | null;
  /** A value that is no text is a type error. */
  readonly categorical: Readonly<Record<string, unknown>> | null;
  readonly invalid: Readonly<Record<string, string>> | null;
  readonly score: number | null;
  readonly predicted: string | number | null;
  readonly latencyMs: number | null;
  /** 1 unless a sampler kept it. */
  readonly weight: number;
  readonly policyKey: string | null;
  readonly truth: string | number | null;
}

export interface Rejection {
  readonly reason: QuarantineReason;
  /** What is wrong, for people: path, value, expectation. */
  readonly detail: string;
}

/** Where in its record a line was. */
export interface LinePlace {
  /** From 0. */
  readonly index: number;
  /** The bytes as they were on the log, without the line break. */
  readonly bytes: Uint8Array;
}

export function isRejection(read: ReadEvent | Rejection): read is Rejection {
  return 'reason' in read;
}

/**
 * Reads every line of a record. Lines that are no events are reported and never hinder the others; a line break at the end
 * of the record ends its last line and begins none. `index` counts the lines of the record from 0, rejected ones included.
 */
export function readRecord(
  bytes: Uint8Array,
  onEvent: (event: ReadEvent, index: number) => void,
  onRejection: (rejection: Rejection, place: LinePlace) => void,
): void {
  if (bytes.length > EVENT_LIMITS.recordBytes || !isUtf8(bytes)) {
    readLineByLine(bytes, onEvent, onRejection);
    return;
  }
  const text = textOf(bytes);
  let start = 0;
  let index = 0;
  do {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    const read = readLine(text.slice(start, end));
    if (isRejection(read)) onRejection(read, { index, bytes: recordLine(bytes, index) });
    else onEvent(read, index);
    start = end + 1;
    index++;
  } while (start < text.length);
}

/** Line `index` of a record, from 0, without its line break. Empty when there is no such line. */
export function recordLine(bytes: Uint8Array, index: number): Uint8Array {
  let start = 0;
  for (let line = 0; line < index; line++) {
    const found = bytes.indexOf(10, start);
    if (found === -1) return bytes.subarray(bytes.length);
    start = found + 1;
  }
  const end = bytes.indexOf(10, start);
  return bytes.subarray(start, end === -1 ? bytes.length : end);
}

/** For records that are too large or not UTF-8 as a whole: no more than one line is decoded at a time. */
function readLineByLine(
  bytes: Uint8Array,
  onEvent: (event: ReadEvent, index: number) => void,
  onRejection: (rejection: Rejection, place: LinePlace) => void,
): void {
  let start = 0;
  let index = 0;
  do {
    const found = bytes.indexOf(10, start);
    const end = found === -1 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    let read: ReadEvent | Rejection;
    if (line.length > EVENT_LIMITS.recordBytes)
      read = reject('too-large', `a line of ${line.length} bytes; expected at most ${EVENT_LIMITS.recordBytes}`);
    else if (!isUtf8(line)) read = reject('json', 'the line is not UTF-8');
    else read = readLine(textOf(line));
    if (isRejection(read)) onRejection(read, { index, bytes: line });
    else onEvent(read, index);
    start = end + 1;
    index++;
  } while (start < bytes.length);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

export function readLine(text: string): ReadEvent | Rejection {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return reject('json', unreadable(text, error));
  }
  return readEvent(value);
}

/** Checks what was parsed already. */
export function readEvent(value: unknown): ReadEvent | Rejection {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return reject('json', `${shownKind(value)} instead of one JSON object a line`);
  const raw = value as Readonly<Record<string, unknown>>;
  const type = raw['type'];
  if (type === 'inference') return readInference(raw, null);
  if (type === 'label') return readLabel(raw);
  if (type === 'request' || type === 'response') return readHalf(raw, type);
  return refuse('type', type, '"inference", "request", "response" or "label"');
}

/** An inference that lacks what its other half has. */
function readHalf(raw: Readonly<Record<string, unknown>>, half: 'request' | 'response'): ReadEvent | Rejection {
  const stranger = Object.keys(raw).find((key) => OTHER_HALF[half].has(key));
  if (stranger !== undefined) return reject('schema', `${shown(stranger)}: is not for a ${half}`);
  return readInference(raw, half);
}

function readInference(
  raw: Readonly<Record<string, unknown>>,
  half: 'request' | 'response' | null,
): ReadEvent | Rejection {
  const id = raw['id'];
  if (!isName(id, EVENT_LIMITS.idLength)) return refuse('id', id, ID);
  const model = raw['model'];
  if (!isModel(model)) return refuse('model', model, MODEL);
  const version = raw['version'];
  if (!isName(version, EVENT_LIMITS.idLength)) return refuse('version', version, ID);
  const time = raw['time'];
  const timeMs = typeof time === 'string' ? parseTime(time) : Number.NaN;
  if (Number.isNaN(timeMs)) return refuse('time', time, TIME);
  let known = 5;

  const source = raw['source'];
  if (source !== undefined) {
    if (typeof source !== 'string' || source.length > EVENT_LIMITS.idLength) return refuse('source', source, SHORT);
    known++;
  }
  const arrival = raw['arrival'];
  let arrivalMs: number | null = null;
  if (arrival !== undefined) {
    arrivalMs = typeof arrival === 'string' ? parseTime(arrival) : Number.NaN;
    if (Number.isNaN(arrivalMs)) return refuse('arrival', arrival, TIME);
    known++;
  }
  let features = 0;
  const numeric = raw['numeric'];
  if (numeric !== undefined) {
    const count = isMap(numeric) ? countNames(numeric) : -1;
    if (count < 0) return refuseMap('numeric', numeric);
    features += count;
    known++;
  }
  const categorical = raw['categorical'];
  if (categorical !== undefined) {
    const count = isMap(categorical) ? countCategories(categorical) : -1;
    if (count < 0) return refuseMap('categorical', categorical);
    features += count;
    known++;
  }
  const invalid = raw['invalid'];
  if (invalid !== undefined) {
    const count = isMap(invalid) ? countTexts(invalid, Number.POSITIVE_INFINITY) : -1;
    if (count < 0) return refuseMap('invalid', invalid);
    features += count;
    known++;
  }
  if (features > EVENT_LIMITS.features)
    return reject('too-large', `${features} features; expected at most ${EVENT_LIMITS.features}`);
  const segment = raw['segment'];
  if (segment !== undefined) {
    if (!isMap(segment) || countTexts(segment, EVENT_LIMITS.categoryLength) < 0) return refuseMap('segment', segment);
    known++;
  }
  const score = raw['score'];
  if (score !== undefined) {
    if (score !== null && !isNumber(score)) return refuse('score', score, 'a finite number or null');
    known++;
  }
  const predicted = raw['predicted'];
  if (predicted !== undefined) {
    if (predicted !== null && !isCategory(predicted) && !isNumber(predicted))
      return refuse('predicted', predicted, `${CATEGORY}, a finite number or null`);
    known++;
  }
  const latency = raw['latency_ms'];
  if (latency !== undefined) {
    if (latency !== null && !(isNumber(latency) && latency >= 0))
      return refuse('latency_ms', latency, 'a finite number of milliseconds, not negative, or null');
    known++;
  }
  const weight = raw['weight'];
  if (weight !== undefined) {
    if (!(isNumber(weight) && weight > 0 && weight <= EVENT_LIMITS.weight))
      return refuse('weight', weight, `a number above 0, at most ${EVENT_LIMITS.weight}`);
    known++;
  }
  const policyKey = raw['policy_key'];
  if (policyKey !== undefined) {
    if (typeof policyKey !== 'string' || policyKey.length > EVENT_LIMITS.idLength)
      return refuse('policy_key', policyKey, SHORT);
    known++;
  }
  for (const _ in raw) known--;
  if (known !== 0) {
    const stranger = Object.keys(raw).find((key) => !INFERENCE_KEYS.has(key));
    if (stranger !== undefined) return reject('schema', `${shown(stranger)}: unknown key`);
  }
  return {
    kind: 'inference',
    half,
    id,
    source: source === undefined ? null : source,
    model,
    version,
    timeMs,
    arrivalMs,
    segment: segment === undefined ? null : (segment as Record<string, string>),
    numeric: (numeric as ReadEvent['numeric'] | undefined) ?? null,
    categorical: (categorical as ReadEvent['categorical'] | undefined) ?? null,
    invalid: invalid === undefined ? null : (invalid as Record<string, string>),
    score: score === undefined ? null : score,
    predicted: predicted === undefined ? null : predicted,
    latencyMs: latency === undefined ? null : latency,
    weight: weight === undefined ? 1 : weight,
    policyKey: policyKey === undefined ? null : policyKey,
    truth: null,
  };
}

function readLabel(raw: Readonly<Record<string, unknown>>): ReadEvent | Rejection {
  const id = raw['id'];
  if (!isName(id, EVENT_LIMITS.idLength)) return refuse('id', id, ID);
  const model = raw['model'];
  if (!isModel(model)) return refuse('model', model, MODEL);
  const version = raw['version'];
  if (version !== undefined && !isName(version, EVENT_LIMITS.idLength)) return refuse('version', version, ID);
  const time = raw['time'];
  const timeMs = typeof time === 'string' ? parseTime(time) : Number.NaN;
  if (Number.isNaN(timeMs)) return refuse('time', time, TIME);
  const source = raw['source'];
  if (source !== undefined && (typeof source !== 'string' || source.length > EVENT_LIMITS.idLength))
    return refuse('source', source, SHORT);
  const arrival = raw['arrival'];
  const arrivalMs = arrival === undefined ? null : typeof arrival === 'string' ? parseTime(arrival) : Number.NaN;
  if (Number.isNaN(arrivalMs)) return refuse('arrival', arrival, TIME);
  const truth = raw['truth'];
  if (!isCategory(truth) && !isNumber(truth)) return refuse('truth', truth, `${CATEGORY}, or a finite number`);
  for (const key in raw) if (!LABEL_KEYS.has(key)) return reject('schema', `${shown(key)}: unknown key`);
  return {
    kind: 'label',
    half: null,
    id,
    source: source === undefined ? null : source,
    model,
    version: version === undefined ? null : version,
    timeMs,
    arrivalMs,
    segment: null,
    numeric: null,
    categorical: null,
    invalid: null,
    score: null,
    predicted: null,
    latencyMs: null,
    weight: 1,
    policyKey: null,
    truth,
  };
}

const LABEL_KEYS: ReadonlySet<string> = new Set([
  'id',
  'type',
  'source',
  'model',
  'version',
  'time',
  'arrival',
  'truth',
]);
const INFERENCE_KEYS: ReadonlySet<string> = new Set([
  'id',
  'type',
  'source',
  'model',
  'version',
  'time',
  'arrival',
  'segment',
  'numeric',
  'categorical',
  'invalid',
  'score',
  'predicted',
  'latency_ms',
  'weight',
  'policy_key',
]);
const OTHER_HALF: Readonly<Record<'request' | 'response', ReadonlySet<string>>> = {
  request: new Set(['score', 'predicted', 'latency_ms', 'weight']),
  response: new Set(['segment', 'numeric', 'categorical', 'invalid', 'weight', 'policy_key']),
};
const ID = `text of 1 to ${EVENT_LIMITS.idLength} characters`;
const SHORT = `text of at most ${EVENT_LIMITS.idLength} characters`;
const MODEL = 'lower-case letters, digits and inner hyphens, at most 63';
const TIME = 'RFC 3339 with an offset, e.g. 2001-02-01T10:05:00.000Z';
const MAP = 'an object of values by name';
const CATEGORY = `text of at most ${EVENT_LIMITS.categoryLength} characters`;

function isName(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longest;
}

function isCategory(value: unknown): value is string {
  return typeof value === 'string' && value.length <= EVENT_LIMITS.categoryLength;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** The last one found valid: events of one model come together. */
let lastModel = '';

function isModel(value: unknown): value is string {
  if (value === lastModel) return value !== '';
  if (typeof value !== 'string' || !MODEL_PATTERN.test(value)) return false;
  lastModel = value;
  return true;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Number of names; -1 when one is not valid. Small functions of their own: V8 runs these loops several times faster so. */
function countNames(map: Readonly<Record<string, unknown>>): number {
  let count = 0;
  for (const name in map) {
    if (name.length === 0 || name.length > EVENT_LIMITS.nameLength) return -1;
    count++;
  }
  return count;
}

/** Likewise, with texts that are not too long; values that are no text are the fold's to judge. */
function countCategories(map: Readonly<Record<string, unknown>>): number {
  let count = 0;
  for (const name in map) {
    if (name.length === 0 || name.length > EVENT_LIMITS.nameLength) return -1;
    const value = map[name];
    if (typeof value === 'string' && value.length > EVENT_LIMITS.categoryLength) return -1;
    count++;
  }
  return count;
}

/** Likewise, where every value must be text. */
function countTexts(map: Readonly<Record<string, unknown>>, longest: number): number {
  let count = 0;
  for (const name in map) {
    if (name.length === 0 || name.length > EVENT_LIMITS.nameLength) return -1;
    const value = map[name];
    if (typeof value !== 'string' || value.length > longest) return -1;
    count++;
  }
  return count;
}

/** Says what is wrong with a map that one of the above did not accept. */
function refuseMap(path: string, map: unknown): Rejection {
  if (!isMap(map)) return refuse(path, map, MAP);
  const name = Object.keys(map).find(({ length }) => length === 0 || length > EVENT_LIMITS.nameLength);
  if (name !== undefined)
    return reject('schema', `${path}: a name of ${name.length} characters; expected 1 to ${EVENT_LIMITS.nameLength}`);
  const longest = path === 'invalid' ? Number.POSITIVE_INFINITY : EVENT_LIMITS.categoryLength;
  const isWrong = (value: unknown) => (typeof value === 'string' ? value.length > longest : path !== 'categorical');
  const [wrong, value] = Object.entries(map).find(([, entry]) => isWrong(entry)) ?? ['', undefined];
  return refuse(`${path}.${wrong}`, value, path === 'invalid' ? 'text' : CATEGORY);
}

function reject(reason: QuarantineReason, detail: string): Rejection {
  return { reason, detail };
}

function refuse(path: string, got: unknown, expected: string): Rejection {
  const found = got === undefined ? 'is missing' : `${shownKind(got)} is not valid`;
  return reject('schema', `${path}: ${found}; expected ${expected}`);
}

/** Without writing out what may be deep or large. */
function shownKind(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return shown(typeof value === 'string' ? value.slice(0, 80) : value);
}

function unreadable(text: string, error: unknown): string {
  if (text.trim() === '') return 'an empty line';
  if (text.startsWith('\uFEFF')) return 'the line begins with a byte order mark; send UTF-8 without one';
  return error instanceof Error ? error.message.slice(0, 200) : 'not JSON';
}
