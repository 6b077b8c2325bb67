import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { type SageMakerSourceInput, sageMakerSourcesText } from '../contracts/sagemaker.ts';
import { queueReaderStatements, secretStatements } from './access/statements.ts';
import { acknowledge, acknowledgeResource } from './acknowledge.ts';
import { FUNCTION_SIZES, SAGEMAKER_CONCURRENCY } from './defaults.ts';
import { MessageQueue } from './message-queue.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import { newObjects } from './object-trigger.ts';
import type { PlatformContext } from './platform-context.ts';

/** Where SageMaker puts its files, and what they hold. */
export interface CapturedEndpoints {
  /** Of the Data Capture of the endpoints. It must send its events to EventBridge (`eventBridgeEnabled`). */
  readonly bucket: s3.IBucket;
  /** Of the destination of the capture: `s3://<bucket>/<prefix>`. @default the root of the bucket */
  readonly prefix?: string;
  /** One for each endpoint, and variant where variants differ. */
  readonly sources: readonly SageMakerSourceInput[];
}

export interface SageMakerCaptureProps extends CapturedEndpoints {
  readonly platform: PlatformContext;
  /** Hashes fields. @default none: an event of a monitor that hashes is refused */
  readonly policyKey?: secretsmanager.ISecret;
}

/** Takes the files that SageMaker endpoints capture, as soon as they are written: nothing about an endpoint changes. */
export class SageMakerCapture extends Construct {
  readonly handler: MonitoringFunction<'sagemaker-capture'>;
  /** Files that were written, and those that could not be read. */
  readonly messages: MessageQueue;

  constructor(scope: Construct, id: string, props: SageMakerCaptureProps) {
    super(scope, id);
    const { platform, bucket, policyKey } = props;
    const folder = (props.prefix ?? '').replace(/^\/+|\/+$/g, '');
    const prefixes = [
      ...new Set(props.sources.map(({ endpoint }) => `${folder === '' ? '' : `${folder}/`}${endpoint}/`)),
    ];
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'sagemaker-capture',
      platform,
      environment: {
        MLMON_POLICY_KEY_SECRET_ARN: policyKey?.secretArn,
        MLMON_SAGEMAKER_SOURCES: sageMakerSourcesText(props.sources),
      },
    });
    const files = prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));
    for (const statement of [
      new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: files }),
      ...(bucket.encryptionKey === undefined
        ? []
        : [new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: [bucket.encryptionKey.keyArn] })]),
      ...secretStatements(policyKey),
    ])
      this.handler.role.addToPolicy(statement);
    for (const file of files) acknowledgeResource(this.handler.role, file, 'SageMaker names the files by time');
    this.messages = new MessageQueue(this, 'Messages', {
      key: platform.key,
      functionTimeout: FUNCTION_SIZES['sagemaker-capture'].timeout,
    });
    const { queue, deadLetters } = this.messages;
    const rule = new events.CfnRule(this, 'Rule', {
      description: 'Model monitoring: captured files of SageMaker endpoints',
      eventPattern: newObjects(bucket, prefixes),
      targets: [{ id: 'Queue', arn: queue.queueArn, deadLetterConfig: { arn: deadLetters.queue.queueArn } }],
    });
    for (const one of [queue, deadLetters.queue])
      one.addToResourcePolicy(
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [one.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
        }),
      );
    for (const statement of queueReaderStatements(queue, platform.key)) this.handler.role.addToPolicy(statement);
    const eventSource = new lambda.EventSourceMapping(this, 'EventSource', {
      target: this.handler.function,
      eventSourceArn: queue.queueArn,
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: SAGEMAKER_CONCURRENCY,
    });
    eventSource.node.addDependency(this.handler.role);
    const givenUp = 'what it gives up goes to the dead letters of its queue';
    acknowledge(this.handler.function, 'Serverless-LambdaDLQ', givenUp);
    acknowledge(eventSource, 'Serverless-LambdaEventSourceMappingDestination', givenUp);
  }
}
