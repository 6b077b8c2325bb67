/** How props of a part are tried: a part with the least that it takes, and one value for each prop that differs from that. */
import { Stack } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Monitor } from '../../lib/aws/monitor.ts';
import { MonitoringFunction } from '../../lib/aws/monitoring-function.ts';
import type { PlatformContext } from '../../lib/aws/platform-context.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { RECOMMENDED } from './app.ts';
import { light } from './light.ts';
import { newApp } from './subjects.ts';

export type Given = Record<string, unknown>;

export interface Walk {
  /** Anything that is not in the template is returned: it is compared too. */
  readonly make: (stack: Stack, props: Given) => unknown;
  /** Every prop → a value that must change something. */
  readonly props: Readonly<Record<string, (stack: Stack) => unknown>>;
}

/** Everything that a choice can change: the template, what constructs say against themselves, what is warned of, and what was returned. */
export function outcome(make: (stack: Stack) => unknown): string {
  const stack = new Stack(newApp(RECOMMENDED), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  let returned: unknown;
  try {
    returned = make(stack);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.message;
  }
  const warned = stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => data));
  const plain = typeof returned === 'object' && returned !== null && 'node' in returned ? null : returned;
  return JSON.stringify([light(stack), warned, stack.resolve(plain)]);
}

const ARN = 'eu-central-1:111122223333';
export const churn = Monitor.of({ model: 'churn', features: { age: { type: 'numeric' } } });
export const other = Monitor.of({ model: 'other', features: { plan: { type: 'categorical' } } });

/** One a stack: asked for again it is the same. */
function once<T extends { readonly node: unknown }>(stack: Stack, id: string, make: () => T): T {
  return (stack.node.tryFindChild(id) as unknown as T | undefined) ?? make();
}

export const platformIn = (stack: Stack): PlatformContext => ({
  environmentName: 'test',
  bucket: once(stack, 'Bucket', () => s3.Bucket.fromBucketName(stack, 'Bucket', 'platform-bucket')),
  stream: once(stack, 'Stream', () =>
    kinesis.Stream.fromStreamArn(stack, 'Stream', `arn:aws:kinesis:${ARN}:stream/events`),
  ),
});
/** Another bucket, stream and name. */
export const otherPlatform = (stack: Stack): PlatformContext => ({
  environmentName: 'other',
  bucket: s3.Bucket.fromBucketName(stack, 'OtherBucket', 'other-bucket'),
  stream: kinesis.Stream.fromStreamArn(stack, 'OtherStream', `arn:aws:kinesis:${ARN}:stream/other`),
});
export const topic = (stack: Stack, id = 'Topic'): sns.ITopic =>
  sns.Topic.fromTopicArn(stack, id, `arn:aws:sns:${ARN}:${id}`);
export const queue = (stack: Stack, id = 'Letters'): sqs.IQueue =>
  once(stack, id, () => sqs.Queue.fromQueueArn(stack, id, `arn:aws:sqs:${ARN}:${id}`));
export const key = (stack: Stack): kms.IKey => kms.Key.fromKeyArn(stack, 'Key', `arn:aws:kms:${ARN}:key/k`);
export const secret = (stack: Stack, name = 'secret'): secretsmanager.ISecret =>
  secretsmanager.Secret.fromSecretNameV2(stack, `Secret-${name}`, name);
export const fn = (stack: Stack, id = 'Function'): MonitoringFunction =>
  new MonitoringFunction(stack, id, {
    name: 'cleaner',
    platform: platformIn(stack),
    environment: { MLMON_PACK_RETENTION_DAYS: '1' } as never,
  });
