/** Batches that the event source gave up, from notifications of their bucket: what is in no committed range is folded now. */
import { parseStreamIdentity } from '../../lib/adapters/kinesis/kinesis-log.ts';
import { givenUpBatch, NoGivenUpBatchError } from '../../lib/adapters/kinesis/on-failure.ts';
import type { PushedBatch } from '../../lib/adapters/kinesis/pushed-records.ts';
import { PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import { keys, unsegment } from '../../lib/contracts/object-keys.ts';
import { redriveCapture } from '../../lib/pipeline/capture-redrive.ts';
import { listFolders } from '../../lib/pipeline/listing.ts';
import type { Clock, EventLog, ObjectStore } from '../../lib/pipeline/ports.ts';
import type { PushedProfiler } from '../../lib/pipeline/pushed-profiler.ts';
import { logAt, redrive } from '../../lib/pipeline/redrive.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import { failureFields, type Log } from '../log.ts';
import { type InvocationContext, lateness } from '../remaining-time.ts';

/** A notification of S3, or what EventBridge makes of its event. */
export interface ObjectEvent {
  readonly Records?: readonly {
    /** Only in notifications of S3 itself, which encode keys. */
    readonly eventName?: string;
    readonly s3: { readonly object: { readonly key: string } };
  }[];
}

export interface RedriveParts {
  readonly profiler: PushedProfiler;
  readonly stream: Pick<EventLog, 'identity'>;
  readonly store: ObjectStore;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

export function redriveHandler(parts: RedriveParts): (event: ObjectEvent, context: InvocationContext) => Promise<void> {
  return async (event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const isLate = lateness(context);
    let objects = 0;
    let failures = 0;
    let failed: unknown = null;
    for (const key of objectKeys(event)) {
      const isOfCapture = key.startsWith(keys.captureFailures());
      if (!isOfCapture && !key.startsWith(keys.onFailure())) continue;
      if (!isOfCapture) objects++;
      try {
        if (isOfCapture) {
          await redriveCaptured(parts.store, key, log);
          continue;
        }
        await redriveObject(parts, { key, log, isLate });
      } catch (error) {
        failures++;
        log.error('batch not redriven', { key, ...failureFields(error) });
        // Another attempt reads the same object: only what hindered it in passing, or for want of time, is worth one.
        if (!(error instanceof NoGivenUpBatchError)) failed = error;
      }
    }
    const { onFailureObjects, redriveFailures } = PLATFORM_CLOUDWATCH_METRIC;
    writeMetrics(
      [
        { metric: onFailureObjects, value: objects },
        { metric: redriveFailures, value: failures },
      ],
      { environment: parts.environment, now: parts.clock.now(), write: parts.write },
    );
    if (failed !== null) throw failed;
  };
}

/** What Firehose could not convert: its good lines are put where the capture has a second table. */
async function redriveCaptured(store: ObjectStore, key: string, log: Log): Promise<void> {
  const outcome = await redriveCapture(store, key);
  if (outcome === null) {
    log.info('nothing to redrive: the object is gone', { key });
    return;
  }
  const { reasons, ...counts } = outcome;
  log.warn('records that the capture could not convert', { key, ...counts, reasons: Object.keys(reasons).join(', ') });
}

function objectKeys({ Records }: ObjectEvent): string[] {
  return (Records ?? []).map(({ eventName, s3 }) => {
    const { key } = s3.object;
    return eventName === undefined ? key : decodeURIComponent(key.replace(/\+/g, ' '));
  });
}

async function redriveObject(
  parts: RedriveParts,
  { key, log, isLate }: { readonly key: string; readonly log: Log; readonly isLate: () => boolean },
): Promise<void> {
  const stored = await parts.store.get(key);
  if (stored === null) {
    log.info('nothing to redrive: the object is gone', { key });
    return;
  }
  const { condition, attempts, batches } = givenUpBatch(stored.body);
  for (const batch of batches) {
    const identity = await identityOf(parts, batch);
    const { partition, records } = batch;
    const outcome = await redrive(parts.profiler, { identity, partition, records, isLate });
    const { records: committed, known } = outcome;
    log.info('batch redriven', { key, partition, condition, attempts, committed, known });
  }
}

/** Of the stream as it was when the batch was appended. */
async function identityOf({ stream, store }: RedriveParts, { streamArn, records }: PushedBatch): Promise<string> {
  const present = await stream.identity();
  const known = [present, ...(await listFolders(store, keys.allCursors())).map(unsegment)].flatMap((identity) => {
    const parsed = parseStreamIdentity(identity);
    return parsed?.streamArn === streamArn ? [{ identity, created: parsed.created }] : [];
  });
  return logAt(present, known, records[0]?.appendTime ?? 0);
}
