/** What users say of a chart. */
import type { Mute, Route } from '../contracts/alerting.ts';
import type { Channel } from './channel.ts';
import type { ContainerResources, Part } from './defaults.ts';
import type { Grafana } from './grafana.ts';
import type { Limits } from './hardened-pod.ts';
import type { Log } from './log.ts';
import type { Monitor } from './monitor.ts';
import type { Peer } from './peer.ts';
import type { Scaling } from './scaling.ts';
import type { SecretKey } from './secret-key.ts';
import type { Store } from './store.ts';
import type { Watching } from './watching.ts';

export interface ModelMonitoringChartProps {
  readonly log: Log;
  readonly store: Store;
  /** What is watched from here; more can be published with `mlmon monitor apply`. */
  readonly monitors: readonly Monitor[];
  /** What names of objects begin with. @default 'mlmon' */
  readonly name?: string;
  /** @default 'ml-monitoring' */
  readonly namespace?: string;
  /** Makes the namespace too, with Pod Security "restricted" enforced. @default false */
  readonly createNamespace?: boolean;
  /** With a tag or, better, a digest: `registry.example.com/mlmon@sha256:…`. @default 'ml-monitoring-constructs:<version of this package>' */
  readonly image?: string;
  /** @default 'Always', so that a node runs no image that it may not pull */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent';
  /** Names of Secrets with credentials of the registry. @default none */
  readonly imagePullSecrets?: readonly string[];
  /** Tokens of senders and readers, one a line. @default { secret: 'mlmon-tokens', key: 'tokens' } */
  readonly tokens?: SecretKey;
  /** Key of the field policy `hash`. @default none: monitors with that policy are refused */
  readonly policyKey?: SecretKey;
  /** Where the notifier delivers. @default none: alerts of models are seen on the page alone */
  readonly channels?: readonly Channel[];
  /** Which channels hear of what; what matches no route goes to all of them. @default none */
  readonly routes?: readonly Route[];
  /** What is recorded and shown and sent to nobody, for a time or always. @default none */
  readonly mutes?: readonly Mute[];
  /** How the platform is watched. @default Watching.operator() */
  readonly watching?: Watching;
  /** Where dashboards go. @default Grafana.sidecar() */
  readonly grafana?: Grafana;
  /** How long objects lie that hold single events: `events` captured ones, `failed` quarantined ones, e.g. `400d`. @default events for ever, failed 14d */
  readonly retention?: { readonly events?: string; readonly failed?: string };
  /** What links in alerts begin with. @default none */
  readonly links?: { readonly page?: string; readonly runbook?: string; readonly dashboards?: string };
  /** Names under which collector and page are reached beside those of their Services, for example that of an Ingress. @default none */
  readonly hostNames?: readonly string[];
  /** Of the collectors. @default Scaling.cpu({ minimum: 2, maximum: 10, utilisation: 70 }) */
  readonly collectors?: Scaling;
  /** Of the profilers. @default Scaling.fixed(2) */
  readonly profilers?: Scaling;
  /** What containers ask for, by part; what is not said stays as it is. @default see `DEFAULT_RESOURCES` */
  readonly resources?: Readonly<Partial<Record<Part, Partial<ContainerResources>>>>;
  /** Whether containers may use idle processors beyond what they ask for. @default 'memory': they may */
  readonly limits?: Limits;
  /** @default none */
  readonly priorityClassName?: string;
  /** On every account, for example to bind it to a role of a cloud. @default none */
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>>;
  /** Who may send events and open the page. @default every pod of the cluster */
  readonly clients?: readonly Peer[];
  /** Who may read metrics. @default pods of the namespace 'monitoring' */
  readonly scrapers?: readonly Peer[];
  /** Who answers questions for names. @default pods of kube-dns in kube-system */
  readonly dns?: readonly Peer[];
  /** Under which monitors are published: what is published under another is left alone. @default 'kubernetes' */
  readonly owner?: string;
}
