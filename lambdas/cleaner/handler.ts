/** Deletes what nothing names any more: packs, and ranges that a cursor moved out; and profiles and results that monitors keep no longer. */
import { CLOUDWATCH_DIMENSION, PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { cleanUp } from '../../lib/pipeline/clean-up.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import type { Clock, ObjectStore } from '../../lib/pipeline/ports.ts';
import { cleanUpRanges } from '../../lib/pipeline/range-store.ts';
import { applyRetention } from '../../lib/pipeline/retention.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import type { Log } from '../log.ts';
import { type InvocationContext, lateness } from '../remaining-time.ts';

const DAY_MS = 86_400_000;

export interface CleanerParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly retentionDays: number;
  readonly environment: string;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

export function cleanerHandler(parts: CleanerParts): (event: unknown, context: InvocationContext) => Promise<void> {
  const { store, clock, retentionDays, environment } = parts;
  return async (_event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const isLate = lateness(context);
    // What is not deleted today is deleted at the next run.
    const signal = {
      get aborted() {
        return isLate();
      },
    };
    const reader = new PackReader(store);
    const packs = await cleanUp({ store, clock, reader, retentionMs: retentionDays * DAY_MS, signal });
    const ranges = await cleanUpRanges(store, clock, signal);
    // Made anew each time: another function may have written to it since.
    const retained = await applyRetention({ store, clock, audit: new AuditLog({ store, clock }), signal });
    log.info('cleaned up', { packs, ranges, ...retained, finished: !isLate() });
    const of = { [CLOUDWATCH_DIMENSION.function]: 'cleaner' };
    writeMetrics([{ metric: PLATFORM_CLOUDWATCH_METRIC.runs, value: 1, of }], {
      environment,
      now: clock.now(),
      write: parts.write,
    });
  };
}
