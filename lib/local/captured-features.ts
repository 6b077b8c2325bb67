/** What was captured of each feature in a range of event time: under which policy, and in which buckets. */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import type { FieldPolicy } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { Shape } from '../engine/shape.ts';
import type { Registry } from '../pipeline/registry.ts';

export interface CapturedFeature {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly policy: FieldPolicy;
  /** The baseline whose buckets its values are, where its policy is `bucket`. */
  readonly buckets: ColumnBaseline | null;
}

export interface CapturedFeatures {
  readonly features: readonly CapturedFeature[];
  /** Features that are known and not watched: they stay known. */
  readonly withheld: readonly string[];
}

/**
 * The features that are watched at the beginning of [from, to), milliseconds.
 * @throws ProblemError when a policy or its buckets changed in between: values of both cannot make one baseline
 */
export function capturedFeatures(registry: Registry, model: string, from: number, to: number): CapturedFeatures {
  const changes = (registry.timeline(model)?.changes ?? []).filter((moment) => moment > from && moment < to);
  const shapeAt = (t: number): Shape | null => registry.shapeFor(model, '', t)?.shape ?? null;
  const shape = shapeAt(from);
  const features = featuresOf(shape);
  for (const moment of changes) {
    const later = new Map(featuresOf(shapeAt(moment)).map((feature) => [feature.name, feature]));
    for (const feature of features) {
      const other = later.get(feature.name);
      if (other === undefined || sameValues(feature, other)) continue;
      throw new ProblemError([
        {
          code: 'policy-changed',
          path: `features.${feature.name}`,
          message: 'its policy, or the buckets of it, changed within these windows',
          got: `a change at ${new Date(moment).toISOString()}`,
          fix: 'choose windows before it or after it',
        },
      ]);
    }
  }
  const withheld = [...(shape?.ignored ?? [])].filter((name) => shape?.monitor.features?.[name] === undefined);
  return { features, withheld };
}

function featuresOf(shape: Shape | null): CapturedFeature[] {
  return (shape?.columns ?? [])
    .filter(({ role }) => role === 'feature')
    .map(({ name, type, baseline }) => {
      const policy = shape?.monitor.features?.[name]?.policy ?? 'keep';
      return { name, type, policy, buckets: policy === 'bucket' ? baseline : null };
    });
}

function sameValues(a: CapturedFeature, b: CapturedFeature): boolean {
  return a.policy === b.policy && JSON.stringify(bucketsOf(a)) === JSON.stringify(bucketsOf(b));
}

function bucketsOf({ buckets }: CapturedFeature): unknown {
  if (buckets === null) return null;
  return buckets.type === 'numeric' ? [buckets.bins, buckets.unit] : [buckets.categories, buckets.rest];
}
