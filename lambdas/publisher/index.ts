/** The custom resource that publishes what a deployment brings. */
import { S3Client } from '@aws-sdk/client-s3';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { assetLines } from '../asset-lines.ts';
import { putAnswer } from '../cloud-formation.ts';
import { logOf } from '../log.ts';
import { parsePolicyKey } from '../policy-key.ts';
import { bucketStore, wallClock } from '../ports.ts';
import { Secrets } from '../secrets.ts';
import { publisherHandler } from './handler.ts';

const environment = readEnvironment('publisher', process.env);
const client = new S3Client({ maxAttempts: 5 });
const secrets = new Secrets();
const keyArn = environment.MLMON_POLICY_KEY_SECRET_ARN;

export const handler = publisherHandler({
  store: retryingStore(bucketStore(environment.MLMON_BUCKET)),
  clock: wallClock,
  lines: (asset) => assetLines(client, asset),
  policyKey: async () => (keyArn === undefined ? null : parsePolicyKey(await secrets.text(keyArn), keyArn)),
  put: putAnswer,
  log: logOf('publisher'),
});
