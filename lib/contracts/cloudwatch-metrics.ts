/**
 * Every CloudWatch metric of a deployment, a closed list: functions write them, alarms, dashboards and `monitoring.metrics` read them,
 * nothing spells a name again. Features never become CloudWatch metrics, since each costs money every month: they go to Prometheus.
 *
 * Metrics of models are sent by the exporter through PutMetricData, so many for each model as the chosen detail says. Metrics of the
 * platform are few and are written by the function that knows, as a line of its log (embedded metric format): they arrive even when
 * the sinks that the exporter writes to do not answer. Of what AWS measures itself (iterator age, invocations, errors, queues) there
 * is nothing here.
 */
import type { FunctionName } from './functions.ts';
import { METRIC, type MetricDefinition } from './metric-names.ts';

export const CLOUDWATCH_NAMESPACE = 'MLMonitoring';

/** Names of dimensions. Their values: a model, the name of the environment, a severity (`SEVERITIES`), a `FunctionName`. */
export const CLOUDWATCH_DIMENSION = {
  model: 'Model',
  environment: 'Environment',
  severity: 'Severity',
  function: 'Function',
} as const;
export type CloudWatchDimension = (typeof CLOUDWATCH_DIMENSION)[keyof typeof CLOUDWATCH_DIMENSION];

/** How many metrics each model has: none, those marked `minimal`, all. */
export const METRIC_DETAILS = ['none', 'minimal', 'summary'] as const;
export type MetricDetail = (typeof METRIC_DETAILS)[number];

export interface CloudWatchMetric {
  readonly name: string;
  readonly unit: 'Count' | 'Seconds' | 'Bytes' | 'None';
  readonly help: string;
  /** Exactly these, in this order. */
  readonly dimensions: readonly CloudWatchDimension[];
  /** How several values of a period are read. */
  readonly statistic: 'Maximum' | 'Minimum' | 'Sum' | 'Average';
  /** The Prometheus metric that tells the same; `null` where there is none. */
  readonly mirrors: MetricDefinition | null;
  /** The function that emits it; `every` for all that run on a schedule. */
  readonly emitter: FunctionName | 'every';
}

/** A metric with its value now. */
export interface CloudWatchValue {
  readonly metric: CloudWatchMetric;
  readonly value: number;
  /** Values of the metric's dimensions, but for the environment. */
  readonly of?: Readonly<Partial<Record<CloudWatchDimension, string>>>;
}

export interface ModelCloudWatchMetric extends CloudWatchMetric {
  /** The smallest detail at which it is sent. */
  readonly detail: 'minimal' | 'summary';
}

const { model, environment, severity, function: functionName } = CLOUDWATCH_DIMENSION;

function ofModel(
  detail: ModelCloudWatchMetric['detail'],
  metric: Pick<CloudWatchMetric, 'name' | 'unit' | 'help' | 'mirrors' | 'statistic'>,
): ModelCloudWatchMetric {
  return { ...metric, detail, dimensions: [model, environment], emitter: 'exporter' };
}

/** One each for every model, of its own window (not of longer scales), sent every minute. */
export const MODEL_CLOUDWATCH_METRIC = {
  driftedFeatures: ofModel('minimal', {
    name: 'DriftedFeatures',
    unit: 'Count',
    help: 'Features found drifted in the newest judged window.',
    statistic: 'Maximum',
    mirrors: METRIC.driftedFeatures,
  }),
  openEpisodes: ofModel('minimal', {
    name: 'OpenEpisodes',
    unit: 'Count',
    help: 'Open episodes of any signal.',
    statistic: 'Maximum',
    mirrors: METRIC.episodeOpen,
  }),
  windowRows: ofModel('summary', {
    name: 'WindowRows',
    unit: 'Count',
    help: 'Rows of the newest judged window.',
    statistic: 'Minimum',
    mirrors: METRIC.windowRows,
  }),
  windowAge: ofModel('summary', {
    name: 'WindowAge',
    unit: 'Seconds',
    help: 'Since the end of the newest judged window.',
    statistic: 'Maximum',
    mirrors: METRIC.windowEnd,
  }),
  labelCoverage: ofModel('summary', {
    name: 'LabelCoverage',
    unit: 'None',
    help: 'Share of predictions of the newest window with labels whose truth arrived, 0 to 1; not sent for a model without labels.',
    statistic: 'Minimum',
    mirrors: METRIC.labelCoverage,
  }),
  latencyP99: ofModel('summary', {
    name: 'LatencyP99',
    unit: 'Seconds',
    help: 'The 99th percentile of the latency of predictions in the newest judged window; not sent where none is known.',
    statistic: 'Maximum',
    mirrors: METRIC.latency,
  }),
} as const satisfies Readonly<Record<string, ModelCloudWatchMetric>>;

