/**
 * What may leave the sender's side of the collector: each feature is kept, hashed, put into a bucket, or dropped, as its monitor says.
 * A plan is compiled once from a monitor and the baseline that applies, and then used for every event.
 */
import { createHmac } from 'node:crypto';
import type { Baseline, CategoricalBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { FieldPolicy, Monitor } from '../contracts/monitor.ts';

/** The key that hashes are made with. Its version travels with every event that it touched. */
export interface PolicyKey {
  readonly version: string;
  readonly secret: Uint8Array;
}

export interface FieldRule {
  readonly type: 'numeric' | 'categorical';
  readonly policy: FieldPolicy;
  /** Bucket of a value; `null` when there is none (no baseline). */
  readonly bucket: (value: number | string) => number | string | null;
}

export interface FieldPlan {
  readonly model: string;
  /** Every declared field is kept as it is: lines need no rewriting. */
  readonly allKeep: boolean;
  /** Some field is hashed, but there is no key. */
  readonly keyMissing: boolean;
  readonly fields: ReadonlyMap<string, FieldRule>;
  readonly keyVersion: string | null;
  hash(value: string): string;
}

/** Hashes remembered per plan; beyond it the memory is started anew. */
const REMEMBERED = 10_000;

export function compilePlan(monitor: Monitor, baseline: Baseline | null, key: PolicyKey | null): FieldPlan {
  const fields = new Map<string, FieldRule>();
  const columns = new Map(baseline?.columns.map((column) => [column.name, column]));
  for (const column of columns.values())
    if (column.role === 'feature') fields.set(column.name, { type: column.type, policy: 'keep', bucket: () => null });
  for (const [name, { type, policy }] of Object.entries(monitor.features ?? {})) {
    const column = columns.get(name);
    const bucket =
      policy === 'bucket' && column?.type === 'numeric' && type === 'numeric'
        ? numericBucket(column)
        : policy === 'bucket' && type === 'categorical'
          ? categoricalBucket(column?.type === 'categorical' ? column : null)
          : () => null;
    fields.set(name, { type, policy, bucket });
  }
  const policies = [...fields.values()].map((field) => field.policy);
  const remembered = new Map<string, string>();
  return {
    model: monitor.model,
    allKeep: policies.every((policy) => policy === 'keep'),
    keyMissing: key === null && policies.includes('hash'),
    fields,
    keyVersion: key?.version ?? null,
    hash(value) {
      let hashed = remembered.get(value);
      if (hashed === undefined) {
        if (key === null)
          throw new Error(
            `${monitor.model}: a hashed field, but no policy key; expected one before any event is taken`,
          );
        hashed = createHmac('sha256', key.secret).update(value, 'utf8').digest('base64url');
        if (remembered.size >= REMEMBERED) remembered.clear();
        remembered.set(value, hashed);
      }
      return hashed;
    },
  };
}

/**
 * A number's bucket: the middle of its verdict bin, so that it is counted in the same bin as the number itself.
 * Below the baseline's range: one unit below its minimum; above: just above its maximum. A bin of one value keeps that value.
 */
function numericBucket(column: NumericBaseline): (value: number | string) => number | string | null {
  const { edges, verdictBin } = column.bins;
  const first = edges[0];
  const last = edges.at(-1);
  if (first === undefined || last === undefined) return () => null;
  const middles = new Map<number, number>();
  for (let fine = 1; fine < edges.length; fine++) {
    const bin = verdictBin[fine]!;
    if (middles.has(bin)) continue;
    const low = edges[fine - 1]!;
    let end = fine;
    while (end + 1 < edges.length && verdictBin[end + 1] === bin) end++;
    const high = edges[end]!;
    const middle = low + (high - low) / 2;
    middles.set(bin, middle >= low && middle < high ? middle : low);
  }
  const below = first - column.unit < first ? first - column.unit : first - Math.max(1, Math.abs(first) * 1e-9);
  return (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return null;
    if (value < first) return below;
    if (value >= last) return last;
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (edges[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return middles.get(verdictBin[low]!) ?? null;
  };
}

/** A category's bucket: itself if the baseline knows it, else `other`. */
function categoricalBucket(column: CategoricalBaseline | null): (value: number | string) => string {
  const known = new Set(column?.categories);
  return (value) => (known.has(String(value)) ? String(value) : 'other');
}
