/** Props of what tells people and programs. */
import { Duration, type Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Bindings } from '../../lib/aws/access/bindings.ts';
import { BorrowedRole } from '../../lib/aws/access/borrowed-role.ts';
import { Grants } from '../../lib/aws/access/grants.ts';
import { Collector } from '../../lib/aws/collector.ts';
import { CostReport } from '../../lib/aws/cost-report.ts';
import { StreamCapacity } from '../../lib/aws/event-stream.ts';
import { EventBus } from '../../lib/aws/events/event-bus.ts';
import { eventPattern } from '../../lib/aws/events/event-pattern.ts';
import { EventRule } from '../../lib/aws/events/event-rule.ts';
import { EventTarget } from '../../lib/aws/events/event-target.ts';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { GrafanaFilling } from '../../lib/aws/grafana/grafana-filling.ts';
import { GrafanaIdentity } from '../../lib/aws/grafana/grafana-identity.ts';
import { GrafanaWorkspace } from '../../lib/aws/grafana/grafana-workspace.ts';
import { ModelMonitor } from '../../lib/aws/model-monitor.ts';
import { ModelMonitoring } from '../../lib/aws/model-monitoring.ts';
import { Publisher } from '../../lib/aws/publication.ts';
import { LINKS, PlatformLinks } from '../../lib/aws/sharing/platform-links.ts';
import { TeamChannels } from '../../lib/aws/sharing/team-channels.ts';
import { AlarmMutes } from '../../lib/aws/watching/alarm-mutes.ts';
import { AlertTopics } from '../../lib/aws/watching/alert-topics.ts';
import { Alerting } from '../../lib/aws/watching/alerting.ts';
import { Channel } from '../../lib/aws/watching/channel.ts';
import { Metrics } from '../../lib/aws/watching/metrics.ts';
import { ModelMetrics } from '../../lib/aws/watching/model-metrics.ts';
import { Prometheus } from '../../lib/aws/watching/prometheus.ts';
import { churn, key, other, otherPlatform, platformIn, queue, secret, topic, type Walk } from './walk.ts';

const alertingIn = (stack: Stack, id = 'Alerting'): Alerting =>
  new Alerting(stack, id, { platform: platformIn(stack), channels: [] });
const workspace = (id = 'ws-1') => ({
  workspaceArn: `arn:aws:aps:eu-central-1:111122223333:workspace/${id}`,
  workspaceId: id,
});
const alarm = (stack: Stack, id: string): cloudwatch.IAlarm =>
  cloudwatch.Alarm.fromAlarmArn(stack, id, `arn:aws:cloudwatch:eu-central-1:111122223333:alarm:${id}`);
/** What becomes of a channel's options: its delivery. */
const delivered = (stack: Stack, channel: Channel): unknown =>
  new Alerting(stack, 'Alerting', { platform: platformIn(stack), channels: [channel] }).configuration;
const otherKey = (stack: Stack) =>
  kms.Key.fromKeyArn(stack, 'OtherKey', 'arn:aws:kms:eu-central-1:111122223333:key/other');
const filled = (stack: Stack, grafana: Grafana) =>
  grafana.bind(stack, 'Grafana', { platform: platformIn(stack), prometheus: workspace(), deadLetters: queue(stack) });
const imported = (stack: Stack, name = 'production') =>
  ModelMonitoring.fromEnvironment(stack, `Imported-${name}`, name);
const source = { source: 'urn:test' };
const target = (stack: Stack, id: string): EventTarget =>
  EventTarget.function(lambda.Function.fromFunctionName(stack, id, id));
const busIn = (stack: Stack, id = 'Bus') =>
  new EventBus(stack, id, { platform: platformIn(stack), carries: ['episodes'] });
const cost = (stack: Stack, props: Record<string, unknown>): CostReport => {
  const alerting = alertingIn(stack);
  const metrics = new Metrics(stack, 'Metrics', { platform: platformIn(stack), alerting, deadLetters: queue(stack) });
  return new CostReport(stack, 'Part', {
    platform: platformIn(stack),
    of: alerting,
    metrics,
    traffic: { eventsPerMonth: 1e9 },
    capacity: StreamCapacity.onDemand(),
    streamRetention: Duration.days(7),
    captureFormat: 'parquet',
    // Its words are what is compared.
    budget: 0.01,
    ...props,
  });
};

