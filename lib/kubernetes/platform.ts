/** What all parts share: names, the configuration of a run, monitors, and a network in which nothing is allowed that nobody asked for. */
import { createHash } from 'node:crypto';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Mute, Route } from '../contracts/alerting.ts';
import { ROLE_PORTS } from '../contracts/roles.ts';
import type { Channel } from './channel.ts';
import { PATHS } from './defaults.ts';
import type { Limits } from './hardened-pod.ts';
import type { Log } from './log.ts';
import type { Monitor } from './monitor.ts';
import { instanceLabels, type Names, objectName, partLabels, serviceNames } from './names.ts';
import { type Peer, policyPeers, tcp } from './peer.ts';
import { type SecretKey, secretFile } from './secret-key.ts';
import type { Store } from './store.ts';

/** With every default filled in: `ModelMonitoringChart` does so. */
export interface PlatformProps extends Names {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent';
  readonly imagePullSecrets: readonly string[];
  readonly log: Log;
  readonly store: Store;
  readonly monitors: readonly Monitor[];
  readonly owner: string;
  readonly channels: readonly Channel[];
  readonly routes: readonly Route[];
  readonly mutes: readonly Mute[];
  readonly tokens: SecretKey;
  readonly policyKey?: SecretKey;
  readonly links: { readonly page?: string; readonly runbook?: string; readonly dashboards?: string };
  /** Of objects that hold single events; what is not said has the default of `mlmon run`. */
  readonly retention: { readonly events?: string; readonly failed?: string };
  /** Names under which collector and page are reached beside those of their Services. */
  readonly hostNames: readonly string[];
  readonly limits: Limits;
  readonly priorityClassName?: string;
  readonly serviceAccountAnnotations: Readonly<Record<string, string>>;
  /** Who sends events and looks at the page. */
  readonly clients: readonly Peer[];
  /** Who reads `/metrics`. */
  readonly scrapers: readonly Peer[];
  readonly dns: readonly Peer[];
  /** For Prometheus without an operator: annotations that its usual configuration looks for. */
  readonly scrapeAnnotations: boolean;
}

export class Platform extends Construct {
  readonly props: PlatformProps;
  /** Name of the ConfigMap with `run.yaml`. */
  readonly runConfigMap: string;
  /** Name of the ConfigMap with `channels.yaml`; `null` without channels. */
  readonly channelsConfigMap: string | null;
  /** Names of the ConfigMaps of monitors, with the files in each. */
  readonly monitorConfigMaps: readonly { readonly name: string; readonly files: readonly string[] }[];
  /** Of the configuration that containers read when they start: a change of it begins a rollout. */
  readonly digests: { readonly run: string; readonly channels: string; readonly monitors: string };

  constructor(scope: Construct, id: string, props: PlatformProps) {
    super(scope, id);
    this.props = props;
    const { monitors, channels, routes, mutes } = props;

    const run = canonicalJson(runConfig(props));
    this.runConfigMap = this.#configMap('run', { 'run.yaml': run });

    const told = canonicalJson({
      channels: channels.map(({ config }) => config),
      ...(routes.length === 0 ? {} : { routes }),
      ...(mutes.length === 0 ? {} : { mutes }),
    });
    this.channelsConfigMap = channels.length === 0 ? null : this.#configMap('channels', { 'channels.yaml': told });

    this.monitorConfigMaps = monitors.map(({ model, files }) => ({
      name: this.#configMap(`monitor-${model}`, files),
      files: Object.keys(files).sort(),
    }));
    this.digests = {
      run: digest(run),
      channels: channels.length === 0 ? 'none' : digest(told),
      monitors: digest(
        monitors
          .flatMap(({ files }) =>
            Object.keys(files)
              .sort()
              .map((name) => digest(files[name] ?? '')),
          )
          .join(''),
      ),
    };

    // Both ways, for our own pods and no others: the namespace may be shared.
    new k8s.KubeNetworkPolicy(this, 'DefaultDeny', {
      metadata: this.metadata('default-deny'),
      spec: {
        podSelector: { matchLabels: instanceLabels(props) },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            ...from(props.scrapers),
            ports: [tcp(ROLE_PORTS.operations)],
          },
        ],
        egress: [
          {
            ...to(props.dns),
            ports: [{ port: k8s.IntOrString.fromNumber(53), protocol: 'UDP' }, tcp(53)],
          },
        ],
      },
    });
    // Headless: whoever scrapes asks each pod.
    new k8s.KubeService(this, 'Operations', {
      metadata: { ...this.metadata('operations'), labels: partLabels(props, 'operations') },
      spec: {
        clusterIp: 'None',
        publishNotReadyAddresses: true,
        selector: instanceLabels(props),
        ports: [
          { name: 'operations', port: ROLE_PORTS.operations, targetPort: k8s.IntOrString.fromString('operations') },
        ],
      },
    });
  }

  metadata(suffix: string): { name: string; namespace: string; labels: Record<string, string> } {
    const { props } = this;
    return { name: objectName(props, suffix), namespace: props.namespace, labels: instanceLabels(props) };
  }

  #configMap(suffix: string, data: Readonly<Record<string, string>>): string {
    const metadata = this.metadata(suffix);
    new k8s.KubeConfigMap(this, suffix, { metadata, data: { ...data } });
    return metadata.name;
  }
}

/** @internal */
export function from(peers: readonly Peer[]): { from?: k8s.NetworkPolicyPeer[] } {
  const list = policyPeers(peers);
  return list === undefined ? {} : { from: list };
}

/** @internal */
export function to(peers: readonly Peer[]): { to?: k8s.NetworkPolicyPeer[] } {
  const list = policyPeers(peers);
  return list === undefined ? {} : { to: list };
}

/** What `mlmon run` reads (contracts/roles.ts); the same for all parts. */
export function runConfig(props: PlatformProps): Readonly<Record<string, unknown>> {
  const { log, store, monitors, owner, channels, tokens, policyKey, retention, links, hostNames } = props;
  return {
    schema: 'mlmon.run/v1',
    log: log.config,
    store: store.config,
    http: {
      host: '0.0.0.0',
      port: ROLE_PORTS.http,
      names: [...serviceNames(props, 'collector'), ...serviceNames(props, 'page'), ...hostNames],
      tokenFile: secretFile(tokens),
    },
    operations: { host: '0.0.0.0', port: ROLE_PORTS.operations },
    ...(monitors.length === 0 ? {} : { monitors: { folder: PATHS.monitors, owner } }),
    ...(channels.length === 0 ? {} : { channelsFile: PATHS.channels }),
    ...(policyKey === undefined ? {} : { policyKeyFile: secretFile(policyKey) }),
    ...(Object.keys(retention).length === 0 ? {} : { retention }),
    ...(Object.keys(links).length === 0 ? {} : { links }),
  };
}

/** JSON, which is YAML too, with its keys in order: the Helm chart writes the same characters. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value), null, 2);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
