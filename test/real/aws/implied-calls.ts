/**
 * What services of AWS ask for with the role of a function, and no request of the function shows: its log, its traces, what reads a queue or a
 * stream for it, keys, and what a query reads. As data, each with where AWS says so.
 */
import type { PolicyRequest } from '../../aws/policy-evaluator.ts';
import { ACCOUNT, REGION } from './emulator.ts';

/** A deployed resource, by its physical id. */
export interface DeployedResource {
  readonly logicalId: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: properties of any resource
  readonly properties: any;
  readonly attributes: Readonly<Record<string, unknown>>;
}
export type Deployed = Readonly<Record<string, DeployedResource>>;

const arn = (service: string, resource: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
const request = (action: string, resource: string): PolicyRequest => ({ action, resource, context: {} });

/** Actions on the key of a resource, by the action on the resource. */
const UNDER_A_KEY: Readonly<Record<string, readonly string[]>> = {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
  's3:GetObject': ['kms:Decrypt'],
  's3:PutObject': ['kms:GenerateDataKey'],
  // https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
  'kinesis:PutRecord': ['kms:GenerateDataKey'],
  'kinesis:PutRecords': ['kms:GenerateDataKey'],
  'kinesis:GetRecords': ['kms:Decrypt'],
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
  'sqs:SendMessage': ['kms:GenerateDataKey', 'kms:Decrypt'],
  'sqs:ReceiveMessage': ['kms:Decrypt'],
  // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  'sns:Publish': ['kms:GenerateDataKey', 'kms:Decrypt'],
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  'secretsmanager:GetSecretValue': ['kms:Decrypt'],
};

/**
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html and …/services-sqs-configure.html
 * `ListStreams` knows no resource elsewhere; Lambda looks whether it is allowed for the stream, and the CDK grants it so.
 */
const POLLER: Readonly<Record<string, readonly string[]>> = {
  kinesis: ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards', 'ListStreams'],
  sqs: ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'ChangeMessageVisibility'],
};

/** The ARN of a resource and that of its key, or none. */
function keyOf(id: string, { type, properties }: DeployedResource): readonly [string, string | undefined] {
  switch (type) {
    case 'AWS::S3::Bucket': {
      const [rule] = properties.BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
      return [`arn:aws:s3:::${id}`, rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID];
    }
    case 'AWS::Kinesis::Stream':
      return [arn('kinesis', `stream/${id}`), properties.StreamEncryption?.KeyId];
    case 'AWS::SQS::Queue':
      return [arn('sqs', id.slice(id.lastIndexOf('/') + 1)), properties.KmsMasterKeyId];
    case 'AWS::SNS::Topic':
      return [id, properties.KmsMasterKeyId];
    case 'AWS::SecretsManager::Secret':
      return [id, properties.KmsKeyId];
    default:
      return [id, undefined];
  }
}

/** ARN of a resource → ARN of the key that it lies under. Keys of AWS itself need no right. */
export function keysOf(deployed: Deployed): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const [id, resource] of Object.entries(deployed)) {
    const [owner, key] = keyOf(id, resource);
    if (key !== undefined && !key.startsWith('alias/aws/'))
      keys.set(owner, key.startsWith('arn:') ? key : arn('kms', `key/${key}`));
  }
  return keys;
}

/** What a call brings with it. */
export function broughtBy(call: PolicyRequest, deployed: Deployed, keys: ReadonlyMap<string, string>): PolicyRequest[] {
  const owner = call.resource.startsWith('arn:aws:s3:::') ? call.resource.replace(/\/.*/s, '') : call.resource;
  const key = keys.get(owner);
  const brought = key === undefined ? [] : (UNDER_A_KEY[call.action] ?? []).map((action) => request(action, key));
  // A query reads the table and writes its answer as whoever asked.
  // https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
  if (call.action === 'athena:StartQueryExecution')
    for (const { type, properties } of Object.values(deployed)) {
      if (type === 'AWS::Glue::Table') {
        const { DatabaseName, TableInput } = properties;
        const table = [
          arn('glue', 'catalog'),
          arn('glue', `database/${DatabaseName}`),
          arn('glue', `table/${DatabaseName}/${TableInput.Name}`),
        ];
        for (const resource of table.slice(0, 2)) brought.push(request('glue:GetDatabase', resource));
        for (const resource of table)
          for (const action of ['glue:GetTable', 'glue:GetPartitions']) brought.push(request(action, resource));
        brought.push(...objects(TableInput.StorageDescriptor.Location, ['s3:GetObject'], keys));
      }
      if (type === 'AWS::Athena::WorkGroup') {
        const location = properties.WorkGroupConfiguration?.ResultConfiguration?.OutputLocation;
        if (location !== undefined) brought.push(...objects(location, ['s3:GetObject', 's3:PutObject'], keys));
      }
    }
  return brought;
}

/** Access to what lies under `s3://bucket/prefix/`, as a query engine goes about it. */
function objects(location: string, actions: readonly string[], keys: ReadonlyMap<string, string>): PolicyRequest[] {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(location) ?? [];
  const calls = [
    request('s3:GetBucketLocation', `arn:aws:s3:::${bucket}`),
    { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}`, context: { 's3:prefix': prefix } },
    ...actions.map((action) => request(action, `arn:aws:s3:::${bucket}/${prefix}some`)),
  ];
  const key = keys.get(`arn:aws:s3:::${bucket}`);
  const underKey = key === undefined ? [] : actions.flatMap((one) => UNDER_A_KEY[one] ?? []);
  return [...calls, ...underKey.map((action) => request(action, key ?? ''))];
}

/** What running a function brings with it. */
export function broughtByRunning(name: string, deployed: Deployed, keys: ReadonlyMap<string, string>): PolicyRequest[] {
  const { properties } = deployed[name] ?? { properties: {} };
  const log: string = properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
  const calls = ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) =>
    request(action, arn('logs', `log-group:${log}:log-stream:some`)),
  );
  // https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
  if (properties.TracingConfig?.Mode === 'Active')
    calls.push(...['xray:PutTraceSegments', 'xray:PutTelemetryRecords'].map((action) => request(action, '*')));
  for (const { type, properties: mapping } of Object.values(deployed)) {
    // https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    const givenUp: string | undefined = mapping.DestinationConfig?.OnFailure?.Destination;
    if (type === 'AWS::Lambda::EventInvokeConfig' && named(mapping.FunctionName, name) && givenUp !== undefined)
      calls.push(request(givenUp.startsWith('arn:aws:sns:') ? 'sns:Publish' : 'sqs:SendMessage', givenUp));
    if (type !== 'AWS::Lambda::EventSourceMapping' || !named(mapping.FunctionName, name)) continue;
    const source: string = mapping.EventSourceArn;
    const service = source.split(':')[2] ?? '';
    for (const action of POLLER[service] ?? []) calls.push(request(`${service}:${action}`, source));
    const failed: string | undefined = mapping.DestinationConfig?.OnFailure?.Destination;
    // https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    if (failed?.startsWith('arn:aws:s3:::'))
      calls.push(request('s3:PutObject', `${failed}/aws/lambda/some`), {
        action: 's3:ListBucket',
        resource: failed,
        context: { 's3:prefix': 'aws/lambda/some' },
      });
    else if (failed !== undefined) calls.push(request('sqs:SendMessage', failed));
  }
  return [...calls, ...calls.flatMap((call) => broughtBy(call, deployed, keys))];
}

function named(functionName: string, name: string): boolean {
  return functionName === name || functionName.split(':')[6] === name;
}
