/**
 * From one parsed event to its line on the log: checked against the contract (contracts/event.ts) and the monitor, field policy applied,
 * `arrival` set, features of the wrong type moved to `invalid`. What needs no change is not written anew: the sender's text travels on.
 */
import { EVENT_LIMITS, type EventType, MODEL_PATTERN, type QuarantineReason } from '../contracts/event.ts';
import { shown } from '../contracts/problem.ts';
import { parseTime } from '../engine/event-time.ts';
import type { FieldPlan } from './field-policy.ts';

/** What the envelope (the CloudEvent, or the request) says about the event: used where the event itself is silent. */
export interface Envelope {
  readonly type: EventType | null;
  readonly id: string | null;
  readonly source: string | null;
  readonly time: string | null;
}

export const NO_ENVELOPE: Envelope = { type: null, id: null, source: null, time: null };

export interface Line {
  readonly line: string;
  readonly model: string;
  readonly kind: 'inference' | 'label';
  /** The sender's text, with members put in front of it. */
  readonly asSent: boolean;
}

export interface Refusal {
  readonly reason: QuarantineReason;
  readonly detail: string;
  /** The declared model it names; `null` when it names none. */
  readonly model: string | null;
  /** Its monitor keeps every field: what was sent may be kept with the reason. `null`: nobody knows whose event it is. */
  readonly open: boolean | null;
}

export interface Arrival {
  readonly ms: number;
  /** RFC 3339; empty where the line is to say nothing of it, since whoever reads it knows better. */
  readonly text: string;
}

/** The plan that applies to events of this model, version and time; `null` when no monitor declares the model. */
export type PlanFor = (model: string, version: string, eventMs: number) => FieldPlan | null;

type Json = Record<string, unknown>;

const INVALID_TEXT = 256;

/** `raw` is the JSON text of `value`, if known. Never throws on input. */
export function eventLine(
  value: unknown,
  raw: string | null,
  envelope: Envelope,
  arrival: Arrival,
  planFor: PlanFor,
): Line | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('schema', `expected an object, got ${shown(value)}`);
  const event = value as Json;
  const type = event['type'] ?? envelope.type;
  if (!isEventType(type))
    return refuse('schema', `type: expected inference, request, response or label, got ${shown(type)}`);
  if (envelope.type !== null && type !== envelope.type)
    return refuse('schema', `type: the event says ${type}, its envelope ${envelope.type}`);
  const { model } = event;
  if (typeof model !== 'string') return refuse('schema', `model: expected text, got ${shown(model)}`);
  // Whatever is wrong with it, a model that holds nothing back may keep it.
  const refuseNamed = (detail: string): Refusal => ({
    ...refuse('schema', detail),
    open: planFor(model, '', arrival.ms)?.allKeep ?? null,
  });
  const time = event['time'] ?? envelope.time ?? (type === 'label' ? new Date(arrival.ms).toISOString() : undefined);
  const ms = typeof time === 'string' ? parseTime(time) : Number.NaN;
  if (Number.isNaN(ms)) return refuseNamed(`time: expected RFC 3339 with an offset, got ${shown(time)}`);
  const version = event['version'];
  if (version !== undefined && !isId(version))
    return refuseNamed(`version: expected text of 1 to ${EVENT_LIMITS.idLength} characters, got ${shown(version)}`);
  const plan = planFor(model, version ?? '', ms);
  if (plan === null) {
    return MODEL_PATTERN.test(model)
      ? refuse('unknown-model', `no monitor declares ${model}`)
      : refuse('schema', `model: expected lower-case letters, digits and inner hyphens, got ${shown(model)}`);
  }
  if (ms > arrival.ms + EVENT_LIMITS.futureMs)
    return refuseOf(
      plan,
      'future',
      `time: ${String(time)} is more than five minutes after ${new Date(arrival.ms).toISOString()}`,
    );
  const id = event['id'] ?? envelope.id;
  if (!isId(id))
    return refuseOf(plan, 'schema', `id: expected text of 1 to ${EVENT_LIMITS.idLength} characters, got ${shown(id)}`);
  if (plan.keyMissing) return refuseOf(plan, 'policy', 'a field is hashed, but the collector has no policy key');
  let source = event['source'] ?? null;
  if (source === null) source = envelope.source;
  if (source !== null && !isText(source, EVENT_LIMITS.idLength))
    return refuseOf(
      plan,
      'schema',
      `source: expected text of at most ${EVENT_LIMITS.idLength} characters, got ${shown(source)}`,
    );

  const problem = type === 'label' ? labelProblem(event) : inferenceProblem(event, type);
  if (problem !== null) return refuseOf(plan, problem.startsWith('features:') ? 'too-large' : 'schema', problem);

  const clean =
    plan.allKeep &&
    arrival.text !== '' &&
    event['arrival'] === undefined &&
    event['policy_key'] === undefined &&
    raw !== null &&
    event['type'] !== null &&
    event['id'] !== null &&
    event['time'] !== null &&
    event['source'] !== null &&
    (type === 'label' || allAsDeclared(event, plan)) &&
    noLineBreak(raw);
  let line: string;
  if (clean) {
    line = `{"arrival":"${arrival.text}",`;
    if (event['type'] === undefined) line += `"type":"${type}",`;
    if (event['id'] === undefined) line += `"id":${JSON.stringify(id)},`;
    if (event['time'] === undefined) line += `"time":"${String(time)}",`;
    if (event['source'] === undefined && source !== null) line += `"source":${JSON.stringify(source)},`;
    line += raw.slice(raw.indexOf('{') + 1);
  } else {
    const head = { id, type, source, model: plan.model, version, time, arrival: arrival.text };
    line = type === 'label' ? labelText(event, head) : inferenceText(event, head, plan);
  }
  return { line, model: plan.model, kind: type === 'label' ? 'label' : 'inference', asSent: clean };
}

