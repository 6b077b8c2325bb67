/** Alarms of one model on topics of its team, and windows in which alarms tell nobody. */
import { Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { ModelMonitor } from '../../lib/aws/model-monitor.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { ModelAlarms } from '../../lib/aws/watching/model-alarms.ts';
import { ModelMetrics } from '../../lib/aws/watching/model-metrics.ts';
import type { MetricDetail } from '../../lib/contracts/cloudwatch-metrics.ts';
import type { MonitorInput } from '../../lib/contracts/monitor.ts';
import { testApp } from './app.ts';
import { environment, folderOf } from './environments.ts';
import { OWN_RULES } from './own-rules.ts';
import { least, newApp } from './subjects.ts';
import { ofType, type Resource, resourcesOf } from './template.ts';
import './without-validation.ts';

const CHURN: MonitorInput = {
  model: 'churn',
  owner: 'team-crm',
  features: { age: { type: 'numeric' } },
  window: { every: '1h', lateness: '10m' },
};
const topicIn = (stack: Stack, id = 'Team') =>
  sns.Topic.fromTopicArn(stack, id, `arn:aws:sns:eu-central-1:111122223333:${id}`);

function made(
  detail: MetricDetail,
  more: Partial<MonitorInput> = {},
  options: (stack: Stack) => Partial<ConstructorParameters<typeof ModelAlarms>[2]> = () => ({}),
) {
  const stack = new Stack(testApp(), 'Test');
  const part = new ModelAlarms(stack, 'Alarms', {
    monitor: Monitor.of({ ...CHURN, ...more }),
    metrics: new ModelMetrics({ environmentName: 'test', detail }),
    topics: { critical: topicIn(stack, 'Pages'), warning: topicIn(stack) },
    ...options(stack),
  });
  const resources = resourcesOf(stack);
  const alarms = Object.fromEntries(
    ofType(resources, 'AWS::CloudWatch::Alarm').map(({ Properties }) => [Properties.AlarmName as string, Properties]),
  );
  return { part, alarms, mutes: ofType(resources, 'AWS::CloudWatch::AlarmMuteRule'), resources };
}

describe('alarms of a model', () => {
  it('are those whose metric there is', () => {
    const minimal = made('minimal');
    expect(Object.keys(minimal.alarms).sort()).toEqual([
      'MlmonModelEpisodeOpen-churn-test',
      'MlmonModelFeaturesDrifted-churn-test',
    ]);
    expect(Object.keys(minimal.part.absent).sort()).toEqual(['label-coverage', 'windows-overdue']);
    expect(Object.keys(made('summary').alarms)).toHaveLength(4);
    expect(() => made('none')).toThrow(/churn: alarms: none can be made/);
  });

  it('read the metric of the model, and know when its window is late', () => {
    const { alarms } = made('summary');
    expect(alarms['MlmonModelWindowsOverdue-churn-test']).toMatchObject({
      Namespace: 'MLMonitoring',
      MetricName: 'WindowAge',
      Dimensions: [
        { Name: 'Environment', Value: 'test' },
        { Name: 'Model', Value: 'churn' },
      ],
      Threshold: 2 * 3_600 + 600,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
    });
    expect(alarms['MlmonModelLabelsFew-churn-test']).toMatchObject({
      Threshold: 0.5,
      ComparisonOperator: 'LessThanThreshold',
    });
  });

  it('are published to the topic of their severity, and shown where there is none', () => {
    const { alarms } = made('summary');
    const actions = (name: string) => [alarms[name]?.AlarmActions, alarms[name]?.OKActions];
    const [pages, team] = ['Pages', 'Team'].map((id) => [`arn:aws:sns:eu-central-1:111122223333:${id}`]);
    expect(actions('MlmonModelWindowsOverdue-churn-test')).toEqual([pages, pages]);
    expect(actions('MlmonModelEpisodeOpen-churn-test')).toEqual([team, team]);
    expect(actions('MlmonModelFeaturesDrifted-churn-test')).toEqual([undefined, undefined]);
  });

  it('may be published to a topic of the same app, which is told so once', () => {
    const app = newApp();
    const stack = new Stack(app, 'Test');
    const topic = new sns.Topic(stack, 'Team', { enforceSSL: true });
    const metrics = new ModelMetrics({ environmentName: 'test', detail: 'minimal' });
    for (const model of ['a', 'b'])
      new ModelAlarms(stack, model, { monitor: Monitor.of({ ...CHURN, model }), metrics, topics: { warning: topic } });
    const [policy] = ofType(resourcesOf(stack), 'AWS::SNS::TopicPolicy');
    const statements = policy?.Properties.PolicyDocument.Statement as { Principal: unknown; Effect: string }[];
    expect(statements.filter(({ Effect }) => Effect === 'Allow').map(({ Principal }) => Principal)).toEqual([
      { Service: 'cloudwatch.amazonaws.com' },
    ]);
  });

  it('keep the rules that alarms of ours keep, with an entry in the runbook', () => {
    const { resources } = made('summary', {}, () => ({ runbook: 'https://e.org/runbook' }));
    const template = { Resources: Object.fromEntries(resources.map((one: Resource) => [one.id, one])) };
    for (const [rule, breaches] of Object.entries(OWN_RULES))
      expect({ rule, broken: breaches(template) }).toEqual({ rule, broken: [] });
    const [alarm] = ofType(resources, 'AWS::CloudWatch::Alarm');
    expect(alarm?.Properties.AlarmDescription).toMatch(
      /^churn of team-crm: .*\nSeverity: warning\nRunbook: https:\/\/e\.org\/runbook#open-episodes-warning$/,
    );
  });

  it('are changed by key, and name the nearest where there is none', () => {
    const changes = {
      'open-episodes': { threshold: 3, severity: 'critical' },
      'drifted-features': { off: true },
    } as const;
    const { alarms } = made('minimal', {}, () => ({ changes }));
    expect(Object.keys(alarms)).toEqual(['MlmonModelEpisodeOpen-churn-test']);
    expect(Object.values(alarms)[0]).toMatchObject({
      Threshold: 3,
      AlarmActions: ['arn:aws:sns:eu-central-1:111122223333:Pages'],
    });
    expect(() => made('minimal', {}, () => ({ changes: { 'open-episode': {} } as never }))).toThrow(
      /did you mean open-episodes/,
    );
    expect(() => made('minimal', {}, () => ({ topics: {} }))).toThrow(/alarms\.topics: names none/);
  });

  it('are muted in the maintenance windows of the monitor', () => {
    const { mutes } = made('minimal', {
      alerts: {
        maintenance: [
          { at: '02:30', for: '90m', days: ['saturday', 'sunday'], timezone: 'Europe/Berlin', reason: 'loads' },
          { from: '2026-12-24T18:00:30Z', until: '2026-12-26T06:00:00Z', reason: 'holidays' },
        ],
      },
    });
    expect(mutes.map(({ Properties }) => [Properties.Rule.Schedule, Properties.MuteTargets.AlarmNames.length])).toEqual(
      [
        [{ Expression: 'cron(30 2 * * SAT,SUN)', Duration: 'PT1H30M', Timezone: 'Europe/Berlin' }, 2],
        [
          {
            Expression: 'at(2026-12-24T18:00)',
            Duration: expect.stringMatching(/^P(?:1DT12H|T36H)$/) as string,
            Timezone: 'Etc/UTC',
          },
          2,
        ],
      ],
    );
    expect(made('minimal').mutes).toEqual([]);
  });
});

describe('a team', () => {
  it('brings them with its model, from another stack', () => {
    const app = newApp();
    const platform = least(new Stack(app, 'Platform'), { metricDetail: 'summary' });
    const team = new Stack(app, 'Team');
    const { alarms } = new ModelMonitor(team, 'Churn', {
      platform,
      monitor: Monitor.of(CHURN),
      alarms: { topics: { warning: topicIn(team) } },
    });
    expect(Object.keys(alarms?.alarms ?? {})).toHaveLength(4);
    expect(ofType(resourcesOf(team), 'AWS::CloudWatch::Alarm')).toHaveLength(4);
  });

  it('has them in the stack of the platform too, for a model that is there', () => {
    const stack = new Stack(newApp(), 'Test');
    const modelAlarms = { churn: { topics: { warning: topicIn(stack) } } };
    const { modelAlarms: found } = least(stack, { models: [Monitor.of(CHURN)], modelAlarms });
    expect(Object.keys(found['churn']?.alarms ?? {})).toEqual(['open-episodes', 'drifted-features']);
    const other = new Stack(newApp(), 'Other');
    expect(() =>
      least(other, { models: [Monitor.of(CHURN)], modelAlarms: { churns: { topics: { warning: topicIn(other) } } } }),
    ).toThrow(/modelAlarms\.churns: is none of the models.*did you mean churn/s);
  });
});

describe('maintenance of a platform', () => {
  const maintenance = [{ at: '02:00', for: '2h', reason: 'backups' }];

  it('mutes every alarm, and tells the notifier', () => {
    const platform = least(new Stack(newApp(), 'Test'), { maintenance });
    const resources = resourcesOf(Stack.of(platform));
    const named = ofType(resources, 'AWS::CloudWatch::AlarmMuteRule').flatMap(
      ({ Properties }) => Properties.MuteTargets.AlarmNames as unknown[],
    );
    expect(named).toHaveLength(ofType(resources, 'AWS::CloudWatch::Alarm').length);
    expect(platform.alerting.configuration.maintenance).toEqual([{ ...maintenance[0], timezone: 'UTC' }]);
    expect(least(new Stack(newApp(), 'Test')).alerting.configuration).not.toHaveProperty('maintenance');
  });

  it('is refused with everything that is wrong', () => {
    const wrong = [
      { at: '2:00', for: '2h', reason: 'x' },
      { at: '02:00', for: '2 h', reason: '' },
    ];
    expect(() => least(new Stack(newApp(), 'Test'), { maintenance: wrong })).toThrow(
      /maintenance\.0\.at.*maintenance\.1\.for.*maintenance\.1\.reason/s,
    );
  });

  it('and alarms of models stand in the file of an environment', () => {
    const folder = folderOf({ 'churn.yaml': 'model: churn\nfeatures: { age: { type: numeric } }\n' });
    const { monitoring } = environment({
      models: [`${folder}/churn.yaml`],
      alerting: { maintenance, modelAlarms: { churn: { warning: 'arn:aws:sns:eu-central-1:111122223333:crm' } } },
    });
    expect(Object.keys(monitoring.modelAlarms)).toEqual(['churn']);
    expect(monitoring.alerting.configuration.maintenance).toHaveLength(1);
    expect(() => environment({ alerting: { modelAlarms: { churn: {} } } })).toThrow(/modelAlarms/);
  });
});
