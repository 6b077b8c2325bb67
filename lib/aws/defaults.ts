/** What applies where a user chose nothing; the comments of the props say the same, and a test compares them. */
import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { CAPTURE_BUFFER_SECONDS } from '../contracts/capture.ts';
import type { FunctionName } from '../contracts/functions.ts';
import { AGES } from '../contracts/retention.ts';

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
  announcer: { memorySize: 512, timeout: Duration.minutes(1), reason: 'reads small objects, ten at once' },
  publisher: {
    memorySize: 1024,
    timeout: Duration.minutes(10),
    reason: 'a thousand monitors are some thousand requests',
  },
  cleaner: { memorySize: 1024, timeout: Duration.minutes(10), reason: 'lists days of packs' },
  grafana: {
    memorySize: 256,
    timeout: Duration.minutes(5),
    reason: 'some twenty requests, each tried again while a Grafana is slow',
  },
  scaler: { memorySize: 256, timeout: Duration.minutes(1), reason: 'reads two metrics of a day' },
};

/** Long enough for a release that mends what rejected them. */
export const FAILED_RETENTION = Duration.millis(AGES.failed.ms);
/** Answers of queries are read once, within minutes. */
export const QUERY_RESULT_RETENTION = Duration.millis(AGES.answers.ms);
/** A notification is repeated for 15 days at most. */
export const STALE_RETENTION = Duration.millis(AGES.stale.ms);
/** A mistake is noticed within a month. */
export const NONCURRENT_RETENTION = Duration.days(30);
export const UNFINISHED_UPLOAD_RETENTION = Duration.days(7);
export const ACCESS_LOG_RETENTION = Duration.days(90);
/** What Security Hub asks for (Kinesis.3), and a weekend with its holidays to mend what stopped. */
export const STREAM_RETENTION = Duration.days(7);

/** Few large batches cost less than many small ones; a window is judged after its lateness anyway. */
export const PROFILER_BATCH_WINDOW = Duration.seconds(60);
/** The most that Lambda takes; its 6 MB an invocation are reached first. */
export const PROFILER_BATCH_SIZE = 10_000;
/** With the bisecting some minutes: more than a short failure of S3, less than what would hold a shard back for hours. */
export const PROFILER_RETRIES = 8;
/** Older records are given up and redriven: the shard goes on. */
export const PROFILER_RECORD_AGE = Duration.hours(24);

export const CAPTURE_BUFFER = Duration.seconds(CAPTURE_BUFFER_SECONDS.default);
/** Firehose takes no less than 64 where it converts; the interval is what decides in most platforms. */
export const CAPTURE_BUFFER_MB = 128;
/** 0.50 $ a query at most: a mistake in one written by hand is stopped, a month of a large platform is not. */
export const QUERY_BYTES_LIMIT = 100_000_000_000;
/** First day that a partition can be of: before the first deployment of anybody. */
export const CAPTURE_SINCE = '2026-01-01';

/** A small account has room for ten calls at once in all; what waits is judged a minute later. */
export const EVALUATOR_CONCURRENCY = 10;
/** Files of one endpoint come one after the other; more at once would only crowd out other functions of a small account. */
export const SAGEMAKER_CONCURRENCY = 5;
/** Programs that listen can wait; judging and telling people need the rest of a small account. */
export const ANNOUNCER_CONCURRENCY = 5;
/** Everything that something could be started by. */
export const EVENTS_CARRIED = ['episodes', 'results', 'baselines'] as const;
/** Messages of one call: as many as a request to the bus takes. */
export const ANNOUNCER_BATCH = 10;
/** Shards take minutes to split; looking more often would see the same. */
export const SCALER_INTERVAL = Duration.minutes(5);
export const LABELER_INTERVAL = Duration.minutes(5);
/** Requests a second to an HTTP API of the collector: above some 50 events a second senders should batch, or write to the stream. */
export const COLLECTOR_RATE = 100;
export const COLLECTOR_BURST = 200;

export const ENVIRONMENT_NAME = 'production';
/** The most that Kinesis keeps: of a stream that was made elsewhere nothing is known. */
export const BROUGHT_STREAM_RETENTION = Duration.days(365);
