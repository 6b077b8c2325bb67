/**
 * Events of KServe's inference logger into the collector. The logger posts a copy of each request and of each response (CloudEvents, binary
 * mode), in no order and at most once; the two share an id. They are never paired here: each becomes a half on the log
 * (docs/decisions/0023-halves-of-an-inference.md). Which service belongs to which model its monitor says, under `kserve`.
 */
import { isUtf8 } from 'node:buffer';
import type { Baseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import type { Collector, Ticket } from './collector.ts';
import { NO_ENVELOPE } from './event-line.ts';
import { type PayloadRules, requestRows, responseRows } from './inference-payload.ts';
import { ceHeaders, type RawHeaders } from './ingest.ts';
import { tooDeep } from './json-spans.ts';
import type { Clock } from './ports.ts';

/** What is asked of the registry. */
export interface KServeRegistry {
  models(): readonly string[];
  monitorAt(model: string, t: number): { readonly monitor: Monitor } | null;
  shapeFor(
    model: string,
    version: string,
    eventMs: number,
  ): { readonly shape: { readonly monitor: Monitor; readonly baseline: Baseline | null } } | null;
}

/** Where events go: the collector, or what collects them for it. */
export type KServeSink = Pick<Collector, 'take' | 'refuse'>;

export const KSERVE_TYPES: Readonly<Record<string, 'request' | 'response'>> = {
  'org.kubeflow.serving.inference.request': 'request',
  'org.kubeflow.serving.inference.response': 'response',
};

/** Header that tells how much of a body is JSON; logged only where `metadataHeaders` lists it. */
const JSON_LENGTH = 'Inference-Header-Content-Length';
/** Milliseconds for which services found are believed: a monitor takes effect a good deal later than it is published. */
const FOUND_FOR = 10_000;

export class KServeReader {
  readonly #collector: KServeSink;
  readonly #registry: KServeRegistry;
  readonly #clock: Clock;
  #services = new Map<string, Monitor[]>();
  #foundAt = Number.NEGATIVE_INFINITY;
  readonly #rules = new WeakMap<object, PayloadRules>();

  constructor(options: { readonly collector: KServeSink; readonly registry: KServeRegistry; readonly clock: Clock }) {
    this.#collector = options.collector;
    this.#registry = options.registry;
    this.#clock = options.clock;
  }

  /** Takes one post of the logger; `submit` must follow in the same turn. Calls that are no inferences leave no trace. */
  take(ticket: Ticket, headers: RawHeaders, body: Uint8Array): void {
    const refuse = (reason: 'schema' | 'json' | 'unknown-model', detail: string): void =>
      this.#collector.refuse(ticket, reason, detail, textOf(body));
    const attributes = ceHeaders(headers);
    const type = attributes.get('type') ?? '';
    const half = Object.hasOwn(KSERVE_TYPES, type) ? KSERVE_TYPES[type]! : null;
    if (half === null) {
      refuse('schema', `ce-type: expected ${Object.keys(KSERVE_TYPES).join(' or ')}, got ${type.slice(0, 80)}`);
      return;
    }
    if (body.length === 0) return;
    const service = attributes.get('inferenceservicename') ?? '';
    const monitor = this.#monitorOf(service, attributes.get('namespace') ?? '');
    if (monitor === null) {
      refuse(
        'unknown-model',
        service === ''
          ? 'ce-inferenceservicename: is required; it names the service of the model'
          : `no monitor declares the service ${service.slice(0, 80)} under kserve`,
      );
      return;
    }
    const mapping = monitor.kserve!;
    // A transformer before a predictor logs the same inference once more.
    if ((attributes.get('component') || 'predictor') !== mapping.component) return;
    if (mapping.mode !== 'all' && mapping.mode !== half) return;
    const version = annotation(attributes, mapping.versionAnnotation) ?? mapping.version;
    const payload = splitPayload(body, jsonLength(attributes.get('metadata')));
    if (payload === null) {
      refuse('json', 'the body is not readable as JSON');
      return;
    }
    let rows: readonly object[] | null;
    try {
      const rules = this.#rulesOf(monitor, version);
      rows =
        half === 'request'
          ? requestRows(payload.json, payload.binary, rules)
          : responseRows(payload.json, payload.binary, rules);
    } catch (error) {
      refuse('schema', error instanceof Error ? error.message : 'the payload cannot be read');
      return;
    }
    if (rows === null) return;
    const id = attributes.get('id');
    // Where the other half never comes, one is the whole.
    const kind = mapping.mode === 'response' ? 'inference' : half;
    const common = {
      type: kind,
      source: attributes.get('source'),
      model: monitor.model,
      version,
      time: attributes.get('time') ?? new Date(this.#clock.now()).toISOString(),
    };
    rows.forEach((row, i) => {
      const rowId = rows.length === 1 || id === undefined ? id : `${id}/${i}`;
      this.#collector.take(ticket, { id: rowId, ...common, ...row }, null, NO_ENVELOPE);
    });
  }

  #monitorOf(service: string, namespace: string): Monitor | null {
    const now = performance.now();
    if (now - this.#foundAt > FOUND_FOR) {
      this.#services = new Map();
      const t = this.#clock.now();
      for (const model of this.#registry.models()) {
        const monitor = this.#registry.monitorAt(model, t)?.monitor;
        if (monitor?.kserve === undefined) continue;
        const name = monitor.kserve.service ?? model;
        this.#services.set(name, [...(this.#services.get(name) ?? []), monitor]);
      }
      this.#foundAt = now;
    }
    const found = this.#services.get(service) ?? [];
    return (
      found.find(({ kserve }) => kserve?.namespace === namespace) ??
      found.find(({ kserve }) => kserve?.namespace === undefined) ??
      null
    );
  }

  #rulesOf(monitor: Monitor, version: string): PayloadRules {
    const shape = this.#registry.shapeFor(monitor.model, version, this.#clock.now())?.shape;
    const key = shape ?? monitor;
    let rules = this.#rules.get(key);
    if (rules === undefined) {
      rules = payloadRules(monitor, shape?.baseline ?? null);
      this.#rules.set(key, rules);
    }
    return rules;
  }
}

