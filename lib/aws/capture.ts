import { type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  CAPTURE_BUFFER_SECONDS,
  CAPTURE_DELIVERY,
  CAPTURE_ERROR_PREFIX,
  CAPTURE_PREFIX,
} from '../contracts/capture.ts';
import { ProblemError, shown } from '../contracts/problem.ts';
import { keyStatements } from './access/statements.ts';
import { acknowledge, acknowledgePrefix } from './acknowledge.ts';
import { CaptureFormat } from './capture-format.ts';
import { CaptureTables } from './capture-tables.ts';
import { CAPTURE_BUFFER, CAPTURE_BUFFER_MB, LOG_RETENTION } from './defaults.ts';
import type { PlatformContext } from './platform-context.ts';

export interface CaptureProps {
  readonly platform: PlatformContext;
  /** @default CaptureFormat.parquet() */
  readonly format?: CaptureFormat;
  /** Longest that events are held back before they are written. Longer makes fewer, larger files and later labels. @default CAPTURE_BUFFER: 5 minutes */
  readonly buffer?: Duration;
  /** A query that would read more is stopped; bytes. @default QUERY_BYTES_LIMIT: 100 GB */
  readonly queryBytesLimit?: number;
}

/**
 * Writes every event of the stream to the bucket, by day and hour, and makes it a table. No code of ours is in between: if the profiler is
 * wrong, the capture is still right.
 */
export class Capture extends Construct {
  readonly tables: CaptureTables;
  readonly deliveryStream: firehose.CfnDeliveryStream;
  readonly logGroup: logs.LogGroup;
  readonly role: iam.Role;
  /** Longest that events are held back. */
  readonly buffer: Duration;

  constructor(scope: Construct, id: string, props: CaptureProps) {
    super(scope, id);
    const { platform } = props;
    const { account, region } = Stack.of(this);
    const format = props.format ?? CaptureFormat.parquet();
    this.buffer = bounded(props.buffer ?? CAPTURE_BUFFER);
    this.tables = new CaptureTables(this, 'Tables', {
      platform,
      table: format.table,
      queryBytesLimit: props.queryBytesLimit,
    });
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(platform.key === undefined ? {} : { encryptionKey: platform.key }),
    });
    const logStream = new logs.LogStream(this, 'LogStream', {
      logGroup: this.logGroup,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
      description: `Captures events of the model monitoring of ${platform.environmentName}`,
    });
    for (const statement of this.statements(platform, format)) this.role.addToPolicy(statement);
    for (const prefix of [CAPTURE_PREFIX, CAPTURE_ERROR_PREFIX])
      acknowledgePrefix(this.role, platform, prefix, 'names of files are made by the service');
    this.deliveryStream = new firehose.CfnDeliveryStream(this, 'Resource', {
      deliveryStreamType: 'KinesisStreamAsSource',
      kinesisStreamSourceConfiguration: {
        kinesisStreamArn: platform.stream.streamArn,
        roleArn: this.role.roleArn,
      },
      extendedS3DestinationConfiguration: {
        bucketArn: platform.bucket.bucketArn,
        roleArn: this.role.roleArn,
        prefix: CAPTURE_DELIVERY.prefix,
        errorOutputPrefix: CAPTURE_DELIVERY.errorPrefix,
        customTimeZone: CAPTURE_DELIVERY.timeZone,
        bufferingHints: { intervalInSeconds: this.buffer.toSeconds(), sizeInMBs: CAPTURE_BUFFER_MB },
        cloudWatchLoggingOptions: {
          enabled: true,
          logGroupName: this.logGroup.logGroupName,
          logStreamName: logStream.logStreamName,
        },
        ...(platform.key === undefined
          ? {}
          : { encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: platform.key.keyArn } } }),
        ...format.destination({
          database: this.tables.database,
          table: this.tables.table,
          region,
          roleArn: this.role.roleArn,
        }),
      },
    });
    // The service tries all its rights when a delivery stream is made.
    this.deliveryStream.node.addDependency(this.role, ...this.tables.tables);
    acknowledge(
      this.deliveryStream,
      'AwsSolutions-KDF1',
      'its source is an encrypted data stream, where server-side encryption of the delivery stream cannot be set',
    );
  }

  private statements(platform: PlatformContext, format: CaptureFormat): iam.PolicyStatement[] {
    const { bucket, stream, key } = platform;
    return [
      new iam.PolicyStatement({
        actions: [
          'kinesis:DescribeStream',
          'kinesis:DescribeStreamSummary',
          'kinesis:GetRecords',
          'kinesis:GetShardIterator',
          'kinesis:ListShards',
        ],
        resources: [stream.streamArn],
      }),
      new iam.PolicyStatement({
        actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [bucket.bucketArn],
      }),
      new iam.PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        resources: [CAPTURE_PREFIX, CAPTURE_ERROR_PREFIX].map((prefix) => bucket.arnForObjects(`${prefix}*`)),
      }),
      new iam.PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [this.logGroup.logGroupArn] }),
      ...(format.converts
        ? [
            new iam.PolicyStatement({
              actions: ['glue:GetTable', 'glue:GetTableVersion', 'glue:GetTableVersions'],
              resources: [...this.tables.catalogueArns],
            }),
          ]
        : []),
      ...keyStatements(key),
    ];
  }
}

function bounded(buffer: Duration): Duration {
  // Firehose tells when it is deployed.
  if (buffer.isUnresolved()) return buffer;
  const seconds = buffer.toSeconds();
  const { least, most } = CAPTURE_BUFFER_SECONDS;
  if (seconds >= least && seconds <= most) return buffer;
  throw new ProblemError([
    {
      code: 'capture-buffer',
      path: 'buffer',
      message: 'is out of what Firehose takes',
      got: shown(seconds),
      expected: `${least} to ${most} seconds`,
    },
  ]);
}
