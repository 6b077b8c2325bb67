/** A configuration file of Alertmanager, for those who run it without Prometheus Operator. Secrets are files beside it. Version 0.28 and later. */
import { stringify } from 'yaml';
import { INHIBITIONS, type Matcher } from './inhibitions.ts';
import { NOTIFY_LABEL } from './prometheus.ts';
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
import { RULES } from './rules.ts';

/** Path of a file that holds the secret alone. */
export type SecretFile = string;

export type AlertmanagerFileOptions = AlertingOptions<SecretFile>;

/** @throws ProblemError naming every receiver and route that is wrong */
export function renderAlertmanager(options: AlertmanagerFileOptions): string {
  return stringify(alertmanagerConfiguration(options), { lineWidth: 0 });
}

export function alertmanagerConfiguration(options: AlertmanagerFileOptions): Readonly<Record<string, unknown>> {
  const { receivers, routes } = routingOf(options);
  const { heartbeat } = options;
  return {
    route: {
      receiver: NOBODY,
      group_by: GROUPING.by,
      group_wait: GROUPING.wait,
      group_interval: GROUPING.interval,
      repeat_interval: GROUPING.repeat,
      routes: [
        {
          receiver: heartbeat === undefined ? NOBODY : HEARTBEAT,
          matchers: [text({ name: 'alertname', is: '=', value: WATCHDOG })],
          group_wait: '0s',
          group_interval: GROUPING.heartbeat,
          repeat_interval: GROUPING.heartbeat,
        },
        {
          receiver: EVERYBODY,
          matchers: [text({ name: NOTIFY_LABEL, is: '=', value: 'true' })],
          routes: routes.map(({ match, receiver }) => ({ receiver, matchers: matchersOf(match).map(text) })),
        },
      ],
    },
    inhibit_rules: INHIBITIONS.map(({ source, target, equal }) => ({
      source_matchers: source.map(text),
      target_matchers: target.map(text),
      ...(equal.length === 0 ? {} : { equal }),
    })),
    receivers: [
      { name: NOBODY },
      ...(heartbeat === undefined
        ? []
        : [{ name: HEARTBEAT, webhook_configs: [{ url_file: heartbeat.url, send_resolved: false }] }]),
      ...receivers.map(({ name, members }) => ({ name, ...byKind(members.map(configOf)) })),
    ],
  };
}

/** The alert that always fires. */
export const WATCHDOG = RULES.find(({ key }) => key === 'watchdog')!.name;

export function matchersOf(match: Readonly<Record<string, string | undefined>>): Matcher[] {
  return Object.entries(match).flatMap(([name, value]) => (value === undefined ? [] : [{ name, is: '=', value }]));
}

/** Values are quoted as strings of Go. */
function text({ name, is, value }: Matcher): string {
  return `${name}${is}${JSON.stringify(value)}`;
}

type Config = readonly [kind: string, config: Readonly<Record<string, unknown>>];

/** Several of one kind stand in one list. */
export function byKind(configs: readonly Config[]): Readonly<Record<string, readonly unknown[]>> {
  const made: Record<string, unknown[]> = {};
  for (const [kind, config] of configs) made[kind] = [...(made[kind] ?? []), config];
  return made;
}

function configOf(receiver: AlertReceiver<SecretFile>): Config {
  const all = { send_resolved: true };
  switch (receiver.type) {
    case 'slack':
      return [
        'slack_configs',
        {
          ...all,
          api_url_file: receiver.url,
          ...(receiver.channel === undefined ? {} : { channel: receiver.channel }),
          title: TEXT.title,
          text: TEXT.slack,
        },
      ];
    case 'pagerduty':
      return [
        'pagerduty_configs',
        {
          ...all,
          routing_key_file: receiver.routingKey,
          ...(receiver.url === undefined ? {} : { url: receiver.url }),
          description: TEXT.title,
          severity: TEXT.severity,
          class: '{{ .CommonLabels.signal }}',
          component: '{{ .CommonLabels.model }}',
          group: '{{ .CommonLabels.owner }}',
        },
      ];
    case 'teams':
      return ['msteamsv2_configs', { ...all, webhook_url_file: receiver.url, title: TEXT.title, text: TEXT.markdown }];
    case 'opsgenie':
      return [
        'opsgenie_configs',
        {
          ...all,
          api_key_file: receiver.key,
          ...(receiver.url === undefined ? {} : { api_url: receiver.url }),
          message: TEXT.title,
          description: TEXT.plain,
          priority: TEXT.priority,
          source: 'mlmon',
        },
      ];
    case 'webhook':
      return ['webhook_configs', { ...all, url_file: receiver.url }];
  }
}
