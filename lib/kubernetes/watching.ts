/** How the platform itself is watched: Prometheus reads its metrics and judges the rules of the catalogue. */
import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { renderAlertmanager } from '../alerts/alertmanager.ts';
import { alertmanagerConfig, type SecretKeyReference } from '../alerts/alertmanager-config.ts';
import { prometheusRuleGroups } from '../alerts/prometheus.ts';
import type { AlertingOptions } from '../alerts/receivers.ts';
import type { AlertChanges } from '../alerts/rules.ts';
import type { Problem } from '../contracts/problem.ts';
import { PARTS } from './defaults.ts';
import { instanceLabels, partLabels } from './names.ts';
import { labelProblems } from './object-rules.ts';
import type { Platform } from './platform.ts';
import type { SecretKey } from './secret-key.ts';
import { SIDECAR_LABEL } from './sidecar.ts';

export interface RuleOptions {
  /** Changes of single alerts, by key: threshold, severity, off. @default none */
  readonly changes?: AlertChanges;
  /** Who tells people what episodes of models tell: the notifier, or Prometheus' alerts. @default 'episodes' */
  readonly notifier?: 'episodes' | 'alarms';
}

export interface OperatorOptions extends RuleOptions {
  /** Labels by which the operator finds its objects: `{ release: 'kube-prometheus-stack' }`. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** What is watched: each pod, or the endpoints of the headless Service. @default 'pods' */
  readonly by?: 'pods' | 'services';
  /** Where Alertmanager sends alerts of blindness and of the platform's health: an AlertmanagerConfig. @default none: routes are made elsewhere */
  readonly receivers?: AlertingOptions<SecretKey>;
}

export interface FileOptions extends RuleOptions {
  /** The same as `alertmanager.yaml`, with paths of files that hold the secrets. @default none */
  readonly receivers?: AlertingOptions<string>;
}

/** Where Prometheus runs in most clusters of kube-prometheus-stack. */
export const SCRAPER_NAMESPACE = 'monitoring';

interface WatchingContext {
  readonly platform: Platform;
}

/** Made by its factories. */
export class Watching {
  /** Objects of Prometheus Operator: PodMonitor or ServiceMonitor, and PrometheusRule. */
  static operator(options: OperatorOptions = {}): Watching {
    return new Watching(
      false,
      (scope, { platform }) => {
        monitorObject(scope, platform, options);
        sidecarMonitor(scope, platform, options);
        ruleObject(scope, platform, options);
        if (options.receivers !== undefined) routeObject(scope, platform, options.receivers, options.labels ?? {});
      },
      options.labels,
    );
  }

  /**
   * For a Prometheus without operator: pods carry the annotations that its usual configuration looks for, and a ConfigMap holds `alerts.yaml` for
   * `rule_files`, `scrape.yaml` for `scrape_configs` and, with receivers, `alertmanager.yaml`.
   */
  static files(options: FileOptions = {}): Watching {
    return new Watching(true, (scope, { platform }) => {
      new k8s.KubeConfigMap(scope, 'PrometheusFiles', {
        metadata: platform.metadata('prometheus'),
        data: {
          'alerts.yaml': stringify(ruleGroups(platform, options), { lineWidth: 0 }),
          'scrape.yaml': stringify(scrapeConfigs(platform), { lineWidth: 0 }),
          ...(options.receivers === undefined ? {} : { 'alertmanager.yaml': renderAlertmanager(options.receivers) }),
        },
      });
    });
  }

  /** Nobody watches: blindness then goes unnoticed. */
  static none(): Watching {
    return new Watching(false, () => undefined);
  }

  /** Whether pods carry annotations for Prometheus. */
  readonly annotations: boolean;
  readonly #bind: (scope: Construct, context: WatchingContext) => void;
  readonly #labels: Readonly<Record<string, string>>;

  private constructor(
    annotations: boolean,
    bind: (scope: Construct, context: WatchingContext) => void,
    labels: Readonly<Record<string, string>> = {},
  ) {
    this.annotations = annotations;
    this.#bind = bind;
    this.#labels = labels;
  }

