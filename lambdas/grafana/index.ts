/** The custom resource that fills a Grafana with dashboards and data sources, and, every quarter of an hour, another try of what failed. */
import { GrafanaClient } from '@aws-sdk/client-grafana';
import { S3Client } from '@aws-sdk/client-s3';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { assetLines } from '../asset-lines.ts';
import { putAnswer } from '../cloud-formation.ts';
import { logOf } from '../log.ts';
import { bucketStore, wallClock } from '../ports.ts';
import { Secrets } from '../secrets.ts';
import { grafanaHandler } from './handler.ts';

const environment = readEnvironment('grafana', process.env);
const client = new S3Client({ maxAttempts: 5 });
const secrets = new Secrets();

export const handler = grafanaHandler({
  store: retryingStore(bucketStore(environment.MLMON_BUCKET)),
  clock: wallClock,
  environment: environment.MLMON_ENVIRONMENT,
  workspaces: (region) =>
    new GrafanaClient({
      region,
      maxAttempts: 4,
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 },
    }),
  secret: (arn) => secrets.text(arn),
  lines: (asset) => assetLines(client, asset),
  put: putAnswer,
  log: logOf('grafana'),
});
