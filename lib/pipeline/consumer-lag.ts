/** How many records a consumer of the log has still to read, as a gauge. */
import { METRIC } from '../contracts/metric-names.ts';
import type { MetricSink, PartitionState, Position } from './ports.ts';

export interface PartitionLag {
  readonly partition: string;
  /** Records appended and not yet worked on. */
  readonly records: number;
}

/** Records between a position and the head of its partition; positions must be contiguous, as they are on Kafka and on disk. Pure. */
export function lagOf({ id, first, head }: PartitionState, position: Position | null): PartitionLag {
  if (head === null) return { partition: id, records: 0 };
  const from = position ?? (first === null ? head : String(BigInt(first) - 1n));
  const behind = BigInt(head) - BigInt(from);
  return { partition: id, records: behind < 0n ? 0 : Number(behind) };
}

/**
 * The gauge of one consumer, told by the process that reads. A partition that was given up shows 0: whoever reads it now says how far
 * it is, so the largest of a partition counts.
 */
export class LagGauge {
  readonly #sink: Pick<MetricSink, 'set'>;
  readonly #consumer: 'profiler' | 'archiver';
  #shown: ReadonlySet<string> = new Set();

  constructor(sink: Pick<MetricSink, 'set'>, consumer: 'profiler' | 'archiver') {
    this.#sink = sink;
    this.#consumer = consumer;
  }

  async tell(lags: readonly PartitionLag[]): Promise<void> {
    const now = new Set(lags.map(({ partition }) => partition));
    const given = [...this.#shown].filter((partition) => !now.has(partition));
    this.#shown = now;
    await this.#sink.set(
      [...lags, ...given.map((partition) => ({ partition, records: 0 }))].map(({ partition, records }) => ({
        name: METRIC.lag.name,
        labels: { consumer: this.#consumer, partition },
        value: records,
      })),
    );
  }
}