function refuse(reason: QuarantineReason, detail: string): Refusal {
  return { reason, detail, model: null, open: null };
}

/** A detail without what was found: what may not leave in the clear is not quoted either. */
export function withoutValue(detail: string): string {
  return detail.replace(/, got .*$/s, '');
}

function refuseOf(plan: FieldPlan, reason: QuarantineReason, detail: string): Refusal {
  return { reason, detail, model: plan.model, open: plan.allKeep };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= EVENT_LIMITS.idLength;
}

function isText(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length <= length;
}

function isEventType(type: unknown): type is EventType {
  return type === 'inference' || type === 'label' || type === 'request' || type === 'response';
}

const OTHER_HALF: Readonly<Record<'request' | 'response', ReadonlySet<string>>> = {
  request: new Set(['score', 'predicted', 'latency_ms', 'weight']),
  response: new Set(['segment', 'numeric', 'categorical', 'invalid', 'weight', 'policy_key']),
};

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noLineBreak(raw: string): boolean {
  return raw.indexOf('\n') === -1 && raw.indexOf('\r') === -1;
}

/** What breaks the contract, but for the types of features, which are a finding and no reason to refuse. */
function inferenceProblem(event: Json, type: Exclude<EventType, 'label'>): string | null {
  if (event['version'] === undefined) return 'version: is required';
  if (type !== 'inference') {
    const other = Object.keys(event).find((key) => OTHER_HALF[type].has(key));
    if (other !== undefined) return `${other}: is not for a ${type}`;
  }
  let features = 0;
  for (const key in event) {
    const value = event[key];
    switch (key) {
      case 'id':
      case 'type':
      case 'model':
      case 'version':
      case 'time':
      case 'source':
      case 'arrival':
      case 'policy_key':
        break;
      case 'numeric':
      case 'categorical':
      case 'invalid':
      case 'segment': {
        if (!isMap(value)) return `${key}: expected an object, got ${shown(value)}`;
        for (const name in value) {
          if (name === '' || name.length > EVENT_LIMITS.nameLength || name === '__proto__')
            return `${key}: expected names of 1 to ${EVENT_LIMITS.nameLength} characters, got ${shown(name)}`;
          if (key === 'segment') {
            if (!isText(value[name], EVENT_LIMITS.categoryLength))
              return `segment.${name}: expected text of at most ${EVENT_LIMITS.categoryLength} characters, got ${shown(value[name])}`;
          } else features++;
        }
        break;
      }
      case 'score':
        if (value !== null && !isNumber(value)) return `score: expected a number, got ${shown(value)}`;
        break;
      case 'predicted':
        if (value !== null && !isNumber(value) && !isText(value, EVENT_LIMITS.categoryLength))
          return `predicted: expected text or a number, got ${shown(value)}`;
        break;
      case 'latency_ms':
        if (value !== null && !(isNumber(value) && value >= 0))
          return `latency_ms: expected a number of at least 0, got ${shown(value)}`;
        break;
      case 'weight':
        if (!(isNumber(value) && value > 0 && value <= EVENT_LIMITS.weight))
          return `weight: expected a number above 0 and at most ${EVENT_LIMITS.weight}, got ${shown(value)}`;
        break;
      default:
        return `${shown(key)}: unknown key`;
    }
  }
  if (features > EVENT_LIMITS.features) return `features: at most ${EVENT_LIMITS.features}, got ${features}`;
  return null;
}

