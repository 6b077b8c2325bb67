/** Tells the state of all models and of the platform to the metric stores, and what alarms watch as lines of its log. */
import {
  CLOUDWATCH_DIMENSION,
  type CloudWatchValue,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../lib/contracts/cloudwatch-metrics.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import type { StoreExporter } from '../../lib/pipeline/store-exporter.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import type { Log } from '../log.ts';
import { type InvocationContext, lateness } from '../remaining-time.ts';

export interface ExporterParts {
  readonly exporter: Pick<StoreExporter, 'tick'>;
  /** Samples and values that sinks refused since this copy of the function began, and why the last was. */
  readonly refused: () => { readonly count: number; readonly reason: string | null };
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

export function exporterHandler(parts: ExporterParts): (event: unknown, context: InvocationContext) => Promise<void> {
  const { exporter, environment, clock, write } = parts;
  let told = 0;
  return async (_event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const { values, models, read, more } = await exporter.tick({ isLate: lateness(context) });
    const { count, reason } = parts.refused();
    const dropped = count - told;
    told = count;
    log.info('exported', { models, read, more, dropped });
    if (dropped > 0) log.warn('samples were refused', { dropped, reason });
    const { runs, droppedSamples } = PLATFORM_CLOUDWATCH_METRIC;
    const own: readonly CloudWatchValue[] = [
      { metric: droppedSamples, value: dropped },
      { metric: runs, value: 1, of: { [CLOUDWATCH_DIMENSION.function]: 'exporter' } },
    ];
    writeMetrics([...values, ...own], { environment, now: clock.now(), write });
  };
}