/** How bodies of a model are read; where its monitor has no `kserve`, by the defaults of one. */
export function payloadRules(monitor: Monitor, baseline: Baseline | null): PayloadRules {
  const types = new Map<string, 'numeric' | 'categorical'>();
  for (const { name, role, type } of baseline?.columns ?? []) if (role === 'feature') types.set(name, type);
  for (const [name, { type }] of Object.entries(monitor.features ?? {})) types.set(name, type);
  const mapping = monitor.kserve ?? { output: 'predicted' };
  const inputs = monitor.kserve?.inputs ?? [
    ...(monitor.features === undefined ? types.keys() : Object.keys(monitor.features)),
  ];
  return { mapping, task: monitor.task, columns: monitor.columns, inputs, types };
}

/** JSON, and the bytes behind it where `length` (of the JSON) is known. `null` when it is no JSON. */
export function splitPayload(
  body: Uint8Array,
  length: number | null,
): { readonly json: unknown; readonly binary: Uint8Array } | null {
  const head = length === null ? body : body.subarray(0, length);
  if (!isUtf8(head)) return null;
  const text = textOf(head);
  if (tooDeep(text)) return null;
  try {
    return { json: JSON.parse(text), binary: length === null ? new Uint8Array() : body.subarray(length) };
  } catch {
    return null;
  }
}

/** `ce-metadata`: JSON text of header → values. */
function jsonLength(metadata: string | undefined): number | null {
  const value = fromJson(metadata)[JSON_LENGTH];
  const length = Number(Array.isArray(value) ? value[0] : value);
  return Number.isSafeInteger(length) && length > 0 ? length : null;
}

function annotation(attributes: ReadonlyMap<string, string>, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const value = fromJson(attributes.get('annotations'))[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function fromJson(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined || text.length > 65_536) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
