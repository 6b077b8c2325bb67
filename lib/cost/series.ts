/**
 * How many time series models have. Statistics of features go to Prometheus alone; CloudWatch gets a fixed few for each model.
 * The counts follow from what the exporter writes (`contracts/metric-names.ts`).
 */
import { type MetricDetail, modelMetricsAt } from '../contracts/cloudwatch-metrics.ts';
import { FEATURE_STATISTICS } from '../contracts/metric-names.ts';
import { SIGNALS, VERDICTS } from '../contracts/result.ts';
import type { ModelUsage } from './usage.ts';

/** Of a feature: its statistics, the threshold of the one that decides, and whether it drifted. */
const SERIES_OF_FEATURE = FEATURE_STATISTICS.length + 2;
/** Of a length: rows, end, time of judgement, drifted features, its state, three percentiles of latency. */
const SERIES_OF_LENGTH = 4 + VERDICTS.length + 3;

export interface Series {
  /** Of features: columns × statistics × segments × lengths. */
  readonly features: number;
  /** Everything else of models. */
  readonly state: number;
  /** CloudWatch metrics of models. */
  readonly cloudWatch: number;
}

export function seriesOf(models: readonly ModelUsage[], detail: MetricDetail): Series {
  let features = 0;
  let state = 0;
  for (const { columns, segments, lengths, performanceMetrics } of models) {
    features += columns * SERIES_OF_FEATURE * segments * lengths;
    // Value and threshold of a metric; end of its window and coverage; an episode a signal; what model and baseline are.
    state += lengths * SERIES_OF_LENGTH + 2 * performanceMetrics + 2 + SIGNALS.length + 2;
  }
  return { features, state, cloudWatch: models.length * modelMetricsAt(detail).length };
}
