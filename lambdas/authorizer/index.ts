/** Lets senders with a known key through to the collector. */
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { logOf } from '../log.ts';
import { Secrets } from '../secrets.ts';
import { authorizerHandler } from './handler.ts';

const environment = readEnvironment('authorizer', process.env);

export const handler = authorizerHandler({
  secrets: new Secrets(),
  arn: environment.MLMON_KEYS_SECRET_ARN,
  log: logOf('authorizer'),
});
