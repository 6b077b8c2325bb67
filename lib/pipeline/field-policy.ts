/**
 * What may leave the sender's side of the collector: each feature is kept, hashed, put into a bucket, or dropped, as its monitor says.
 * A plan is compiled once from a monitor and the baseline that applies, and then used for every event.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Baseline, CategoricalBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { FieldPolicy, Monitor } from '../contracts/monitor.ts';
import { bucketValues, DEFAULT_REST, fineBin } from '../engine/bucketed-column.ts';

/** The key that hashes are made with. Its version travels with every event that it touched. */
export interface PolicyKey {
  readonly version: string;
  readonly secret: Uint8Array;
}

/** Tells keys apart without telling what they are: what a baseline of hashes is marked with. */
export function keyMark({ version, secret }: PolicyKey): string {
  return `${version}-${createHash('sha256').update('mlmon policy key\0').update(secret).digest('hex').slice(0, 8)}`;
}

export function hashedValue(key: PolicyKey, value: string): string {
  return createHmac('sha256', key.secret).update(value, 'utf8').digest('base64url');
}

/** Some feature is not kept as it is. What such a monitor does not declare is not kept at all. */
export function holdsBack({ features }: Pick<Monitor, 'features'>): boolean {
  return Object.values(features ?? {}).some(({ policy }) => policy !== 'keep');
}

export interface FieldRule {
  readonly type: 'numeric' | 'categorical';
  readonly policy: FieldPolicy;
  /** Bucket of a value; `null` when there is none (no baseline). */
  readonly bucket: (value: number | string) => number | string | null;
}

export interface FieldPlan {
  readonly model: string;
  /** Every field is kept as it is: lines need no rewriting. */
  readonly allKeep: boolean;
  /** Some field is hashed, but there is no key. */
  readonly keyMissing: boolean;
  readonly fields: ReadonlyMap<string, FieldRule>;
  /** Segments of these names are kept though they are no features. */
  readonly segments: ReadonlySet<string>;
  readonly keyVersion: string | null;
  hash(value: string): string;
}

/** Hashes remembered per plan; beyond it the memory is started anew. */
const REMEMBERED = 10_000;

export function compilePlan(monitor: Monitor, baseline: Baseline | null, key: PolicyKey | null): FieldPlan {
  const fields = new Map<string, FieldRule>();
  const allKeep = !holdsBack(monitor);
  // Of features that the baseline knows and the monitor leaves out nothing is kept, and nothing is said.
  const undeclared: FieldPolicy = allKeep ? 'keep' : 'drop';
  const columns = new Map(baseline?.columns.map((column) => [column.name, column]));
  for (const column of columns.values())
    if (column.role === 'feature')
      fields.set(column.name, { type: column.type, policy: undeclared, bucket: () => null });
  if (!allKeep)
    for (const name of baseline?.withheld ?? [])
      fields.set(name, { type: 'categorical', policy: 'drop', bucket: () => null });
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
  const remembered = new Map<string, string>();
  return {
    model: monitor.model,
    allKeep,
    keyMissing: key === null && [...fields.values()].some(({ policy }) => policy === 'hash'),
    fields,
    segments: new Set(monitor.segments.map(({ by }) => by)),
    keyVersion: key?.version ?? null,
    hash(value) {
      let hashed = remembered.get(value);
      if (hashed === undefined) {
        if (key === null)
          throw new Error(
            `${monitor.model}: a hashed field, but no policy key; expected one before any event is taken`,
          );
        hashed = hashedValue(key, value);
        if (remembered.size >= REMEMBERED) remembered.clear();
        remembered.set(value, hashed);
      }
      return hashed;
    },
  };
}

/** A number's bucket: what stands for its verdict bin, and is counted in the same one. */
function numericBucket(column: NumericBaseline): (value: number | string) => number | null {
  const { edges } = column.bins;
  const values = bucketValues(column);
  return (value) =>
    typeof value === 'number' && Number.isFinite(value) ? (values[fineBin(edges, value)] ?? null) : null;
}

/** A category's bucket: itself if the baseline names it, else the rest. */
function categoricalBucket(column: CategoricalBaseline | null): (value: number | string) => string {
  const known = new Set(column?.categories);
  const rest = column?.rest ?? DEFAULT_REST;
  return (value) => (known.has(String(value)) ? String(value) : rest);
}
