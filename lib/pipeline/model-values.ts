/** CloudWatch metrics of models, each and all together, from their summaries. Pure. */
import {
  CLOUDWATCH_DIMENSION,
  type CloudWatchValue,
  type MetricDetail,
  MODEL_CLOUDWATCH_METRIC,
  modelMetricsAt,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../contracts/cloudwatch-metrics.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { SEVERITIES } from '../contracts/result.ts';
import { labelsDueAt, type ModelSummary, ownWindow } from './model-samples.ts';

export interface MonitoredModel {
  readonly monitor: Monitor;
  readonly summary: ModelSummary;
}

/** Those of one model at a detail; what is not known of it is not sent. */
export function modelValues(
  { monitor, summary }: MonitoredModel,
  detail: MetricDetail,
  now: number,
): CloudWatchValue[] {
  const window = ownWindow(summary, monitor);
  const p99 = window?.latency?.p99 ?? null;
  const values: Readonly<Record<keyof typeof MODEL_CLOUDWATCH_METRIC, number | null>> = {
    driftedFeatures: window?.drifted ?? null,
    openEpisodes: Object.keys(summary.episodes).length,
    windowRows: window?.rows ?? null,
    windowAge: window === undefined ? null : (now - window.end) / 1_000,
    labelCoverage: summary.performance?.coverage ?? null,
    latencyP99: p99 === null ? null : p99 / 1_000,
  };
  const wanted = modelMetricsAt(detail);
  const of = { [CLOUDWATCH_DIMENSION.model]: monitor.model };
  return Object.entries(MODEL_CLOUDWATCH_METRIC).flatMap(([name, metric]) => {
    const value = values[name as keyof typeof MODEL_CLOUDWATCH_METRIC];
    return value === null || !wanted.includes(metric) ? [] : [{ metric, value, of }];
  });
}

/** What alarms of the whole environment watch. */
export function allModelsValues(models: readonly MonitoredModel[], now: number): CloudWatchValue[] {
  const {
    openEpisodes,
    models: count,
    staleModels,
    failedModels,
    silentModels,
    labelsOverdue,
  } = PLATFORM_CLOUDWATCH_METRIC;
  const own = models.map(({ monitor, summary }) => ownWindow(summary, monitor));
  const severities = models.flatMap(({ summary }) => Object.values(summary.episodes));
  const overdue = models.map(({ monitor, summary }) => now - (labelsDueAt(summary, monitor) ?? now));
  return [
    ...SEVERITIES.map((severity) => ({
      metric: openEpisodes,
      value: severities.filter((one) => one === severity).length,
      of: { [CLOUDWATCH_DIMENSION.severity]: severity },
    })),
    { metric: count, value: models.length },
    { metric: staleModels, value: own.filter((window) => window?.status === 'stale').length },
    { metric: failedModels, value: own.filter((window) => window?.status === 'failed').length },
    { metric: silentModels, value: own.filter((window) => window?.rows === 0).length },
    { metric: labelsOverdue, value: overdue.reduce((a, b) => Math.max(a, b), 0) / 1_000 },
  ];
}
