/**
 * What becomes of each kind of resource when its stack goes, by what was chosen for the data. Constructs read it, a test holds every template
 * against it, and docs/how-to/remove-everything.md shows it.
 */
import { RemovalPolicy } from 'aws-cdk-lib';

export type Fate = 'keep' | 'delete';

export interface Removal {
  /** In words. */
  readonly what: string;
  /** Of CloudFormation. */
  readonly types: readonly string[];
  /** Only those below a construct with this id; rows with it come before those without. */
  readonly below?: string;
  /** With `data: keep`. */
  readonly keep: Fate;
  /** With `data: delete`. */
  readonly delete: Fate;
  readonly reason: string;
}

/** What holds data, or is needed to read it. */
const KEPT = {
  store: {
    what: 'the bucket of events, counts, results and episodes, and that of its access logs',
    types: ['AWS::S3::Bucket'],
    keep: 'keep',
    delete: 'delete',
    reason: 'data that nobody can make again',
  },
  storePolicy: {
    what: 'their policies',
    types: ['AWS::S3::BucketPolicy'],
    keep: 'keep',
    delete: 'delete',
    reason: 'a bucket that stays goes on to refuse what is not encrypted on its way',
  },
  stream: {
    what: 'the stream',
    types: ['AWS::Kinesis::Stream'],
    keep: 'keep',
    delete: 'delete',
    reason:
      'the last days of events, of which some may not be in the bucket yet; it costs as before until it is deleted',
  },
  policyKey: {
    what: 'the secret that hashes fields',
    types: ['AWS::SecretsManager::Secret'],
    keep: 'keep',
    delete: 'delete',
    reason: 'without it no new hash can be compared with one in the bucket: it lives as long as the bucket',
  },
  publication: {
    what: 'what the platform published: monitors, channels, rights',
    types: ['Custom::ModelMonitoringPublication'],
    keep: 'keep',
    delete: 'delete',
    reason: 'it lies in the bucket; events that come while nothing is deployed belong to monitors all the same',
  },
  topicsKey: {
    what: 'the key of the topics, where the platform has none of its own',
    types: ['AWS::KMS::Key'],
    below: 'Alerting',
    keep: 'delete',
    delete: 'delete',
    reason: 'it encrypted messages under way, and those are gone with their topics',
  },
  key: {
    what: 'the key of the platform',
    types: ['AWS::KMS::Key'],
    keep: 'keep',
    delete: 'delete',
    reason: 'a key lives as long as its data: bucket, stream and secret cannot be read without it',
  },
} as const satisfies Readonly<Record<string, Removal>>;
export type Kept = keyof typeof KEPT;

/** What is made anew by the next deployment, from the template or from the bucket. */
const MADE_AGAIN: readonly Removal[] = [
  {
    what: 'functions, their roles and what calls them',
    types: [
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::Lambda::EventSourceMapping',
      'AWS::Lambda::Function',
      'AWS::Lambda::Permission',
      'AWS::Lambda::Url',
      'AWS::Scheduler::Schedule',
      'AWS::Events::Rule',
    ],
    keep: 'delete',
    delete: 'delete',
    reason: 'made of the template alone',
  },
  {
    what: 'who of other accounts may write to the stream',
    types: ['AWS::Kinesis::ResourcePolicy'],
    keep: 'delete',
    delete: 'delete',
    reason: 'a stream that stays takes nothing from other accounts any more',
  },
  {
    what: 'the HTTP API',
    types: [
      'AWS::ApiGatewayV2::Api',
      'AWS::ApiGatewayV2::Authorizer',
      'AWS::ApiGatewayV2::Integration',
      'AWS::ApiGatewayV2::Route',
      'AWS::ApiGatewayV2::Stage',
    ],
    keep: 'delete',
    delete: 'delete',
    reason: 'made of the template alone; its address is another one afterwards',
  },
  {
    what: 'logs',
    types: ['AWS::Logs::LogGroup', 'AWS::Logs::LogStream'],
    keep: 'delete',
    delete: 'delete',
    reason: 'names and counts of a month, of use to whoever mends what is deployed',
  },
  {
    what: 'queues and topics',
    types: [
      'AWS::SNS::Subscription',
      'AWS::SNS::Topic',
      'AWS::SNS::TopicPolicy',
      'AWS::SQS::Queue',
      'AWS::SQS::QueuePolicy',
    ],
    keep: 'delete',
    delete: 'delete',
    reason: 'messages say what to look at in the bucket, where it still is: the next deployment finds it by itself',
  },
  {
    what: 'the capture of the stream and its tables',
    types: [
      'AWS::Athena::WorkGroup',
      'AWS::Glue::Database',
      'AWS::Glue::Table',
      'AWS::KinesisFirehose::DeliveryStream',
    ],
    keep: 'delete',
    delete: 'delete',
    reason: 'the files lie in the bucket; tables only say how to read them',
  },
  {
    what: 'alarms, dashboards, the workspaces of Prometheus and Grafana',
    types: [
      'AWS::APS::RuleGroupsNamespace',
      'AWS::APS::Workspace',
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::AlarmMuteRule',
      'AWS::CloudWatch::CompositeAlarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::Grafana::Workspace',
      'Custom::ModelMonitoringGrafana',
    ],
    keep: 'delete',
    delete: 'delete',
    reason: 'graphs are drawn from results, which lie in the bucket; series of the past are not written again',
  },
  {
    what: 'chat, the bus of events and parameters that link stacks',
    types: [
      'AWS::Chatbot::SlackChannelConfiguration',
      'AWS::Events::Archive',
      'AWS::Events::EventBus',
      'AWS::Events::EventBusPolicy',
      'AWS::SSM::Parameter',
    ],
    keep: 'delete',
    delete: 'delete',
    reason: 'what was told is in the bucket; who listened is told again by the template',
  },
  {
    what: 'endpoints and security groups of a network without a way out',
    types: ['AWS::EC2::SecurityGroup', 'AWS::EC2::SecurityGroupIngress', 'AWS::EC2::VPCEndpoint'],
    keep: 'delete',
    delete: 'delete',
    reason: 'made of the template alone',
  },
  {
    what: "the library's function that empties buckets",
    types: ['Custom::S3AutoDeleteObjects'],
    keep: 'delete',
    delete: 'delete',
    reason: 'there with `data: delete` alone',
  },
];

export const REMOVAL: readonly Removal[] = [...Object.values(KEPT), ...MADE_AGAIN];

/** What a construct does with a resource that holds data. @param chosen `DESTROY` for `data: delete`, anything else keeps */
export function removalOf(kept: Kept, chosen: RemovalPolicy): RemovalPolicy {
  return KEPT[kept][chosen === RemovalPolicy.DESTROY ? 'delete' : 'keep'] === 'keep'
    ? RemovalPolicy.RETAIN
    : RemovalPolicy.DESTROY;
}
