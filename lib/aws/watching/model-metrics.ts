import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import {
  CLOUDWATCH_DIMENSION,
  CLOUDWATCH_NAMESPACE,
  type CloudWatchMetric,
  type MetricDetail,
  MODEL_CLOUDWATCH_METRIC,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../contracts/cloudwatch-metrics.ts';
import type { FunctionName } from '../../contracts/functions.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { Severity } from '../../contracts/result.ts';

export interface ModelMetricsProps {
  readonly environmentName: string;
  /** What is published of each model. */
  readonly detail: MetricDetail;
}

/** Which one of a metric that there is more than once. */
export interface PlatformMetricOptions extends cloudwatch.MetricOptions {
  /** Where the metric has one for each severity. @default none: the metric has no such dimension */
  readonly severity?: Severity;
  /** Where the metric has one for each function. @default none: the metric has no such dimension */
  readonly function?: FunctionName;
}

/** The published metrics, for alarms and dashboards of yours. A metric that nobody publishes is refused. */
export class ModelMetrics {
  readonly #props: ModelMetricsProps;

  constructor(props: ModelMetricsProps) {
    this.#props = props;
  }

  get environmentName(): string {
    return this.#props.environmentName;
  }

  /** Whether it is published at the detail of the platform. */
  has(metric: keyof typeof MODEL_CLOUDWATCH_METRIC): boolean {
    const { detail } = this.#props;
    return detail === 'summary' || (detail === 'minimal' && MODEL_CLOUDWATCH_METRIC[metric].detail === 'minimal');
  }

  /** Features found drifted in the newest judged window. */
  driftedFeatures(model: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.#ofModel('driftedFeatures', model, options);
  }

  /** Open episodes of any signal. */
  openEpisodes(model: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.#ofModel('openEpisodes', model, options);
  }

  /** Rows of the newest judged window. */
  windowRows(model: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.#ofModel('windowRows', model, options);
  }

  /** Seconds since the end of the newest judged window. */
  windowAge(model: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.#ofModel('windowAge', model, options);
  }

  /** Share of predictions whose truth arrived, 0 to 1. */
  labelCoverage(model: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.#ofModel('labelCoverage', model, options);
  }

  /** The 99th percentile of the latency of predictions, seconds. */
  latencyP99(model: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.#ofModel('latencyP99', model, options);
  }

  /** A metric of the platform itself. */
  platform(metric: keyof typeof PLATFORM_CLOUDWATCH_METRIC, options: PlatformMetricOptions = {}): cloudwatch.Metric {
    const { severity, function: functionName, ...rest } = options;
    const definition: CloudWatchMetric = PLATFORM_CLOUDWATCH_METRIC[metric];
    const given: Readonly<Record<string, string | undefined>> = {
      [CLOUDWATCH_DIMENSION.severity]: severity,
      [CLOUDWATCH_DIMENSION.function]: functionName,
    };
    for (const [name, value] of Object.entries(given))
      if (definition.dimensions.some((dimension) => dimension === name) !== (value !== undefined))
        throw new ProblemError([
          {
            code: 'metric-dimension',
            path: `${metric}.${name.toLowerCase()}`,
            message: value === undefined ? 'is missing' : 'is no dimension of this metric',
            expected: definition.dimensions.join(', '),
          },
        ]);
    return this.#metric(definition, given, rest);
  }

  #ofModel(
    key: keyof typeof MODEL_CLOUDWATCH_METRIC,
    model: string,
    options: cloudwatch.MetricOptions = {},
  ): cloudwatch.Metric {
    const definition = MODEL_CLOUDWATCH_METRIC[key];
    const { detail } = this.#props;
    if (!this.has(key))
      throw new ProblemError([
        {
          code: 'metric-not-published',
          path: `metrics.${key}`,
          message: `is not published at the detail ${detail}`,
          expected: `the detail ${definition.detail === 'minimal' ? 'minimal or summary' : 'summary'}`,
          fix: 'raise the detail of the metrics, which costs 0.30 $ a month for each metric of a model',
        },
      ]);
    return this.#metric(definition, { [CLOUDWATCH_DIMENSION.model]: model }, options);
  }

  #metric(
    { name, statistic, dimensions, help }: CloudWatchMetric,
    values: Readonly<Record<string, string | undefined>>,
    options: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: CLOUDWATCH_NAMESPACE,
      metricName: name,
      dimensionsMap: Object.fromEntries(
        dimensions.map((dimension) => [
          dimension,
          dimension === CLOUDWATCH_DIMENSION.environment ? this.#props.environmentName : (values[dimension] ?? ''),
        ]),
      ),
      statistic,
      period: Duration.minutes(5),
      label: help.replace(/\.$/, ''),
      ...options,
    });
  }
}
