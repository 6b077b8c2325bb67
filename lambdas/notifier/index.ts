/** Delivers alerts. */
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { logOf } from '../log.ts';
import { bucketStore, wallClock } from '../ports.ts';
import { Secrets } from '../secrets.ts';
import { channelClients } from './channels.ts';
import { notifierHandler } from './handler.ts';

const environment = readEnvironment('notifier', process.env);

export const handler = notifierHandler({
  store: retryingStore(bucketStore(environment.MLMON_BUCKET)),
  clock: wallClock,
  secrets: new Secrets(),
  clients: channelClients(),
  environment: environment.MLMON_ENVIRONMENT,
  heartbeatTopicArn: environment.MLMON_HEARTBEAT_TOPIC_ARN,
  log: logOf('notifier'),
});
