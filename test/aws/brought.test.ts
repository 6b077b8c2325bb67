/** What exists already is used, and nothing is made in its place. */
import { Duration, Stack } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import { beforeAll, describe, expect, it } from 'vitest';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { ModelMonitoring } from '../../lib/aws/model-monitoring.ts';
import { testApp } from './app.ts';
import { ofType, type Resource, resourcesOf, statementsOf } from './template.ts';
import './without-validation.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000';
const STREAM = 'arn:aws:kinesis:eu-central-1:111122223333:stream/events';
const topic = (name: string): string => `arn:aws:sns:eu-central-1:111122223333:${name}`;

describe('a stream, a bucket, a key, topics and a secret that were brought', () => {
  let monitoring: ModelMonitoring;
  let resources: readonly Resource[];
  beforeAll(() => {
    const stack = new Stack(testApp(), 'Platform');
    monitoring = new ModelMonitoring(stack, 'Monitoring', {
      grafana: Grafana.none(),
      channels: [],
      bucket: s3.Bucket.fromBucketName(stack, 'Bucket', 'ours'),
      stream: {
        stream: kinesis.Stream.fromStreamArn(stack, 'Stream', STREAM),
        startingPosition: lambda.StartingPosition.AT_TIMESTAMP,
        startingPositionTimestamp: 1_700_000_000,
        retention: Duration.days(2),
      },
      key: kms.Key.fromKeyArn(stack, 'Key', KEY),
      policyKey: secretsmanager.Secret.fromSecretNameV2(stack, 'PolicyKey', 'monitoring/policy-key'),
      topics: {
        critical: sns.Topic.fromTopicArn(stack, 'Critical', topic('critical')),
        warning: sns.Topic.fromTopicArn(stack, 'Warning', topic('warning')),
        info: sns.Topic.fromTopicArn(stack, 'Info', topic('info')),
      },
    });
    resources = resourcesOf(stack);
  });

  it('are not made again', () => {
    for (const type of [
      'AWS::S3::Bucket',
      'AWS::Kinesis::Stream',
      'AWS::KMS::Key',
      'AWS::SecretsManager::Secret',
      'AWS::SNS::Topic',
    ])
      expect([type, ofType(resources, type)]).toEqual([type, []]);
    expect([monitoring.store, monitoring.eventStream]).toEqual([undefined, undefined]);
  });

  it('are read from where it was said, and packs are kept as long as the stream keeps records', () => {
    const [source] = ofType(resources, 'AWS::Lambda::EventSourceMapping').filter(
      ({ Properties }) => Properties.EventSourceArn === STREAM,
    );
    expect(source?.Properties).toMatchObject({
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: 1_700_000_000,
    });
    const [cleaner] = ofType(resources, 'AWS::Lambda::Function').filter(({ id }) => id.startsWith('MonitoringCleaner'));
    expect(cleaner?.Properties.Environment.Variables.MLMON_PACK_RETENTION_DAYS).toBe('16');
  });

  it('are named in every right, with the key and the secret', () => {
    const rights = statementsOf(ofType(resources, 'AWS::IAM::Policy'));
    const of = (prefix: string): string =>
      JSON.stringify(rights.filter(({ id }) => id.startsWith(prefix)).map(({ statement }) => statement));
    expect(of('MonitoringProfilerHandler')).toContain(STREAM);
    expect(of('MonitoringProfilerHandler')).toContain(':s3:::ours/cursors/*');
    expect(of('MonitoringProfilerHandler')).toContain(KEY);
    expect(of('MonitoringCollectorHandler')).toContain(':secret:monitoring/policy-key-??????');
  });
});
