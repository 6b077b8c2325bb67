import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  CfnOutput,
  DefaultStackSynthesizer,
  Duration,
  PermissionsBoundary,
  RemovalPolicy,
  Stack,
  type StackProps,
  Validations,
} from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { AlertChanges } from '../../alerts/rules.ts';
import { durationMs } from '../../contracts/duration.ts';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import { eventCount, type Traffic } from '../../cost/usage.ts';
import { CollectorAccess } from '../access/collector-access.ts';
import { CaptureFormat } from '../capture-format.ts';
import { EncryptionKey } from '../encryption-key.ts';
import { StreamCapacity } from '../event-stream.ts';
import type { EventBusOptions } from '../events/event-bus.ts';
import { ModelMonitoring } from '../model-monitoring.ts';
import { Monitor } from '../monitor.ts';
import { NO_CHANNELS, NO_INDEPENDENT_SUBSCRIBER, Notifications } from '../watching/alerting.ts';
import { Channel, type IChannel } from '../watching/channel.ts';
import type { ModelAlarmsOptions } from '../watching/model-alarms.ts';
import { Prometheus } from '../watching/prometheus.ts';
import { existingOf, networkOf } from './environment-brought.ts';
import { grafanaOf } from './environment-grafana.ts';
import { admitPeople } from './environment-people.ts';
import type { EnvironmentChannel, EnvironmentConfig } from './environment-schema.ts';
import { readPrices } from './prices-file.ts';

/** What came of an environment. */
export interface Environment {
  readonly stack: Stack;
  readonly monitoring: ModelMonitoring;
}

/**
 * Makes the stack of an environment, in an App or in a Stage of a pipeline. Nothing is looked up: account and region stand in its file, or are
 * those of whoever deploys.
 */
export function addEnvironment(scope: Construct, config: EnvironmentConfig): Environment {
  const stackName = config.stackName ?? `ModelMonitoring-${config.name}`;
  const stack = new Stack(scope, stackName, {
    stackName,
    description: `Model monitoring: ${config.name}`,
    env: { account: config.account, region: config.region },
    tags: { environment: config.name, ...config.tags },
    // What keeps its data is not to go by mistake either.
    terminationProtection: config.data === 'keep',
    ...governed(config),
  });
  const removalPolicy = config.data === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  const { alerting, capture, collector, metrics, stream } = config;
  const secret = (name: string | undefined): secretsmanager.ISecret | undefined =>
    name === undefined ? undefined : secretNamed(stack, name);
  const monitoring = new ModelMonitoring(stack, 'Monitoring', {
    grafana: grafanaOf(stack, config.grafana, (name) => secretNamed(stack, name)),
    environmentName: config.name,
    models: monitorsOf(config),
    key:
      config.encryption === 'own-key' && config.existing.key === undefined
        ? new EncryptionKey(stack, 'Key', { removalPolicy }).key
        : undefined,
    ...existingOf(stack, config.existing, (name) => secretNamed(stack, name)),
    network: config.network === undefined ? undefined : networkOf(stack, config.network),
    removalPolicy,
    capacity:
      stream.capacity === 'on-demand'
        ? StreamCapacity.onDemand()
        : StreamCapacity.provisioned({ shards: stream.shards, maximumShards: stream.maximumShards }),
    access: accessOf(stack, collector),
    kserveSecret: secret(collector.kserveSecret),
    sageMaker:
      config.sageMaker === undefined
        ? undefined
        : {
            bucket: s3.Bucket.fromBucketName(stack, 'CapturedEndpoints', config.sageMaker.bucket),
            prefix: config.sageMaker.prefix,
            sources: config.sageMaker.sources,
          },
    captureFormat: capture.format === 'parquet' ? CaptureFormat.parquet() : CaptureFormat.jsonLines(),
    captureBuffer: durationOf(capture.buffer),
    captureRetention: durationOf(capture.retention),
    batchWindow: durationOf(config.profiler.batchWindow),
    channels: alerting.channels.map((channel, i) => channelOf(stack, channel, i)),
    routes: alerting.routes,
    mutes: alerting.mutes,
    maintenance: alerting.maintenance,
    modelAlarms: modelAlarmsOf(stack, alerting.modelAlarms),
    // Keys that there are not are told with the nearest one where alarms are made.
    alerts: alerting.alerts as AlertChanges | undefined,
    notifications: alerting.notifiedBy === 'alarms' ? Notifications.fromAlarms() : Notifications.fromEpisodes(),
    eventBus: eventBusOf(stack, config.eventBus),
    linkBase: alerting.linkBase,
    runbookBase: alerting.runbookBase,
    traffic: trafficOf(config.traffic),
    prices: config.prices === undefined ? undefined : readPrices(resolve(config.folder, config.prices)),
    budget: config.budget,
    metricDetail: metrics.detail,
    metricBudget: metrics.budget,
    prometheus: metrics.prometheus === 'none' ? Prometheus.none() : Prometheus.managed(),
  });
  admitPeople(stack, monitoring, config);
  for (const [name, value, description] of [
    ['CollectorUrl', monitoring.collector.url, 'Where senders post: v1/events and v1/labels'],
    ['StreamName', monitoring.platform.stream.streamName, 'Where producers put records'],
    ['BucketName', monitoring.platform.bucket.bucketName, 'Everything that is kept'],
    ['CaptureTable', `${monitoring.capture.tables.database}.${monitoring.capture.tables.table}`, 'Captured events'],
    ['Workgroup', monitoring.capture.tables.workgroup, 'Athena workgroup for questions to the captured events'],
  ] as const)
    new CfnOutput(stack, name, { value, description });
  if (monitoring.eventBus !== undefined)
    new CfnOutput(stack, 'EventBusArn', {
      value: monitoring.eventBus.bus.eventBusArn,
      description: 'Where programs hear of episodes, results and baselines',
    });
  if (monitoring.grafana !== undefined)
    new CfnOutput(stack, 'GrafanaUrl', { value: monitoring.grafana.url, description: 'Graphs of features' });
  if (alerting.silent !== undefined)
    for (const id of [NO_CHANNELS, NO_INDEPENDENT_SUBSCRIBER])
      Validations.of(monitoring).acknowledge({ id, reason: alerting.silent });
  return { stack, monitoring };
}

