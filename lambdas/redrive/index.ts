/** Redrives batches of the stream that were given up, each record once. */
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { logOf } from '../log.ts';
import { bucketStore, streamLog, wallClock } from '../ports.ts';
import { pushedProfiler } from '../pushed-profiler.ts';
import { redriveHandler } from './handler.ts';

const environment = readEnvironment('redrive', process.env);
const store = bucketStore(environment.MLMON_BUCKET);
const stream = streamLog(environment.MLMON_STREAM_ARN);

export const handler = redriveHandler({
  profiler: pushedProfiler({ log: stream, store, clock: wallClock }),
  stream,
  store: retryingStore(store),
  environment: environment.MLMON_ENVIRONMENT,
  clock: wallClock,
  log: logOf('redrive'),
});
