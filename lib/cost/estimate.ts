/** The bill of a month, by part. */
import {
  CLOUDWATCH_DIMENSION,
  PLATFORM_CLOUDWATCH_METRIC,
  SCHEDULED_FUNCTIONS,
} from '../contracts/cloudwatch-metrics.ts';
import { EXPORT_MINUTES } from '../contracts/metric-names.ts';
import { SEVERITIES } from '../contracts/result.ts';
import * as parts from './parts.ts';
import { PRICE_LIST, PRICES } from './prices.ts';
import { type Series, seriesOf } from './series.ts';
import { HOURS_A_MONTH, MINUTES_A_MONTH, type Usage } from './usage.ts';

export interface CostPart {
  readonly id: string;
  readonly title: string;
  /** A month. */
  readonly usd: number;
  /** What it was reckoned from, in one line. */
  readonly basis: string;
}

export interface Estimate {
  readonly schema: 'mlmon.cost/v1';
  readonly prices: typeof PRICE_LIST;
  readonly eventsPerMonth: number;
  readonly models: number;
  readonly parts: readonly CostPart[];
  readonly total: number;
}

/** Rules that look at state every minute; each reads about a tenth of it. */
const RULES = 15;
/** Metrics of the platform: one for each value of a dimension besides the environment. */
const PLATFORM_METRICS = Object.values(PLATFORM_CLOUDWATCH_METRIC).reduce(
  (sum, { dimensions }) =>
    sum +
    (dimensions.includes(CLOUDWATCH_DIMENSION.function)
      ? SCHEDULED_FUNCTIONS.length
      : dimensions.includes(CLOUDWATCH_DIMENSION.severity)
        ? SEVERITIES.length
        : 1),
  0,
);
/** Functions that run every minute, and what each run takes. */
const MINUTELY = { functions: 3, seconds: 0.5, gb: 0.5 };
/** Requests to the store of each of their runs. */
const REQUESTS = { writes: 4, reads: 10 };
/** Judging a window: reading, merging, testing and writing. */
const JUDGING = { secondsAWindow: 0.05, secondsAColumn: 0.001, gb: 1 };
/** Packs of an hour that a model's evaluation reads at most; beyond that many they are compacted. */
const PACKS_AN_HOUR = 64;
/** Bytes of an event that a join of labels reads: id, time, score, predicted. Columns that it does not name are not read. */
const JOINED_BYTES = 60;

const count = (n: number): string => Math.round(n).toLocaleString('en-US');

