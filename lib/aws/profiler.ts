import { type Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { acknowledge } from './acknowledge.ts';
import { PROFILER_BATCH_SIZE, PROFILER_BATCH_WINDOW, PROFILER_RECORD_AGE, PROFILER_RETRIES } from './defaults.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface ProfilerProps {
  readonly platform: PlatformContext;
  /**
   * Where reading begins when the platform is set up. On a stream of the platform's own always `TRIM_HORIZON`; on one that others have been writing
   * to, you must say whether what it holds is to be counted.
   */
  readonly startingPosition: lambda.StartingPosition;
  /** Seconds since 1970, for `AT_TIMESTAMP`. @default none */
  readonly startingPositionTimestamp?: number;
  /** Longest that Lambda gathers records before a call. @default PROFILER_BATCH_WINDOW: 60 seconds */
  readonly batchWindow?: Duration;
  /** Records of a call, at most. @default PROFILER_BATCH_SIZE: 10000 */
  readonly batchSize?: number;
  /** Attempts at a batch after the first, besides its halvings, before it is given up. @default PROFILER_RETRIES: 8 */
  readonly retries?: number;
  /** Records older than that are given up. @default PROFILER_RECORD_AGE: 24 hours */
  readonly recordAge?: Duration;
}

/**
 * Folds the stream into profiles. Each shard is one ordered line with its own cursor, so Lambda reads it once at a time (parallelisation
 * factor 1). What it gives up lies whole under `aws/lambda/` of the bucket, where the redrive finds it.
 */
export class Profiler extends Construct {
  readonly handler: MonitoringFunction<'profiler'>;
  readonly eventSource: lambda.EventSourceMapping;

  constructor(scope: Construct, id: string, props: ProfilerProps) {
    super(scope, id);
    const { platform } = props;
    const problems = problemsOf(props);
    if (problems.length > 0) throw new ProblemError(problems);
    this.handler = new MonitoringFunction(this, 'Handler', { name: 'profiler', platform, environment: {} });
    acknowledge(
      this.handler.function,
      'Serverless-LambdaDLQ',
      'its event source has an on-failure destination, which holds whole batches',
    );
    this.handler.role.addToPolicy(
      new iam.PolicyStatement({
        // Lambda asks for both before it makes an event source.
        actions: ['kinesis:DescribeStream', 'kinesis:ListStreams'],
        resources: [platform.stream.streamArn],
      }),
    );
    this.eventSource = new lambda.EventSourceMapping(this, 'EventSource', {
      target: this.handler.function,
      eventSourceArn: platform.stream.streamArn,
      startingPosition: props.startingPosition,
      ...(props.startingPositionTimestamp === undefined
        ? {}
        : { startingPositionTimestamp: props.startingPositionTimestamp }),
      batchSize: props.batchSize ?? PROFILER_BATCH_SIZE,
      maxBatchingWindow: props.batchWindow ?? PROFILER_BATCH_WINDOW,
      parallelizationFactor: 1,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: props.retries ?? PROFILER_RETRIES,
      // The library would compare a token with its bounds.
      maxRecordAge: props.recordAge?.isUnresolved() ? undefined : (props.recordAge ?? PROFILER_RECORD_AGE),
      // Its own right to write there is that of the function, by exact actions.
      onFailure: { bind: () => ({ destination: platform.bucket.bucketArn }) },
    });
    if (props.recordAge?.isUnresolved())
      (this.eventSource.node.defaultChild as lambda.CfnEventSourceMapping).maximumRecordAgeInSeconds =
        props.recordAge.toSeconds();
    // Records must not be read before there is the right to do so.
    this.eventSource.node.addDependency(this.handler.role);
    this.node.addValidation({ validate: () => this.wrongFactor() });
  }

  /** Also of an override: two readers of a shard would both be behind the other's cursor. */
  private wrongFactor(): string[] {
    const resource = this.eventSource.node.defaultChild as lambda.CfnEventSourceMapping & {
      _toCloudFormation(): { readonly Resources: Readonly<Record<string, unknown>> };
    };
    const rendered = Object.values(
      Stack.of(this).resolve(resource._toCloudFormation()).Resources as Readonly<
        Record<string, { readonly Properties: { readonly ParallelizationFactor?: unknown } }>
      >,
    )[0];
    const factor = rendered?.Properties.ParallelizationFactor;
    return factor === 1
      ? []
      : [
          `parallelizationFactor: would read one shard more than once at a time, got ${shown(factor)}; expected 1; add shards to the stream instead`,
        ];
  }
}

function problemsOf(props: ProfilerProps): Problem[] {
  const isTimed = props.startingPosition === lambda.StartingPosition.AT_TIMESTAMP;
  if (isTimed === (props.startingPositionTimestamp !== undefined)) return [];
  return [
    {
      code: 'starting-position',
      path: 'startingPositionTimestamp',
      message: isTimed ? 'is missing' : 'belongs to AT_TIMESTAMP alone',
      got: isTimed ? undefined : shown(props.startingPositionTimestamp),
      expected: isTimed ? 'seconds since 1970' : 'nothing',
    },
  ];
}
