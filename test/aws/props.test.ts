/** Props of constructs: each changes something, and takes what is known only when deployed. */
import { Duration, Stack, Token } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { EncryptionKey } from '../../lib/aws/encryption-key.ts';
import { EventBus } from '../../lib/aws/events/event-bus.ts';
import { ModelMonitoring, type ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import type { PlatformContext } from '../../lib/aws/platform-context.ts';
import { Alarms } from '../../lib/aws/watching/alarms.ts';
import { Alerting, Notifications } from '../../lib/aws/watching/alerting.ts';
import { Channel } from '../../lib/aws/watching/channel.ts';
import { Dashboards } from '../../lib/aws/watching/dashboards.ts';
import { Metrics } from '../../lib/aws/watching/metrics.ts';
import { ModelAlarms } from '../../lib/aws/watching/model-alarms.ts';
import { ModelMetrics } from '../../lib/aws/watching/model-metrics.ts';
import { Prometheus } from '../../lib/aws/watching/prometheus.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { RECOMMENDED } from './app.ts';
import { interfaces } from './interfaces.ts';
import { light } from './light.ts';
import { OPTIONS } from './options.ts';
import { least, newApp } from './subjects.ts';

const ALL = interfaces();
const propsOf = (name: string): readonly string[] => {
  const found = ALL.find((one) => one.name === name);
  expect(found, name).toBeDefined();
  return found!.props.map((prop) => prop.name);
};

/** Everything that a choice can change: the template, what constructs say against themselves, and what is warned of. */
function outcome(make: (stack: Stack) => unknown): string {
  const stack = new Stack(newApp(RECOMMENDED), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  let part: unknown;
  try {
    part = make(stack);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.message;
  }
  // Validations tell too.
  const made = light(stack);
  const warned = stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:warning' || type === 'aws:cdk:info'));
  // Published by whoever holds the part.
  const configuration = part instanceof Alerting ? stack.resolve(part.configuration) : null;
  return JSON.stringify([made, warned.map(({ data }) => data), configuration]);
}

const churn = Monitor.of({ model: 'churn', features: { age: { type: 'numeric' } } });

describe('no prop is dead', () => {
  const base: Partial<ModelMonitoringProps> = { channels: [Channel.email('ml@example.com')], models: [churn] };
  const without = outcome((stack) => least(stack, base));

  it('has a value to try for every prop of the facade', () => {
    expect(Object.keys(OPTIONS).sort()).toEqual([...propsOf('ModelMonitoringProps')].sort());
  });

  it.each(Object.keys(OPTIONS) as (keyof typeof OPTIONS)[])('ModelMonitoring.%s', (name) => {
    const value = (OPTIONS[name] as readonly ((stack: Stack) => unknown)[])[name === 'models' ? 1 : 0]!;
    let adds = false;
    const chosen = outcome((stack) => {
      const chosenValue = value(stack);
      adds = stack.node.children.length > 0;
      least(stack, { ...base, [name]: chosenValue });
    });
    expect(chosen).not.toBe(without);
    // What only the test itself adds to the stack is no effect.
    if (adds)
      expect(chosen).not.toBe(
        outcome((stack) => {
          value(stack);
          least(stack, base);
        }),
      );
  });

  function platformIn(stack: Stack): PlatformContext {
    return {
      environmentName: 'test',
      bucket: s3.Bucket.fromBucketName(stack, 'Bucket', 'platform-bucket'),
      stream: kinesis.Stream.fromStreamArn(stack, 'Stream', 'arn:aws:kinesis:eu-central-1:111122223333:stream/events'),
    };
  }
  const topic = (stack: Stack, id: string) =>
    sns.Topic.fromTopicArn(stack, id, `arn:aws:sns:eu-central-1:111122223333:${id}`);
  const queue = (stack: Stack) =>
    sqs.Queue.fromQueueArn(stack, 'Letters', 'arn:aws:sqs:eu-central-1:111122223333:letters');

  type Props = Readonly<Record<string, (stack: Stack) => unknown>>;
  const PARTS: Readonly<
    Record<string, { readonly make: (stack: Stack, props: Record<string, unknown>) => unknown; readonly props: Props }>
  > = {
    AlertingProps: {
      make: (stack, props) =>
        new Alerting(stack, 'Part', { platform: platformIn(stack), channels: [Channel.email('a@b.c')], ...props }),
      props: {
        platform: (stack) => ({ ...platformIn(new Stack(stack, 'Inner')), environmentName: 'other' }),
        channels: () => [Channel.email('c@d.e')],
        routes: () => [{ match: {}, channels: ['email'] }],
        mutes: () => [{ match: {}, reason: 'quiet' }],
        maintenance: () => [{ at: '02:00', for: '1h', reason: 'backups' }],
        programs: (stack) => [
          new EventBus(stack, 'Events', { platform: platformIn(new Stack(stack, 'Inner')), carries: ['episodes'] })
            .channel,
        ],
        notifications: () => Notifications.fromAlarms(),
        topics: (stack) => ({ critical: topic(stack, 'pages') }),
        heartbeat: (stack) => topic(stack, 'beat'),
        deadLetters: queue,
        every: () => Duration.minutes(5),
        linkBase: () => 'https://ml.example.com',
        runbookBase: () => 'https://ml.example.com',
        key: (stack) => new EncryptionKey(stack, 'Key').key,
      },
    },
    MetricsProps: {
      make: (stack, props) => {
        const platform = platformIn(stack);
        const alerting = new Alerting(stack, 'Alerting', { platform, channels: [] });
        const part = new Metrics(stack, 'Part', { platform, alerting, ...props });
        part.watch([churn]);
        return part;
      },
      props: {
        platform: (stack) => ({ ...platformIn(new Stack(stack, 'Inner')), environmentName: 'other' }),
        alerting: (stack) => {
          const inner = new Stack(stack, 'Inner');
          return new Alerting(stack, 'Other', {
            platform: platformIn(inner),
            channels: [],
            notifications: Notifications.fromAlarms(),
          });
        },
        detail: () => 'summary',
        prometheus: () => Prometheus.none(),
        metricBudget: () => 0.001,
        prices: () => ({ asOf: '2026-11-21', prices: { cloudWatchMetric: [{ usd: 1e5 }] } }),
        deadLetters: queue,
        every: () => Duration.minutes(5),
        changes: () => ({ 'no-events': { threshold: 60 } }),
        runbook: () => 'https://ml.example.com',
      },
    },
    ManagedPrometheusOptions: {
      make: (stack, props) => {
        const platform = platformIn(stack);
        const alerting = new Alerting(stack, 'Alerting', { platform, channels: [] });
        return new Metrics(stack, 'Part', { platform, alerting, prometheus: Prometheus.managed(props) });
      },
      props: {
        retention: () => Duration.days(30),
        outOfOrderWindow: () => Duration.minutes(5),
        logRetention: () => logs.RetentionDays.ONE_DAY,
      },
    },
    AlarmsProps: {
      make: (stack, props) => {
        const platform = platformIn(stack);
        const alerting = new Alerting(stack, 'Alerting', { platform, channels: [] });
        return new Alarms(stack, 'Part', {
          platform,
          topics: alerting.topics,
          functions: [],
          deadLetters: [],
          ...props,
        });
      },
      props: {
        platform: (stack) => ({ ...platformIn(new Stack(stack, 'Inner')), environmentName: 'other' }),
        topics: (stack) => ({ critical: topic(stack, 'a'), warning: topic(stack, 'b'), info: topic(stack, 'c') }),
        functions: (stack) =>
          [
            stack.node.tryFindChild('Alerting') ??
              new Alerting(stack, 'More', { platform: platformIn(new Stack(stack, 'Inner')), channels: [] }),
          ].map((one) => (one as Alerting).notifier),
        deadLetters: (stack) => [queue(stack)],
        notifications: () => Notifications.fromAlarms(),
        maintenance: () => [{ at: '02:00', for: '1h', reason: 'backups' }],
        changes: () => ({ 'no-events': { off: true } }),
        runbook: () => 'https://ml.example.com',
        shownIn: () => ({ base: 'https://grafana.example.com/d/mlmon', instance: 'test' }),
      },
    },
    EventBusProps: {
      make: (stack, props) => new EventBus(stack, 'Part', { platform: platformIn(stack), ...props }),
      props: {
        platform: (stack) => ({ ...platformIn(new Stack(stack, 'Inner')), environmentName: 'other' }),
      },
    },
    EventBusOptions: {
      make: (stack, props) => new EventBus(stack, 'Part', { platform: platformIn(stack), ...props }),
      props: {
        bus: (stack) => events.EventBus.fromEventBusName(stack, 'Brought', 'company'),
        archive: () => Duration.days(30),
        carries: () => ['baselines'],
      },
    },
    ModelAlarmsProps: {
      make: (stack, props) =>
        new ModelAlarms(stack, 'Part', {
          monitor: churn,
          metrics: new ModelMetrics({ environmentName: 'test', detail: 'minimal' }),
          topics: { warning: topic(stack, 'team') },
          ...props,
        }),
      props: {
        monitor: () => Monitor.of({ model: 'other', features: { age: { type: 'numeric' } } }),
        metrics: () => new ModelMetrics({ environmentName: 'test', detail: 'summary' }),
        platform: (stack) => ModelMonitoring.fromEnvironment(stack, 'Platform', 'test'),
      },
    },
    ModelAlarmsOptions: {
      make: (stack, props) =>
        new ModelAlarms(stack, 'Part', {
          monitor: churn,
          metrics: new ModelMetrics({ environmentName: 'test', detail: 'minimal' }),
          topics: { warning: topic(stack, 'team') },
          ...props,
        }),
      props: {
        topics: (stack) => ({ info: topic(stack, 'other') }),
        changes: () => ({ 'open-episodes': { off: true } }),
        runbook: () => 'https://ml.example.com',
      },
    },
    DashboardsProps: {
      make: (stack, props) =>
        new Dashboards(stack, 'Part', {
          platform: platformIn(stack),
          detail: 'minimal',
          functions: [],
          queues: [],
          alarms: [],
          ...props,
        }),
      props: {
        platform: (stack) => ({ ...platformIn(new Stack(stack, 'Inner')), environmentName: 'other' }),
        detail: () => 'none',
        functions: (stack) => [
          new Alerting(stack, 'More', { platform: platformIn(new Stack(stack, 'Inner')), channels: [] }).notifier,
        ],
        queues: (stack) => [queue(stack)],
        alarms: (stack) => [{ alarmArn: 'arn:aws:cloudwatch:eu-central-1:111122223333:alarm:a', node: stack.node }],
      },
    },
  };

  describe.each(Object.keys(PARTS))('%s', (name) => {
    const { make, props } = PARTS[name]!;

    it('has a value to try for every prop', () => expect(Object.keys(props).sort()).toEqual([...propsOf(name)].sort()));

    it.each(Object.keys(props))('%s', (prop) => {
      const chosen = outcome((stack) => make(stack, { [prop]: props[prop]!(stack) }));
      const beside = outcome((stack) => {
        props[prop]!(stack);
        make(stack, {});
      });
      expect(chosen).not.toBe(beside);
    });
  });
});

describe('what is known only when deployed', () => {
  const text = (name: string): string => Token.asString({ Ref: name });
  const TOKENS: Readonly<Record<string, Partial<ModelMonitoringProps>>> = {
    environmentName: { environmentName: text('Name') },
    linkBase: { linkBase: text('Link') },
    runbookBase: { runbookBase: text('Runbook') },
    'the address of a channel': { channels: [Channel.email(text('Address')), Channel.https(text('Endpoint'))] },
    'the ids of a chat': {
      channels: [Channel.slackChannel({ workspace: text('Workspace'), channel: text('Channel') })],
    },
    'the address of a service': { channels: [Channel.email('a@b.c')] },
    'the id of a workspace': { prometheus: Prometheus.existing({ workspaceId: text('Workspace') }) },
    'the time of a mute': { mutes: [{ match: {}, until: text('Until'), reason: 'quiet' }] },
  };

  it.each(Object.keys(TOKENS))('%s can be a token, and leaves none behind', (name) => {
    const stack = new Stack(newApp(RECOMMENDED), 'Test');
    least(stack, TOKENS[name]!);
    const { template, problems } = light(stack);
    expect(problems).toEqual([]);
    const made = JSON.stringify(template);
    expect(made).not.toMatch(/\$\{Token\[|TOKEN\.\d|-1\.8881545897087e\+289/);
    for (const id of Object.keys(template.Resources)) expect(id).toMatch(/^[A-Za-z0-9]+$/);
    for (const one of stack.node.findAll()) expect(one.node.id).not.toMatch(/\$\{|TOKEN/);
  });
});
