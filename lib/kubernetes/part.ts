/** One part as a Deployment with an account, a budget of disruptions and a policy of its own. */
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { ROLE_PORTS } from '../contracts/roles.ts';
import { type ContainerResources, DEFAULT_RESOURCES, PATHS, type Part } from './defaults.ts';
import { hardenedContainer, hardenedPodSpec, secretVolumes } from './hardened-pod.ts';
import { objectName, partLabels } from './names.ts';
import type { Peer } from './peer.ts';
import { tcp } from './peer.ts';
import { from, type Platform, to } from './platform.ts';
import type { Scaling } from './scaling.ts';
import type { SecretKey } from './secret-key.ts';

export interface PartProps {
  readonly platform: Platform;
  /** @default those of `DEFAULT_RESOURCES` */
  readonly resources?: Partial<ContainerResources>;
}

/** What a part is, beside what users choose. @internal */
export interface PartSpec {
  readonly part: Part;
  readonly scaling: Scaling;
  /** Ends the old container before the new one starts: where two at once only do the same work twice. */
  readonly recreate: boolean;
  /** Answers requests on the port `http`. */
  readonly serves: boolean;
  /** Reads or writes the log. */
  readonly log: boolean;
  /** Mounts the folder of monitors. */
  readonly monitors?: boolean;
  /** Mounts the file of channels. */
  readonly channels?: boolean;
  readonly secrets: readonly SecretKey[];
  /** Beside DNS, the log and the store. */
  readonly reaches?: readonly { readonly peers: readonly Peer[]; readonly ports: readonly number[] }[];
}

/** @internal */
export class PartDeployment extends Construct {
  /** Of the Deployment, of its account, and of its Service where it has one. */
  readonly name: string;
  /** What selects its pods. */
  readonly labels: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, { platform, resources }: PartProps, spec: PartSpec) {
    super(scope, id);
    const { props } = platform;
    const { part, scaling } = spec;
    this.name = objectName(props, part);
    this.labels = partLabels(props, part);
    const metadata = (): { name: string; namespace: string; labels: Record<string, string> } => ({
      name: this.name,
      namespace: props.namespace,
      labels: { ...this.labels },
    });

    new k8s.KubeServiceAccount(this, 'ServiceAccount', {
      metadata: {
        ...metadata(),
        ...(Object.keys(props.serviceAccountAnnotations).length === 0
          ? {}
          : { annotations: { ...props.serviceAccountAnnotations } }),
      },
      automountServiceAccountToken: false,
    });

    const sized: ContainerResources = { ...DEFAULT_RESOURCES[part], ...resources };
    const files = mountedFiles(platform, spec);
    const secrets = secretVolumes([
      ...props.store.secrets,
      ...(spec.log ? props.log.secrets : []),
      ...(spec.serves ? [props.tokens] : []),
      ...spec.secrets,
    ]);
    new k8s.KubeDeployment(this, 'Deployment', {
      metadata: metadata(),
      spec: {
        ...(scaling.spec.kind === 'fixed' ? { replicas: scaling.spec.replicas } : {}),
        revisionHistoryLimit: 3,
        selector: { matchLabels: { ...this.labels } },
        strategy: spec.recreate
          ? { type: 'Recreate' }
          : {
              type: 'RollingUpdate',
              rollingUpdate: { maxSurge: k8s.IntOrString.fromNumber(1), maxUnavailable: k8s.IntOrString.fromNumber(0) },
            },
        template: {
          metadata: { labels: { ...this.labels }, annotations: annotations(platform, spec) },
          spec: hardenedPodSpec({
            serviceAccount: this.name,
            temporary: sized.temporary,
            imagePullSecrets: props.imagePullSecrets,
            siblings: this.labels,
            ...(props.priorityClassName === undefined ? {} : { priorityClassName: props.priorityClassName }),
            containers: [
              hardenedContainer({
                name: part,
                image: props.image,
                imagePullPolicy: props.imagePullPolicy,
                args: ['run', '--roles', part, '--config', PATHS.run],
                ports: {
                  ...(spec.serves ? { http: ROLE_PORTS.http } : {}),
                  operations: ROLE_PORTS.operations,
                },
                resources: sized,
                limits: props.limits,
                mounts: [...files.mounts, ...secrets.mounts],
              }),
            ],
            volumes: [...files.volumes, ...secrets.volumes],
          }),
        },
      },
    });

    if (scaling.fewest >= 2)
      new k8s.KubePodDisruptionBudget(this, 'DisruptionBudget', {
        metadata: metadata(),
        spec: {
          maxUnavailable: k8s.IntOrString.fromNumber(1),
          selector: { matchLabels: { ...this.labels } },
          // A pod that is broken anyway must not keep a node from being drained.
          unhealthyPodEvictionPolicy: 'AlwaysAllow',
        },
      });
    if (scaling.spec.kind === 'cpu')
      new k8s.KubeHorizontalPodAutoscalerV2(this, 'Autoscaler', {
        metadata: metadata(),
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: this.name },
          minReplicas: scaling.spec.minimum,
          maxReplicas: scaling.spec.maximum,
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: scaling.spec.utilisation } },
            },
          ],
          behavior: { scaleDown: { stabilizationWindowSeconds: 300 } },
        },
      });
    if (spec.serves)
      new k8s.KubeService(this, 'Service', {
        metadata: metadata(),
        spec: {
          type: 'ClusterIP',
          selector: { ...this.labels },
          ports: [
            {
              name: 'http',
              port: ROLE_PORTS.http,
              targetPort: k8s.IntOrString.fromString('http'),
              protocol: 'TCP',
              appProtocol: 'http',
            },
          ],
        },
      });
    this.#policy(platform, spec, metadata());
  }

  #policy(
    { props }: Platform,
    spec: PartSpec,
    metadata: { name: string; namespace: string; labels: Record<string, string> },
  ): void {
    new k8s.KubeNetworkPolicy(this, 'NetworkPolicy', {
      metadata,
      spec: {
        podSelector: { matchLabels: { ...this.labels } },
        policyTypes: spec.serves ? ['Ingress', 'Egress'] : ['Egress'],
        ...(spec.serves ? { ingress: [{ ...from(props.clients), ports: [tcp(ROLE_PORTS.http)] }] } : {}),
        egress: [
          { ...to(props.store.peers), ports: props.store.ports.map(tcp) },
          ...(spec.log ? [{ ...to(props.log.peers), ports: props.log.ports.map(tcp) }] : []),
          ...(spec.reaches ?? []).map(({ peers, ports }) => ({ ...to(peers), ports: ports.map(tcp) })),
        ],
      },
    });
  }
}

