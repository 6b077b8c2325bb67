/** Manifests as text and as objects. */
import { parseAllDocuments, stringify } from 'yaml';
import type { K8sObject } from '../../kubernetes/objects.ts';
import { SCHEMAS, tool } from './tools.ts';

export function yaml(objects: readonly unknown[]): string {
  return objects
    .map((object) => stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
}

export function documents(text: string): K8sObject[] {
  const all = parseAllDocuments(text);
  if (!Array.isArray(all)) throw new Error('no documents');
  return all.map((document) => document.toJS({ maxAliasCount: -1 }) as K8sObject).filter((object) => object !== null);
}

/** By kind and name, each of which there is once. */
export function keyed(objects: readonly K8sObject[]): Readonly<Record<string, unknown>> {
  const names = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  if (names.size < objects.length) throw new Error(`${objects.length} objects have ${names.size} names`);
  return Object.fromEntries(
    objects
      .map((object) => [`${object.kind}/${object.metadata.name}`, normal(object)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function normal(object: K8sObject): unknown {
  return JSON.parse(JSON.stringify(object));
}

/** Judges objects by the schemas of Kubernetes and of the operators, unknown fields being errors. */
export function conform(objects: readonly unknown[]): ReturnType<typeof tool> {
  return tool(
    'kubeconform',
    ['-strict', '-summary', '-schema-location', `${SCHEMAS}/{{.ResourceKind}}{{.KindSuffix}}.json`, '-'],
    yaml(objects),
  );
}

/** Free-form members of objects of Strimzi and Grafana Operator: settings of Kafka, labels, quantities. */
export const FREE = ['config', 'matchLabels', 'requests', 'limits'];
