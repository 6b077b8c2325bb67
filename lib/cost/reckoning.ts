/** The parts of a month's bill, from a usage, prices and figures. What they are made of stands in `parts.ts`. */
import {
  CLOUDWATCH_DIMENSION,
  PLATFORM_CLOUDWATCH_METRIC,
  SCHEDULED_FUNCTIONS,
} from '../contracts/cloudwatch-metrics.ts';
import type { FunctionName } from '../contracts/functions.ts';
import { EXPORT_MINUTES } from '../contracts/metric-names.ts';
import { noun } from '../contracts/noun.ts';
import { SEVERITIES } from '../contracts/result.ts';
import type { Figures } from './figures.ts';
import * as parts from './parts.ts';
import type { PriceTable } from './prices.ts';
import { type Series, seriesOf } from './series.ts';
import { FOR_EVER_DAYS, HOURS_A_MONTH, MINUTES_A_MONTH, meanColumns, type Usage } from './usage.ts';

/** A part at one level of the figures. */
export interface ReckonedPart {
  readonly id: PartId;
  readonly title: string;
  readonly usd: number;
  readonly basis: string;
}

export const PART_TITLES = {
  stream: 'Kinesis',
  retention: 'Kinesis retention',
  capture: 'Firehose',
  'capture-storage': 'S3, captured events',
  collector: 'Lambda and HTTP API, collector',
  profiler: 'Lambda and S3, profiler',
  evaluation: 'Lambda and S3, evaluator',
  schedules: 'Lambda and S3, functions on schedules',
  'state-storage': 'S3, packs, profiles, results, logs of access',
  labels: 'Athena, joining labels',
  prometheus: 'Managed Prometheus',
  'cloudwatch-metrics': 'CloudWatch, metrics',
  watching: 'CloudWatch, alarms and dashboards',
  logs: 'CloudWatch, logs',
  traces: 'X-Ray',
  queues: 'SQS',
  keys: 'KMS and Secrets Manager',
  bus: 'EventBridge',
  endpoints: 'Endpoints of the VPC',
  grafana: 'Managed Grafana',
} as const;
export type PartId = keyof typeof PART_TITLES;

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
/** Bytes of a chunk that an event on a bus is counted by. */
const BUS_CHUNK = 64 * 1024;
/** Packs stay until their stream's records are gone and a redrive is over. */
const FAILED_DAYS = 14;
const ACCESS_LOG_DAYS = 90;
const NONCURRENT_DAYS = 30;

const count = (n: number): string => Math.round(n).toLocaleString('en-US');
const counted = (n: number, one: string, many?: string): string => `${count(n)} ${noun(Math.round(n), one, many)}`;

