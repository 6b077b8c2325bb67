/** What Alertmanager is told: the file and the operator's object say the same, and no secret stands in either. Amtool judges it in test/real. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alertmanagerConfiguration, renderAlertmanager } from '../../lib/alerts/alertmanager.ts';
import { alertmanagerConfig, prometheusRule, type SecretKeyReference } from '../../lib/alerts/alertmanager-config.ts';
import { EXAMPLE_RECEIVERS } from '../../lib/alerts/example-receivers.ts';
import { INHIBITIONS } from '../../lib/alerts/inhibitions.ts';
import type { prometheusRuleGroups } from '../../lib/alerts/prometheus.ts';
import type { AlertingOptions } from '../../lib/alerts/receivers.ts';
import { RULES } from '../../lib/alerts/rules.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';

function options<S>(at: (name: string) => S): AlertingOptions<S> {
  return {
    receivers: [
      { type: 'slack', name: 'room', url: at('slack'), channel: '#models' },
      {
        type: 'pagerduty',
        name: 'pager',
        routingKey: at('pagerduty'),
        url: 'https://events.eu.pagerduty.com/v2/enqueue',
      },
      { type: 'teams', name: 'team', url: at('teams') },
      { type: 'opsgenie', name: 'ops', key: at('opsgenie'), url: 'https://api.eu.opsgenie.com' },
      { type: 'webhook', name: 'hook', url: at('hook') },
    ],
    routes: [
      { match: { owner: 'team-a' }, receivers: ['team'] },
      { match: { severity: 'critical' }, receivers: ['pager', 'room'] },
      { match: { severity: 'info' }, receivers: [] },
    ],
    heartbeat: { url: at('heartbeat') },
  };
}
const file = alertmanagerConfiguration(options((name) => `/secrets/${name}`)) as unknown as Config;
const object = alertmanagerConfig(
  { name: 'mlmon', namespace: 'monitoring' },
  options((name): SecretKeyReference => ({ name: 'receivers', key: name })),
).spec as unknown as OperatorConfig;

interface Route {
  receiver: string;
  matchers?: unknown[];
  routes?: Route[];
}
interface Config {
  route: Route;
  receivers: ({ name: string } & Record<string, unknown>)[];
  inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal?: string[] }[];
}
interface OperatorConfig {
  route: Route;
  receivers: ({ name: string } & Record<string, unknown>)[];
  inhibitRules: { sourceMatch: { name: string; matchType: string; value: string }[]; equal?: string[] }[];
}

const routesOf = (route: Route): string[] => [
  `${route.receiver} ${JSON.stringify(route.matchers ?? [])}`,
  ...(route.routes ?? []).flatMap(routesOf),
];
const plain = (text: string): string =>
  text.replace(
    /\{\\?"name\\?":\\?"(\w+)\\?",\\?"matchType\\?":\\?"([=!~]+)\\?",\\?"value\\?":\\?"([^"]*)\\?"\}/g,
    (_, n, o, v) => JSON.stringify(`${n}${o}"${v}"`),
  );

it('is committed as it is rendered', () => {
  expect(parse(readFileSync('dashboards/prometheus/alertmanager.yaml', 'utf8'))).toEqual(
    parse(renderAlertmanager(EXAMPLE_RECEIVERS)),
  );
});

it('says the same as a file and as an object of the operator', () => {
  expect(routesOf(object.route).map(plain)).toEqual(routesOf(file.route));
  expect(object.receivers.map(({ name }) => name)).toEqual(file.receivers.map(({ name }) => name));
  for (const [i, one] of file.receivers.entries())
    expect(Object.keys(object.receivers[i]!).map((key) => key.toLowerCase())).toEqual(
      Object.keys(one).map((key) => key.replaceAll('_', '')),
    );
  expect(object.inhibitRules.map(({ equal }) => equal)).toEqual(file.inhibit_rules.map(({ equal }) => equal));
});

it('tells nobody of what is not to be notified, and the heartbeat of the watchdog alone', () => {
  expect(file.route.receiver).toBe('mlmon-nobody');
  expect(file.receivers[0]).toEqual({ name: 'mlmon-nobody' });
  expect(routesOf(file.route)).toEqual([
    'mlmon-nobody []',
    'mlmon-heartbeat ["alertname=\\"MlmonWatchdog\\""]',
    'mlmon-all ["notify=\\"true\\""]',
    'mlmon-team ["owner=\\"team-a\\""]',
    'mlmon-pager-and-room ["severity=\\"critical\\""]',
    'mlmon-nobody ["severity=\\"info\\""]',
  ]);
});

it('names every receiver that a route names', () => {
  for (const { route, receivers } of [file, object]) {
    const names = new Set(receivers.map(({ name }) => name));
    for (const line of routesOf(route)) expect(names).toContain(line.split(' ')[0]);
  }
});

it('has secrets by reference alone: whatever a key of a secret is called, its value stands nowhere', () => {
  const texts = [JSON.stringify(file), JSON.stringify(object)];
  expect(JSON.stringify(file)).toContain('/secrets/slack');
  for (const text of texts) expect(text).not.toMatch(/hooks\.slack\.com|"routing_key":|"api_key":|"webhook_url":/);
  const references = JSON.stringify(object.receivers).match(/\{"name":"receivers","key":"\w+"\}/g) ?? [];
  expect(new Set(references).size).toBe(6);
});

it('refuses all that is wrong at once', () => {
  const attempt = () =>
    alertmanagerConfiguration({
      receivers: [
        { type: 'slack', name: 'Room 1', url: 'a' },
        { type: 'webhook', name: 'hook', url: 'a' },
        { type: 'webhook', name: 'hook', url: 'b' },
      ],
      routes: [{ match: {}, receivers: ['nobody-known'] }],
    });
  expect(attempt).toThrow(ProblemError);
  try {
    attempt();
  } catch (error) {
    expect((error as ProblemError).problems.map(({ path }) => path)).toEqual([
      'receivers[0].name',
      'receivers[2].name',
      'routes[0].receivers',
    ]);
  }
});

describe('inhibitions', () => {
  const named = new Set([...RULES.map(({ name }) => name), 'MlmonPerformance', 'MlmonDrift']);

  it('name alerts that there are', () => {
    for (const { source, target } of INHIBITIONS)
      for (const { name, value } of [...source, ...target])
        if (name === 'alertname') for (const one of value.split('|')) expect(named).toContain(one);
  });

  it('let no alert keep itself quiet', () => {
    for (const { source, target, because } of INHIBITIONS) {
      const own = (side: typeof source): string => side.find(({ name }) => name === 'alertname')?.value ?? '';
      const shared = own(source)
        .split('|')
        .filter((name) => name !== '' && own(target).split('|').includes(name));
      expect(shared, because).toEqual([]);
      const signals = (side: typeof source): string[] =>
        side.find(({ name }) => name === 'signal')?.value.split('|') ?? [];
      if (signals(source).length > 0)
        for (const one of signals(source)) expect(signals(target), because).not.toContain(one);
      expect(because.length).toBeGreaterThan(20);
    }
  });

  it('have blindness over everything that is about a model', () => {
    const [first] = file.inhibit_rules;
    expect(first).toEqual({
      source_matchers: ['alertname=~"MlmonNoEvents|MlmonExporterSilent|MlmonEvaluationSilent"'],
      target_matchers: ['model=~".+"'],
    });
  });
});

describe('the rules as an object of the operator', () => {
  const made = prometheusRule(
    { name: 'mlmon-alerts', namespace: 'monitoring', labels: { release: 'kube-prometheus-stack' } },
    { dashboards: 'https://grafana.example.org', parts: ['collector', 'profiler'], labels: { owner: 'platform' } },
  );
  const rules = (made.spec['groups'] as ReturnType<typeof prometheusRuleGroups>['groups']).flatMap(
    (group) => group.rules,
  );

  it('carry the namespace, so that an AlertmanagerConfig of that namespace sees them', () => {
    expect(made).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule' });
    expect(rules.length).toBeGreaterThan(25);
    for (const { labels } of rules) expect(labels).toMatchObject({ namespace: 'monitoring', owner: 'platform' });
  });

  it('miss a part that never came', () => {
    expect(rules.find(({ alert }) => alert === 'MlmonPartAbsent')?.expr).toMatch(
      / or absent\(mlmon_part_up\{part="collector"\}\) or absent\(mlmon_part_up\{part="profiler"\}\)$/,
    );
  });

  it('link to a runbook and to a dashboard, for the model that they are about', () => {
    for (const { annotations, alert } of rules) {
      expect(annotations['runbook_url'], alert).toMatch(/#[a-z-]+$/);
      expect(annotations['dashboard_url'], alert).toMatch(/^https:\/\/grafana\.example\.org\/d\/mlmon-\w+\/\w+\?/);
    }
    expect(rules.find(({ alert }) => alert === 'MlmonWindowsOverdue')?.annotations['dashboard_url']).toBe(
      'https://grafana.example.org/d/mlmon-model/model?var-model={{ $labels.model }}&from=now-7d&to=now',
    );
  });

  it('say in their description what they are about', () => {
    const rule = rules.find(({ alert }) => alert === 'MlmonWindowsOverdue');
    expect(rule?.annotations['description']).toMatch(/ Here: model \{\{ \$labels\.model \}\}\.$/);
    expect(rule?.annotations['summary']).not.toContain('{{');
  });
});

describe('bad days', () => {
  it.each([
    ['the log is away', ['collector-queue-old', 'sink-failing', 'part-down']],
    ['the store is away or refuses', ['part-down', 'archiver-behind', 'evaluation-silent']],
    ['Prometheus is away', ['watchdog']],
    ['a poison topic', ['quarantine-growing', 'policy-broken']],
    ['a consumer is stuck', ['profiler-behind', 'lag-growing']],
    ['the disk under a sidecar is full', ['sidecar-disk-failing', 'sidecar-shedding']],
    ['the collector is too small', ['collector-shedding']],
    ['wrong credentials', ['part-absent', 'part-restarting', 'part-down']],
    ['clocks differ', ['clock-skew']],
    ['a monitor that is refused', ['configuration-refused']],
    ['a pod is gone or cannot be scraped', ['part-absent', 'scrape-failing']],
  ])('%s: an alert tells', (_day, keys) => {
    const rendered = RULES.filter(({ prometheus }) => 'on' in prometheus && prometheus.on.includes('machines'));
    for (const key of keys) expect(rendered.map((rule) => rule.key as string)).toContain(key);
  });
});
