/** What applies where a user chose nothing; the comments of the props say the same, and a test compares them. */
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { FunctionName } from '../contracts/functions.ts';

/** Supported until 2028-04-30; a test fails half a year before that. */
export const FUNCTION_RUNTIME = lambda.Runtime.NODEJS_24_X;
export const FUNCTION_RUNTIME_ENDS = '2028-04-30';
/** A fifth cheaper than x86 for the same work. */
export const FUNCTION_ARCHITECTURE = lambda.Architecture.ARM_64;
/** Two invocations of one incident can be compared a month later. */
export const LOG_RETENTION = logs.RetentionDays.ONE_MONTH;

export interface FunctionSize {
  /** MB; 1,769 are one processor. */
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly reason: string;
}

export const FUNCTION_SIZES: Readonly<Record<FunctionName, FunctionSize>> = {
  collector: { memorySize: 512, timeout: Duration.seconds(15), reason: 'senders wait for it' },
  authorizer: { memorySize: 256, timeout: Duration.seconds(5), reason: 'compares digests' },
  'sagemaker-capture': { memorySize: 1024, timeout: Duration.minutes(5), reason: 'a file has up to some megabytes' },
  profiler: {
    memorySize: 1769,
    timeout: Duration.minutes(5),
    reason: 'one processor folds the largest batch (6 MB) in about a second; the rest is room for slow writes',
  },
  redrive: { memorySize: 1769, timeout: Duration.minutes(10), reason: 'folds a whole given-up batch record by record' },
  dispatcher: { memorySize: 1024, timeout: Duration.minutes(1), reason: 'reads cursors, then sends messages' },
  evaluator: {
    memorySize: 1769,
    timeout: Duration.minutes(5),
    reason: 'merging and judging are work of the processor; a message names few models',
  },
  labeler: { memorySize: 1769, timeout: Duration.minutes(10), reason: 'waits for one query, then judges its counts' },
  exporter: { memorySize: 1024, timeout: Duration.minutes(1), reason: 'reads the newest result of every model' },
  notifier: { memorySize: 512, timeout: Duration.minutes(1), reason: 'waits for receivers' },
  publisher: {
    memorySize: 1024,
    timeout: Duration.minutes(10),
    reason: 'a thousand monitors are some thousand requests',
  },
  cleaner: { memorySize: 1024, timeout: Duration.minutes(10), reason: 'lists days of packs' },
};
