/** What anything deployed may do: exact actions, named resources, TLS only, keys where they were asked for. */
import { describe, expect, it } from 'vitest';
import type { EnvironmentInput } from '../../lib/aws/environment/environment-schema.ts';
import { EVERYTHING, environment } from './environments.ts';
import { allowed, list, ofType, type Resource, resourcesOf, statementsOf } from './template.ts';
import './without-validation.ts';

const CASES: readonly (readonly [string, EnvironmentInput])[] = [
  ['defaults', {}],
  ['everything', EVERYTHING],
];
const templates = new Map(CASES.map(([name, input]) => [name, resourcesOf(environment(input).stack)]));
const of = (name: string): readonly Resource[] => templates.get(name) ?? [];

describe.each(CASES.map(([name]) => name))('%s', (name) => {
  it('allows no action with a wildcard', () => {
    const wild = statementsOf(of(name))
      .filter(({ statement }) => statement.Effect === 'Allow')
      .flatMap(({ id, statement }) =>
        list(statement.Action)
          .filter((action) => action.includes('*'))
          .map((action) => `${id}: ${action}`),
      )
      // The root of the account over its own key: without it nobody could ever change the key.
      .filter((text) => !/Key[0-9A-F]{8}: kms:\*$/.test(text));
    expect(wild).toEqual([]);
  });

  it('uses no managed policy', () => {
    expect(
      ofType(of(name), 'AWS::IAM::Role').filter(({ Properties }) => Properties.ManagedPolicyArns !== undefined),
    ).toEqual([]);
  });

  it('gives all resources only where there are none to name', () => {
    const anything = statementsOf(ofType(of(name), 'AWS::IAM::Policy'))
      // Amazon Q shows the graph of an alarm, which has no ARN to name.
      .filter(({ id, statement }) => !/slackchannel/i.test(id) && list(statement.Resource).includes('*'))
      .flatMap(({ statement }) => list(statement.Action));
    expect([...new Set(anything)].sort()).toEqual([
      ...(name === 'everything'
        ? [
            'cloudwatch:DescribeAlarmHistory',
            'cloudwatch:DescribeAlarms',
            'cloudwatch:DescribeAlarmsForMetric',
            'cloudwatch:GetMetricData',
            'cloudwatch:GetMetricStatistics',
            'cloudwatch:ListMetrics',
          ]
        : []),
      'cloudwatch:PutMetricData',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  it('gives every function a role of its own', () => {
    const roles = ofType(of(name), 'AWS::Lambda::Function').map(({ Properties }) => JSON.stringify(Properties.Role));
    expect(new Set(roles).size).toBe(roles.length);
    expect(roles.length).toBeGreaterThan(9);
  });

  it.each([
    ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy', 'Bucket'],
    ['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy', 'Queues'],
    ['AWS::SNS::Topic', 'AWS::SNS::TopicPolicy', 'Topics'],
  ])('refuses what is not TLS at every %s', (type, policyType, property) => {
    const guarded = ofType(of(name), policyType)
      .filter(({ Properties }) =>
        list<{ Effect: string; Condition?: { Bool?: Record<string, string> } }>(
          Properties.PolicyDocument.Statement,
        ).some(({ Effect, Condition }) => Effect === 'Deny' && Condition?.Bool?.['aws:SecureTransport'] === 'false'),
      )
      .map(({ Properties }) => JSON.stringify(Properties[property]));
    const resources = ofType(of(name), type);
    expect(resources.length).toBeGreaterThan(0);
    for (const { id } of resources) expect(guarded.filter((text) => text.includes(`"${id}"`))).toHaveLength(1);
  });

  it('lets a service act for this account alone', () => {
    // Keys say why they do not: not every service names its source when it uses one.
    const withoutKeys = of(name).filter(({ Type }) => Type !== 'AWS::KMS::Key');
    const open = statementsOf(withoutKeys).filter(({ statement: { Principal, Condition, Effect } }) => {
      const service = (Principal as { Service?: unknown } | undefined)?.Service;
      // Lambda has no such condition for roles that functions run under.
      return (
        Effect === 'Allow' && service !== undefined && Condition === undefined && service !== 'lambda.amazonaws.com'
      );
    });
    expect(open).toEqual([]);
  });
});

describe('a key', () => {
  const ENCRYPTED: Readonly<Record<string, (properties: Resource['Properties']) => unknown>> = {
    'AWS::Kinesis::Stream': ({ StreamEncryption }) => StreamEncryption.KeyId,
    'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
    'AWS::SNS::Topic': ({ KmsMasterKeyId }) => KmsMasterKeyId,
    'AWS::Logs::LogGroup': ({ KmsKeyId }) => KmsKeyId,
    'AWS::SecretsManager::Secret': ({ KmsKeyId }) => KmsKeyId,
  };

  it.each(Object.keys(ENCRYPTED))('encrypts every %s where there is one', (type) => {
    const resources = ofType(of('everything'), type);
    expect(resources.length).toBeGreaterThan(0);
    for (const { id, Properties } of resources)
      expect([id, JSON.stringify(ENCRYPTED[type]!(Properties))]).toEqual([id, expect.stringMatching(/GetAtt.*Key/)]);
  });

  it('encrypts the bucket, the capture and answers of queries where there is one', () => {
    const text = (type: string, id: RegExp): string =>
      JSON.stringify(ofType(of('everything'), type).filter((resource) => id.test(resource.id)));
    expect(text('AWS::S3::Bucket', /StoreBucket/)).toContain('"SSEAlgorithm":"aws:kms"');
    expect(text('AWS::KinesisFirehose::DeliveryStream', /./)).toContain('AWSKMSKeyARN');
    expect(text('AWS::Athena::WorkGroup', /./)).toContain('"EncryptionOption":"SSE_KMS"');
  });

  it('is needed nowhere: without one there is that of the topics alone, which alarms cannot do without', () => {
    expect(ofType(of('defaults'), 'AWS::KMS::Key').map(({ id }) => id)).toEqual([
      expect.stringMatching(/^MonitoringAlertingKey/),
    ]);
  });
});

describe('functions', () => {
  const ALWAYS = ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
  const READS = ['s3:GetObject', 's3:ListBucket'];
  const INSPECTS = [
    'kinesis:DescribeStreamSummary',
    'kinesis:GetRecords',
    'kinesis:GetShardIterator',
    'kinesis:ListShards',
  ];
  const EXACT: Readonly<Record<string, readonly string[]>> = {
    MonitoringCollectorHandler: [
      ...READS,
      's3:PutObject',
      'kinesis:DescribeStreamSummary',
      'kinesis:PutRecords',
      'secretsmanager:GetSecretValue',
    ],
    MonitoringProfilerHandler: [...READS, 's3:PutObject', ...INSPECTS, 'kinesis:DescribeStream', 'kinesis:ListStreams'],
    MonitoringRedriveHandler: [...READS, 's3:PutObject', ...INSPECTS, 'sqs:SendMessage'],
    MonitoringEvaluatorDispatcher: [...READS, 's3:PutObject', ...INSPECTS, 'sqs:SendMessage'],
    MonitoringEvaluatorHandler: [
      ...READS,
      's3:PutObject',
      ...INSPECTS,
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ],
    MonitoringLabelerHandler: [
      ...READS,
      's3:PutObject',
      's3:GetBucketLocation',
      ...INSPECTS,
      'athena:GetQueryExecution',
      'athena:GetQueryResults',
      'athena:StartQueryExecution',
      'athena:StopQueryExecution',
      'glue:GetDatabase',
      'glue:GetPartitions',
      'glue:GetTable',
      'sqs:SendMessage',
    ],
    MonitoringCleanerHandler: [...READS, 's3:PutObject', 's3:DeleteObject', 'sqs:SendMessage'],
    MonitoringPublisherHandler: [...READS, 's3:PutObject', 's3:DeleteObject', 'secretsmanager:GetSecretValue'],
  };

  it.each(Object.keys(EXACT))('%s may do this and nothing else', (prefix) => {
    expect(allowed(of('defaults'), prefix)).toEqual([...ALWAYS, ...EXACT[prefix]!].sort());
  });

  it('have no secret in their environment', () => {
    const values = ofType(of('everything'), 'AWS::Lambda::Function').flatMap(({ Properties }) =>
      Object.entries(Properties.Environment.Variables as Record<string, unknown>),
    );
    expect(values.filter(([name]) => /SECRET/.test(name)).length).toBeGreaterThan(3);
    for (const [name, value] of values)
      if (/SECRET/.test(name)) {
        expect(name).toMatch(/_ARN$/);
        expect(JSON.stringify(value)).toMatch(/secretsmanager|PolicyKey/);
      }
  });
});
