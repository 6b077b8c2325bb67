/** The renderings of the catalogue: each by itself, and that they say the same. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alarmData } from '../../lib/alerts/cloudwatch.ts';
import { renderManagedAlertManager } from '../../lib/alerts/managed-alert-manager.ts';
import { type PrometheusRuleGroups, prometheusRuleGroups, renderPrometheusRules } from '../../lib/alerts/prometheus.ts';
import { carriesAction, isRendered, type RenderOptions } from '../../lib/alerts/render-options.ts';
import { type AlertRule, isAbsent } from '../../lib/alerts/rule.ts';
import { type AlertKey, pendingSeconds, RULES } from '../../lib/alerts/rules.ts';
import { PLATFORM_CLOUDWATCH_METRIC, SCHEDULED_FUNCTIONS } from '../../lib/contracts/cloudwatch-metrics.ts';
import { FUNCTION_NAMES } from '../../lib/contracts/functions.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';

const alerts = (groups: PrometheusRuleGroups) => groups.groups.flatMap(({ rules }) => rules);
const byName = (options: RenderOptions) =>
  new Map(alerts(prometheusRuleGroups(options)).map((rule) => [rule.alert, rule]));
/** One alarm for each rule: those of single functions differ in their dimension alone. */
const byKey = (options: Parameters<typeof alarmData>[0] = {}) =>
  new Map(alarmData(options).map((one) => [one.key, one]));

const optionsArbitrary = fc.record({
  deployment: fc.constantFrom('aws' as const, 'machines' as const),
  notifier: fc.constantFrom('episodes' as const, 'alarms' as const),
  alarmsBy: fc.constantFrom('cloudwatch' as const, 'prometheus' as const, undefined),
});