export function reckon(usage: Usage, prices: PriceTable, figures: Figures): readonly ReckonedPart[] {
  const { models, eventsPerMonth: events, eventsPerRecord, metricDetail, inventory } = usage;
  const { single } = prices;
  const columns = meanColumns(models);
  const eventBytes = usage.eventBytes ?? figures.eventBytes + figures.eventBytesAColumn * columns;
  const traffic = { events, eventBytes, eventsPerRecord };
  const wanted = parts.shards(traffic, figures);
  const shards = usage.shards === null ? wanted : Math.min(usage.shards.most, Math.max(usage.shards.least, wanted));
  const batches = parts.batches(
    traffic,
    usage.stream === 'provisioned' ? shards : wanted,
    inventory.batchSeconds,
    figures,
  );
  const windows = models.reduce((sum, model) => sum + model.windowsPerMonth, 0);
  const judged = models.reduce((sum, model) => sum + model.windowsPerMonth * model.columns, 0);
  const modelHours = models.length * HOURS_A_MONTH;
  const modelColumns = models.reduce((sum, model) => sum + model.columns, 0);
  const labelled = models.filter(({ performanceMetrics }) => performanceMetrics > 0);
  const horizon = Math.max(0, ...labelled.map(({ horizonHours }) => horizonHours));
  const series = seriesOf(models, metricDetail);
  const gbOf = (name: FunctionName): number => (inventory.functions[name]?.memoryMb ?? 1_024) / 1_024;
  const waits = (seconds: number, requests: number): number => seconds + requests * figures.requestSeconds;

  const batchRequests = figures.batchWrites + figures.batchReads;
  const profilerSeconds = events * figures.secondsAnEvent + batches * waits(figures.runSeconds, batchRequests);

  // Packs of an hour are read once for all models of a message.
  const packReads =
    HOURS_A_MONTH *
    Math.min(figures.packsAnHour, batches / HOURS_A_MONTH) *
    Math.ceil(models.length / figures.modelsAMessage);
  const evaluatorWrites = figures.hourWrites * modelHours + figures.windowWrites * windows;
  const evaluatorReads = packReads + figures.hourReads * modelHours + figures.windowReads * windows;
  // Every hour something is due; models of a message share an invocation.
  const messages = models.length === 0 ? 0 : Math.max(1, models.length / figures.modelsAMessage) * 2 * HOURS_A_MONTH;
  const evaluatorSeconds =
    judged * figures.judgingSecondsAColumn +
    messages * figures.runSeconds +
    // Eight models wait at a time.
    ((evaluatorWrites + evaluatorReads) / 8) * figures.requestSeconds;

  const scheduled = Object.entries(inventory.functions)
    .map(([name, { runsPerMonth, memoryMb }]) => ({
      runs: runsPerMonth,
      gb: memoryMb / 1_024,
      ...requestsOf(name as FunctionName, figures),
    }))
    .filter(({ runs }) => runs > 0);
  const scheduledRuns = scheduled.reduce((sum, { runs }) => sum + runs, 0);
  const scheduledWrites = scheduled.reduce((sum, { runs, writes }) => sum + runs * writes, 0);
  // Each model's newest results are read again once an hour for the series of its features.
  const scheduledReads = scheduled.reduce((sum, { runs, reads }) => sum + runs * reads, 0) + 2 * modelHours;
  const scheduledSeconds = scheduled.map(({ runs, gb, writes, reads }) => ({
    gbSeconds: gb * runs * waits(figures.runSeconds, writes + reads),
    runs,
  }));

  const httpRequests = (usage.overHttp * events) / eventsPerRecord;
  const invocations = batches + messages + scheduledRuns + httpRequests;
  const writes = figures.batchWrites * batches + evaluatorWrites + scheduledWrites;
  const reads = figures.batchReads * batches + evaluatorReads + scheduledReads;

  const profileBytes = figures.packBytesAColumn * modelColumns;
  // A pack has the profiles of the models whose events came in its batch.
  const packBytes = Math.min(profileBytes, (figures.packBytesAnEvent * columns * events) / Math.max(1, batches));
  const stateBytes =
    parts.keptBytes(packBytes * batches, usage.retentionDays + FAILED_DAYS) +
    models.reduce(
      (sum, { columns: of, windowsPerMonth, profileDays = FOR_EVER_DAYS, resultDays = FOR_EVER_DAYS }) =>
        sum +
        parts.keptBytes(figures.packBytesAColumn * of * HOURS_A_MONTH, profileDays) +
        parts.keptBytes(figures.resultBytesAColumn * of * windowsPerMonth, resultDays),
      0,
    ) +
    parts.keptBytes(figures.cursorBytes * batches, NONCURRENT_DAYS) +
    parts.keptBytes(figures.accessLogBytes * (writes + reads), ACCESS_LOG_DAYS);
  const captureBytes =
    events * eventBytes * (usage.captureFormat === 'parquet' ? figures.parquetShare : figures.gzipShare);
  const logBytes = invocations * (figures.logBytesARun + figures.platformLogBytes);
  // A bus that was brought is paid for by its events all the same.
  const told = inventory.functions.announcer === undefined ? 0 : windows;

  const found: [PartId, number | false, string][] = [
    [
      'stream',
      usage.stream === 'provisioned'
        ? parts.provisionedStream(prices, traffic, shards)
        : usage.stream === 'on-demand' && parts.onDemandStream(prices, traffic),
      usage.stream === 'provisioned'
        ? `${counted(shards, 'shard')}${wanted > shards ? `, though the traffic takes ${count(wanted)}` : ''}, ${counted(events / eventsPerRecord, 'record')} of ${counted(eventsPerRecord, 'event')}`
        : 'on demand, read by the profiler and by the capture',
    ],
    [
      'retention',
      usage.stream !== 'brought' &&
        usage.retentionDays > 1 &&
        parts.retention(prices, traffic, usage.stream === 'provisioned' ? shards : 'on-demand', usage.retentionDays),
      counted(usage.retentionDays, 'day'),
    ],
    [
      'capture',
      parts.capture(prices, traffic, usage.captureFormat),
      `${usage.captureFormat === 'parquet' ? 'Parquet' : 'lines of JSON'}; ${counted(eventsPerRecord, 'event')} of ${count(eventBytes)} bytes a record, rounded up to 5 kB`,
    ],
    [
      'capture-storage',
      parts.storage(prices, parts.keptBytes(captureBytes, usage.captureDays ?? FOR_EVER_DAYS)),
      usage.captureDays === null ? 'kept for ever: after a year' : `kept ${counted(usage.captureDays, 'day')}`,
    ],
    [
      'collector',
      httpRequests > 0 &&
        parts.lambda(prices, httpRequests * figures.collectorSeconds, gbOf('collector'), httpRequests) +
          (inventory.httpApis > 0 ? httpRequests * single.httpApiRequest.usd : 0),
      counted(httpRequests, 'request'),
    ],
    [
      'profiler',
      parts.lambda(prices, profilerSeconds, gbOf('profiler'), batches) +
        parts.requests(prices, figures.batchWrites * batches, figures.batchReads * batches),
      `${counted(batches, 'batch', 'batches')}, ${batchRequests} requests each`,
    ],
    [
      'evaluation',
      windows > 0 &&
        parts.lambda(prices, evaluatorSeconds, gbOf('evaluator'), messages) +
          parts.requests(prices, evaluatorWrites, evaluatorReads),
      `${counted(windows, 'window')} and ${counted(modelHours, 'hour')} of ${counted(models.length, 'model')}`,
    ],
    [
      'schedules',
      scheduledSeconds.reduce((sum, { gbSeconds, runs }) => sum + parts.lambda(prices, gbSeconds, 1, runs), 0) +
        parts.requests(prices, scheduledWrites, scheduledReads) +
        scheduledRuns * single.schedulerInvocation.usd,
      `${counted(scheduledRuns, 'run')} of ${counted(scheduled.length, 'function')}`,
    ],
    ['state-storage', parts.storage(prices, stateBytes), 'what is kept for ever: after a year'],
    [
      'labels',
      labelled.length > 0 &&
        parts.athena(prices, HOURS_A_MONTH, (events / HOURS_A_MONTH) * horizon * figures.joinedBytes),
      `every hour over ${count(horizon)} h of capture`,
    ],
    [
      'prometheus',
      usage.prometheus && prometheusPrice(series, prices, figures),
      `${count(series.state)} series of state every minute, ${count(series.features)} of features every hour`,
    ],
    [
      'cloudwatch-metrics',
      parts.cloudWatchMetrics(
        prices,
        series.cloudWatch + PLATFORM_METRICS,
        metricDetail === 'none' ? 0 : MINUTES_A_MONTH * Math.ceil(series.cloudWatch / 1_000),
      ),
      `${count(series.cloudWatch)} of models (${metricDetail}), ${PLATFORM_METRICS} of the platform`,
    ],
    [
      'watching',
      inventory.alarms * single.alarm.usd +
        inventory.compositeAlarms * single.compositeAlarm.usd +
        Math.max(0, inventory.dashboards - 3) * single.dashboard.usd,
      `${counted(inventory.alarms + inventory.compositeAlarms, 'alarm')}, ${counted(inventory.dashboards, 'dashboard')}`,
    ],
    ['logs', parts.logs(prices, logBytes), counted(invocations, 'invocation')],
    ['traces', parts.traces(prices, invocations, figures), counted(invocations, 'invocation')],
    [
      'queues',
      (inventory.polledQueues * figures.emptyReceives * MINUTES_A_MONTH + 3 * messages) * single.sqsRequest.usd,
      `${counted(inventory.polledQueues, 'queue')} that functions wait on`,
    ],
    [
      'keys',
      inventory.keys * (single.key.usd + figures.keyRequests * invocations * single.keyRequest.usd) +
        inventory.secrets * single.secret.usd,
      `${counted(inventory.keys, 'key')}, ${counted(inventory.secrets, 'secret')}`,
    ],
    [
      'bus',
      inventory.functions.announcer !== undefined &&
        told * Math.ceil(figures.busBytes / BUS_CHUNK) * single.busEvent.usd +
          parts.lambda(prices, told * waits(figures.runSeconds, 2), gbOf('announcer'), told) +
          parts.requests(prices, 0, told) +
          (inventory.archives > 0
            ? ((told * figures.busBytes) / parts.GB) * single.busArchiveGb.usd +
              parts.storage(prices, parts.keptBytes(told * figures.busBytes, FOR_EVER_DAYS))
            : 0),
      `${counted(told, 'event')}${inventory.archives > 0 ? ', archived' : ''}`,
    ],
    [
      'endpoints',
      inventory.endpointZones > 0 &&
        inventory.endpointZones * HOURS_A_MONTH * single.endpointHour.usd +
          ((events * eventBytes + logBytes) / parts.GB) * single.endpointGb.usd,
      `${inventory.endpointZones} interface endpoints times zones`,
    ],
    [
      'grafana',
      inventory.grafanaWorkspaces > 0 &&
        usage.grafanaEditors * single.grafanaEditor.usd + usage.grafanaViewers * single.grafanaViewer.usd,
      `${counted(usage.grafanaEditors, 'editor')}, ${counted(usage.grafanaViewers, 'viewer')}`,
    ],
  ];
  return found.flatMap(([id, usd, basis]) => (usd === false ? [] : [{ id, title: PART_TITLES[id], usd, basis }]));
}

function requestsOf(name: FunctionName, figures: Figures): { readonly writes: number; readonly reads: number } {
  if (name === 'dispatcher') return { writes: figures.dispatcherWrites, reads: figures.dispatcherReads };
  if (name === 'exporter') return { writes: figures.exporterWrites, reads: figures.exporterReads };
  if (name === 'notifier') return { writes: figures.notifierWrites, reads: figures.notifierReads };
  return { writes: figures.otherRequests / 2, reads: figures.otherRequests / 2 };
}

/** What so many series cost in Managed Prometheus: state is written and read by rules every minute, features are written every hour. */
export function prometheusPrice(
  { features, state }: Pick<Series, 'features' | 'state'>,
  prices: PriceTable,
  figures: Figures,
): number {
  const samples =
    (state * MINUTES_A_MONTH) / EXPORT_MINUTES.state + (features * MINUTES_A_MONTH) / EXPORT_MINUTES.features;
  return parts.prometheus(prices, samples, figures.queriedSamples * state * MINUTES_A_MONTH);
}
