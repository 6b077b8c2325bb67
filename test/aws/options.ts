/** Values for every prop of the facade: what is tried together, and one by one. The compiler asks for a line for each prop that there is. */
import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import { CollectorAccess } from '../../lib/aws/access/collector-access.ts';
import { CaptureFormat } from '../../lib/aws/capture-format.ts';
import { StreamCapacity } from '../../lib/aws/event-stream.ts';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { GrafanaIdentity } from '../../lib/aws/grafana/grafana-identity.ts';
import type { ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { Network } from '../../lib/aws/network/network.ts';
import { Notifications } from '../../lib/aws/watching/alerting.ts';
import { Channel } from '../../lib/aws/watching/channel.ts';
import { Prometheus } from '../../lib/aws/watching/prometheus.ts';

type Values = {
  readonly [K in keyof Required<ModelMonitoringProps>]: readonly ((stack: Stack) => ModelMonitoringProps[K])[];
};

const secret = (stack: Stack, name: string) =>
  secretsmanager.Secret.fromSecretNameV2(stack, `Secret-${name}`, `monitoring/${name}`);
/** Two zones of subnets without a way out, that nobody looks up. */
export const broughtVpc = (stack: Stack): ec2.IVpc =>
  ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-00000001',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    isolatedSubnetIds: ['subnet-00000001', 'subnet-00000002'],
    isolatedSubnetRouteTableIds: ['rtb-00000001', 'rtb-00000002'],
  });
const arn = (stack: Stack, service: string, resource: string) => stack.formatArn({ service, resource });

/** Each value differs from the default; the first must change what is made. */
export const OPTIONS: Values = {
  grafana: [
    () => Grafana.managed({ identity: GrafanaIdentity.identityCenter() }),
    () => Grafana.existing({ workspaceId: 'g-1', region: 'eu-west-1', prefix: 'second' }),
    (stack) => Grafana.selfRun({ url: 'https://grafana.example.com', token: secret(stack, 'grafana') }),
  ],
  channels: [
    (stack) => [Channel.slack(secret(stack, 'slack')), Channel.email('ml@example.com')],
    (stack) => [
      Channel.pagerDuty(secret(stack, 'pagerduty')),
      Channel.slackChannel({ workspace: 'T0', channel: 'C0' }),
    ],
    () => [],
  ],
  models: [
    () => [Monitor.of({ model: 'churn', features: { age: { type: 'numeric' } } })],
    () =>
      Array.from({ length: 40 }, (_, i) =>
        Monitor.of({ model: `model-${i}`, features: { age: { type: 'numeric' }, plan: { type: 'categorical' } } }),
      ),
  ],
  environmentName: [() => 'staging'],
  access: [
    () => CollectorAccess.jwt({ issuer: 'https://issuer.example.com', audience: ['ml'] }),
    (stack) => CollectorAccess.keys(secret(stack, 'keys')),
  ],
  kserveSecret: [(stack) => secret(stack, 'kserve')],
  policyKey: [(stack) => secret(stack, 'policy')],
  sageMaker: [
    (stack) => ({
      bucket: s3.Bucket.fromBucketName(stack, 'Endpoints', 'captured-endpoints'),
      prefix: 'capture',
      sources: [{ endpoint: 'churn-endpoint', model: 'churn', version: '3', inputs: ['age'] }],
    }),
  ],
  capacity: [() => StreamCapacity.provisioned({ shards: 2 })],
  stream: [
    (stack) => ({
      stream: kinesis.Stream.fromStreamArn(
        stack,
        'BroughtStream',
        stack.formatArn({ service: 'kinesis', resource: 'stream', resourceName: 'events' }),
      ),
      startingPosition: lambda.StartingPosition.LATEST,
      retention: Duration.days(3),
    }),
  ],
  bucket: [(stack) => s3.Bucket.fromBucketName(stack, 'BroughtBucket', 'models-of-ours')],
  key: [
    (stack) => new kms.Key(stack, 'OwnKey', { enableKeyRotation: true }),
    (stack) =>
      kms.Key.fromKeyArn(stack, 'BroughtKey', stack.formatArn({ service: 'kms', resource: 'key', resourceName: 'k' })),
  ],
  captureFormat: [() => CaptureFormat.jsonLines()],
  captureBuffer: [() => Duration.minutes(1)],
  captureRetention: [() => Duration.days(30)],
  batchWindow: [() => Duration.seconds(10)],
  linkBase: [() => 'https://ml.example.com'],
  runbookBase: [() => 'https://ml.example.com/runbook'],
  routes: [() => [{ match: { owner: 'team' }, channels: ['email'] }]],
  mutes: [() => [{ match: { model: 'churn' }, reason: 'known' }]],
  maintenance: [() => [{ at: '02:00', for: '2h', days: ['sunday'], timezone: 'Europe/Berlin', reason: 'backups' }]],
  modelAlarms: [
    (stack) => ({ churn: { topics: { warning: sns.Topic.fromTopicArn(stack, 'Team', arn(stack, 'sns', 'team')) } } }),
  ],
  notifications: [() => Notifications.fromAlarms()],
  eventBus: [
    () => ({ archive: Duration.days(30) }),
    (stack) => ({ bus: events.EventBus.fromEventBusName(stack, 'BroughtBus', 'company'), carries: ['episodes'] }),
  ],
  topics: [(stack) => ({ critical: sns.Topic.fromTopicArn(stack, 'Pages', arn(stack, 'sns', 'pages')) })],
  heartbeat: [(stack) => sns.Topic.fromTopicArn(stack, 'Heartbeat', arn(stack, 'sns', 'heartbeat'))],
  metricDetail: [() => 'summary', () => 'none'],
  prometheus: [() => Prometheus.none(), () => Prometheus.existing({ workspaceId: 'ws-1' })],
  metricBudget: [() => 0.01, () => 5_000],
  traffic: [() => ({ eventsPerMonth: 1e8 }), () => ({ eventsPerMonth: 1e6, overHttp: 1, eventsPerRecord: 1 })],
  prices: [() => ({ asOf: '2026-11-21', prices: { cloudWatchMetric: [{ usd: 1e5 }] } })],
  budget: [() => 0.01],
  alerts: [() => ({ 'no-events': { threshold: 60 }, 'records-lost': { off: true } })],
  network: [(stack) => Network.withInternet({ vpc: broughtVpc(stack) })],
  permissionsBoundary: [(stack) => iam.ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'workloads')],
  removalPolicy: [() => RemovalPolicy.DESTROY],
};
