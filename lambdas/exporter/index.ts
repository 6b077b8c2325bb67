/** Every minute: state gauges to Prometheus, a few metrics of each model to CloudWatch. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchMetrics } from '../../lib/adapters/cloudwatch/cloudwatch-metrics.ts';
import { RemoteWriteSink } from '../../lib/adapters/remote-write/remote-write-sink.ts';
import { regionOfWorkspace, sigV4 } from '../../lib/adapters/remote-write/sigv4.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { EXPORTED_JOB } from '../../lib/contracts/metric-names.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { StoreExporter } from '../../lib/pipeline/store-exporter.ts';
import { cursorPositions } from '../cursor-positions.ts';
import { failureFields, logOf } from '../log.ts';
import { bucketStore, streamLog, wallClock } from '../ports.ts';
import { exporterHandler } from './handler.ts';

const environment = readEnvironment('exporter', process.env);
const { MLMON_METRIC_DETAIL: detail, MLMON_REMOTE_WRITE_URL: url } = environment;
const clock = wallClock;
const log = logOf('exporter');
const store = retryingStore(bucketStore(environment.MLMON_BUCKET));
const client = new CloudWatchClient({
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 },
});
const region = url === undefined ? null : regionOfWorkspace(url);
const series =
  url === undefined
    ? null
    : new RemoteWriteSink({
        url,
        clock,
        labels: { job: EXPORTED_JOB, instance: environment.MLMON_ENVIRONMENT },
        // Any other receiver is one of the user's, and takes requests plain.
        signer:
          region === null
            ? undefined
            : sigV4({ service: 'aps', region, credentials: () => client.config.credentials() }),
        // What ended is known from the store, not from this copy of the function.
        remembered: 0,
      });
const values =
  detail === 'none' ? null : new CloudWatchMetrics({ client, clock, environment: environment.MLMON_ENVIRONMENT });

export const handler = exporterHandler({
  exporter: new StoreExporter({
    log: streamLog(environment.MLMON_STREAM_ARN, cursorPositions(store)),
    store,
    clock,
    registry: new Registry({ store, clock, baselines: 'none' }),
    series,
    values: values === null ? null : { sink: values, detail },
    onProblem: (problem) =>
      log.error('metrics could not be written; the next minute tells them again', failureFields(problem)),
  }),
  refused: () => ({
    count: (series?.counts.dropped ?? 0) + (values?.counts.dropped ?? 0),
    reason: series?.lastFailure ?? values?.lastFailure ?? null,
  }),
  environment: environment.MLMON_ENVIRONMENT,
  clock,
  log,
});
