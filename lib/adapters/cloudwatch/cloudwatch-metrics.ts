/**
 * Metrics of the closed list to CloudWatch, through PutMetricData: for the many of models, which as log lines would cost more.
 * Requests hold at most a thousand metrics and stay below a megabyte. What CloudWatch would refuse (not a number, beyond its range) is left
 * out and counted, so that it does not take the rest of its request with it.
 */
import { type CloudWatchClient, type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  CLOUDWATCH_DIMENSION,
  CLOUDWATCH_NAMESPACE,
  type CloudWatchValue,
} from '../../contracts/cloudwatch-metrics.ts';
import type { Clock } from '../../pipeline/ports.ts';
import { isTransient, portError } from '../aws-error.ts';

export interface CloudWatchMetricsOptions {
  /** Retries by itself; give it a few attempts. */
  readonly client: Pick<CloudWatchClient, 'send'>;
  readonly clock: Clock;
  /** Value of the dimension `Environment`. */
  readonly environment: string;
}

export interface CloudWatchCounts {
  /** Values that were taken. */
  sent: number;
  /** Values left out or refused. */
  dropped: number;
  /** Requests that were given up. */
  failed: number;
  requests: number;
}

const MOST_METRICS = 1_000;
const MOST_BYTES = 900_000;
/** Names of members, unit and time of one datum, in the widest of the service's formats. */
const BYTES_OF_DATUM = 300;
const BYTES_OF_DIMENSION = 80;
const LARGEST = 2 ** 360;

export class CloudWatchMetrics {
  readonly counts: CloudWatchCounts = { sent: 0, dropped: 0, failed: 0, requests: 0 };
  /** Why the last request was refused or given up. */
  lastFailure: string | null = null;
  readonly #options: CloudWatchMetricsOptions;

  constructor(options: CloudWatchMetricsOptions) {
    this.#options = options;
  }

  /**
   * Writes all of them, stamped now. What is refused for good is dropped and counted.
   * @throws TransientError when the service could not be reached for some of them; the others are there
   */
  async put(values: readonly CloudWatchValue[]): Promise<void> {
    const { client, clock } = this.#options;
    const time = new Date(clock.now());
    let passing: unknown = null;
    for (const MetricData of this.#requests(values, time)) {
      this.counts.requests++;
      try {
        await client.send(new PutMetricDataCommand({ Namespace: CLOUDWATCH_NAMESPACE, MetricData }));
        this.counts.sent += MetricData.length;
      } catch (error) {
        this.lastFailure = portError('cloudwatch', error).message;
        if (isTransient(error)) {
          this.counts.failed++;
          passing = error;
        } else this.counts.dropped += MetricData.length;
      }
    }
    if (passing !== null) throw portError('cloudwatch: put metrics', passing);
  }

  *#requests(values: readonly CloudWatchValue[], time: Date): Generator<MetricDatum[]> {
    let part: MetricDatum[] = [];
    let bytes = 0;
    for (const value of values) {
      if (!Number.isFinite(value.value) || Math.abs(value.value) > LARGEST) {
        this.counts.dropped++;
        continue;
      }
      const datum = this.#datum(value, time);
      const size = sizeOf(datum);
      if (part.length >= MOST_METRICS || (part.length > 0 && bytes + size > MOST_BYTES)) {
        yield part;
        part = [];
        bytes = 0;
      }
      part.push(datum);
      bytes += size;
    }
    if (part.length > 0) yield part;
  }

  #datum({ metric, value, of }: CloudWatchValue, time: Date): MetricDatum {
    return {
      MetricName: metric.name,
      Unit: metric.unit,
      Value: value,
      Timestamp: time,
      Dimensions: metric.dimensions.map((dimension) => {
        const text = dimension === CLOUDWATCH_DIMENSION.environment ? this.#options.environment : of?.[dimension];
        if (text === undefined)
          throw new Error(`${metric.name}: no value for the dimension ${dimension}; expected one with every value`);
        return { Name: dimension, Value: text };
      }),
    };
  }
}

function sizeOf({ MetricName = '', Dimensions = [] }: MetricDatum): number {
  const dimensions = Dimensions.map(({ Name = '', Value = '' }) => Name.length + 3 * Value.length + BYTES_OF_DIMENSION);
  return dimensions.reduce((sum, bytes) => sum + bytes, BYTES_OF_DATUM + MetricName.length);
}