/** What pods carry so that a change of their configuration is a rollout. */
function annotations({ props, digests }: Platform, spec: PartSpec): Record<string, string> {
  return {
    'mlmon/run': digests.run,
    ...(spec.monitors === true ? { 'mlmon/monitors': digests.monitors } : {}),
    ...(spec.channels === true ? { 'mlmon/channels': digests.channels } : {}),
    ...(props.scrapeAnnotations
      ? {
          'prometheus.io/scrape': 'true',
          'prometheus.io/port': String(ROLE_PORTS.operations),
          'prometheus.io/path': '/metrics',
        }
      : {}),
  };
}

function mountedFiles(platform: Platform, spec: PartSpec): { volumes: k8s.Volume[]; mounts: k8s.VolumeMount[] } {
  const volumes: k8s.Volume[] = [{ name: 'run', configMap: { name: platform.runConfigMap } }];
  const mounts: k8s.VolumeMount[] = [
    // One file: other folders are mounted below that of the configuration.
    { name: 'run', mountPath: PATHS.run, subPath: 'run.yaml', readOnly: true },
  ];
  if (spec.monitors === true && platform.monitorConfigMaps.length > 0) {
    volumes.push({
      name: 'monitors',
      projected: {
        sources: platform.monitorConfigMaps.map(({ name, files }) => ({
          configMap: { name, items: files.map((key) => ({ key, path: key })) },
        })),
      },
    });
    mounts.push({ name: 'monitors', mountPath: PATHS.monitors, readOnly: true });
  }
  if (spec.channels === true && platform.channelsConfigMap !== null) {
    volumes.push({ name: 'channels', configMap: { name: platform.channelsConfigMap } });
    mounts.push({ name: 'channels', mountPath: PATHS.channels.replace(/\/[^/]+$/, ''), readOnly: true });
  }
  return { volumes, mounts };
}
