/** Every few minutes: as many shards as the traffic takes, within the bounds that were given. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { logOf } from '../log.ts';
import { wallClock } from '../ports.ts';
import { scalerHandler } from './handler.ts';

const environment = readEnvironment('scaler', process.env);
const options = { maxAttempts: 3, requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 } };

export const handler = scalerHandler({
  kinesis: new KinesisClient(options),
  cloudwatch: new CloudWatchClient(options),
  clock: wallClock,
  streamArn: environment.MLMON_STREAM_ARN,
  minimum: environment.MLMON_MINIMUM_SHARDS,
  maximum: environment.MLMON_MAXIMUM_SHARDS,
  log: logOf('scaler'),
});
