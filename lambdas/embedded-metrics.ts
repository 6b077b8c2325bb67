/**
 * Metrics of the platform as the functions tell them: lines in CloudWatch's embedded metric format, from which the service makes metrics
 * without a call. Names, units and dimensions come from the catalogue.
 */
import {
  CLOUDWATCH_DIMENSION,
  CLOUDWATCH_NAMESPACE,
  type CloudWatchDimension,
  type CloudWatchMetric,
} from '../lib/contracts/cloudwatch-metrics.ts';

export interface Measured {
  readonly metric: CloudWatchMetric;
  readonly value: number;
  /** Values of the metric's dimensions, but for the environment. */
  readonly of?: Readonly<Partial<Record<CloudWatchDimension, string>>>;
}

export interface MetricLineOptions {
  readonly environment: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** @default standard output */
  readonly write?: (line: string) => void;
}

/** One line for each set of dimensions. Zeros are written too: a counter at rest is not one that nobody counts. */
export function writeMetrics(measured: readonly Measured[], options: MetricLineOptions): void {
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const bySet = new Map<string, { readonly dimensions: Record<string, string>; readonly measured: Measured[] }>();
  for (const one of measured) {
    const dimensions: Record<string, string> = {};
    for (const dimension of one.metric.dimensions) {
      const value = dimension === CLOUDWATCH_DIMENSION.environment ? options.environment : one.of?.[dimension];
      if (value === undefined)
        throw new Error(`${one.metric.name}: no value for the dimension ${dimension}; expected one with every value`);
      dimensions[dimension] = value;
    }
    const name = JSON.stringify(dimensions);
    const set = bySet.get(name);
    if (set === undefined) bySet.set(name, { dimensions, measured: [one] });
    else set.measured.push(one);
  }
  for (const { dimensions, measured: values } of bySet.values()) {
    const line = {
      _aws: {
        Timestamp: options.now,
        CloudWatchMetrics: [
          {
            Namespace: CLOUDWATCH_NAMESPACE,
            Dimensions: [Object.keys(dimensions)],
            Metrics: values.map(({ metric }) => ({ Name: metric.name, Unit: metric.unit })),
          },
        ],
      },
      ...dimensions,
      ...Object.fromEntries(values.map(({ metric, value }) => [metric.name, value])),
    };
    write(`${JSON.stringify(line)}\n`);
  }
}