/** What an organisation lays down for every stack: the most that roles may do, and which bootstrap it is deployed by. */
function governed({ permissionsBoundary, bootstrapQualifier }: EnvironmentConfig): Partial<StackProps> {
  return {
    ...(permissionsBoundary === undefined
      ? {}
      : {
          permissionsBoundary: permissionsBoundary.startsWith('arn:')
            ? PermissionsBoundary.fromArn(permissionsBoundary)
            : PermissionsBoundary.fromName(permissionsBoundary),
        }),
    ...(bootstrapQualifier === undefined
      ? {}
      : { synthesizer: new DefaultStackSynthesizer({ qualifier: bootstrapQualifier }) }),
  };
}

/** Files, and all of folders. The problems of all are told together. */
function monitorsOf({ models, folder, name }: EnvironmentConfig): Monitor[] {
  const problems: Problem[] = [];
  const monitors = models.flatMap((path) => {
    const file = resolve(folder, path);
    const kind = statSync(file, { throwIfNoEntry: false });
    if (kind === undefined) {
      problems.push({
        code: 'file',
        path: `models: ${path}`,
        message: 'there is no such file or folder',
        got: file,
        expected: `a path that is seen from the file of ${name}`,
      });
      return [];
    }
    try {
      return kind.isDirectory() ? Monitor.fromFolder(file) : [Monitor.fromFile(file)];
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return monitors;
}

/** By name: its ARN ends in six characters that only the service knows. One construct for each. */
function secretNamed(stack: Stack, name: string): secretsmanager.ISecret {
  // No name of a secret has a colon, so no two meet.
  const id = `Secret-${name.replaceAll('/', ':')}`;
  const present = stack.node.tryFindChild(id);
  return present === undefined
    ? secretsmanager.Secret.fromSecretNameV2(stack, id, name)
    : (present as unknown as secretsmanager.ISecret);
}

function modelAlarmsOf(
  stack: Stack,
  config: EnvironmentConfig['alerting']['modelAlarms'] = {},
): Readonly<Record<string, ModelAlarmsOptions>> {
  const topic = (arn: string | undefined): sns.ITopic | undefined => {
    if (arn === undefined) return undefined;
    const id = `Topic-${arn}`;
    const present = stack.node.tryFindChild(id);
    return present === undefined ? sns.Topic.fromTopicArn(stack, id, arn) : (present as unknown as sns.ITopic);
  };
  return Object.fromEntries(
    Object.entries(config).map(([model, { critical, warning, info }]) => [
      model,
      { topics: { critical: topic(critical), warning: topic(warning), info: topic(info) } },
    ]),
  );
}

function eventBusOf(stack: Stack, config: EnvironmentConfig['eventBus']): EventBusOptions | undefined {
  if (config === undefined) return undefined;
  const { name, archive, carries } = config;
  return {
    bus: name === undefined ? undefined : events.EventBus.fromEventBusName(stack, 'EventBus', name),
    archive: durationOf(archive),
    carries,
  };
}

function accessOf(stack: Stack, collector: EnvironmentConfig['collector']): CollectorAccess {
  switch (collector.access) {
    case 'iam':
      return CollectorAccess.iam();
    case 'jwt':
      return CollectorAccess.jwt({ issuer: collector.issuer, audience: collector.audience });
    case 'keys':
      return CollectorAccess.keys(secretNamed(stack, collector.keysSecret));
    case 'kserve-only':
      return CollectorAccess.kserveOnly();
  }
}

function channelOf(stack: Stack, channel: EnvironmentChannel, i: number): IChannel {
  const { name } = channel;
  switch (channel.type) {
    case 'slack':
      return Channel.slack(secretNamed(stack, channel.secret), { name });
    case 'teams':
      return Channel.teams(secretNamed(stack, channel.secret), { name });
    case 'webhook':
      return Channel.webhook(secretNamed(stack, channel.secret), { name });
    case 'pagerduty':
      return Channel.pagerDuty(secretNamed(stack, channel.secret), { name, url: channel.url });
    case 'opsgenie':
      return Channel.opsgenie(secretNamed(stack, channel.secret), { name, url: channel.url });
    case 'email':
      return Channel.email(channel.address, { name });
    case 'https':
      return Channel.https(channel.url, { name });
    case 'slack-channel':
      return Channel.slackChannel({ name, workspace: channel.workspace, channel: channel.channel });
    case 'sqs':
      return Channel.sqs(sqs.Queue.fromQueueArn(stack, `Queue-${name ?? i}`, channel.queueArn), { name });
  }
}

function durationOf(text: string | undefined): Duration | undefined {
  return text === undefined ? undefined : Duration.millis(durationMs(text));
}

function trafficOf(traffic: EnvironmentConfig['traffic']): Traffic | undefined {
  if (traffic === undefined) return undefined;
  const { eventsPerMonth } = traffic;
  // The schema has checked that it is a number.
  return {
    ...traffic,
    eventsPerMonth: typeof eventsPerMonth === 'number' ? eventsPerMonth : (eventCount(eventsPerMonth) ?? 0),
  };
}
