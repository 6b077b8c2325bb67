/** From an event as a service has it to its line on the log: checked by the contract, and under the field policy of the monitor. */
import type { Baseline } from '../contracts/baseline.ts';
import { type Monitor, type MonitorInput, parseMonitor } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import { hash52 } from '../engine/hash.ts';
import { type Arrival, type Envelope, eventLine, withoutValue } from '../pipeline/event-line.ts';
import { compilePlan, type FieldPlan } from '../pipeline/field-policy.ts';

/** The key of the platform's policy, as its secret holds it. */
export interface ProducerKey {
  readonly version: string;
  /** 64 hexadecimal digits. */
  readonly key: string;
}

export interface OutgoingOptions {
  readonly monitor: Monitor | MonitorInput;
  /** Needed where a feature's policy is `bucket`: its buckets are those of the baseline. */
  readonly baseline?: Baseline | undefined;
  /** Needed where a feature's policy is `hash`. */
  readonly policyKey?: ProducerKey | undefined;
  /** The policy is applied here; otherwise whoever receives the events applies it. */
  readonly applyPolicy: boolean;
  /** Parts of the model's events, each with a partition key of its own. */
  readonly fanOut: number;
}

export interface OutgoingLine {
  readonly line: string;
  readonly key: string;
  readonly kind: 'inference' | 'label';
}

export class Outgoing {
  readonly model: string;
  readonly #plan: FieldPlan;
  readonly #fanOut: number;

  /** @throws ProblemError for a monitor that is not valid, a key that is missing or wrong, a baseline that is needed */
  constructor(options: OutgoingOptions) {
    const { monitor, problems } = parseMonitor(options.monitor);
    if (monitor === null) throw new ProblemError(problems);
    const policies = Object.values(monitor.features ?? {}).map(({ policy }) => policy);
    const applied = options.applyPolicy ? monitor : withoutPolicies(monitor);
    const key = options.applyPolicy && options.policyKey !== undefined ? keyOf(options.policyKey) : null;
    if (options.applyPolicy && policies.includes('hash') && key === null)
      throw problem(
        'policyKey',
        'a feature is hashed, and there is no key',
        'give the key from the secret of the platform',
      );
    if (options.applyPolicy && policies.includes('bucket') && options.baseline === undefined)
      throw problem(
        'baseline',
        'a feature is put into buckets, and there is no baseline',
        'give the baseline that `mlmon profile` made',
      );
    this.model = monitor.model;
    this.#plan = compilePlan(applied, options.baseline ?? null, key);
    this.#fanOut = options.fanOut;
  }

  /** `now`: milliseconds since 1970. A text says what is wrong with the event, without quoting it. */
  line(event: Readonly<Record<string, unknown>>, type: 'inference' | 'label', now: number): OutgoingLine | string {
    const at = new Date(now).toISOString();
    const envelope: Envelope = { type, id: null, source: null, time: at };
    // The log knows better when it took the record.
    const arrival: Arrival = { ms: now, text: '' };
    const outcome = eventLine({ ...event, model: this.model }, null, envelope, arrival, () => this.#plan);
    if ('reason' in outcome) return `${outcome.reason}: ${withoutValue(outcome.detail)}`;
    const { id } = event;
    return {
      line: outcome.line,
      kind: type,
      key: `${this.model}#${hash52(String(id)) % this.#fanOut}`,
    };
  }
}

function withoutPolicies(monitor: Monitor): Monitor {
  const features = Object.entries(monitor.features ?? {}).map(
    ([name, { type }]) => [name, { type, policy: 'keep' }] as const,
  );
  return monitor.features === undefined ? monitor : { ...monitor, features: Object.fromEntries(features) };
}

function keyOf({ version, key }: ProducerKey): { readonly version: string; readonly secret: Uint8Array } {
  if (!/^[0-9a-f]{64}$/i.test(key) || version === '')
    throw problem('policyKey', 'is no policy key', 'give { version, key } as the secret of the platform holds it');
  return { version, secret: Buffer.from(key, 'hex') };
}

function problem(path: string, message: string, fix: string): ProblemError {
  return new ProblemError([{ code: 'producer', path, message, fix }]);
}
