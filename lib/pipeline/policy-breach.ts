/**
 * What an event on the log carries in the clear although its monitor holds it back. The collector and the producer helper apply the
 * policy before they write; anybody who may write to the log directly may forget to. Such events are refused, and not one word of them is
 * kept.
 *
 * A bucket is one of any baseline of the model: which of them a producer had is not known, and each of them is as coarse.
 */
import type { Baseline } from '../contracts/baseline.ts';
import { bucketValues, DEFAULT_REST } from '../engine/bucketed-column.ts';
import type { ReadEvent } from '../engine/event-reader.ts';
import type { Shape } from '../engine/shape.ts';
import { compilePlan, type FieldPlan, holdsBack } from './field-policy.ts';
import type { Timeline } from './timeline.ts';

interface Checks {
  /** It knows the baselines that the buckets were taken from. */
  readonly timeline: Timeline | null;
  readonly plan: FieldPlan;
  readonly numbers: ReadonlyMap<string, ReadonlySet<number>>;
  readonly texts: ReadonlyMap<string, ReadonlySet<string>>;
}

/** By shape; `null` where everything is kept. */
const known = new WeakMap<Shape, Checks | null>();

/** What is wrong, without the value; `null` when the event keeps to the policy. Costs one look-up where everything is kept. */
export function breachOf(shape: Shape, event: ReadEvent, timeline: Timeline | null): string | null {
  let checks = known.get(shape);
  if (checks === undefined || (checks !== null && checks.timeline !== timeline)) {
    checks = holdsBack(shape.monitor) ? compile(shape, timeline) : null;
    known.set(shape, checks);
  }
  return checks === null ? null : breach(checks, event);
}

function compile(shape: Shape, timeline: Timeline | null): Checks {
  const baselines: Baseline[] = shape.baseline === null ? [] : [shape.baseline];
  for (const list of timeline?.baselines.values() ?? []) baselines.push(...list.map(({ baseline }) => baseline));
  const numbers = new Map<string, Set<number>>();
  const texts = new Map<string, Set<string>>();
  for (const [name, { policy, type }] of Object.entries(shape.monitor.features ?? {})) {
    if (policy !== 'bucket') continue;
    const values = new Set<number>();
    const categories = new Set<string>();
    if (type === 'categorical') categories.add(DEFAULT_REST);
    for (const { columns } of baselines)
      for (const column of columns) {
        if (column.name !== name || column.type !== type) continue;
        if (column.type === 'numeric') for (const value of bucketValues(column)) values.add(value);
        else for (const category of [...column.categories, column.rest ?? DEFAULT_REST]) categories.add(category);
      }
    numbers.set(name, values);
    texts.set(name, type === 'numeric' ? new Set([...values].map(String)) : categories);
  }
  return { timeline, plan: compilePlan(shape.monitor, shape.baseline, null), numbers, texts };
}

/** HMAC-SHA-256 in base64url. */
const HASH = /^[A-Za-z0-9_-]{43}$/;
/** What is left of a value of the wrong type. */
const TYPE_ALONE = /^\([a-z]+\)$/;

function breach({ plan, numbers, texts }: Checks, event: ReadEvent): string | null {
  const { numeric, categorical, invalid, segment } = event;
  const isHash = (value: unknown): boolean => event.policyKey !== null && typeof value === 'string' && HASH.test(value);
  for (const name in numeric) {
    if (numeric[name] === null) continue;
    const policy = plan.fields.get(name)?.policy;
    if (policy === 'keep' || (policy === 'bucket' && numbers.get(name)?.has(numeric[name] as number) === true))
      continue;
    return clear(`numeric.${name}`, policy);
  }
  for (const name in categorical) {
    const value = categorical[name];
    if (value === null) continue;
    const policy = plan.fields.get(name)?.policy;
    if (policy === 'keep' || (policy === 'hash' && isHash(value))) continue;
    if (policy === 'bucket' && texts.get(name)?.has(value as string) === true) continue;
    return clear(`categorical.${name}`, policy);
  }
  for (const name in invalid) {
    const policy = plan.fields.get(name)?.policy;
    if (policy === 'keep' || (policy !== 'drop' && TYPE_ALONE.test(invalid[name]!))) continue;
    return clear(`invalid.${name}`, policy);
  }
  for (const name in segment) {
    const rule = plan.fields.get(name);
    if (rule === undefined ? plan.segments.has(name) : rule.policy === 'keep') continue;
    if (rule?.policy === 'hash' && isHash(segment[name])) continue;
    if (rule?.policy === 'bucket' && texts.get(name)?.has(segment[name]!) === true) continue;
    return clear(`segment.${name}`, rule?.policy);
  }
  return null;
}

function clear(path: string, policy: string | undefined): string {
  const why = policy === undefined ? 'nobody declared it and the monitor holds fields back' : `its policy is ${policy}`;
  return `${path}: in the clear although ${why}; send through the collector or the producer`;
}
