/** Renders the catalogue as Prometheus rule groups. The same text serves Prometheus itself and Managed Prometheus. */
import { stringify } from 'yaml';
import { METRIC } from '../contracts/metric-names.ts';
import { carriesAction, dashboardOf, isRendered, labelsOf, type RenderOptions, runbookOf } from './render-options.ts';
import { type AlertRule, isAbsent, type PrometheusReading } from './rule.ts';
import { type AlertKey, changedRules } from './rules.ts';

export interface PrometheusRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PrometheusRuleGroups {
  readonly groups: readonly {
    readonly name: string;
    readonly interval: string;
    readonly rules: readonly PrometheusRule[];
  }[];
}

/** Whether an alert goes to people is a label, so that routes need not know names. */
export const NOTIFY_LABEL = 'notify';

/** How often rules are evaluated. */
const INTERVAL = '1m';

export function prometheusRuleGroups(options: RenderOptions): PrometheusRuleGroups {
  const rules = changedRules(options.changes).filter((rule) => isRendered(rule, 'prometheus', options.deployment));
  const groupOf = (owner: AlertRule['owner'], name: string): PrometheusRuleGroups['groups'][number] => ({
    name,
    interval: INTERVAL,
    rules: rules.filter((rule) => rule.owner === owner).map((rule) => prometheusRule(rule, options)),
  });
  return { groups: [groupOf('episodes', 'mlmon-models'), groupOf('alarms', 'mlmon-platform')].filter(hasRules) };
}

function hasRules({ rules }: { readonly rules: readonly unknown[] }): boolean {
  return rules.length > 0;
}

export function renderPrometheusRules(options: RenderOptions): string {
  return stringify(prometheusRuleGroups(options), { lineWidth: 0 });
}

function prometheusRule(rule: AlertRule<AlertKey>, options: RenderOptions): PrometheusRule {
  if (isAbsent(rule.prometheus)) throw new RangeError(`${rule.key}: not rendered in Prometheus`);
  const dashboard = dashboardOf(rule, options);
  return {
    alert: rule.name,
    expr: expression(rule.prometheus, rule.threshold?.value ?? null, rule.key === 'part-absent' ? options.parts : []),
    ...(rule.for === '0m' ? {} : { for: rule.for }),
    labels: {
      ...options.labels,
      severity: rule.severity,
      ...(rule.signal === null ? {} : { signal: rule.signal }),
      [NOTIFY_LABEL]: String(carriesAction(rule, 'prometheus', options)),
    },
    annotations: {
      summary: rule.summary,
      description: described(rule, options),
      runbook_url: runbookOf(rule, options),
      ...(dashboard === null ? {} : { dashboard_url: dashboard }),
    },
  };
}

/**
 * With what it is about, from the labels. Not on AWS: its messages are JSON made of our own texts by templates that cannot escape.
 */
function described(rule: AlertRule<AlertKey>, { deployment }: RenderOptions): string {
  const labels = labelsOf(rule);
  if (deployment === 'aws' || labels.length === 0) return rule.description;
  return `${rule.description} Here: ${labels.map((label) => `${label} {{ $labels.${label} }}`).join(', ')}.`;
}

function expression(
  { value, compare, absent }: PrometheusReading,
  threshold: number | null,
  parts: readonly string[] = [],
): string {
  if (threshold === null)
    return [value, ...parts.map((part) => `absent(${METRIC.partUp.name}{part="${part}"})`)].join(' or ');
  // A length of time to look back stands within brackets, where nothing is compared.
  if (value.includes(THRESHOLD)) return value.replaceAll(THRESHOLD, String(threshold));
  const compared = `${value} ${compare} ${threshold}`;
  return absent === null ? compared : `${compared} or absent(${absent})`;
}

/** Stands in an expression for the threshold of its rule. */
export const THRESHOLD = '{threshold}';
