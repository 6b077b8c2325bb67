/** Looks which models have something due and sends them to evaluators, so many in a message. */
import { CLOUDWATCH_DIMENSION, PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import type { Dispatcher } from '../../lib/pipeline/dispatcher.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import type { Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';

export interface DispatcherParts {
  readonly dispatcher: Pick<Dispatcher, 'tick'>;
  /** Why a message was not taken. */
  readonly refusal: () => string | null;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

export function dispatcherHandler(
  parts: DispatcherParts,
): (event: unknown, context: InvocationContext) => Promise<void> {
  const { dispatcher, environment, clock, write } = parts;
  return async (_event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const { due, messages, refused, overdueMs, read } = await dispatcher.tick();
    log.info('looked what is due', {
      models: due,
      messages,
      refused,
      read,
      overdueSeconds: Math.round(overdueMs / 1_000),
    });
    if (refused > 0) log.warn('messages were not taken and are sent again', { refused, reason: parts.refusal() });
    const { runs, dueModels, overdue } = PLATFORM_CLOUDWATCH_METRIC;
    writeMetrics(
      [
        { metric: dueModels, value: due },
        { metric: overdue, value: overdueMs / 1_000 },
        { metric: runs, value: 1, of: { [CLOUDWATCH_DIMENSION.function]: 'dispatcher' } },
      ],
      { environment, now: clock.now(), write },
    );
  };
}
