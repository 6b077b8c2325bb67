import { type Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionName } from '../contracts/functions.ts';
import { keyStatements } from './access/statements.ts';
import { acknowledge } from './acknowledge.ts';
import { knownAtSynthesis } from './known-at-synthesis.ts';
import type { MonitoringFunction } from './monitoring-function.ts';

export interface FunctionScheduleProps {
  /** What is run. */
  readonly function: MonitoringFunction;
  /** How often: whole minutes. */
  readonly every: Duration;
  /** Takes what could not be handed over, and what the function failed on. */
  readonly deadLetters: sqs.IQueue;
}

/**
 * Runs a function again and again (EventBridge Scheduler). What cannot be handed over for an hour, and what the function failed on three times,
 * goes to the dead letters; the next run does the same work, so nothing is lost by it.
 */
export class FunctionSchedule extends Construct {
  readonly schedule: scheduler.CfnSchedule;
  /** What it runs. */
  readonly functionName: FunctionName;
  readonly everyMinutes: number;

  constructor(scope: Construct, id: string, props: FunctionScheduleProps) {
    super(scope, id);
    const target = props.function.function;
    knownAtSynthesis({ every: props.every });
    const minutes = props.every.toMinutes({ integral: true });
    this.functionName = props.function.functionName;
    this.everyMinutes = minutes;
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Runs ${props.function.functionName}`,
    });
    for (const statement of [
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target.functionArn] }),
      new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.deadLetters.queueArn] }),
      ...keyStatements(props.deadLetters.encryptionMasterKey),
    ])
      role.addToPolicy(statement);
    this.schedule = new scheduler.CfnSchedule(this, 'Resource', {
      description: `Model monitoring: ${props.function.functionName}`,
      scheduleExpression: minutes === 1 ? 'rate(1 minute)' : `rate(${minutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumEventAgeInSeconds: 3_600, maximumRetryAttempts: 10 },
        deadLetterConfig: { arn: props.deadLetters.queueArn },
      },
    });
    props.function.role.addToPolicy(
      new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.deadLetters.queueArn] }),
    );
    for (const statement of keyStatements(props.deadLetters.encryptionMasterKey))
      props.function.role.addToPolicy(statement);
    // By its resource: the way of the library would grant wildcard actions on the key of the queue.
    const failures = new lambda.CfnEventInvokeConfig(this, 'Failures', {
      functionName: target.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 2,
      maximumEventAgeInSeconds: 3_600,
      destinationConfig: { onFailure: { destination: props.deadLetters.queueArn } },
    });
    failures.node.addDependency(props.function.role);
    acknowledge(
      target,
      'Serverless-LambdaDLQ',
      'what it fails on goes to the on-failure destination, which tells the error beside the event',
    );
    // The role's rights must be there before the first run.
    this.schedule.node.addDependency(role);
  }
}
