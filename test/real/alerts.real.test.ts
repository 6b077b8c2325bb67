/** The rendered rules in Prometheus' own tool: they are valid, they fire, and they do not fire. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { prometheusRuleGroups, renderPrometheusRules } from '../../lib/alerts/prometheus.ts';
import { isRendered } from '../../lib/alerts/render-options.ts';
import type { Deployment } from '../../lib/alerts/rule.ts';
import { pendingSeconds, RULES } from '../../lib/alerts/rules.ts';
import { HELD_FROM_START, RULE_CASES, type RuleCase } from '../alerts/rule-cases.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlmon-rules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEPLOYMENTS: readonly Deployment[] = ['aws', 'machines'];
/** Minutes: late enough for every `for` and look-back. */
const LATE = 120;

function promtool(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

function rulesFile(deployment: Deployment): string {
  const file = join(folder, `${deployment}.yaml`);
  writeFileSync(file, renderPrometheusRules({ deployment }));
  return file;
}

interface Expectation {
  readonly alert: string;
  readonly minute: number;
  readonly fires: boolean;
}

/** promtool compares whole lists of firing alerts, so the labels of a case are known from its series. */
function tested(
  deployment: Deployment,
  cases: readonly { readonly series: RuleCase['series']; readonly expected: readonly Expectation[] }[],
): ReturnType<typeof promtool> {
  const file = join(folder, `${deployment}-test.yaml`);
  const rules = new Map(
    prometheusRuleGroups({ deployment })
      .groups.flatMap(({ rules: all }) => all)
      .map((rule) => [rule.alert, rule]),
  );
  writeFileSync(
    file,
    stringify({
      rule_files: [rulesFile(deployment)],
      evaluation_interval: '1m',
      tests: cases.map(({ series, expected }) => ({
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: expected.map(({ alert, minute, fires }) => {
          const rule = rules.get(alert)!;
          return {
            eval_time: `${minute}m`,
            alertname: alert,
            exp_alerts: fires
              ? [
                  {
                    exp_labels: { ...labelsKept(rule.expr, series), ...rule.labels },
                    exp_annotations: rule.annotations,
                  },
                ]
              : [],
          };
        }),
      })),
    }),
  );
  return promtool('test', 'rules', file);
}

/** Labels of the series that the expression groups by. */
function labelsKept(expr: string, series: RuleCase['series']): Record<string, string> {
  const by = /by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? [];
  const first = Object.keys(series).find((name) => by.some((label) => name.includes(`${label}="`))) ?? '';
  return Object.fromEntries(by.map((label) => [label, new RegExp(`${label}="([^"]*)"`).exec(first)?.[1] ?? '']));
}

describe.each(DEPLOYMENTS)('rules for %s', (deployment) => {
  const rendered = RULES.filter((rule) => isRendered(rule, 'prometheus', deployment));

  it('are valid', () => {
    const { status, output } = promtool('check', 'rules', rulesFile(deployment));
    expect(output).toContain(`${rendered.length} rules found`);
    expect(status).toBe(0);
  });

  it('all have cases, with at least one that fires, and one that does not unless it always fires', () => {
    for (const { key } of rendered) {
      const cases = RULE_CASES[key] ?? [];
      expect(
        cases.some(({ fires }) => fires),
        key,
      ).toBe(true);
      if (key !== 'watchdog')
        expect(
          cases.some(({ fires }) => !fires),
          key,
        ).toBe(true);
    }
  });

  it.each(rendered.map((rule) => [rule.key, rule] as const))('%s fires when it must and only then', (key, rule) => {
    const cases = (RULE_CASES[key] ?? []).map(({ series, fires }) => {
      const held = pendingSeconds(rule) / 60;
      const late = { alert: rule.name, minute: LATE, fires };
      // What is true from the start on fires only when it has held for long enough.
      const edge =
        fires && HELD_FROM_START.includes(key) && held > 0 && key !== 'capture-difference'
          ? [
              { alert: rule.name, minute: held - 1, fires: false },
              { alert: rule.name, minute: held, fires: true },
            ]
          : [];
      return { series, expected: [...edge, late] };
    });
    const { status, output } = tested(deployment, cases);
    expect(output).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  it('are tested by a tool that can find them wrong', () => {
    const rule = rendered.find(({ key }) => key === 'no-events')!;
    const [above] = RULE_CASES['no-events']!;
    const { status, output } = tested(deployment, [
      { series: above!.series, expected: [{ alert: rule.name, minute: LATE, fires: false }] },
    ]);
    expect(output).toContain('FAILED');
    expect(status).not.toBe(0);
  });
});