function labelProblem(event: Json): string | null {
  for (const key in event) {
    switch (key) {
      case 'id':
      case 'type':
      case 'model':
      case 'version':
      case 'time':
      case 'source':
      case 'arrival':
        break;
      case 'truth':
        if (!isNumber(event[key]) && !isText(event[key], EVENT_LIMITS.categoryLength))
          return `truth: expected text or a number, got ${shown(event[key])}`;
        break;
      default:
        return `${shown(key)}: unknown key`;
    }
  }
  return event['truth'] === undefined ? 'truth: is required' : null;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function allAsDeclared(event: Json, plan: FieldPlan): boolean {
  const numeric = event['numeric'] as Json | undefined;
  for (const name in numeric) {
    const value = numeric[name];
    if (value === null) continue;
    if (!isNumber(value)) return false;
    const field = plan.fields.get(name);
    if (field !== undefined && field.type !== 'numeric') return false;
  }
  const categorical = event['categorical'] as Json | undefined;
  for (const name in categorical) {
    const value = categorical[name];
    if (value === null) continue;
    if (!isText(value, EVENT_LIMITS.categoryLength)) return false;
    const field = plan.fields.get(name);
    if (field !== undefined && field.type !== 'categorical') return false;
  }
  const invalid = event['invalid'] as Json | undefined;
  for (const name in invalid) if (typeof invalid[name] !== 'string') return false;
  return true;
}

interface Head {
  readonly id: string;
  readonly type: string;
  readonly source: unknown;
  readonly model: string;
  readonly version: unknown;
  readonly time: unknown;
  readonly arrival: string;
}

/** Members are written as text, never through an object: a name such as `__proto__` cannot do anything. */
class Members {
  text = '';
  add(name: string, value: unknown): void {
    if (value === undefined || value === null) return;
    this.text += `${this.text === '' ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  addObject(name: string, members: Members): void {
    if (members.text !== '') this.text += `${this.text === '' ? '' : ','}"${name}":{${members.text}}`;
  }
}

function headMembers(head: Head): Members {
  const members = new Members();
  members.add('id', head.id);
  members.add('type', head.type);
  members.add('source', head.source);
  members.add('model', head.model);
  members.add('version', head.version);
  members.add('time', head.time);
  if (head.arrival !== '') members.add('arrival', head.arrival);
  return members;
}

function labelText(event: Json, head: Head): string {
  const members = headMembers(head);
  members.add('truth', event['truth']);
  return `{${members.text}}`;
}

function inferenceText(event: Json, head: Head, plan: FieldPlan): string {
  const segment = new Members();
  const numeric = new Members();
  const categorical = new Members();
  const invalid = new Members();
  let hashed = false;

  const segments = event['segment'] as Record<string, string> | undefined;
  for (const name in segments) {
    const rule = plan.fields.get(name);
    const value = segments[name]!;
    if (rule === undefined) {
      if (plan.allKeep || plan.segments.has(name)) segment.add(name, value);
    } else if (rule.policy === 'keep') segment.add(name, value);
    else if (rule.policy === 'hash') {
      segment.add(name, plan.hash(value));
      hashed = true;
    } else if (rule.policy === 'bucket') {
      const bucket = rule.bucket(rule.type === 'numeric' ? Number(value) : value);
      if (bucket !== null) segment.add(name, String(bucket));
    }
  }
  const given = event['invalid'] as Json | undefined;
  const seen = new Set<string>();
  const asInvalid = (name: string, value: unknown): void => {
    if (seen.has(name)) return;
    seen.add(name);
    // A feature that nobody declared is counted, by its name.
    const policy = plan.fields.get(name)?.policy ?? (plan.allKeep ? 'keep' : 'hash');
    if (policy === 'drop') return;
    // A value that may not leave in the clear leaves as its type alone.
    invalid.add(name, policy === 'keep' ? valueText(value) : `(${typeName(value)})`);
  };
  for (const name in given) asInvalid(name, given[name]);
  const features = (list: Json | undefined, kind: 'numeric' | 'categorical'): void => {
    const target = kind === 'numeric' ? numeric : categorical;
    for (const name in list) {
      const value = list[name];
      if (value === null) continue;
      const rule = plan.fields.get(name);
      if (rule?.policy === 'drop') continue;
      const right = kind === 'numeric' ? isNumber(value) : isText(value, EVENT_LIMITS.categoryLength);
      const declared = rule === undefined ? plan.allKeep : rule.type === kind;
      if (!right || !declared) asInvalid(name, value);
      else if (rule === undefined || rule.policy === 'keep') target.add(name, value);
      else if (rule.policy === 'hash') {
        categorical.add(name, plan.hash(String(value)));
        hashed = true;
      } else target.add(name, rule.bucket(value as number | string));
    }
  };
  features(event['numeric'] as Json | undefined, 'numeric');
  features(event['categorical'] as Json | undefined, 'categorical');

  const members = headMembers(head);
  members.addObject('segment', segment);
  members.addObject('numeric', numeric);
  members.addObject('categorical', categorical);
  members.addObject('invalid', invalid);
  for (const key of ['score', 'predicted', 'latency_ms', 'weight'] as const) members.add(key, event[key]);
  if (hashed) members.add('policy_key', plan.keyVersion);
  return `{${members.text}}`;
}

function typeName(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Text of a value of the wrong type, cut to 256 characters. */
function valueText(value: unknown): string {
  let text: string;
  if (typeof value === 'string') text = value;
  else if (typeof value === 'object') {
    try {
      text = JSON.stringify(value);
    } catch {
      text = `(${typeName(value)})`;
    }
  } else text = String(value);
  return text.length > INVALID_TEXT ? text.slice(0, INVALID_TEXT) : text;
}
