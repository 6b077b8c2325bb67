import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { queueReaderStatements } from './access/statements.ts';
import { acknowledge } from './acknowledge.ts';
import { EVALUATOR_CONCURRENCY, FUNCTION_SIZES } from './defaults.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { MessageQueue } from './message-queue.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface EvaluatorProps {
  readonly platform: PlatformContext;
  /** Takes runs that could not be handed over. */
  readonly deadLetters: sqs.IQueue;
  /** Messages judged at once, at most; 2 or more. @default EVALUATOR_CONCURRENCY: 10 */
  readonly concurrency?: number;
  /** What links of alerts begin with, where somebody runs a page for them. @default none: alerts carry no link of their own */
  readonly linkBase?: string;
}

/**
 * Every minute the dispatcher looks which windows of which models are due and queues those models; evaluators close their grains, judge their
 * windows and write results.
 */
export class Evaluator extends Construct {
  readonly dispatcher: MonitoringFunction<'dispatcher'>;
  readonly handler: MonitoringFunction<'evaluator'>;
  readonly messages: MessageQueue;
  readonly eventSource: lambda.EventSourceMapping;
  readonly schedule: FunctionSchedule;

  constructor(scope: Construct, id: string, props: EvaluatorProps) {
    super(scope, id);
    const { platform } = props;
    this.messages = new MessageQueue(this, 'Messages', {
      key: platform.key,
      functionTimeout: FUNCTION_SIZES.evaluator.timeout,
    });
    const { queue } = this.messages;
    this.dispatcher = new MonitoringFunction(this, 'Dispatcher', {
      name: 'dispatcher',
      platform,
      environment: { MLMON_QUEUE_URL: queue.queueUrl },
    });
    this.dispatcher.role.addToPolicy(
      new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }),
    );
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'evaluator',
      platform,
      environment: { MLMON_LINK_BASE: props.linkBase },
    });
    for (const statement of queueReaderStatements(queue, platform.key)) this.handler.role.addToPolicy(statement);
    this.eventSource = new lambda.EventSourceMapping(this, 'EventSource', {
      target: this.handler.function,
      eventSourceArn: queue.queueArn,
      // A message names as many models as one call is to judge.
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: props.concurrency ?? EVALUATOR_CONCURRENCY,
    });
    acknowledge(
      this.handler.function,
      'Serverless-LambdaDLQ',
      'what it gives up goes to the dead letters of its queue',
    );
    acknowledge(
      this.eventSource,
      'Serverless-LambdaEventSourceMappingDestination',
      'what it gives up goes to the dead letters of its queue',
    );
    this.eventSource.node.addDependency(this.handler.role);
    this.schedule = new FunctionSchedule(this, 'Schedule', {
      function: this.dispatcher,
      every: Duration.minutes(1),
      deadLetters: props.deadLetters,
    });
  }
}
