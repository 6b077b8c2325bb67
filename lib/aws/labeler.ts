import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CAPTURE_BUFFER_SECONDS } from '../contracts/capture.ts';
import type { Capture } from './capture.ts';
import { LABELER_INTERVAL } from './defaults.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface LabelerProps {
  readonly platform: PlatformContext;
  /** Where labels and predictions are joined. */
  readonly capture: Capture;
  /** Takes runs that could not be handed over. */
  readonly deadLetters: sqs.IQueue;
  /** How often new labels are looked for; a look without any costs no query. @default LABELER_INTERVAL: 5 minutes */
  readonly every?: Duration;
  /** What links of alerts begin with, where somebody runs a page for them. @default none: alerts carry no link of their own */
  readonly linkBase?: string;
}

/** Joins labels with the predictions that they are of, in one query for all models, and writes how good the models were. */
export class Labeler extends Construct {
  readonly handler: MonitoringFunction<'labeler'>;
  readonly schedule: FunctionSchedule;

  constructor(scope: Construct, id: string, props: LabelerProps) {
    super(scope, id);
    const { platform, capture } = props;
    const { tables } = capture;
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'labeler',
      platform,
      environment: {
        MLMON_LINK_BASE: props.linkBase,
        MLMON_WORKGROUP: tables.workgroup,
        MLMON_DATABASE: tables.database,
        MLMON_TABLE: tables.table,
        MLMON_CAPTURE_DELAY_SECONDS: String(captureDelay(capture).toSeconds()),
      },
    });
    for (const statement of [
      new iam.PolicyStatement({
        actions: [
          'athena:GetQueryExecution',
          'athena:GetQueryResults',
          'athena:StartQueryExecution',
          'athena:StopQueryExecution',
        ],
        resources: [tables.workgroupArn],
      }),
      new iam.PolicyStatement({
        actions: ['glue:GetDatabase', 'glue:GetPartitions', 'glue:GetTable'],
        resources: [...tables.catalogueArns],
      }),
      // Athena asks with the rights of its caller.
      new iam.PolicyStatement({ actions: ['s3:GetBucketLocation'], resources: [platform.bucket.bucketArn] }),
    ])
      this.handler.role.addToPolicy(statement);
    this.schedule = new FunctionSchedule(this, 'Schedule', {
      function: this.handler,
      every: props.every ?? LABELER_INTERVAL,
      deadLetters: props.deadLetters,
    });
  }
}

/** Firehose counts its buffer from the first record in it, then converts and writes; twice as long and five minutes is not exceeded but in failures. */
function captureDelay({ buffer }: Capture): Duration {
  const seconds = buffer.isUnresolved() ? CAPTURE_BUFFER_SECONDS.most : buffer.toSeconds();
  return Duration.seconds(2 * seconds + 300);
}
