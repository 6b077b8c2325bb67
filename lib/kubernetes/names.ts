/** Names and labels. Selectors of Deployments cannot be changed once they are made, so these are ours and a golden test holds them. */
import type { Role } from '../contracts/roles.ts';

export interface Names {
  /** What names of objects begin with, and the label `app.kubernetes.io/instance`. */
  readonly name: string;
  readonly namespace: string;
}

/** What all objects of one installation carry. */
export function instanceLabels({ name }: Names): Record<string, string> {
  return { 'app.kubernetes.io/name': 'mlmon', 'app.kubernetes.io/instance': name };
}

/** What selects the pods of one part. Never changes for a part. */
export function partLabels(names: Names, part: Role | 'operations'): Record<string, string> {
  return { ...instanceLabels(names), 'app.kubernetes.io/component': part };
}

export function objectName({ name }: Names, suffix: string): string {
  return `${name}-${suffix}`;
}

/** Names under which a Service is reached in the cluster. */
export function serviceNames(names: Names, part: Role): string[] {
  const short = objectName(names, part);
  return ['', `.${names.namespace}`, `.${names.namespace}.svc`, `.${names.namespace}.svc.cluster.local`].map(
    (ending) => `${short}${ending}`,
  );
}