  /** @internal */
  problems(): Problem[] {
    return labelProblems('watching.labels', this.#labels, 'labels');
  }

  /** @internal */
  bind(scope: Construct, context: WatchingContext): void {
    this.#bind(scope, context);
  }
}

/** The label `job` of every series, in all ways of scraping: dashboards and rules ask for it. */
export const JOB = 'mlmon';

function monitorObject(scope: Construct, platform: Platform, { labels = {}, by = 'pods' }: OperatorOptions): void {
  const { props } = platform;
  const { name, namespace, labels: own } = platform.metadata('operations');
  const endpoint = { port: 'operations', path: '/metrics', interval: '30s', scrapeTimeout: '10s' };
  const common = {
    jobLabel: 'app.kubernetes.io/name',
    podTargetLabels: ['app.kubernetes.io/component', 'app.kubernetes.io/instance'],
    namespaceSelector: { matchNames: [namespace] },
  };
  new ApiObject(scope, 'Monitor', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: by === 'pods' ? 'PodMonitor' : 'ServiceMonitor',
    metadata: { name, namespace, labels: { ...own, ...labels } },
    spec:
      by === 'pods'
        ? { ...common, selector: { matchLabels: instanceLabels(props) }, podMetricsEndpoints: [endpoint] }
        : { ...common, selector: { matchLabels: partLabels(props, 'operations') }, endpoints: [endpoint] },
  });
}

/** Sidecars run in pods of others, in any namespace. */
function sidecarMonitor(scope: Construct, platform: Platform, { labels = {} }: OperatorOptions): void {
  const { name, namespace, labels: own } = platform.metadata('sidecars');
  new ApiObject(scope, 'Sidecars', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name, namespace, labels: { ...own, ...labels } },
    spec: {
      namespaceSelector: { any: true },
      selector: { matchExpressions: [{ key: SIDECAR_LABEL, operator: 'Exists' }] },
      podMetricsEndpoints: [
        {
          port: 'operations',
          path: '/metrics',
          interval: '30s',
          scrapeTimeout: '10s',
          relabelings: [{ targetLabel: 'job', replacement: JOB }],
        },
      ],
    },
  });
}

function ruleObject(scope: Construct, platform: Platform, options: OperatorOptions): void {
  const { name, namespace, labels } = platform.metadata('alerts');
  new ApiObject(scope, 'Rules', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, namespace, labels: { ...labels, ...options.labels } },
    spec: ruleGroups(platform, options),
  });
}

function routeObject(
  scope: Construct,
  platform: Platform,
  receivers: AlertingOptions<SecretKey>,
  chosen: Readonly<Record<string, string>>,
): void {
  const { name, namespace, labels } = platform.metadata('alerts');
  const { spec, ...object } = alertmanagerConfig(
    { name, namespace, labels: { ...labels, ...chosen } },
    referring(receivers) as AlertingOptions<SecretKeyReference>,
  );
  new ApiObject(scope, 'Routes', { ...object, metadata: { name, namespace, labels: { ...labels, ...chosen } }, spec });
}

/** The operator calls the name of a Secret `name`. */
function referring(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referring);
  if (typeof value !== 'object' || value === null) return value;
  if ('secret' in value && 'key' in value) return { name: value.secret, key: value.key };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, referring(inner)]));
}

function ruleGroups({ props }: Platform, { changes, notifier }: RuleOptions): ReturnType<typeof prometheusRuleGroups> {
  const { runbook, dashboards } = props.links;
  return prometheusRuleGroups({
    deployment: 'machines',
    parts: PARTS,
    // The operator's Alertmanager gives the alerts of a namespace to the routes of that namespace.
    labels: { namespace: props.namespace },
    ...(changes === undefined ? {} : { changes }),
    ...(notifier === undefined ? {} : { notifier }),
    ...(runbook === undefined ? {} : { runbook }),
    ...(dashboards === undefined ? {} : { dashboards: dashboards.replace(/\/$/, '') }),
  });
}

/** For `scrape_configs`: the pods of this installation and sidecars everywhere, with the same labels as the operator gives them. */
function scrapeConfigs({ props }: Platform): readonly Record<string, unknown>[] {
  const label = (name: string): string => `__meta_kubernetes_pod_label_${name.replace(/[^a-zA-Z0-9_]/g, '_')}`;
  return [
    {
      job_name: JOB,
      scrape_interval: '30s',
      kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: [props.namespace] } }],
      relabel_configs: [
        ...Object.entries(instanceLabels(props)).map(([name, value]) => ({
          source_labels: [label(name)],
          regex: value,
          action: 'keep',
        })),
        { source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'operations', action: 'keep' },
        { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
        { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
        { source_labels: [label('app.kubernetes.io/component')], target_label: 'app_kubernetes_io_component' },
      ],
    },
    {
      job_name: `${JOB}-sidecars`,
      scrape_interval: '30s',
      kubernetes_sd_configs: [{ role: 'pod' }],
      relabel_configs: [
        { source_labels: [label(SIDECAR_LABEL)], regex: '.+', action: 'keep' },
        { source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'operations', action: 'keep' },
        { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
        { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
        { target_label: 'job', replacement: JOB },
      ],
    },
  ];
}