function ofPlatform(
  emitter: CloudWatchMetric['emitter'],
  metric: Pick<CloudWatchMetric, 'name' | 'unit' | 'help' | 'statistic'> &
    Partial<Pick<CloudWatchMetric, 'mirrors' | 'dimensions'>>,
): CloudWatchMetric {
  return { mirrors: null, dimensions: [environment], ...metric, emitter };
}

/** Of the platform itself. Counts are those since the last time, so that a sum over any period is right; gauges say so by their statistic. */
export const PLATFORM_CLOUDWATCH_METRIC = {
  /** Missing data are a failure: the function does not run, or does not come to its end. */
  runs: ofPlatform('every', {
    name: 'Runs',
    unit: 'Count',
    help: 'Runs of a scheduled function that came to their end; without data the function is dead.',
    statistic: 'Sum',
    dimensions: [environment, functionName],
  }),

  // What models tell, over all of them.
  openEpisodes: ofPlatform('exporter', {
    name: 'OpenEpisodes',
    unit: 'Count',
    help: 'Open episodes of this severity, over all models and signals.',
    statistic: 'Maximum',
    dimensions: [environment, severity],
    mirrors: METRIC.episodeOpen,
  }),
  models: ofPlatform('exporter', {
    name: 'Models',
    unit: 'Count',
    help: 'Models that are monitored.',
    statistic: 'Maximum',
    mirrors: METRIC.modelInfo,
  }),
  staleModels: ofPlatform('exporter', {
    name: 'StaleModels',
    unit: 'Count',
    help: 'Models whose newest window was judged without having seen all partitions.',
    statistic: 'Maximum',
    mirrors: METRIC.windowState,
  }),
  failedModels: ofPlatform('exporter', {
    name: 'FailedModels',
    unit: 'Count',
    help: 'Models whose newest window could not be judged.',
    statistic: 'Maximum',
    mirrors: METRIC.windowState,
  }),
  silentModels: ofPlatform('exporter', {
    name: 'SilentModels',
    unit: 'Count',
    help: 'Models whose newest window has no rows.',
    statistic: 'Maximum',
    mirrors: METRIC.windowRows,
  }),
  labelsOverdue: ofPlatform('exporter', {
    name: 'LabelsOverdue',
    unit: 'Seconds',
    help: 'Since labels of a later window of some model should have come; 0 when none are missed.',
    statistic: 'Maximum',
    mirrors: METRIC.labelsDue,
  }),

  // The stream and what was made of it.
  lastEventAge: ofPlatform('exporter', {
    name: 'LastEventAge',
    unit: 'Seconds',
    help: 'Since the newest record that was profiled was taken by the stream; not sent before the first.',
    statistic: 'Minimum',
    mirrors: METRIC.headAppended,
  }),
  profiledRecords: ofPlatform('exporter', {
    name: 'ProfiledRecords',
    unit: 'Count',
    help: 'Events folded into profiles.',
    statistic: 'Sum',
    mirrors: METRIC.profilerProcessed,
  }),
  lateRecords: ofPlatform('exporter', {
    name: 'LateRecords',
    unit: 'Count',
    help: 'Events that came after their window could still be revised.',
    statistic: 'Sum',
    mirrors: METRIC.profilerBeyond,
  }),
  quarantinedRecords: ofPlatform('exporter', {
    name: 'QuarantinedRecords',
    unit: 'Count',
    help: 'Events on the stream that could not be read, for any reason.',
    statistic: 'Sum',
    mirrors: METRIC.quarantined,
  }),
  policyBreaches: ofPlatform('exporter', {
    name: 'PolicyBreaches',
    unit: 'Count',
    help: 'Events on the stream that break the field policy of their monitor: a producer writes what it must not.',
    statistic: 'Sum',
    mirrors: METRIC.quarantined,
  }),
  lostRecords: ofPlatform('exporter', {
    name: 'LostRecords',
    unit: 'Count',
    help: 'Records that retention removed from the stream before they were profiled.',
    statistic: 'Sum',
    mirrors: METRIC.lost,
  }),
  onFailureObjects: ofPlatform('redrive', {
    name: 'OnFailureObjects',
    unit: 'Count',
    help: 'Batches of the stream that were given up and lie in the on-failure prefix.',
    statistic: 'Sum',
  }),
  redriveFailures: ofPlatform('redrive', {
    name: 'RedriveFailures',
    unit: 'Count',
    help: 'Batches that were given up and could not be redriven either.',
    statistic: 'Sum',
  }),
  captureDifference: ofPlatform('labeler', {
    name: 'CaptureDifference',
    unit: 'Count',
    help: 'Events that were profiled and are neither in the capture nor among its listed failures, of the newest span that must be complete.',
    statistic: 'Maximum',
    mirrors: METRIC.captured,
  }),

  // Judging.
  dueModels: ofPlatform('dispatcher', {
    name: 'DueModels',
    unit: 'Count',
    help: 'Models of which something was due and was sent to the evaluator.',
    statistic: 'Maximum',
  }),
  overdue: ofPlatform('dispatcher', {
    name: 'Overdue',
    unit: 'Seconds',
    help: 'Since the oldest window that could be judged and is not; 0 when there is none.',
    statistic: 'Maximum',
  }),
  verdictDelay: ofPlatform('evaluator', {
    name: 'VerdictDelay',
    unit: 'Seconds',
    help: 'From the end of a window and its lateness to its first verdict.',
    statistic: 'Maximum',
    mirrors: METRIC.windowEvaluated,
  }),
  evaluationFailures: ofPlatform('evaluator', {
    name: 'EvaluationFailures',
    unit: 'Count',
    help: 'Attempts to judge a model that failed; each is made again.',
    statistic: 'Sum',
  }),
  scannedBytes: ofPlatform('labeler', {
    name: 'ScannedBytes',
    unit: 'Bytes',
    help: 'Read by the queries that join labels.',
    statistic: 'Sum',
  }),

  // Telling.
  sinkFailures: ofPlatform('exporter', {
    name: 'SinkFailures',
    unit: 'Count',
    help: 'Attempts to write metrics to Prometheus or CloudWatch that were given up; the next minute tells the same state again.',
    statistic: 'Sum',
  }),
  droppedSamples: ofPlatform('exporter', {
    name: 'DroppedSamples',
    unit: 'Count',
    help: 'Samples that a sink refused.',
    statistic: 'Sum',
  }),
  deliveryFailures: ofPlatform('notifier', {
    name: 'DeliveryFailures',
    unit: 'Count',
    help: 'Transitions given up for a channel: dead letters.',
    statistic: 'Sum',
    mirrors: METRIC.notifications,
  }),
  undeliveredAge: ofPlatform('notifier', {
    name: 'UndeliveredAge',
    unit: 'Seconds',
    help: 'Of the oldest transition that some channel has not taken; 0 when there is none.',
    statistic: 'Maximum',
  }),

  grafanaFailures: ofPlatform('grafana', {
    name: 'GrafanaFailures',
    unit: 'Count',
    help: 'Whether dashboards or data sources that were asked for are not in Grafana: 1, else 0.',
    statistic: 'Maximum',
    // A platform without a Grafana has no such function, and no alarm on it.
    dimensions: [environment, functionName],
  }),

  // The collector.
  receivedEvents: ofPlatform('collector', {
    name: 'ReceivedEvents',
    unit: 'Count',
    help: 'Events and labels taken.',
    statistic: 'Sum',
    mirrors: METRIC.collectorReceived,
  }),
  rejectedEvents: ofPlatform('collector', {
    name: 'RejectedEvents',
    unit: 'Count',
    help: 'Events and labels put into quarantine by the collector.',
    statistic: 'Sum',
    mirrors: METRIC.collectorRejected,
  }),
} as const satisfies Readonly<Record<string, CloudWatchMetric>>;

/** Functions that emit `Runs`, and what is then dead: those on a schedule. */
export const SCHEDULED_FUNCTIONS = [
  'dispatcher',
  'labeler',
  'exporter',
  'notifier',
  'cleaner',
] as const satisfies readonly FunctionName[];

/** The metrics that each model has at a detail. */
export function modelMetricsAt(detail: MetricDetail): readonly ModelCloudWatchMetric[] {
  const all = Object.values(MODEL_CLOUDWATCH_METRIC);
  if (detail === 'none') return [];
  return detail === 'minimal' ? all.filter((metric) => metric.detail === 'minimal') : all;
}
