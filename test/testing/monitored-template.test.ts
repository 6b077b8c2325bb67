/** The helpers for tests of stacks: as users' tests call them, and that they can fail. */
import { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { beforeAll, describe, expect, it } from 'vitest';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { ModelMonitor } from '../../lib/aws/model-monitor.ts';
import type { ModelMonitoring, ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { ModelMonitoring as Platform } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { Channel } from '../../lib/aws/watching/channel.ts';
import { MonitoredTemplate } from '../../lib/testing/index.ts';
import { testApp } from '../aws/app.ts';

const monitorOf = (model: string): Monitor => Monitor.of({ model, features: { age: { type: 'numeric' } } });

function stackWith(props: Partial<ModelMonitoringProps> = {}): {
  readonly stack: Stack;
  readonly monitoring: ModelMonitoring;
} {
  const stack = new Stack(testApp(), 'Test');
  return {
    stack,
    monitoring: new Platform(stack, 'Monitoring', {
      grafana: Grafana.none(),
      channels: [Channel.email('ml@example.com')],
      models: [monitorOf('churn')],
      ...props,
    }),
  };
}

describe('a stack that is monitored', () => {
  let template: MonitoredTemplate;
  let roles: { readonly own: Role; readonly team: Role };
  beforeAll(() => {
    const { stack, monitoring } = stackWith({ alerts: { 'no-events': { threshold: 7_200, severity: 'warning' } } });
    const team = new Stack(stack.node.root as never, 'Team');
    new ModelMonitor(team, 'Fraud', { platform: monitoring, monitor: monitorOf('fraud') });
    const assumedBy = new ServicePrincipal('ecs-tasks.amazonaws.com');
    roles = { own: new Role(stack, 'Scoring', { assumedBy }), team: new Role(team, 'Scoring', { assumedBy }) };
    monitoring.grants.capture(roles.own, 'churn');
    monitoring.grants.label(roles.own, 'churn');
    monitoring.grants.capture(roles.team, 'fraud');
    monitoring.grants.captureBy('key-1', '*');
    template = MonitoredTemplate.of(stack);
  });

  it('knows its models, those of other stacks included', () => {
    expect(template.models).toEqual(['churn', 'fraud']);
    template.monitors('fraud');
    expect(() => template.monitors('chrun')).toThrow(
      'chrun: has no monitor, got churn, fraud; expected a monitor of this model; did you mean churn?',
    );
  });

  it('knows who may send what, granted here or in another stack', () => {
    template.maySend(roles.own, 'churn');
    template.maySend(roles.own, 'churn', 'labels');
    template.maySend(roles.team, 'fraud');
    template.maySend('key-1', 'anything');
    expect(() => template.maySend(roles.own, 'fraud')).toThrow(
      "Test/Scoring: may not send events of fraud, got churn; expected events of this model; grants.capture(role, 'fraud')",
    );
    expect(() => template.maySend(roles.team, 'fraud', 'labels')).toThrow('got no grant');
    expect(() => template.maySend('key-2', 'churn')).toThrow('key-2: may not send events of churn');
  });

  it('has alarms that reach somebody', () => {
    template.alarmsHaveReceivers();
    expect(template.receivers('critical').protocols).toEqual(['email', 'lambda']);
    expect(template.receivers('critical').alarms.length).toBeGreaterThan(5);
    expect(template.receivers('info').protocols).toEqual([]);
  });

  it('has the alarms of the catalogue, as they were changed', () => {
    template.hasAlarm('no-events', { threshold: 7_200 });
    expect(() => template.hasAlarm('no-events', { threshold: 60 })).toThrow(
      'has another threshold, got 7200; expected 60',
    );
    expect(() => template.hasAlarm('no-event')).toThrow('did you mean no-events?');
    expect(template.receivers('warning').alarms.join()).toContain('noevents');
  });
});

describe('the stack of a team', () => {
  it('is tested without the platform, which another app made', () => {
    const stack = new Stack(testApp(), 'Payments');
    const monitoring = Platform.fromEnvironment(stack, 'Monitoring', 'shared');
    new ModelMonitor(stack, 'Fraud', { platform: monitoring, monitor: monitorOf('fraud') });
    const scoring = new Role(stack, 'Scoring', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    monitoring.grants.capture(scoring, 'fraud');
    const template = MonitoredTemplate.of(stack);
    template.monitors('fraud');
    template.maySend(scoring, 'fraud');
    expect(() => template.monitors('churn')).toThrow('churn: has no monitor, got fraud');
    expect(() => template.maySend(scoring, 'fraud', 'labels')).toThrow('Payments/Scoring: may not send labels');
  });
});

describe('a stack whose alarms reach nobody', () => {
  it('fails when only our own code would hear of blindness', () => {
    const { stack } = stackWith({ channels: [] });
    expect(() => MonitoredTemplate.of(stack).alarmsHaveReceivers()).toThrow(
      'alarms of severity critical: are heard by the notifier alone, which may be what fails',
    );
  });

  it('takes topics that were brought to have subscribers', () => {
    const { stack } = stackWith({
      channels: [],
      topics: {
        critical: sns.Topic.fromTopicArn(new Stack(), 'Pages', 'arn:aws:sns:eu-central-1:111122223333:pages'),
      },
    });
    MonitoredTemplate.of(stack).alarmsHaveReceivers();
  });

  it('fails where there is no platform, and for an alarm that was switched off', () => {
    const empty = new Stack(testApp(), 'Empty');
    expect(() => MonitoredTemplate.of(empty).alarmsHaveReceivers()).toThrow('alarms: none has an action');
    const { stack } = stackWith({ alerts: { 'records-lost': { off: true } } });
    expect(() => MonitoredTemplate.of(stack).hasAlarm('records-lost')).toThrow('records-lost: has no alarm');
  });
});
