/**
 * The alert manager definition of a Managed Prometheus workspace: groups, inhibits, and hands what is to be notified to SNS topics by severity.
 * Its receivers can be SNS and PagerDuty alone. The messages are JSON that the notifier reads; they hold label values and our own texts only,
 * since the template language cannot escape.
 */
import { stringify } from 'yaml';
import { SEVERITIES, type Severity } from '../contracts/result.ts';
import { NOTIFY_LABEL } from './prometheus.ts';
import { RULES } from './rules.ts';

export interface ManagedAlertManagerOptions {
  readonly region: string;
  /** Topics by severity; what has none is shown and sent to nobody. */
  readonly topics: { readonly [S in Severity]?: string };
  /** Gets the watchdog as long as rules are evaluated. */
  readonly heartbeatTopic?: string;
  /** Whether rules carry the address of a dashboard, for messages to tell. @default false */
  readonly dashboards?: boolean;
  /** Pages with a key in Secrets Manager, without any code of ours. */
  readonly pagerDuty?: { readonly secretArn: string; readonly secretKey: string };
}

const NOBODY = 'nobody';

const message = (
  dashboards: boolean,
): string => `{{ define "sns.default.message" }}{"schema":"mlmon.alertmanager/v1","status":"{{ .Status }}","groupKey":"{{ .GroupLabels.alertname }}/{{ .GroupLabels.severity }}","alerts":[{{ range $i, $a := .Alerts }}{{ if $i }},{{ end }}{"status":"{{ $a.Status }}","fingerprint":"{{ $a.Fingerprint }}","startsAt":"{{ $a.StartsAt.Format "2006-01-02T15:04:05Z07:00" }}","endsAt":"{{ $a.EndsAt.Format "2006-01-02T15:04:05Z07:00" }}","labels":{"alertname":"{{ $a.Labels.alertname }}","severity":"{{ $a.Labels.severity }}","signal":"{{ $a.Labels.signal }}","model":"{{ $a.Labels.model }}"},"annotations":{"summary":"{{ $a.Annotations.summary }}","runbook_url":"{{ $a.Annotations.runbook_url }}"${dashboards ? ',"dashboard_url":"{{ $a.Annotations.dashboard_url }}"' : ''}}}{{ end }}]}{{ end }}
{{ define "sns.default.subject" }}[{{ .Status }}] {{ .GroupLabels.alertname }}{{ end }}
`;

export function renderManagedAlertManager(options: ManagedAlertManagerOptions): string {
  return stringify(
    {
      template_files: { default: message(options.dashboards === true) },
      alertmanager_config: stringify(alertManagerConfig(options), { lineWidth: 0 }),
    },
    { lineWidth: 0, blockQuote: 'literal' },
  );
}

/** An Alertmanager configuration as such. */
export function alertManagerConfig({ region, topics, heartbeatTopic, pagerDuty }: ManagedAlertManagerOptions): object {
  const sns = (topic: string): object => ({ topic_arn: topic, sigv4: { region }, send_resolved: true });
  const watchdog = RULES.find(({ key }) => key === 'watchdog')!.name;
  const notified = `${NOTIFY_LABEL}="true"`;
  const severities = SEVERITIES.filter(
    (severity) => topics[severity] !== undefined || (severity === 'critical' && pagerDuty !== undefined),
  );
  return {
    route: {
      receiver: NOBODY,
      // One message for all models that have the same alert: a storm is one notification a group interval.
      group_by: ['alertname', 'severity'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '4h',
      routes: [
        {
          receiver: heartbeatTopic === undefined ? NOBODY : 'heartbeat',
          matchers: [`alertname="${watchdog}"`],
          repeat_interval: '5m',
        },
        ...severities.map((severity) => ({
          receiver: severity,
          matchers: [notified, `severity="${severity}"`],
        })),
      ],
    },
    inhibit_rules: [
      {
        // While nobody tells the state of models, what is known of them is old.
        source_matchers: [`alertname="${RULES.find(({ key }) => key === 'exporter-silent')!.name}"`],
        target_matchers: ['model=~".+"'],
      },
    ],
    receivers: [
      { name: NOBODY },
      ...(heartbeatTopic === undefined ? [] : [{ name: 'heartbeat', sns_configs: [sns(heartbeatTopic)] }]),
      ...severities.map((severity) => {
        const topic = topics[severity];
        return {
          name: severity,
          ...(topic === undefined ? {} : { sns_configs: [sns(topic)] }),
          ...(severity !== 'critical' || pagerDuty === undefined
            ? {}
            : {
                pagerduty_configs: [
                  {
                    routing_key: {
                      aws_secrets_manager: {
                        secret_arn: pagerDuty.secretArn,
                        secret_key: pagerDuty.secretKey,
                        refresh_interval: '5m',
                      },
                    },
                    severity: 'critical',
                    description: '{{ .CommonLabels.alertname }}: {{ .CommonAnnotations.summary }}',
                  },
                ],
              }),
        };
      }),
    ],
  };
}
