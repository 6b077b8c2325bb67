/** The rules of the catalogue for the Helm chart: each a text with holes for what its values may change. */
import { stringify } from 'yaml';
import { z } from 'zod';
import { type PrometheusRule, prometheusRuleGroups } from '../lib/alerts/prometheus.ts';
import type { AlertChanges } from '../lib/alerts/rules.ts';
import { type AlertKey, RULES } from '../lib/alerts/rules.ts';
import { SEVERITIES } from '../lib/contracts/result.ts';
import { PARTS } from '../lib/kubernetes/index.ts';

interface RuleText {
  readonly key: AlertKey;
  /** Lines of YAML, with `{for}`, `{threshold}`, `{severity}` and `{notify}`. */
  readonly text: string;
  readonly for: string;
  readonly severity: string;
  readonly threshold: number | null;
  /** By who tells people of episodes. */
  readonly notify: { readonly episodes: string; readonly alarms: string };
}

interface GroupText {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly RuleText[];
}

/** Found again in what is rendered, and in no rule by itself. */
const FOR = '1439m';
const THRESHOLD = 987_654_321;

export function alertTexts(): { readonly groups: readonly GroupText[] } {
  const keys = Object.fromEntries(RULES.map(({ name, key }) => [name, key]));
  const changes = Object.fromEntries(
    RULES.map(({ key, threshold }) => [key, { for: FOR, ...(threshold === null ? {} : { threshold: THRESHOLD }) }]),
  ) as AlertChanges;
  const groups = (notifier: 'episodes' | 'alarms'): ReturnType<typeof prometheusRuleGroups>['groups'] =>
    prometheusRuleGroups({
      deployment: 'machines',
      parts: PARTS,
      labels: { namespace: 'ml-monitoring' },
      changes,
      notifier,
    }).groups;
  const byAlarms = new Map(groups('alarms').flatMap(({ rules }) => rules.map((rule) => [rule.alert, rule] as const)));
  return {
    groups: groups('episodes').map(({ name, interval, rules }) => ({
      name,
      interval,
      rules: rules.map((rule) => textOf(rule, byAlarms.get(rule.alert) ?? rule, keys[rule.alert] as AlertKey)),
    })),
  };
}

function textOf(rule: PrometheusRule, byAlarms: PrometheusRule, key: AlertKey): RuleText {
  const { severity = '', notify = '' } = rule.labels;
  const known = RULES.find((one) => one.key === key)!;
  const lines = stringify({ groups: [{ rules: [rule] }] }, { lineWidth: 0 }).split('\n');
  const first = lines.findIndex((line) => line.includes('- alert:'));
  const text = lines
    .slice(first)
    .join('\n')
    .replace(`        for: ${FOR}\n`, '{for}')
    .replace(`          severity: ${severity}\n`, '          severity: {severity}\n')
    .replace(`          notify: "${notify}"\n`, '          notify: "{notify}"\n')
    .replaceAll(String(THRESHOLD), '{threshold}');
  for (const hole of ['{for}', '{severity}', '{notify}', ...(known.threshold === null ? [] : ['{threshold}'])])
    if (!text.includes(hole)) throw new Error(`${key}: its rule has no place for ${hole}`);
  return {
    key,
    text,
    for: known.for,
    severity,
    threshold: known.threshold?.value ?? null,
    notify: { episodes: notify, alarms: byAlarms.labels['notify'] ?? notify },
  };
}

/** What may be changed of each alert, as `changedRules` has it. */
export function alertChanges(): z.ZodType {
  // At most a day.
  const pending = z
    .string()
    .regex(/^(0m|[1-9][0-9]{0,3}s|[1-9][0-9]{0,2}m|1[0-3][0-9]{2}m|14[0-3][0-9]m|1440m|([1-9]|1[0-9]|2[0-4])h|1d)$/);
  const keys = alertTexts().groups.flatMap(({ rules }) => rules);
  return z.strictObject(
    Object.fromEntries(
      keys.map(({ key, threshold }) => [
        key,
        z
          .strictObject({
            for: pending.optional(),
            off: z.boolean().optional(),
            ...(threshold === null ? {} : { threshold: z.number().positive().optional() }),
            // That of the episodes it counts is changed in `alerts` of the monitors.
            ...(key.startsWith('open-episodes-') ? {} : { severity: z.enum(SEVERITIES).optional() }),
          })
          .optional(),
      ]),
    ),
  );
}
