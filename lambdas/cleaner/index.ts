/** Every hour: deletes packs that nothing names any more and that nothing can name again. */
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { logOf } from '../log.ts';
import { bucketStore, wallClock } from '../ports.ts';
import { cleanerHandler } from './handler.ts';

const environment = readEnvironment('cleaner', process.env);

export const handler = cleanerHandler({
  store: retryingStore(bucketStore(environment.MLMON_BUCKET)),
  clock: wallClock,
  retentionDays: environment.MLMON_PACK_RETENTION_DAYS,
  environment: environment.MLMON_ENVIRONMENT,
  log: logOf('cleaner'),
});