describe('Prometheus rules', () => {
  it('are committed as they are rendered', () => {
    for (const [file, deployment] of [
      ['alerts', 'machines'],
      ['alerts-aws', 'aws'],
    ] as const)
      expect(parse(readFileSync(`dashboards/prometheus/${file}.yaml`, 'utf8'))).toEqual(
        parse(renderPrometheusRules({ deployment })),
      );
  });

  it('name only metrics of the catalogue', () => {
    const known = new Set(Object.values(METRIC).map(({ name }) => name as string));
    for (const deployment of ['aws', 'machines'] as const)
      for (const { expr } of alerts(prometheusRuleGroups({ deployment })))
        for (const [name] of expr.matchAll(/mlmon_[a-z0-9_]+/g)) expect(known).toContain(name);
  });

  it('carry severity, runbook and whether people are told', () => {
    for (const rule of alerts(prometheusRuleGroups({ deployment: 'aws', runbook: 'https://example.org/runbook.md' }))) {
      expect(rule.labels).toMatchObject({
        severity: expect.stringMatching(/^(?:critical|warning|info)$/),
        notify: expect.any(String),
      });
      expect(rule.annotations['runbook_url']).toMatch(/^https:\/\/example\.org\/runbook\.md#[a-z-]+$/);
    }
  });
});

describe('CloudWatch alarms', () => {
  it('are committed as they are rendered', () => {
    expect(JSON.parse(readFileSync('dashboards/cloudwatch/alarms.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(alarmData())),
    );
  });

  it('have dimensions, a metric that somebody writes, and a reason for how missing data are treated', () => {
    const written = new Set(Object.values(PLATFORM_CLOUDWATCH_METRIC).map(({ name }) => name as string));
    for (const { namespace, metric, dimensions, missingReason, description, id } of alarmData()) {
      expect(dimensions.length, id).toBeGreaterThan(0);
      expect(missingReason.length, id).toBeGreaterThan(15);
      expect(description.length, id).toBeLessThanOrEqual(1_024);
      expect(description, id).toMatch(/Runbook: .+#[a-z-]+$/);
      if (namespace === 'MLMonitoring') expect(written, id).toContain(metric);
      else expect(['AWS/Lambda', 'AWS/SQS']).toContain(namespace);
    }
  });

  it('stay within what CloudWatch evaluates', () => {
    for (const { period, evaluationPeriods, datapointsToAlarm, id } of alarmData()) {
      expect(period % 60, id).toBe(0);
      expect(period * evaluationPeriods, id).toBeLessThanOrEqual(86_400);
      expect(datapointsToAlarm, id).toBeLessThanOrEqual(evaluationPeriods);
    }
  });

  it('have unique ids, one for each function that may fail, and one for the silence of each that is scheduled', () => {
    const data = alarmData();
    expect(new Set(data.map(({ id }) => id)).size).toBe(data.length);
    expect(data.filter(({ key }) => key === 'function-failing').map(({ id }) => id)).toEqual(
      FUNCTION_NAMES.map((name) => `function-failing-${name}`),
    );
    const silent = data.filter(({ metric }) => metric === PLATFORM_CLOUDWATCH_METRIC.runs.name);
    expect(
      silent
        .map(({ dimensions }) => dimensions.find((one) => 'text' in one))
        .map((one) => one !== undefined && 'text' in one && one.text)
        .sort(),
    ).toEqual([...SCHEDULED_FUNCTIONS].sort());
    for (const { treatMissingData } of silent) expect(treatMissingData).toBe('breaching');
  });

  it('name the dashboard of what Prometheus has too, of this platform, and no other', () => {
    const shownIn = { base: 'https://g.example/d/staging', instance: 'test' };
    const linked = new Map(
      alarmData({ shownIn }).map(({ key, description }) => [key, /^Dashboard: (.*)$/m.exec(description)?.[1]]),
    );
    const has = (key: string) => isRendered(RULES.find((rule) => rule.key === key)!, 'prometheus', 'aws');
    for (const [key, link] of linked) expect(link !== undefined, key).toBe(has(key));
    expect(linked.get('no-events')).toBe(
      'https://g.example/d/staging-pipeline/pipeline?var-instance=test&from=now-6h&to=now',
    );
    // About all models: none can be chosen.
    expect(linked.get('windows-overdue')).toBe(
      'https://g.example/d/staging-fleet/fleet?var-instance=test&from=now-7d&to=now',
    );
    expect(linked.get('dead-letters')).toBeUndefined();
    // The runbook entry comes last, as without them.
    for (const { description, runbook, id } of alarmData({ shownIn }))
      expect(description.endsWith(`\nRunbook: ${runbook}`), id).toBe(true);
    // Whatever the host is called when it is known, it fits.
    const long = { base: `https://${'h'.repeat(253)}/d/staging`, instance: 'test' };
    for (const { description, id } of alarmData({ shownIn: long, runbook: 'https://example.org/runbook.md' }))
      expect(description.length, id).toBeLessThanOrEqual(1_024);
    for (const { description } of alarmData()) expect(description).not.toContain('Dashboard:');
  });

  it('are as many whatever the number of models', () => {
    expect(alarmData().length).toBeLessThan(50);
    for (const { dimensions } of alarmData()) expect(dimensions.map(({ name }) => name)).not.toContain('Model');
  });
});

describe('parity', () => {
  const both = RULES.filter(({ prometheus, cloudwatch }) => !isAbsent(prometheus) && !isAbsent(cloudwatch));

  it('compares something', () => {
    expect(both.length).toBeGreaterThan(15);
  });

  it('has every alert in one of the renderings, and a reason where it is not in the other', () => {
    for (const { key, prometheus, cloudwatch } of RULES) {
      expect(isAbsent(prometheus) && isAbsent(cloudwatch), key).toBe(false);
      for (const reading of [prometheus, cloudwatch])
        if (isAbsent(reading)) expect(reading.absent.length, key).toBeGreaterThan(15);
    }
  });

  const same = (rule: AlertRule<AlertKey>, options: Omit<RenderOptions, 'deployment'>): void => {
    const alarm = byKey(options).get(rule.key);
    const rendered = (['aws', 'machines'] as const).map((deployment) =>
      byName({ ...options, deployment }).get(rule.name),
    );
    const one = rendered.find((found) => found !== undefined);
    if (alarm === undefined || one === undefined) throw new Error(`${rule.key}: not rendered twice`);
    expect(one.labels['severity']).toBe(alarm.severity);
    expect(one.annotations['runbook_url']).toBe(alarm.runbook);
    expect(alarm.description).toContain(one.annotations['summary']);
    // Missing data: absence is the alert in both, or in neither.
    expect(/absent/.test(one.expr)).toBe(alarm.treatMissingData === 'breaching');
    const threshold = options.changes?.[rule.key]?.threshold ?? rule.threshold!.value;
    const { cloudwatch } = rule;
    if (isAbsent(cloudwatch)) throw new Error('unreachable');
    if (cloudwatch.threshold === 'silence') {
      // So long without a run: looked back over in one, counted in periods in the other.
      expect(one.expr).toMatch(new RegExp(`> ${threshold} or absent|absent_over_time\\(.*\\[${threshold}s\\]\\)`));
      expect(alarm.evaluationPeriods * alarm.period).toBeGreaterThanOrEqual(threshold);
      expect(alarm.evaluationPeriods * alarm.period).toBeLessThan(threshold + alarm.period + 1);
    } else {
      expect(one.expr).toMatch(new RegExp(`${cloudwatch.compare} ${threshold}(?: or absent\\(.*\\))?$`));
      expect(alarm.threshold).toBe(cloudwatch.threshold === 'milliseconds' ? threshold * 1_000 : threshold);
      expect(
        { '>=': 'GreaterThanOrEqualToThreshold', '>': 'GreaterThanThreshold', '<': 'LessThanThreshold' }[
          cloudwatch.compare
        ],
      ).toBe(alarm.comparison);
      // It must hold as long in both, to within a period.
      const held = alarm.period * alarm.evaluationPeriods;
      const pending = pendingSeconds({ ...rule, for: options.changes?.[rule.key]?.for ?? rule.for });
      expect(held).toBeGreaterThanOrEqual(pending);
      expect(held).toBeLessThan(pending + 2 * alarm.period);
      expect(one.for ?? '0m').toBe(options.changes?.[rule.key]?.for ?? rule.for);
    }
  };

  it.each(both.map((rule) => [rule.key, rule] as const))('%s says the same in both', (_key, rule) => {
    same(rule, {});
  });

  it('holds for every change', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...both),
        fc.integer({ min: 1, max: 50_000 }),
        fc.constantFrom('0m', '5m', '30m'),
        (rule, value, pending) => {
          const silent = !isAbsent(rule.cloudwatch) && rule.cloudwatch.threshold === 'silence';
          same(rule, { changes: { [rule.key]: { threshold: value, ...(silent ? {} : { for: pending }) } } });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leaves out in both what is switched off', () => {
    for (const rule of RULES) {
      const options = { changes: { [rule.key]: { off: true } } };
      expect(byKey(options).has(rule.key)).toBe(false);
      for (const deployment of ['aws', 'machines'] as const)
        expect(byName({ ...options, deployment }).has(rule.name)).toBe(false);
    }
  });

  it('lets exactly one rendering tell people, and none where episodes do', () => {
    fc.assert(
      fc.property(optionsArbitrary, fc.constantFrom(...RULES), (options, rule) => {
        const renderings = (['cloudwatch', 'prometheus'] as const).filter((one) =>
          isRendered(rule, one, options.deployment),
        );
        const telling = (['cloudwatch', 'prometheus'] as const).filter((one) => carriesAction(rule, one, options));
        const wanted = rule.owner === 'alarms' || options.notifier === 'alarms';
        expect(telling.length).toBe(wanted && renderings.length > 0 ? 1 : 0);
        for (const one of telling) expect(renderings).toContain(one);
      }),
    );
  });

  it('says in the data whether people are told', () => {
    expect(byKey().get('open-episodes-critical')?.actions).toBe(false);
    expect(byKey({ notifier: 'alarms' }).get('open-episodes-critical')?.actions).toBe(true);
    expect(byKey().get('no-events')?.actions).toBe(true);
    expect(byName({ deployment: 'aws' }).get('MlmonNoEvents')?.labels['notify']).toBe('false');
    expect(byName({ deployment: 'aws', alarmsBy: 'prometheus' }).get('MlmonNoEvents')?.labels['notify']).toBe('true');
    expect(byKey({ alarmsBy: 'prometheus' }).get('no-events')?.actions).toBe(false);
    expect(byKey({ alarmsBy: 'prometheus' }).get('dead-letters')?.actions).toBe(true);
  });
});

describe('the alert manager of Managed Prometheus', () => {
  const text = renderManagedAlertManager({
    region: 'eu-west-1',
    topics: {
      critical: 'arn:aws:sns:eu-west-1:111122223333:critical',
      warning: 'arn:aws:sns:eu-west-1:111122223333:warning',
    },
    heartbeatTopic: 'arn:aws:sns:eu-west-1:111122223333:heartbeat',
    pagerDuty: { secretArn: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:pd', secretKey: 'key' },
  });
  const outer = parse(text) as { template_files: Record<string, string>; alertmanager_config: string };
  const config = parse(outer.alertmanager_config) as {
    route: { receiver: string; routes: { receiver: string; matchers: string[] }[] };
    receivers: { name: string; sns_configs?: { topic_arn: string; sigv4: { region: string } }[] }[];
  };

  it('has the two keys that the service takes, the configuration as text', () => {
    expect(Object.keys(outer)).toEqual(['template_files', 'alertmanager_config']);
  });

  it('sends nothing but what is to be notified', () => {
    expect(config.receivers.find(({ name }) => name === config.route.receiver)).toEqual({ name: 'nobody' });
    for (const { receiver, matchers } of config.route.routes)
      if (receiver !== 'heartbeat') expect(matchers).toContain('notify="true"');
  });

  it('names every receiver that a route names, with a region for each topic', () => {
    const names = config.receivers.map(({ name }) => name);
    for (const { receiver } of config.route.routes) expect(names).toContain(receiver);
    for (const { sns_configs } of config.receivers)
      for (const { sigv4 } of sns_configs ?? []) expect(sigv4.region).toBe('eu-west-1');
  });

  it('leaves out severities without a topic', () => {
    expect(config.receivers.map(({ name }) => name)).toEqual(['nobody', 'heartbeat', 'warning', 'critical']);
  });
});
