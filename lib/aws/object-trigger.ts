import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CfnEventInvokeConfig, CfnPermission } from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { keyStatements } from './access/statements.ts';
import { acknowledge } from './acknowledge.ts';
import { DeadLetterQueue } from './message-queue.ts';
import type { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface ObjectTriggerProps {
  readonly platform: PlatformContext;
  /** Its bucket must send its events to EventBridge: the store's does. */
  readonly bucket: s3.IBucket;
  /** Of keys. */
  readonly prefixes: readonly string[];
  readonly target: MonitoringFunction;
}

/**
 * Calls a function for each new object, in the form of a notification of S3. By EventBridge: a notification by the bucket itself would tie
 * bucket and function into a circle, and take a function of the library's to set up.
 */
export class ObjectTrigger extends Construct {
  /** Events that could not be worked on. */
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, props: ObjectTriggerProps) {
    super(scope, id);
    const { key } = props.platform;
    const target = props.target.function;
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { key });
    const rule = new events.CfnRule(this, 'Resource', {
      description: `Model monitoring: new objects for ${props.target.functionName}`,
      eventPattern: newObjects(props.bucket, props.prefixes),
      targets: [
        {
          id: 'Function',
          arn: target.functionArn,
          inputTransformer: {
            inputPathsMap: { bucket: '$.detail.bucket.name', key: '$.detail.object.key' },
            inputTemplate:
              '{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":<bucket>},"object":{"key":<key>}}}]}',
          },
          deadLetterConfig: { arn: this.deadLetters.queue.queueArn },
          retryPolicy: { maximumRetryAttempts: 185, maximumEventAgeInSeconds: Duration.days(1).toSeconds() },
        },
      ],
    });
    new CfnPermission(this, 'Permission', {
      action: 'lambda:InvokeFunction',
      functionName: target.functionArn,
      principal: 'events.amazonaws.com',
      sourceArn: rule.attrArn,
    });
    this.deadLetters.queue.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.deadLetters.queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
      }),
    );
    new CfnEventInvokeConfig(this, 'Calls', {
      functionName: target.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 2,
      destinationConfig: { onFailure: { destination: this.deadLetters.queue.queueArn } },
    });
    acknowledge(
      target,
      'Serverless-LambdaDLQ',
      'what it fails on goes to the on-failure destination, which tells the error beside the event',
    );
    for (const statement of [
      new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [this.deadLetters.queue.queueArn] }),
      ...keyStatements(key),
    ])
      props.target.role.addToPolicy(statement);
  }
}

/** Events of S3 about new objects under prefixes. */
export function newObjects(bucket: s3.IBucket, prefixes: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    source: ['aws.s3'],
    'detail-type': ['Object Created'],
    detail: {
      bucket: { name: [bucket.bucketName] },
      object: { key: prefixes.map((prefix) => ({ prefix })) },
    },
  };
}
