/** Puts events on an EventBridge bus: as many in a request as it takes, and those that it refused again. */
import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { BUS_SOURCE, type OutgoingEvent } from '../../contracts/outgoing-events.ts';
import { TransientError } from '../../pipeline/ports.ts';
import { portError } from '../aws-error.ts';

export interface EventBusOptions {
  readonly client: Pick<EventBridgeClient, 'send'>;
  /** Name or ARN. */
  readonly bus: string;
}

/** What one request takes: entries, and bytes of them all, less than the 256 KiB of the service. */
const MOST_ENTRIES = 10;
const LARGEST_REQUEST = 240_000;
/** Told of an entry that may pass when it is sent again. */
const PASSING = new Set(['InternalFailure', 'InternalException', 'ThrottlingException', 'ServiceUnavailable']);

export class EventBus {
  readonly #options: EventBusOptions;

  constructor(options: EventBusOptions) {
    this.#options = options;
  }

  /**
   * All of them, in order.
   * @throws TransientError when one was not taken for now; those before it were. Sent again they carry the same ids.
   * @throws Error when one cannot be taken ever
   */
  async put(events: readonly OutgoingEvent[]): Promise<void> {
    for (const batch of batches(events.map((event) => this.#entry(event)))) await this.#send(batch);
  }

  #entry(event: OutgoingEvent): PutEventsRequestEntry {
    return {
      EventBusName: this.#options.bus,
      Source: BUS_SOURCE,
      DetailType: event.type,
      Time: new Date(event.time),
      Detail: JSON.stringify(event),
    };
  }

  async #send(entries: readonly PutEventsRequestEntry[]): Promise<void> {
    const { client, bus } = this.#options;
    let refused: { readonly code: string; readonly message: string } | undefined;
    try {
      const answer = await client.send(new PutEventsCommand({ Entries: [...entries] }));
      const first = answer.Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
      if (first === undefined && (answer.FailedEntryCount ?? 0) === 0) return;
      refused = { code: first?.ErrorCode ?? 'unknown', message: first?.ErrorMessage ?? 'an entry was refused' };
    } catch (error) {
      throw portError(`${bus}: put events`, error, 'check that the bus exists, its policy and its key');
    }
    const text = `${bus}: put events: ${refused.code}: ${refused.message}`;
    throw PASSING.has(refused.code) ? new TransientError(text) : new Error(text);
  }
}

/** The size of an entry as the service counts it. */
function sizeOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  const time = 14;
  return time + Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);
}

function batches(entries: readonly PutEventsRequestEntry[]): PutEventsRequestEntry[][] {
  const all: PutEventsRequestEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = sizeOf(entry);
    const last = all.at(-1);
    if (last === undefined || last.length >= MOST_ENTRIES || bytes + size > LARGEST_REQUEST) {
      all.push([entry]);
      bytes = size;
    } else {
      last.push(entry);
      bytes += size;
    }
  }
  return all;
}
