import { type Duration, Tokenization } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { SCALER_INTERVAL } from './defaults.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface StreamScalerProps {
  /** Its stream is provisioned. */
  readonly platform: PlatformContext;
  readonly minimumShards: number;
  readonly maximumShards: number;
  /** Takes runs that could not be handed over. */
  readonly deadLetters: sqs.IQueue;
  /** How often traffic is looked at. @default SCALER_INTERVAL: 5 minutes */
  readonly every?: Duration;
}

/**
 * Gives a provisioned stream as many shards as its traffic takes, since no service does: more at once, fewer after a quiet day. A deployment that
 * changes the stream itself begins again with its lowest number.
 */
export class StreamScaler extends Construct {
  readonly handler: MonitoringFunction<'scaler'>;
  readonly schedule: FunctionSchedule;

  constructor(scope: Construct, id: string, props: StreamScalerProps) {
    super(scope, id);
    const { platform } = props;
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'scaler',
      platform,
      environment: {
        MLMON_MINIMUM_SHARDS: Tokenization.stringifyNumber(props.minimumShards),
        MLMON_MAXIMUM_SHARDS: Tokenization.stringifyNumber(props.maximumShards),
      },
    });
    for (const statement of [
      new iam.PolicyStatement({
        actions: ['kinesis:DescribeStreamSummary', 'kinesis:UpdateShardCount'],
        resources: [platform.stream.streamArn],
      }),
      new iam.PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    ])
      this.handler.role.addToPolicy(statement);
    acknowledge(
      this.handler.role,
      'AwsSolutions-IAM5[Resource::*]',
      'neither cloudwatch:GetMetricData nor X-Ray has resources to name',
    );
    this.schedule = new FunctionSchedule(this, 'Schedule', {
      function: this.handler,
      every: props.every ?? SCALER_INTERVAL,
      deadLetters: props.deadLetters,
    });
  }
}
