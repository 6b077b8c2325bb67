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

/** What model and baseline are, and when the next window is due; an open episode a signal comes on top. */
const SERIES_OF_MODEL = 3;
/** Where labels come: end of their window, coverage, when the next are due; value and threshold of each metric come on top. */
const SERIES_OF_LABELS = 3;

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
    state += lengths * SERIES_OF_LENGTH + SIGNALS.length + SERIES_OF_MODEL;
    if (performanceMetrics > 0) state += 2 * performanceMetrics + SERIES_OF_LABELS;
  }
  return { features, state, cloudWatch: models.length * modelMetricsAt(detail).length };
}
