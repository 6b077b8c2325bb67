/** Each part alone: what it makes of its props. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { describe, expect, it } from 'vitest';
import { CollectorAccess } from '../../lib/aws/access/collector-access.ts';
import { Capture } from '../../lib/aws/capture.ts';
import { CaptureFormat } from '../../lib/aws/capture-format.ts';
import { Cleaner } from '../../lib/aws/cleaner.ts';
import { Collector } from '../../lib/aws/collector.ts';
import { Evaluator } from '../../lib/aws/evaluator.ts';
import { EventStream, StreamCapacity } from '../../lib/aws/event-stream.ts';
import { Labeler } from '../../lib/aws/labeler.ts';
import { DeadLetterQueue } from '../../lib/aws/message-queue.ts';
import type { PlatformContext } from '../../lib/aws/platform-context.ts';
import { Profiler } from '../../lib/aws/profiler.ts';
import { Redrive } from '../../lib/aws/redrive.ts';
import { SageMakerCapture } from '../../lib/aws/sagemaker-capture.ts';
import { Store } from '../../lib/aws/store.ts';
import { StreamScaler } from '../../lib/aws/stream-scaler.ts';
import { CAPTURE_GLUE_COLUMNS } from '../../lib/contracts/capture.ts';
import { PREFIXES } from '../../lib/contracts/object-keys.ts';
import { testApp } from './app.ts';
import { allowed, ofType, resourcesOf } from './template.ts';
import './without-validation.ts';

function stackWith(): {
  readonly stack: Stack;
  readonly platform: PlatformContext;
  readonly deadLetters: DeadLetterQueue;
} {
  const stack = new Stack(testApp(), 'Parts');
  const platform: PlatformContext = {
    environmentName: 'test',
    bucket: s3.Bucket.fromBucketName(stack, 'Bucket', 'platform-bucket'),
    stream: kinesis.Stream.fromStreamArn(stack, 'Stream', 'arn:aws:kinesis:eu-central-1:111122223333:stream/events'),
  };
  return { stack, platform, deadLetters: new DeadLetterQueue(stack, 'DeadLetters') };
}
const only = (stack: Stack, type: string) => {
  const found = ofType(resourcesOf(stack), type);
  expect(found).toHaveLength(1);
  return found[0]!.Properties;
};

describe('Store', () => {
  it('is versioned, closed, logged, and kept', () => {
    const stack = new Stack(testApp(), 'Stack');
    new Store(stack, 'Store');
    const template = Template.fromStack(stack);
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    });
    for (const { Properties } of ofType(resourcesOf(stack), 'AWS::S3::Bucket')) {
      expect(Properties.AccessControl).toBeUndefined();
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    }
  });

  it('lets go what is of use for days only, and nothing else', () => {
    const stack = new Stack(testApp(), 'Stack');
    new Store(stack, 'Store', { captureRetention: Duration.days(400), failedRetention: Duration.days(10) });
    const bucket = ofType(resourcesOf(stack), 'AWS::S3::Bucket').find(
      ({ Properties }) => Properties.VersioningConfiguration,
    );
    const rules = bucket?.Properties.LifecycleConfiguration.Rules as readonly Record<string, unknown>[];
    expect(Object.fromEntries(rules.map(({ Prefix = '', ExpirationInDays }) => [Prefix, ExpirationInDays]))).toEqual({
      'quarantine/': 10,
      'aws/lambda/': 10,
      'capture-errors/': 10,
      'athena-results/': 7,
      'channel-tests/': 7,
      'sagemaker/': 90,
      'capture/': 400,
      'capture-redriven/': 400,
      '': undefined,
    });
    expect(rules.at(-1)).toMatchObject({ NoncurrentVersionExpiration: { NoncurrentDays: 30 } });
  });
});

describe('EventStream', () => {
  it('is on demand, encrypted and kept for a week', () => {
    const stack = new Stack(testApp(), 'Stack');
    new EventStream(stack, 'Events');
    expect(only(stack, 'AWS::Kinesis::Stream')).toEqual({
      RetentionPeriodHours: 168,
      StreamEncryption: { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' },
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    });
  });

  it('has as many shards as were asked for', () => {
    const stack = new Stack(testApp(), 'Stack');
    new EventStream(stack, 'Events', { capacity: StreamCapacity.provisioned({ shards: 3 }) });
    expect(only(stack, 'AWS::Kinesis::Stream')).toMatchObject({
      ShardCount: 3,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
    });
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s shards', (shards) => {
    expect(() => StreamCapacity.provisioned({ shards })).toThrow(
      /capacity.shards: is no number of shards, got .*; expected a whole number of at least 1/,
    );
  });
});

describe('StreamScaler', () => {
  it('looks every five minutes, within its bounds', () => {
    const { stack, platform, deadLetters } = stackWith();
    new StreamScaler(stack, 'Scaler', {
      platform,
      minimumShards: 2,
      maximumShards: 9,
      deadLetters: deadLetters.queue,
    });
    expect(only(stack, 'AWS::Scheduler::Schedule').ScheduleExpression).toBe('rate(5 minutes)');
    expect(only(stack, 'AWS::Lambda::Function').Environment.Variables).toMatchObject({
      MLMON_MINIMUM_SHARDS: '2',
      MLMON_MAXIMUM_SHARDS: '9',
    });
    expect(allowed(resourcesOf(stack), 'ScalerHandler')).toEqual(
      expect.arrayContaining(['cloudwatch:GetMetricData', 'kinesis:DescribeStreamSummary', 'kinesis:UpdateShardCount']),
    );
    expect(allowed(resourcesOf(stack), 'ScalerHandler').filter((action) => action.startsWith('s3'))).toEqual([]);
  });

  it('has bounds in order', () => {
    expect(() => StreamCapacity.provisioned({ shards: 3, maximumShards: 2 })).toThrow(
      /capacity.maximumShards: is no number of shards, got 2; expected a whole number of at least 3/,
    );
  });
});

describe('Capture', () => {
  it('makes Parquet of the columns of the capture, by day and hour', () => {
    const { stack, platform } = stackWith();
    new Capture(stack, 'Capture', { platform });
    const destination = only(stack, 'AWS::KinesisFirehose::DeliveryStream').ExtendedS3DestinationConfiguration;
    expect(destination).toMatchObject({
      Prefix: 'capture/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/',
      BufferingHints: { IntervalInSeconds: 300, SizeInMBs: 128 },
      DataFormatConversionConfiguration: {
        Enabled: true,
        SchemaConfiguration: { TableName: 'capture' },
        InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: { CaseInsensitive: false } } },
        OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression: 'SNAPPY' } } },
      },
    });
    expect(destination.ErrorOutputPrefix).toMatch(/^capture-errors\/!\{firehose:error-output-type\}\//);
    const tables = ofType(resourcesOf(stack), 'AWS::Glue::Table').map(({ Properties }) => Properties.TableInput);
    expect(tables.map(({ Name }) => Name)).toEqual(['capture', 'capture_redriven']);
    for (const { StorageDescriptor, PartitionKeys, Parameters } of tables) {
      expect(StorageDescriptor.Columns.map(({ Name, Type }: { Name: string; Type: string }) => [Name, Type])).toEqual(
        CAPTURE_GLUE_COLUMNS.map(({ name, type }) => [name, type]),
      );
      expect(PartitionKeys.map(({ Name }: { Name: string }) => Name)).toEqual(['dt', 'hr']);
      expect(Parameters).toMatchObject({ 'projection.enabled': 'true', 'projection.hr.digits': '2' });
    }
    expect(tables[0].Parameters['storage.location.template']).toBe(
      ['s3://platform-bucket/capture/dt=', '{dt}/hr=', '{hr}/'].join('$'),
    );
    expect(tables[0].StorageDescriptor.Location).toBe('s3://platform-bucket/capture/');
    expect(allowed(resourcesOf(stack), 'CaptureRole')).toEqual(
      [
        'glue:GetTable',
        'glue:GetTableVersion',
        'glue:GetTableVersions',
        'kinesis:DescribeStream',
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
        'logs:PutLogEvents',
        's3:AbortMultipartUpload',
        's3:GetBucketLocation',
        's3:GetObject',
        's3:ListBucket',
        's3:ListBucketMultipartUploads',
        's3:PutObject',
      ].sort(),
    );
  });

  it('writes lines as they came, where that was chosen, and still makes them a table', () => {
    const { stack, platform } = stackWith();
    new Capture(stack, 'Capture', { platform, format: CaptureFormat.jsonLines() });
    const destination = only(stack, 'AWS::KinesisFirehose::DeliveryStream').ExtendedS3DestinationConfiguration;
    expect(destination).toMatchObject({ CompressionFormat: 'GZIP', FileExtension: '.json.gz' });
    expect(destination.DataFormatConversionConfiguration).toBeUndefined();
    const [table] = ofType(resourcesOf(stack), 'AWS::Glue::Table').map(({ Properties }) => Properties.TableInput);
    expect(table.StorageDescriptor).toMatchObject({
      Location: 's3://platform-bucket/capture/',
      SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
    });
    expect(allowed(resourcesOf(stack), 'CaptureRole').filter((action) => action.startsWith('glue'))).toEqual([]);
  });

  it('bounds what a query may read, whatever its caller says', () => {
    const { stack, platform } = stackWith();
    new Capture(stack, 'Capture', { platform, queryBytesLimit: 5_000_000_000 });
    expect(only(stack, 'AWS::Athena::WorkGroup').WorkGroupConfiguration).toMatchObject({
      EnforceWorkGroupConfiguration: true,
      BytesScannedCutoffPerQuery: 5_000_000_000,
      ResultConfiguration: { OutputLocation: 's3://platform-bucket/athena-results/' },
    });
  });

  it.each([59, 901])('refuses a buffer of %s seconds', (seconds) => {
    const { stack, platform } = stackWith();
    expect(() => new Capture(stack, 'Capture', { platform, buffer: Duration.seconds(seconds) })).toThrow(
      `buffer: is out of what Firehose takes, got ${seconds}; expected 60 to 900 seconds`,
    );
  });
});

describe('Collector', () => {
  const secret = (stack: Stack, name: string) => secretsmanager.Secret.fromSecretNameV2(stack, name, name);

  it('takes signed requests at a Function URL', () => {
    const { stack, platform } = stackWith();
    const collector = new Collector(stack, 'Collector', { platform });
    expect(only(stack, 'AWS::Lambda::Url')).toMatchObject({ AuthType: 'AWS_IAM' });
    expect(ofType(resourcesOf(stack), 'AWS::ApiGatewayV2::Api')).toEqual([]);
    expect(collector.url).toBe(collector.functionUrl?.url);
    // The URL is open to nobody: whoever may sign is granted that.
    expect(ofType(resourcesOf(stack), 'AWS::Lambda::Permission')).toEqual([]);
  });

  it('takes tokens at an HTTP API', () => {
    const { stack, platform } = stackWith();
    new Collector(stack, 'Collector', {
      platform,
      access: CollectorAccess.jwt({ issuer: 'https://issuer.example.com', audience: ['monitoring'] }),
    });
    expect(only(stack, 'AWS::ApiGatewayV2::Authorizer')).toMatchObject({
      AuthorizerType: 'JWT',
      JwtConfiguration: { Audience: ['monitoring'], Issuer: 'https://issuer.example.com' },
    });
    const routes = ofType(resourcesOf(stack), 'AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties);
    expect(routes.map(({ RouteKey, AuthorizationType }) => [RouteKey, AuthorizationType]).sort()).toEqual([
      ['POST /v1/events', 'JWT'],
      ['POST /v1/labels', 'JWT'],
    ]);
    expect(only(stack, 'AWS::ApiGatewayV2::Stage').DefaultRouteSettings).toEqual({
      ThrottlingBurstLimit: 200,
      ThrottlingRateLimit: 100,
    });
  });

  it('refuses tokens that nobody could have, all at once', () => {
    expect(() => CollectorAccess.jwt({ issuer: 'http://issuer.example.com', audience: [] })).toThrow(
      /^access\.issuer: is no issuer of tokens, got "http:.*; expected https:.*\naccess\.audience: is empty/,
    );
  });

  it('takes keys at an HTTP API with an authorizer that may read nothing but them', () => {
    const { stack, platform } = stackWith();
    new Collector(stack, 'Collector', { platform, access: CollectorAccess.keys(secret(stack, 'keys')) });
    expect(only(stack, 'AWS::ApiGatewayV2::Authorizer')).toMatchObject({
      AuthorizerType: 'REQUEST',
      EnableSimpleResponses: true,
      IdentitySource: ['$request.header.Authorization'],
    });
    expect(allowed(resourcesOf(stack), 'CollectorDoorAuthorizer')).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'secretsmanager:GetSecretValue',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  it('lets KServe in by a secret path beside signed requests, and never logs the path', () => {
    const { stack, platform } = stackWith();
    new Collector(stack, 'Collector', { platform, kserveSecret: secret(stack, 'kserve') });
    expect(only(stack, 'AWS::ApiGatewayV2::Route')).toMatchObject({
      RouteKey: 'POST /v1/kserve/{secret}',
      AuthorizationType: 'NONE',
    });
    expect(only(stack, 'AWS::ApiGatewayV2::Stage').AccessLogSettings.Format).not.toMatch(/path|querystring|header/i);
    expect(only(stack, 'AWS::Lambda::Url')).toMatchObject({ AuthType: 'AWS_IAM' });
  });

  it('refuses a door for KServe alone without its secret', () => {
    const { stack, platform } = stackWith();
    expect(() => new Collector(stack, 'Collector', { platform, access: CollectorAccess.kserveOnly() })).toThrow(
      /kserveSecret: is missing/,
    );
  });
});

describe('Profiler', () => {
  const props = { startingPosition: lambda.StartingPosition.TRIM_HORIZON };

  it('reads each shard in order, once at a time, and gives up visibly', () => {
    const { stack, platform } = stackWith();
    new Profiler(stack, 'Profiler', { platform, ...props });
    expect(only(stack, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      BatchSize: 10_000,
      BisectBatchOnFunctionError: true,
      DestinationConfig: { OnFailure: { Destination: expect.anything() } },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumBatchingWindowInSeconds: 60,
      MaximumRecordAgeInSeconds: 86_400,
      MaximumRetryAttempts: 8,
      ParallelizationFactor: 1,
      StartingPosition: 'TRIM_HORIZON',
    });
  });

  it.each(['property', 'override'])('refuses another factor, set by %s', (way) => {
    const { stack, platform } = stackWith();
    const { eventSource } = new Profiler(stack, 'Profiler', { platform, ...props });
    const resource = eventSource.node.defaultChild as lambda.CfnEventSourceMapping;
    if (way === 'property') resource.parallelizationFactor = 4;
    else resource.addPropertyOverride('ParallelizationFactor', 4);
    expect(() => Template.fromStack(stack)).toThrow(
      /parallelizationFactor: would read one shard more than once at a time, got 4; expected 1; add shards/,
    );
  });

  it('asks for the moment that AT_TIMESTAMP is about, and for none otherwise', () => {
    const { stack, platform } = stackWith();
    expect(
      () => new Profiler(stack, 'A', { platform, startingPosition: lambda.StartingPosition.AT_TIMESTAMP }),
    ).toThrow(/startingPositionTimestamp: is missing; expected seconds since 1970/);
    expect(() => new Profiler(stack, 'B', { platform, ...props, startingPositionTimestamp: 1 })).toThrow(
      /startingPositionTimestamp: belongs to AT_TIMESTAMP alone, got 1/,
    );
  });

  it('has escape hatches that reach the template', () => {
    const { stack, platform } = stackWith();
    const { eventSource, handler } = new Profiler(stack, 'Profiler', { platform, ...props });
    (eventSource.node.defaultChild as lambda.CfnEventSourceMapping).maximumRetryAttempts = 3;
    (handler.function.node.defaultChild as lambda.CfnFunction).addPropertyOverride('ReservedConcurrentExecutions', 7);
    expect(only(stack, 'AWS::Lambda::EventSourceMapping').MaximumRetryAttempts).toBe(3);
    expect(only(stack, 'AWS::Lambda::Function').ReservedConcurrentExecutions).toBe(7);
  });
});

describe('Redrive', () => {
  it('is called for what was given up, in the form of a notification, and leaves nothing unseen', () => {
    const { stack, platform } = stackWith();
    new Redrive(stack, 'Redrive', { platform });
    const rule = only(stack, 'AWS::Events::Rule');
    expect(rule.EventPattern).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: {
        bucket: { name: ['platform-bucket'] },
        object: { key: [{ prefix: PREFIXES.onFailure }, { prefix: 'capture-errors/' }] },
      },
    });
    const { InputTemplate } = rule.Targets[0].InputTransformer;
    expect(JSON.parse(InputTemplate.replace('<bucket>', '"b"').replace('<key>', '"k"'))).toEqual({
      Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: 'b' }, object: { key: 'k' } } }],
    });
    expect(rule.Targets[0].DeadLetterConfig).toBeDefined();
    expect(only(stack, 'AWS::Lambda::EventInvokeConfig')).toMatchObject({
      DestinationConfig: { OnFailure: { Destination: expect.anything() } },
    });
  });
});

describe('Evaluator', () => {
  it('looks every minute, and hides a message six times as long as a call may take', () => {
    const { stack, platform, deadLetters } = stackWith();
    new Evaluator(stack, 'Evaluator', { platform, deadLetters: deadLetters.queue });
    expect(only(stack, 'AWS::Scheduler::Schedule')).toMatchObject({ ScheduleExpression: 'rate(1 minute)' });
    const [queue] = ofType(resourcesOf(stack), 'AWS::SQS::Queue').filter(({ Properties }) => Properties.RedrivePolicy);
    const [handler] = ofType(resourcesOf(stack), 'AWS::Lambda::Function').filter(({ id }) => /Handler/.test(id));
    expect(queue?.Properties.VisibilityTimeout).toBe(6 * handler?.Properties.Timeout);
    expect(only(stack, 'AWS::Lambda::EventSourceMapping')).toMatchObject({
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 10 },
    });
  });
});

describe('Labeler', () => {
  it('asks in the workgroup of the capture, after what Firehose may hold back', () => {
    const { stack, platform, deadLetters } = stackWith();
    const capture = new Capture(stack, 'Capture', { platform, buffer: Duration.minutes(2) });
    new Labeler(stack, 'Labeler', { platform, capture, deadLetters: deadLetters.queue });
    expect(only(stack, 'AWS::Lambda::Function').Environment.Variables).toMatchObject({
      MLMON_WORKGROUP: capture.tables.workgroup,
      MLMON_DATABASE: capture.tables.database,
      MLMON_TABLE: 'capture',
      MLMON_CAPTURE_DELAY_SECONDS: '540',
    });
    expect(only(stack, 'AWS::Athena::WorkGroup').Name).toBe(capture.tables.workgroup);
    expect(only(stack, 'AWS::Glue::Database').DatabaseInput.Name).toBe(capture.tables.database);
    expect(capture.tables.database).toMatch(/^[a-z0-9_]+$/);
  });
});

describe('Cleaner', () => {
  it('keeps packs as long as a record can come, in whole days', () => {
    const { stack, platform, deadLetters } = stackWith();
    new Cleaner(stack, 'Cleaner', { platform, deadLetters: deadLetters.queue, retention: Duration.hours(100) });
    expect(only(stack, 'AWS::Lambda::Function').Environment.Variables).toMatchObject({
      MLMON_PACK_RETENTION_DAYS: '5',
    });
  });
});

describe('SageMakerCapture', () => {
  it('queues new files of its endpoints alone, and may read no others', () => {
    const { stack, platform } = stackWith();
    const key = new kms.Key(stack, 'Key');
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Endpoints', {
      bucketName: 'endpoints',
      encryptionKey: key,
    });
    new SageMakerCapture(stack, 'SageMaker', {
      platform,
      bucket,
      prefix: '/captured/',
      sources: [
        { endpoint: 'churn', variant: 'blue', model: 'churn' },
        { endpoint: 'churn', variant: 'green', model: 'churn' },
        { endpoint: 'late', model: 'flight-delay' },
      ],
    });
    const resources = resourcesOf(stack);
    expect(only(stack, 'AWS::Events::Rule').EventPattern.detail).toEqual({
      bucket: { name: ['endpoints'] },
      object: { key: [{ prefix: 'captured/churn/' }, { prefix: 'captured/late/' }] },
    });
    const text = JSON.stringify(ofType(resources, 'AWS::IAM::Policy'));
    expect(text).toContain(':s3:::endpoints/captured/churn/*');
    expect(text).not.toContain(':s3:::endpoints/*');
    expect(allowed(resources, 'SageMakerHandler')).toContain('kms:Decrypt');
  });

  it('tells all that is wrong with its sources', () => {
    const { stack, platform } = stackWith();
    expect(
      () =>
        new SageMakerCapture(stack, 'SageMaker', {
          platform,
          bucket: platform.bucket,
          sources: [{ endpoint: '', model: 'Churn' }],
        }),
    ).toThrow(/sources.0.endpoint(.|\n)*sources.0.model/);
  });
});
