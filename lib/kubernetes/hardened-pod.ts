/**
 * A pod that the profile "restricted" of Pod Security admits, and more: no writable root, no token of the cluster, secrets as files, a size for
 * everything that is written.
 */
import { k8s } from 'cdk8s-plus-28';
import { type ContainerResources, PATHS, TERMINATION_GRACE_SECONDS, USER } from './defaults.ts';
import type { SecretKey } from './secret-key.ts';

/** What may be used of a processor: bursts as long as the node has room, or no more than asked for. */
export type Limits = 'memory' | 'memory-and-cpu';

/** What the container of a role needs. */
export interface HardenedContainer {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent';
  readonly args: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
  readonly resources: ContainerResources;
  readonly limits: Limits;
  readonly mounts: readonly k8s.VolumeMount[];
}

/** @internal */
export function hardenedContainer(options: HardenedContainer): k8s.Container {
  const { cpu, memory, temporary } = options.resources;
  const quantity = (text: string): k8s.Quantity => k8s.Quantity.fromString(text);
  return {
    name: options.name,
    image: options.image,
    imagePullPolicy: options.imagePullPolicy,
    args: [...options.args],
    ports: Object.entries(options.ports).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
    resources: {
      requests: { cpu: quantity(cpu), memory: quantity(memory), 'ephemeral-storage': quantity(temporary) },
      limits: {
        memory: quantity(memory),
        'ephemeral-storage': quantity(doubled(temporary)),
        ...(options.limits === 'memory-and-cpu' ? { cpu: quantity(doubled(cpu)) } : {}),
      },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: USER,
      runAsNonRoot: true,
      runAsUser: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    // Reading a large store for the first time takes its time; after that each probe has a question of its own.
    startupProbe: { httpGet: probe('/healthz'), periodSeconds: 2, failureThreshold: 60, timeoutSeconds: 2 },
    // Can it take work, and is it not draining?
    readinessProbe: { httpGet: probe('/readyz'), periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 3 },
    // Does its loop turn? Never whether Kafka or the store answer: a restart mends neither.
    livenessProbe: { httpGet: probe('/healthz'), periodSeconds: 20, failureThreshold: 3, timeoutSeconds: 5 },
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [{ name: 'tmp', mountPath: PATHS.temporary }, ...options.mounts],
  };
}

function probe(path: string): k8s.HttpGetAction {
  return { path, port: k8s.IntOrString.fromString('operations'), scheme: 'HTTP' };
}

/** Twice a quantity, in its own unit. */
export function doubled(text: string): string {
  const [, number = '0', unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  return `${Number(number) * 2}${unit}`;
}

export interface HardenedPod {
  readonly serviceAccount: string;
  readonly containers: readonly k8s.Container[];
  readonly volumes: readonly k8s.Volume[];
  readonly temporary: string;
  readonly imagePullSecrets: readonly string[];
  /** What selects its siblings: they are spread over nodes and zones. */
  readonly siblings: Readonly<Record<string, string>>;
  readonly priorityClassName?: string;
}

/** @internal */
export function hardenedPodSpec(options: HardenedPod): k8s.PodSpec {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    serviceAccountName: options.serviceAccount,
    ...(options.priorityClassName === undefined ? {} : { priorityClassName: options.priorityClassName }),
    ...(options.imagePullSecrets.length === 0
      ? {}
      : { imagePullSecrets: options.imagePullSecrets.map((name) => ({ name })) }),
    securityContext: {
      fsGroup: USER,
      fsGroupChangePolicy: 'OnRootMismatch',
      runAsGroup: USER,
      runAsNonRoot: true,
      runAsUser: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
    // A wish, not a rule: where there are fewer nodes than containers all of them run nevertheless.
    topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { ...options.siblings } },
      matchLabelKeys: ['pod-template-hash'],
    })),
    containers: [...options.containers],
    volumes: [{ name: 'tmp', emptyDir: { sizeLimit: k8s.Quantity.fromString(options.temporary) } }, ...options.volumes],
  };
}

/** Volumes with the keys of Secrets, and where a container finds them. Each Secret once, with the keys that are asked for alone. @internal */
export function secretVolumes(keys: readonly SecretKey[]): {
  readonly volumes: k8s.Volume[];
  readonly mounts: k8s.VolumeMount[];
} {
  const bySecret = new Map<string, Set<string>>();
  for (const { secret, key } of keys) bySecret.set(secret, (bySecret.get(secret) ?? new Set()).add(key));
  const secrets = [...bySecret].sort(([a], [b]) => (a < b ? -1 : 1));
  const volumeOf = (at: number): string => `secret-${at}`;
  return {
    volumes: secrets.map(([secretName, items], at) => ({
      name: volumeOf(at),
      secret: {
        secretName,
        // Readable by the group of the pod alone.
        defaultMode: 0o440,
        items: [...items].sort().map((key) => ({ key, path: key })),
      },
    })),
    mounts: secrets.map(([secretName], at) => ({
      name: volumeOf(at),
      mountPath: `${PATHS.secrets}/${secretName}`,
      readOnly: true,
    })),
  };
}
