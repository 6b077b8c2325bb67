/** Names for renderings that are read by people: a deployment puts its own. */
import { FUNCTION_NAMES, type FunctionName } from '../contracts/functions.ts';
import type { CloudWatchNames } from './cloudwatch.ts';

export const EXAMPLE_NAMES: CloudWatchNames = {
  environmentName: 'production',
  region: 'us-east-1',
  functions: Object.fromEntries(FUNCTION_NAMES.map((name) => [name, `mlmon-${name}`])) as Record<FunctionName, string>,
  streamName: 'mlmon-events',
  queues: [{ label: 'dead letters', queueName: 'mlmon-dead-letters' }],
  alarmArns: ['arn:aws:cloudwatch:us-east-1:111122223333:alarm:MlmonNoEvents-production'],
};
