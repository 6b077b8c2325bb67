/**
 * A baseline as it may be stored: under the field policies of its model's monitor, like the events that are compared with it.
 * Values that the policies hold back are taken out here, before anything is written.
 */
import type { Baseline, CategoricalBaseline, ColumnBaseline } from '../contracts/baseline.ts';
import type { FieldPolicy, Monitor } from '../contracts/monitor.ts';
import type { Problem } from '../contracts/problem.ts';
import { BUCKET_ROWS, bucketedCategories, bucketedNumber } from '../engine/bucketed-column.ts';
import { hashedValue, holdsBack, keyMark, type PolicyKey } from './field-policy.ts';

export interface PolicedBaseline {
  /** Without the columns that the problems are about: they can be neither stored nor compared with. */
  readonly baseline: Baseline;
  /** One a column that the monitor watches and that cannot be brought under its policy. */
  readonly problems: readonly Problem[];
}

/** Idempotent: a baseline that is under these policies already stays as it is. */
export function baselineUnderPolicies(baseline: Baseline, monitor: Monitor, key: PolicyKey | null): PolicedBaseline {
  const declared = new Map(Object.entries(monitor.features ?? {}));
  const closed = holdsBack(monitor);
  const columns: ColumnBaseline[] = [];
  const withheld = new Set(baseline.withheld);
  const problems: Problem[] = [];
  for (const column of baseline.columns) {
    if (column.role !== 'feature') {
      columns.push(column);
      continue;
    }
    const rule = declared.get(column.name);
    if (rule === undefined && closed) {
      withheld.add(column.name);
      continue;
    }
    const policy = rule?.policy ?? 'keep';
    // What is of another type is compared with nothing (shape.ts), and may be the value itself.
    if (policy === 'drop' || (closed && rule?.type !== column.type)) continue;
    const published = columnUnderPolicy(column, policy, key);
    if ('code' in published) problems.push(published);
    else columns.push(published);
  }
  for (const name of declared.keys()) withheld.delete(name);
  const hidden = (name: string): boolean => withheld.has(name) || (declared.get(name)?.policy ?? 'keep') !== 'keep';
  const { withheld: _, ...rest } = baseline;
  return {
    problems,
    baseline: {
      ...rest,
      columns,
      // What was odd may be a value.
      findings: baseline.findings.map((finding) =>
        hidden(finding.path) ? { ...finding, got: undefined, expected: undefined } : finding,
      ),
      ...(withheld.size > 0 ? { withheld: [...withheld].sort() } : {}),
    },
  };
}

function columnUnderPolicy(
  column: ColumnBaseline,
  policy: FieldPolicy,
  key: PolicyKey | null,
): ColumnBaseline | Problem {
  const path = `baseline.columns.${column.name}`;
  if (column.type === 'categorical') {
    if (policy === 'hash') return hashed(column, key, path);
    if (column.policyKey === undefined) return policy === 'bucket' ? bucketedCategories(column) : column;
    const fix = 'make the baseline again from data, or from windows after the policy changed';
    return { code: 'hashed-baseline', path, message: `holds hashes, and the policy is ${policy}`, fix };
  }
  if (policy !== 'bucket') return column;
  const bucketed = bucketedNumber(column);
  return (
    bucketed ?? {
      code: 'fine-buckets',
      path,
      message: `its bins tell of fewer than ${BUCKET_ROWS} rows, and the policy is bucket`,
      fix: 'make it again with `mlmon profile --monitor` and this monitor, which then makes coarser ones',
    }
  );
}

/** Each category keeps its verdict bin, so the calibration, which is by verdict bin, stays true in the new order. */
function hashed(column: CategoricalBaseline, key: PolicyKey | null, path: string): CategoricalBaseline | Problem {
  if (key === null)
    return {
      code: 'no-policy-key',
      path,
      message: 'its policy is hash, and there is no key',
      fix: 'give the platform one',
    };
  const mark = keyMark(key);
  if (column.policyKey !== undefined && column.policyKey !== mark)
    return {
      code: 'other-policy-key',
      path,
      message: 'was hashed with the key of another platform',
      fix: 'make the baseline from data, or from windows of this platform',
    };
  if (column.policyKey === mark) return column;
  const entries = column.categories.map((category, i) => ({
    category: hashedValue(key, category),
    count: column.counts[i] ?? 0,
    bin: column.verdictBin[i] ?? 0,
  }));
  // Text of ASCII letters: code units are code points.
  entries.sort((a, b) => b.count - a.count || (a.category < b.category ? -1 : 1));
  return {
    ...column,
    categories: entries.map(({ category }) => category),
    counts: entries.map(({ count }) => count),
    verdictBin: entries.map(({ bin }) => bin),
    policyKey: mark,
  };
}
