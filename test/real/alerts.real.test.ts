/** The rendered rules in Prometheus' own tool: they are valid, and fire at the five points at which they must, and nowhere else. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { prometheusRuleGroups, renderPrometheusRules } from '../../lib/alerts/prometheus.ts';
import type { Deployment } from '../../lib/alerts/rule.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';
import { promtoolTests, renderedRules } from '../alerts/promtool-tests.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlmon-rules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEPLOYMENTS: readonly Deployment[] = ['aws', 'machines'];

function promtool(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

function written(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe.each(DEPLOYMENTS)('rules for %s', (deployment) => {
  const rules = renderedRules(deployment);
  const file = written(`${deployment}.yaml`, renderPrometheusRules({ deployment }));

  it('are valid', () => {
    const { status, output } = promtool('check', 'rules', file);
    expect(output).toContain(`${rules.length} rules found`);
    expect(status).toBe(0);
  });

  it.each(rules.map((rule) => [rule.key, rule] as const))('%s fires when it must and only then', (_key, rule) => {
    // By itself: promtool would judge every rule of the file at every minute of every test.
    const { groups } = prometheusRuleGroups({ deployment });
    const alone = groups.map((group) => ({ ...group, rules: group.rules.filter(({ alert }) => alert === rule.name) }));
    const one = written(`${deployment}-one.yaml`, stringify({ groups: alone }));
    const tests = written(`${deployment}-test.yaml`, stringify(promtoolTests(deployment, one, [rule])));
    const { status, output } = promtool('test', 'rules', tests);
    expect(output).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  it('are tested by a tool that can find them wrong', () => {
    const tests = promtoolTests(
      deployment,
      file,
      rules.filter(({ key }) => key === 'no-events'),
    );
    // One minute later it fires.
    const wrong = stringify(tests).replace(/eval_time: 65m/, 'eval_time: 66m');
    expect(wrong).not.toBe(stringify(tests));
    const { status, output } = promtool('test', 'rules', written('wrong.yaml', wrong));
    expect(output).toContain('FAILED');
    expect(status).not.toBe(0);
  });
});

it('miss a part that the deployment has and that never came', () => {
  const options = { deployment: 'machines', parts: ['labeler'] } as const;
  const rule = prometheusRuleGroups(options)
    .groups.flatMap((group) => group.rules)
    .find(({ alert }) => alert === 'MlmonPartAbsent')!;
  const tests = {
    rule_files: [written('parts.yaml', renderPrometheusRules(options))],
    evaluation_interval: '1m',
    tests: [{ [METRIC.partUp.name]: '1x200' }, {}].map((series) => ({
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: `${name}{part="labeler"}`, values })),
      alert_rule_test: [
        {
          eval_time: '30m',
          alertname: rule.alert,
          exp_alerts:
            Object.keys(series).length > 0
              ? []
              : [
                  {
                    exp_labels: { ...rule.labels, part: 'labeler' },
                    exp_annotations: Object.fromEntries(
                      Object.entries(rule.annotations).map(([name, text]) => [
                        name,
                        text.replace('{{ $labels.part }}', 'labeler'),
                      ]),
                    ),
                  },
                ],
        },
      ],
    })),
  };
  expect(promtool('test', 'rules', written('parts-test.yaml', stringify(tests))).output).toContain('SUCCESS');
});
