/** Entries of a bus, through the real client to a local listener. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../../lib/adapters/eventbridge/event-bus.ts';
import { OUTGOING_TYPES, type OutgoingEvent } from '../../../lib/contracts/outgoing-events.ts';
import { testEvent } from '../../../lib/pipeline/outgoing-events.ts';
import { TransientError } from '../../../lib/pipeline/ports.ts';
import { type Answer, type Listener, listen, transitionOf } from '../transitions.ts';

interface Entry {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function busAt(...answers: Answer[]) {
  const listener: Listener = await listen(...answers);
  open.push(listener);
  const client = new EventBridgeClient({
    ...{ endpoint: listener.url, region: 'eu-west-1', maxAttempts: 1 },
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  });
  const entries = (): Entry[][] => listener.got.map(({ body }) => (JSON.parse(body) as { Entries: Entry[] }).Entries);
  return { bus: new EventBus({ client, bus: 'arn:aws:events:eu-west-1:1:event-bus/b' }), entries };
}
const taken = { status: 200, body: '{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}' };
function event(id: number, length = 10): OutgoingEvent {
  const made = testEvent(transitionOf(), 'production');
  return { ...made, id: String(id), data: { summary: 'x'.repeat(length) } } as OutgoingEvent;
}

describe('EventBus', () => {
  it('puts the event as it is, under its type', async () => {
    const { bus, entries } = await busAt(taken);
    await bus.put([event(1)]);
    const [[entry] = []] = entries();
    expect(entry).toMatchObject({
      EventBusName: 'arn:aws:events:eu-west-1:1:event-bus/b',
      Source: 'ml-monitoring',
      DetailType: OUTGOING_TYPES.test,
    });
    expect(JSON.parse(entry!.Detail)).toEqual(event(1));
  });

  it('puts as many in a request as it takes, by number and by size, in order', async () => {
    const { bus, entries } = await busAt(taken, taken, taken, taken, taken);
    await bus.put(Array.from({ length: 23 }, (_, i) => event(i)));
    expect(entries().map((batch) => batch.length)).toEqual([10, 10, 3]);
    const ids = entries().flatMap((batch) => batch.map(({ Detail }) => (JSON.parse(Detail) as OutgoingEvent).id));
    expect(ids).toEqual(Array.from({ length: 23 }, (_, i) => String(i)));
    await bus.put([event(1, 130_000), event(2, 130_000)]);
    expect(entries().map((batch) => batch.length)).toEqual([10, 10, 3, 1, 1]);
  });

  it('asks nothing for nothing', async () => {
    const { bus, entries } = await busAt();
    await bus.put([]);
    expect(entries()).toEqual([]);
  });

  const refused = (code: string) => ({
    status: 200,
    body: JSON.stringify({ FailedEntryCount: 1, Entries: [{ ErrorCode: code, ErrorMessage: 'no' }] }),
  });
  it.each([
    ['throttles', refused('ThrottlingException'), TransientError],
    ['fails within', refused('InternalFailure'), TransientError],
    ['answers 500', { status: 500, body: '{}' }, TransientError],
    ['refuses an entry', refused('NotAuthorizedForSourceException'), Error],
    ['refuses the caller', { status: 400, body: '{"__type":"AccessDeniedException"}' }, Error],
  ])('says whether to try again when the service %s', async (_, answer, kind) => {
    const { bus } = await busAt(answer);
    const error = await bus.put([event(1)]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(error instanceof TransientError).toBe(kind === TransientError);
    expect(String(error)).toMatch(/put events/);
  });
});
