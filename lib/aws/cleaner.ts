import { Duration } from 'aws-cdk-lib';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { FunctionSchedule } from './function-schedule.ts';
import { knownAtSynthesis } from './known-at-synthesis.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface CleanerProps {
  readonly platform: PlatformContext;
  /** Takes runs that could not be handed over. */
  readonly deadLetters: sqs.IQueue;
  /** How long a record can still come, from the stream and out of what was given up. */
  readonly retention: Duration;
}

/** Deletes packs that nothing names any more, every hour. No rule by age alone could: a window may wait for its labels for long. */
export class Cleaner extends Construct {
  readonly handler: MonitoringFunction<'cleaner'>;
  readonly schedule: FunctionSchedule;

  constructor(scope: Construct, id: string, props: CleanerProps) {
    super(scope, id);
    knownAtSynthesis({ retention: props.retention });
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'cleaner',
      platform: props.platform,
      environment: { MLMON_PACK_RETENTION_DAYS: String(Math.ceil(props.retention.toDays({ integral: false }))) },
    });
    this.schedule = new FunctionSchedule(this, 'Schedule', {
      function: this.handler,
      every: Duration.hours(1),
      deadLetters: props.deadLetters,
    });
  }
}
