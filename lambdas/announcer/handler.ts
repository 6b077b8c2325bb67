/**
 * On messages about new objects of the store: reads each and puts what it says on the bus. A message that failed goes back to the queue alone,
 * and in the end to its dead letters; whatever is put twice carries the same id.
 */
import type { EventBus } from '../../lib/adapters/eventbridge/event-bus.ts';
import type { OutgoingEvent } from '../../lib/contracts/outgoing-events.ts';
import { objectEvent } from '../../lib/pipeline/outgoing-events.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { failureFields, type Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';

/** The part of an event of SQS that is read. */
export interface ObjectMessages {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

/** The body of a message: an event of S3 as EventBridge hands it over. */
interface ObjectNotice {
  readonly time: string;
  readonly detail: { readonly object: { readonly key: string } };
}

export interface AnnouncerParts {
  readonly store: Pick<ObjectStore, 'get'>;
  readonly bus: Pick<EventBus, 'put'>;
  readonly bucket: string;
  readonly environment: string;
  readonly log: Log;
}

export interface QueueAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export function announcerHandler(
  parts: AnnouncerParts,
): (event: ObjectMessages, context: InvocationContext) => Promise<QueueAnswer> {
  return async ({ Records }, context) => {
    const log = parts.log.for(context.awsRequestId);
    const made = await Promise.all(
      Records.map(async ({ messageId, body }) => {
        try {
          return { messageId, event: await eventOf(body, parts) };
        } catch (error) {
          log.error('an object could not be told of; its message goes back to the queue', failureFields(error));
          return { messageId, event: 'failed' as const };
        }
      }),
    );
    const failed = made.filter(({ event }) => event === 'failed').map(({ messageId }) => messageId);
    const ready = made.filter(
      (one): one is { messageId: string; event: OutgoingEvent } => one.event !== 'failed' && one.event !== null,
    );
    try {
      await parts.bus.put(ready.map(({ event }) => event));
      log.info('told', { events: ready.length, failed: failed.length });
    } catch (error) {
      failed.push(...ready.map(({ messageId }) => messageId));
      log.error('the bus did not take the events; they are put again', failureFields(error));
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** `null`: there is nothing to tell of, or the object is gone. */
async function eventOf(body: string, { store, bucket, environment }: AnnouncerParts): Promise<OutgoingEvent | null> {
  const notice = JSON.parse(body) as Partial<ObjectNotice>;
  const key = notice.detail?.object?.key;
  if (typeof key !== 'string' || typeof notice.time !== 'string')
    throw new Error('message: expected an event of S3 with detail.object.key and time');
  const stored = await store.get(key);
  return stored === null ? null : objectEvent({ bucket, key, body: stored.body, at: notice.time }, environment);
}
