/** Tells programs of results and baselines: puts them on a bus as events. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { EventBus } from '../../lib/adapters/eventbridge/event-bus.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { logOf } from '../log.ts';
import { bucketStore } from '../ports.ts';
import { announcerHandler } from './handler.ts';

const environment = readEnvironment('announcer', process.env);

export const handler = announcerHandler({
  store: retryingStore(bucketStore(environment.MLMON_BUCKET)),
  bus: new EventBus({ client: new EventBridgeClient({ maxAttempts: 3 }), bus: environment.MLMON_EVENT_BUS_ARN }),
  bucket: environment.MLMON_BUCKET,
  environment: environment.MLMON_ENVIRONMENT,
  log: logOf('announcer'),
});
