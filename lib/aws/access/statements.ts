/** Statements of policies, by exact actions. Grants of the library use wildcard actions, so these are used instead. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kinesis from 'aws-cdk-lib/aws-kinesis';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { FunctionRights } from './function-rights.ts';

export const KINESIS_READ = [
  'kinesis:DescribeStreamSummary',
  'kinesis:GetRecords',
  'kinesis:GetShardIterator',
  'kinesis:ListShards',
] as const;
/** Of producers, whose clients may put records one by one. */
export const KINESIS_WRITE = ['kinesis:DescribeStreamSummary', 'kinesis:PutRecord', 'kinesis:PutRecords'] as const;

const objects = (bucket: s3.IBucket, prefixes: readonly string[]): string[] =>
  prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));

/** Objects of a bucket under prefixes. Listing comes with reading: without it an absent key answers 403 instead of 404. */
export function objectStatements(
  bucket: s3.IBucket,
  { read, write, remove }: Pick<FunctionRights, 'read' | 'write' | 'remove'>,
): iam.PolicyStatement[] {
  const listed = [...new Set([...read, ...write])].sort();
  return [
    ...(listed.length === 0
      ? []
      : [
          new iam.PolicyStatement({
            actions: ['s3:ListBucket'],
            resources: [bucket.bucketArn],
            conditions: { StringLike: { 's3:prefix': listed.map((prefix) => `${prefix}*`) } },
          }),
        ]),
    ...(read.length === 0
      ? []
      : [new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: objects(bucket, read) })]),
    ...(write.length === 0
      ? []
      : [new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: objects(bucket, write) })]),
    ...(remove.length === 0
      ? []
      : [new iam.PolicyStatement({ actions: ['s3:DeleteObject'], resources: objects(bucket, remove) })]),
  ];
}

export function streamStatements(stream: kinesis.IStream, right: FunctionRights['stream']): iam.PolicyStatement[] {
  if (right === 'none') return [];
  // Functions put many records a call.
  const actions = right === 'append' ? KINESIS_WRITE.filter((action) => action !== 'kinesis:PutRecord') : KINESIS_READ;
  return [new iam.PolicyStatement({ actions: [...actions], resources: [stream.streamArn] })];
}

/** What Lambda does for a function that a queue calls. */
export function queueReaderStatements(queue: sqs.IQueue, key: kms.IKey | undefined): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      actions: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
      resources: [queue.queueArn],
    }),
    ...keyStatements(key),
  ];
}

/** What reads and writes under a key needs. */
export function keyStatements(key: kms.IKey | undefined): iam.PolicyStatement[] {
  return key === undefined
    ? []
    : [new iam.PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] })];
}

export function secretStatements(secret: secretsmanager.ISecret | undefined): iam.PolicyStatement[] {
  if (secret === undefined) return [];
  return [
    new iam.PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      // A name that was looked up lacks the six characters that the service adds.
      resources: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
    }),
    ...(secret.encryptionKey === undefined
      ? []
      : [new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: [secret.encryptionKey.keyArn] })]),
  ];
}

const INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/** Lambda makes network interfaces with the rights of the role; the code that runs with the same role is denied them. */
export function networkInterfaceStatements(): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({ actions: INTERFACES, resources: ['*'] }),
    new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: INTERFACES,
      resources: ['*'],
      // Only a call from inside of a function carries it.
      conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
    }),
  ];
}
