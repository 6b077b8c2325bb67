/** The helpers for tests of stacks: as users' tests call them, and that they can fail. */
import { Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import { beforeAll, describe, expect, it } from 'vitest';
import { Channel } from '../../lib/aws/channel.ts';
import { Grafana } from '../../lib/aws/grafana.ts';
import { ModelMonitor } from '../../lib/aws/model-monitor.ts';
import type { ModelMonitoring, ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { ModelMonitoring as Platform } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
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
  beforeAll(() => {
    const { stack, monitoring } = stackWith({ alerts: { 'no-events': { threshold: 7_200, severity: 'warning' } } });
    new ModelMonitor(new Stack(stack.node.root as never, 'Team'), 'Fraud', {
      platform: monitoring,
      monitor: monitorOf('fraud'),
    });
    template = MonitoredTemplate.of(stack);
  });

  it('knows its models, those of other stacks included', () => {
    expect(template.models).toEqual(['churn', 'fraud']);
    template.monitors('fraud');
    expect(() => template.monitors('chrun')).toThrow(
      'chrun: has no monitor, got churn, fraud; expected a monitor of this model; did you mean churn?',
    );
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
