/** What a panel is: a title, what it answers, and metrics of the catalogue. Neutral: renderers know how a product draws it. */
import type { CloudWatchMetric, ModelCloudWatchMetric } from '../contracts/cloudwatch-metrics.ts';
import type { FunctionName } from '../contracts/functions.ts';
import type { Severity } from '../contracts/result.ts';

/** Metrics that AWS measures itself. */
export type AwsPanelMetric =
  | { readonly aws: 'function'; readonly metric: 'Errors' | 'Throttles' | 'Duration'; readonly functions: 'each' }
  | { readonly aws: 'iterator-age'; readonly function: FunctionName }
  | {
      readonly aws: 'stream';
      readonly metric: 'IncomingRecords' | 'IncomingBytes' | 'WriteProvisionedThroughputExceeded';
    }
  | { readonly aws: 'queues' };

export type PanelMetric =
  | AwsPanelMetric
  /** One series; `each` for all severities or functions that the metric has. */
  | { readonly platform: CloudWatchMetric; readonly label: string; readonly severity?: Severity }
  | { readonly platform: CloudWatchMetric; readonly each: 'function' }
  /** The models whose value is highest (or lowest), so that a thousand of them fit. */
  | { readonly models: ModelCloudWatchMetric; readonly worst: 'highest' | 'lowest' }
  /** The model that was chosen. */
  | { readonly model: ModelCloudWatchMetric; readonly label: string };

export interface Panel {
  /** Stable, unique in its dashboard. */
  readonly key: string;
  readonly title: string;
  /** `state`: the present state of all alarms. */
  readonly kind: 'lines' | 'numbers' | 'alarms';
  /** Of the axis. */
  readonly unit: string;
  readonly metrics: readonly PanelMetric[];
  /** Of 24. */
  readonly width: 6 | 8 | 12 | 24;
}

export interface Section {
  readonly title: string;
  /** What to read from it, in one or two sentences. */
  readonly help: string;
  readonly panels: readonly Panel[];
}

export interface DashboardDefinition {
  readonly key: 'platform' | 'models';
  readonly title: string;
  readonly sections: readonly Section[];
}
