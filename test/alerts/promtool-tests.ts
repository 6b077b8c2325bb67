/** Makes tests for promtool of the points of every rule: what fires, when, with which labels and texts. */
import { type PrometheusRule, prometheusRuleGroups } from '../../lib/alerts/prometheus.ts';
import { isRendered } from '../../lib/alerts/render-options.ts';
import type { AlertRule, Deployment } from '../../lib/alerts/rule.ts';
import { type AlertKey, pendingSeconds, RULES } from '../../lib/alerts/rules.ts';
import { leftOf, RULE_POINTS, type RulePoints, type Series } from './rule-points.ts';

export const POINTS = ['below', 'above', 'edge', 'missing', 'few'] as const;
export type Point = (typeof POINTS)[number] | 'besides';

export interface RuleTest {
  readonly point: Point;
  readonly series: Series;
  /** Minutes, and whether it fires then. */
  readonly expected: readonly (readonly [minute: number, fires: boolean])[];
}

/** Late enough for every `for` and look-back. */
const LATE = 120;

export function renderedRules(deployment: Deployment): AlertRule<AlertKey>[] {
  return RULES.filter((rule) => isRendered(rule, 'prometheus', deployment));
}

/** @throws RangeError for a rule without points */
export function testsOf(rule: AlertRule<AlertKey>): readonly RuleTest[] {
  const points = RULE_POINTS[rule.key];
  if (points === undefined) throw new RangeError(`${rule.key}: no points to test it at`);
  const { below, above, begins, missing, few, besides = {} } = points;
  const fires = begins + pendingSeconds(rule) / 60;
  const quiet = (point: Point, series: Series): RuleTest => ({ point, series, expected: [[LATE, false]] });
  return [
    ...(below === null ? [] : [quiet('below', below)]),
    { point: 'above', series: above, expected: [[fires, true]] },
    ...(fires === 0 ? [] : [{ point: 'edge' as const, series: above, expected: [[fires - 1, false] as const] }]),
    { point: 'missing', series: leftOf(points), expected: [[LATE, missing === 'firing']] },
    ...(typeof few === 'string' ? [] : [quiet('few', few)]),
    ...Object.values(besides).map((series) => quiet('besides', series)),
  ];
}

/** Why a point is left out, where it is. */
export function leftOut(rule: AlertRule<AlertKey>, { below, begins, few }: RulePoints): readonly Point[] {
  return [
    ...(below === null ? ['below' as const] : []),
    ...(begins + pendingSeconds(rule) === 0 ? ['edge' as const] : []),
    ...(typeof few === 'string' ? ['few' as const] : []),
  ];
}

/** A file of tests as promtool reads it. It compares whole lists of firing alerts: labels and texts are to be known. */
export function promtoolTests(deployment: Deployment, rulesFile: string, rules = renderedRules(deployment)): object {
  const rendered = new Map(
    prometheusRuleGroups({ deployment })
      .groups.flatMap((group) => group.rules)
      .map((rule) => [rule.alert, rule]),
  );
  return {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests: rules.flatMap((rule) =>
      testsOf(rule).map(({ point, series, expected }) => ({
        name: `${rule.key}: ${point}`,
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: expected.map(([minute, fires]) => ({
          eval_time: `${minute}m`,
          alertname: rule.name,
          exp_alerts: fires ? [expectation(rendered.get(rule.name)!, point === 'missing' ? {} : series)] : [],
        })),
      })),
    ),
  };
}

function expectation(rule: PrometheusRule, series: Series): object {
  const labels = labelsKept(rule.expr, series);
  return {
    exp_labels: { ...labels, ...rule.labels },
    exp_annotations: Object.fromEntries(
      Object.entries(rule.annotations).map(([name, text]) => [
        name,
        text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? ''),
      ]),
    ),
  };
}

/** Labels of the first series that has those which the expression groups by. */
function labelsKept(expr: string, series: Series): Record<string, string> {
  const by = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? [];
  const first = Object.keys(series).find((name) => by.every((label) => name.includes(`${label}="`)));
  if (first === undefined) return {};
  return Object.fromEntries(by.map((label) => [label, new RegExp(`\\b${label}="([^"]*)"`).exec(first)?.[1] ?? '']));
}
