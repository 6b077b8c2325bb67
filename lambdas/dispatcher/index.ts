/** Every minute: sends what is due to the evaluators. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { SqsEvaluationQueue } from '../../lib/adapters/sqs/evaluation-queue.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { Dispatcher } from '../../lib/pipeline/dispatcher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { cursorPositions } from '../cursor-positions.ts';
import { logOf } from '../log.ts';
import { bucketStore, streamLog, wallClock } from '../ports.ts';
import { dispatcherHandler } from './handler.ts';

const environment = readEnvironment('dispatcher', process.env);
const clock = wallClock;
const store = retryingStore(bucketStore(environment.MLMON_BUCKET));
const queue = new SqsEvaluationQueue({
  client: new SQSClient({ maxAttempts: 4, requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 } }),
  queueUrl: environment.MLMON_QUEUE_URL,
});

export const handler = dispatcherHandler({
  dispatcher: new Dispatcher({
    log: streamLog(environment.MLMON_STREAM_ARN, cursorPositions(store)),
    store,
    clock,
    registry: new Registry({ store, clock, baselines: 'none' }),
    queue,
  }),
  refusal: () => queue.lastFailure,
  environment: environment.MLMON_ENVIRONMENT,
  clock,
  log: logOf('dispatcher'),
});