export const WALK_OF_WATCHING: Readonly<Record<string, Walk>> = {
  AlertTopicsProps: {
    make: (stack, props) => new AlertTopics(stack, 'Part', { key: key(stack), ...props }),
    props: {
      key: otherKey,
      topics: (stack) => ({ critical: topic(stack) }),
    },
  },
  AlarmMutesProps: {
    make: (stack, props) =>
      new AlarmMutes(stack, 'Part', {
        alarms: [alarm(stack, 'First')],
        maintenance: [{ at: '02:00', for: '1h', timezone: 'UTC', reason: 'backups' }],
        ...props,
      }),
    props: {
      alarms: (stack) => [alarm(stack, 'Given')],
      maintenance: () => [{ at: '03:00', for: '1h', timezone: 'UTC', reason: 'backups' }],
    },
  },
  ChannelOptions: {
    make: (stack, props) => delivered(stack, Channel.email('a@b.c', props)),
    props: { name: () => 'told' },
  },
  RegionalChannelOptions: {
    make: (stack, props) => delivered(stack, Channel.pagerDuty(secret(stack), props)),
    props: { url: () => 'https://events.eu.pagerduty.com/v2/enqueue' },
  },
  SlackChannelOptions: {
    make: (stack, props) =>
      new Alerting(stack, 'Alerting', {
        platform: platformIn(stack),
        channels: [Channel.slackChannel({ workspace: 'T0', channel: 'C0', ...props })],
      }),
    props: { workspace: () => 'T1', channel: () => 'C1' },
  },
  ExistingPrometheusOptions: {
    make: (stack, props) =>
      new Metrics(stack, 'Part', {
        platform: platformIn(stack),
        alerting: alertingIn(stack),
        prometheus: Prometheus.existing({ workspaceId: 'ws-1', ...props }),
      }),
    props: { workspaceId: () => 'ws-2', rules: () => false },
  },
  PlatformMetricOptions: {
    // It has neither dimension, so both are refused.
    make: (_, props) =>
      JSON.stringify(
        new ModelMetrics({ environmentName: 'test', detail: 'minimal' }).platform('models', props).toMetricConfig(),
      ),
    props: { severity: () => 'critical', function: () => 'profiler' },
  },
  ModelMetricsProps: {
    make: (_, props) => {
      const metrics = new ModelMetrics({ environmentName: 'test', detail: 'minimal', ...props });
      return [metrics.has('openEpisodes'), JSON.stringify(metrics.openEpisodes('churn').toMetricConfig())];
    },
    props: { environmentName: () => 'other', detail: () => 'none' },
  },
  CostReportProps: {
    make: cost,
    props: {
      // A key costs by itself.
      platform: (stack) => ({ ...platformIn(stack), key: key(stack) }),
      of: (stack) => new Construct(stack, 'Nothing'),
      metrics: (stack) =>
        new Metrics(stack, 'Given', {
          platform: platformIn(stack),
          alerting: alertingIn(stack, 'More'),
          prometheus: Prometheus.none(),
          deadLetters: queue(stack),
        }),
      traffic: () => ({ eventsPerMonth: 1 }),
      prices: () => ({ asOf: '2026-11-21', prices: { cloudWatchMetric: [{ usd: 1e5 }] } }),
      budget: () => 1e9,
      capacity: () => StreamCapacity.provisioned({ shards: 900 }),
      streamRetention: () => Duration.days(300),
      captureFormat: () => 'json-lines',
      captureRetention: () => Duration.days(1),
    },
  },
  EventChoice: {
    make: (_, props) => eventPattern(source, props),
    props: {
      types: () => ['com.example'],
      models: () => ['churn'],
      owners: () => ['team'],
      signals: () => ['drift'],
      severities: () => ['critical'],
      statuses: () => ['drifted'],
      withheld: () => false,
    },
  },
  EventRuleProps: {
    make: (stack, props) =>
      new EventRule(stack, 'Part', { events: busIn(stack), target: target(stack, 'first'), ...props }),
    props: {
      events: (stack) => ({ bus: events.EventBus.fromEventBusName(stack, 'Given', 'other'), source: 'urn:other' }),
      target: (stack) => target(stack, 'given'),
      description: () => 'told',
      deadLetters: (stack) => queue(stack, 'Given'),
      enabled: () => false,
    },
  },
  ManagedGrafanaOptions: {
    make: (stack, props) => filled(stack, Grafana.managed({ identity: GrafanaIdentity.identityCenter(), ...props })),
    props: {
      identity: () => GrafanaIdentity.saml({ metadataUrl: 'https://idp.example.com', adminRoles: ['admin'] }),
      version: () => '10.4',
    },
  },
  ExistingGrafanaOptions: {
    make: (stack, props) => filled(stack, Grafana.existing({ workspaceId: 'g-1', ...props })),
    props: {
      workspaceId: () => 'g-2',
      region: () => 'eu-west-1',
      role: (stack) => iam.Role.fromRoleName(stack, 'Given', 'grafana'),
      prefix: () => 'second',
    },
  },
  SelfRunGrafanaOptions: {
    make: (stack, props) =>
      filled(stack, Grafana.selfRun({ url: 'https://g.example.com', token: secret(stack), ...props })),
    props: {
      url: () => 'https://other.example.com',
      token: (stack) => secret(stack, 'given'),
      reader: () => new iam.ArnPrincipal('arn:aws:iam::111122223333:role/grafana'),
      prefix: () => 'second',
    },
  },
  SamlOptions: {
    make: (stack, props) => {
      const metadataUrl = 'metadataXml' in props ? undefined : 'https://idp.example.com';
      return filled(
        stack,
        Grafana.managed({ identity: GrafanaIdentity.saml({ metadataUrl, adminRoles: ['admin'], ...props }) }),
      );
    },
    props: {
      metadataUrl: () => 'https://other.example.com',
      metadataXml: () => '<xml/>',
      roleAttribute: () => 'group',
      adminRoles: () => ['platform'],
      editorRoles: () => ['science'],
    },
  },
  GrafanaWorkspaceProps: {
    make: (stack, props) =>
      new GrafanaWorkspace(stack, 'Part', {
        platform: platformIn(stack),
        prometheus: workspace(),
        identity: GrafanaIdentity.identityCenter(),
        ...props,
      }),
    props: {
      platform: otherPlatform,
      prometheus: () => workspace('ws-2'),
      identity: () => GrafanaIdentity.saml({ metadataUrl: 'https://idp.example.com', adminRoles: ['admin'] }),
      version: () => '10.4',
    },
  },
  GrafanaFillingProps: {
    make: (stack, props) =>
      new GrafanaFilling(stack, 'Part', {
        platform: platformIn(stack),
        target: grafanaAt('https://g.example.com'),
        prometheus: workspace(),
        deadLetters: queue(stack),
        ...props,
      }),
    props: {
      platform: otherPlatform,
      target: () => grafanaAt('https://other.example.com'),
      prometheus: () => workspace('ws-2'),
      prefix: () => 'second',
      deadLetters: (stack) => queue(stack, 'Given'),
      every: () => Duration.hours(1),
    },
  },
  GrantsProps: {
    make: (stack, props) => {
      const platform = platformIn(stack);
      const bindings = new Bindings();
      const grants = new Grants(stack, {
        platform,
        collector: new Collector(stack, 'Collector', { platform }),
        publisher: new Publisher(stack, 'Publisher', { platform }),
        bindings,
        ...props,
      });
      const role = new iam.Role(stack, 'Sender', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
      grants.produce(role);
      grants.capture(role, 'churn');
      return bindings.json;
    },
    props: {
      platform: otherPlatform,
      collector: (stack) => new Collector(stack, 'Given', { platform: platformIn(stack) }),
      publisher: (stack) => {
        const publisher = new Publisher(stack, 'Given', { platform: platformIn(stack) });
        // Of a model that is known nothing is warned.
        publisher.claim('somebody', [churn]);
        return publisher;
      },
      bindings: () => new Bindings(),
    },
  },
  PlatformLinksProps: {
    make: (stack, props) =>
      new PlatformLinks(stack, 'Part', { environmentName: 'test', values: valuesOfLinks('value'), ...props }),
    props: { environmentName: () => 'other', values: () => valuesOfLinks('given') },
  },
  EnvironmentReference: {
    make: (stack, props) => {
      const platform = ModelMonitoring.fromEnvironment(stack, 'Part', { name: 'production', ...props });
      const role = new iam.Role(stack, 'Sender', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
      platform.grants.produce(role);
      return platform.metrics.has('openEpisodes');
    },
    props: { name: () => 'staging', metricDetail: () => 'none' },
  },
  ModelMonitorProps: {
    make: (stack, props) => new ModelMonitor(stack, 'Part', { platform: imported(stack), monitor: churn, ...props }),
    props: {
      platform: (stack) => imported(stack, 'staging'),
      monitor: () => other,
      channels: () => [Channel.email('team@example.com')],
      alarms: (stack) => ({ topics: { warning: topic(stack, 'Team') } }),
    },
  },
  TeamChannelsProps: {
    make: (stack, props) =>
      new TeamChannels(stack, 'Part', {
        platform: imported(stack),
        model: 'churn',
        channels: [Channel.email('team@example.com')],
        ...props,
      }).deliveries,
    props: {
      platform: (stack) => imported(stack, 'staging'),
      model: () => 'other',
      channels: () => [Channel.https('https://example.com')],
    },
  },
  BorrowedRoleProps: {
    make: (stack, props) => {
      new BorrowedRole(stack, 'Part', {
        roleArn: 'arn:aws:iam::111122223333:role/first',
        ...props,
      }).addToPolicy(new iam.PolicyStatement({ actions: ['sns:Publish'], resources: ['arn:aws:sns:::t'] }));
    },
    props: { roleArn: () => 'arn:aws:iam::111122223333:role/given' },
  },
};

const grafanaAt = (url: string) => ({ settings: { Url: url }, statements: [], url }) as never;

function valuesOfLinks(value: string): Readonly<Record<keyof typeof LINKS, string>> {
  return Object.fromEntries(Object.keys(LINKS).map((link) => [link, `${value}-${link}`])) as Record<
    keyof typeof LINKS,
    string
  >;
}
