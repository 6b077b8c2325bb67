/** Charts of the tests, as the plain objects that are applied. */
import { Testing } from 'cdk8s';
import {
  Log,
  ModelMonitoringChart,
  type ModelMonitoringChartProps,
  Monitor,
  Store,
} from '../../lib/kubernetes/index.ts';

export type Json = Record<string, unknown>;

export interface K8sObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Json;
  readonly data?: Readonly<Record<string, string>>;
}

export const CHURN = Monitor.of({ model: 'churn', features: { tenure: { type: 'numeric' } } });

export const MINIMAL: ModelMonitoringChartProps = {
  log: Log.kafka({ brokers: ['kafka:9092'] }),
  store: Store.s3({ bucket: 'ml-monitoring' }),
  monitors: [CHURN],
};

export function chartOf(props: Partial<ModelMonitoringChartProps> = {}): ModelMonitoringChart {
  return new ModelMonitoringChart(Testing.app(), 'monitoring', { ...MINIMAL, ...props });
}

export function objectsOf(props: Partial<ModelMonitoringChartProps> = {}): K8sObject[] {
  return Testing.synth(chartOf(props)) as K8sObject[];
}

export function one(objects: readonly K8sObject[], kind: string, name: string): K8sObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects ${kind}/${name}`);
  return found[0]!;
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Json;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Json[];
  readonly [other: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly Json[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly securityContext?: Json;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly [other: string]: unknown;
}

/** Pod templates of Deployments, StatefulSets and the like. */
export function templates(
  objects: readonly K8sObject[],
): { readonly object: K8sObject; readonly template: PodTemplate }[] {
  return objects.flatMap((object) => {
    const template = object.spec?.['template'] as PodTemplate | undefined;
    return template === undefined ? [] : [{ object, template }];
  });
}
