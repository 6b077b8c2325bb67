/**
 * The batch source of the stream. Whatever the records hold, they are folded or quarantined; only what stands around them can fail:
 *
 * - In passing (throttled, unavailable, no time left): the answer names the first record that is not committed, and the event source
 *   comes again from there. The batch stays whole: halving it would not help, and leave many small ones in the on-failure store.
 * - In any other way: what was committed before counts, then the function throws, so that the event source halves the batch until the
 *   record that cannot be folded is alone and given up, and the shard goes on.
 */
import type { KinesisStreamBatchResponse } from 'aws-lambda';
import { type PushedRecord, pushedBatches } from '../../lib/adapters/kinesis/pushed-records.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import type { PushedProfiler } from '../../lib/pipeline/pushed-profiler.ts';
import { failureFields, type Log } from '../log.ts';
import { type InvocationContext, lateness } from '../remaining-time.ts';

export interface KinesisEvent {
  readonly Records?: readonly PushedRecord[];
}

export function profilerHandler(parts: {
  readonly profiler: PushedProfiler;
  readonly log: Log;
}): (event: KinesisEvent, context: InvocationContext) => Promise<KinesisStreamBatchResponse> {
  return async (event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const isLate = lateness(context);
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { partition, records } of pushedBatches(event)) {
      const first = records[0]?.position;
      const last = records.at(-1)?.position;
      const outcome = await parts.profiler.take({ partition, records, isLate });
      const { unprocessed, failure } = outcome;
      const fields = { partition, first, last, committed: outcome.records, known: outcome.known };
      if (unprocessed === null) {
        log.info('batch committed', fields);
        continue;
      }
      const why = failure === null ? { error: 'no time left' } : failureFields(failure);
      log.warn('batch not finished', { ...fields, unprocessed, ...why });
      const isPassing = failure === null || failure instanceof TransientError;
      if (!isPassing && unprocessed === first) throw failure;
      batchItemFailures.push({ itemIdentifier: unprocessed });
    }
    return { batchItemFailures };
  };
}