export function estimate(usage: Usage): Estimate {
  const { models, eventsPerMonth: events, eventBytes, eventsPerRecord, metricDetail } = usage;
  const traffic = { events, eventBytes, eventsPerRecord };
  const shards = parts.shards(traffic);
  const series = seriesOf(models, metricDetail);
  const windows = models.reduce((sum, model) => sum + model.windowsPerMonth, 0);
  const judged = models.reduce((sum, { windowsPerMonth, columns }) => sum + windowsPerMonth * columns, 0);
  const batches = parts.batches(traffic);
  const labelled = models.filter(({ performanceMetrics }) => performanceMetrics > 0);
  const horizon = Math.max(0, ...labelled.map(({ horizonHours }) => horizonHours));
  const runs = MINUTELY.functions * MINUTES_A_MONTH;
  // The profiler writes a line a batch, the others a few a run.
  const logGb = ((batches + runs) * 500) / 2 ** 30;
  const grains = models.length * HOURS_A_MONTH;
  const packReads = grains * Math.min(PACKS_AN_HOUR, batches / HOURS_A_MONTH);
  const found: readonly (CostPart | false)[] = [
    {
      id: 'stream',
      title: 'Kinesis',
      usd: usage.stream === 'provisioned' ? parts.provisionedStream(traffic) : parts.onDemandStream(traffic),
      basis:
        usage.stream === 'provisioned'
          ? `${count(shards)} shard(s), ${count(events / eventsPerRecord)} records of ${eventsPerRecord} event(s)`
          : 'on demand, read by the profiler and by the capture',
    },
    usage.retentionDays > 1 && {
      id: 'retention',
      title: 'Kinesis retention',
      usd: parts.retention(traffic, usage.stream, usage.retentionDays),
      basis: `${usage.retentionDays} days`,
    },
    {
      id: 'capture',
      title: 'Firehose to Parquet',
      usd: parts.capture(traffic),
      basis: `${eventsPerRecord} event(s) of ${count(eventBytes)} bytes a record, rounded up to 5 kB`,
    },
    {
      id: 'capture-storage',
      title: 'S3, captured events',
      usd: parts.captureStorage(events, (300 * eventBytes) / 1_378, usage.captureDays),
      basis: `kept ${usage.captureDays} days`,
    },
    {
      id: 'profiler',
      title: 'Lambda, profiler',
      usd: parts.profiler(traffic),
      basis: `${count(batches)} batches`,
    },
    {
      id: 'state',
      title: 'S3, cursors and packs',
      usd: parts.commits(traffic),
      basis: 'two writes and a read a batch',
    },
    {
      id: 'evaluation',
      title: 'Lambda and S3, evaluator',
      usd:
        parts.lambda(windows * JUDGING.secondsAWindow + judged * JUDGING.secondsAColumn, JUDGING.gb, windows) +
        parts.requests(3 * windows, packReads + 3 * windows),
      basis: `${count(windows)} windows of ${count(models.length)} model(s)`,
    },
    {
      id: 'schedules',
      title: 'Lambda and S3, dispatcher, exporter, notifier',
      usd:
        parts.lambda(runs * MINUTELY.seconds, MINUTELY.gb, runs) +
        // The exporter keeps what it tells of all models in one object; each model is read again once an hour.
        parts.requests(REQUESTS.writes * runs, REQUESTS.reads * runs + 3 * models.length * HOURS_A_MONTH) +
        runs * PRICES.schedulerInvocation.usd +
        2 * windows * PRICES.sqsRequest.usd,
      basis: 'every minute',
    },
    labelled.length > 0 && {
      id: 'labels',
      title: 'Athena, joining labels',
      usd: parts.athena(HOURS_A_MONTH, (events / HOURS_A_MONTH) * horizon * JOINED_BYTES),
      basis: `every hour over ${count(horizon)} h of capture`,
    },
    usage.prometheus && {
      id: 'prometheus',
      title: 'Managed Prometheus',
      usd: prometheusPrice(series),
      basis: `${count(series.state)} series of state every minute, ${count(series.features)} of features every hour`,
    },
    {
      id: 'cloudwatch-metrics',
      title: 'CloudWatch, metrics',
      usd: parts.cloudWatchMetrics(
        series.cloudWatch + PLATFORM_METRICS,
        metricDetail === 'none' ? 0 : MINUTES_A_MONTH * Math.ceil(series.cloudWatch / 1_000),
      ),
      basis: `${count(series.cloudWatch)} of models (${metricDetail}), ${PLATFORM_METRICS} of the platform`,
    },
    {
      id: 'watching',
      title: 'CloudWatch, alarms and dashboards',
      usd: usage.alarms * PRICES.alarm.usd + Math.max(0, usage.dashboards - 3) * PRICES.dashboard.usd,
      basis: `${usage.alarms} alarms, ${usage.dashboards} dashboards`,
    },
    {
      id: 'logs',
      title: 'CloudWatch, logs',
      usd: logGb * PRICES.logGb.usd,
      basis: 'a line a batch and a run',
    },
    {
      id: 'keys',
      title: 'KMS and Secrets Manager',
      usd: usage.keys * PRICES.key.usd + usage.secrets * PRICES.secret.usd,
      basis: `${usage.keys} key(s), ${usage.secrets} secret(s)`,
    },
  ];
  const kept = found.filter((part): part is CostPart => part !== false);
  return {
    schema: 'mlmon.cost/v1',
    prices: PRICE_LIST,
    eventsPerMonth: events,
    models: models.length,
    parts: kept,
    total: kept.reduce((sum, part) => sum + part.usd, 0),
  };
}

/** What so many series cost in Managed Prometheus: state is written and read by rules every minute, features are written every hour. */
export function prometheusPrice({ features, state }: Pick<Series, 'features' | 'state'>): number {
  const samples =
    (state * MINUTES_A_MONTH) / EXPORT_MINUTES.state + (features * MINUTES_A_MONTH) / EXPORT_MINUTES.features;
  return parts.prometheus(samples, (RULES / 10) * state * MINUTES_A_MONTH);
}
