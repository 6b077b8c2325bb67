/** Folds what the stream pushes into profiles, each record once. */
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { logOf } from '../log.ts';
import { bucketStore, streamLog, wallClock } from '../ports.ts';
import { pushedProfiler } from '../pushed-profiler.ts';
import { profilerHandler } from './handler.ts';

const environment = readEnvironment('profiler', process.env);

export const handler = profilerHandler({
  profiler: pushedProfiler({
    log: streamLog(environment.MLMON_STREAM_ARN),
    store: bucketStore(environment.MLMON_BUCKET),
    clock: wallClock,
  }),
  log: logOf('profiler'),
});
