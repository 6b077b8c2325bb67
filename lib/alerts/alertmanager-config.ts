/**
 * Objects of Prometheus Operator as data: the rules, and how their alerts are routed. The operator gives every route and inhibition of an
 * AlertmanagerConfig a matcher on the object's namespace, unless it is told not to, so the alerts must carry that label: see `labels` in
 * `render-options.ts` and in the channel of episodes.
 */
import { byKind, matchersOf, WATCHDOG } from './alertmanager.ts';
import { INHIBITIONS, type Matcher } from './inhibitions.ts';
import { NOTIFY_LABEL, prometheusRuleGroups } from './prometheus.ts';
import {
  type AlertingOptions,
  type AlertReceiver,
  EVERYBODY,
  GROUPING,
  HEARTBEAT,
  NOBODY,
  routingOf,
  TEXT,
} from './receivers.ts';
import type { RenderOptions } from './render-options.ts';

/** A key of a Secret in the namespace of the object. */
export interface SecretKeyReference {
  readonly name: string;
  readonly key: string;
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: string;
  /** By which the operator selects: `{ release: 'kube-prometheus-stack' }`. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface OperatorObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Alerts carry the namespace, so that routes of that namespace see them. */
export function prometheusRule(
  metadata: ObjectMetadata,
  options: Omit<RenderOptions, 'deployment'> = {},
): OperatorObject {
  const { groups } = prometheusRuleGroups({
    ...options,
    deployment: 'machines',
    labels: { namespace: metadata.namespace, ...options.labels },
  });
  return { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata, spec: { groups } };
}

/** @throws ProblemError naming every receiver and route that is wrong */
export function alertmanagerConfig(
  metadata: ObjectMetadata,
  options: AlertingOptions<SecretKeyReference>,
): OperatorObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1alpha1',
    kind: 'AlertmanagerConfig',
    metadata,
    spec: alertmanagerConfigSpec(options),
  };
}

export function alertmanagerConfigSpec(
  options: AlertingOptions<SecretKeyReference>,
): Readonly<Record<string, unknown>> {
  const { receivers, routes } = routingOf(options);
  const { heartbeat } = options;
  return {
    route: {
      receiver: NOBODY,
      groupBy: GROUPING.by,
      groupWait: GROUPING.wait,
      groupInterval: GROUPING.interval,
      repeatInterval: GROUPING.repeat,
      routes: [
        {
          receiver: heartbeat === undefined ? NOBODY : HEARTBEAT,
          matchers: [object({ name: 'alertname', is: '=', value: WATCHDOG })],
          groupWait: '0s',
          groupInterval: GROUPING.heartbeat,
          repeatInterval: GROUPING.heartbeat,
        },
        {
          receiver: EVERYBODY,
          matchers: [object({ name: NOTIFY_LABEL, is: '=', value: 'true' })],
          routes: routes.map(({ match, receiver }) => ({ receiver, matchers: matchersOf(match).map(object) })),
        },
      ],
    },
    inhibitRules: INHIBITIONS.map(({ source, target, equal }) => ({
      sourceMatch: source.map(object),
      targetMatch: target.map(object),
      ...(equal.length === 0 ? {} : { equal }),
    })),
    receivers: [
      { name: NOBODY },
      ...(heartbeat === undefined
        ? []
        : [{ name: HEARTBEAT, webhookConfigs: [{ urlSecret: heartbeat.url, sendResolved: false }] }]),
      ...receivers.map(({ name, members }) => ({ name, ...byKind(members.map(configOf)) })),
    ],
  };
}

function object({ name, is, value }: Matcher): object {
  return { name, matchType: is, value };
}

function configOf(receiver: AlertReceiver<SecretKeyReference>): readonly [string, Readonly<Record<string, unknown>>] {
  const all = { sendResolved: true };
  switch (receiver.type) {
    case 'slack':
      return [
        'slackConfigs',
        {
          ...all,
          apiURL: receiver.url,
          ...(receiver.channel === undefined ? {} : { channel: receiver.channel }),
          title: TEXT.title,
          text: TEXT.slack,
        },
      ];
    case 'pagerduty':
      return [
        'pagerdutyConfigs',
        {
          ...all,
          routingKey: receiver.routingKey,
          ...(receiver.url === undefined ? {} : { url: receiver.url }),
          description: TEXT.title,
          severity: TEXT.severity,
          class: '{{ .CommonLabels.signal }}',
          component: '{{ .CommonLabels.model }}',
          group: '{{ .CommonLabels.owner }}',
        },
      ];
    case 'teams':
      return ['msteamsv2Configs', { ...all, webhookURL: receiver.url, title: TEXT.title, text: TEXT.markdown }];
    case 'opsgenie':
      return [
        'opsgenieConfigs',
        {
          ...all,
          apiKey: receiver.key,
          ...(receiver.url === undefined ? {} : { apiURL: receiver.url }),
          message: TEXT.title,
          description: TEXT.plain,
          priority: TEXT.priority,
          source: 'mlmon',
        },
      ];
    case 'webhook':
      return ['webhookConfigs', { ...all, urlSecret: receiver.url }];
  }
}
