/** What Lambda pushes of a stream: the records of an invocation, and those of a batch that it gave up and kept. */
import type { LogRecord } from '../../pipeline/ports.ts';

/** One record as the event source writes it. */
export interface PushedRecord {
  readonly eventID: string;
  readonly eventSourceARN: string;
  readonly kinesis: {
    readonly sequenceNumber: string;
    /** Seconds since 1970, with a fraction. */
    readonly approximateArrivalTimestamp: number;
    /** Base64. */
    readonly data: string;
  };
}

export interface PushedBatch {
  readonly streamArn: string;
  readonly partition: string;
  /** In their order, all of one partition. */
  readonly records: readonly LogRecord[];
}

/** An event that no Kinesis event source wrote. */
export class NoKinesisEventError extends Error {
  override readonly name = 'NoKinesisEventError';
}

/**
 * The records by partition, in the order they came in. An event source pushes one shard at a time, so this is one batch.
 * Data are decoded when they are asked for, so that a batch is never in memory twice.
 * @throws NoKinesisEventError
 */
export function pushedBatches(event: { readonly Records?: readonly PushedRecord[] }): PushedBatch[] {
  const batches = new Map<string, { streamArn: string; partition: string; records: LogRecord[] }>();
  for (const record of event.Records ?? []) {
    const { eventID, eventSourceARN, kinesis } = record;
    const colon = typeof eventID === 'string' ? eventID.indexOf(':') : -1;
    const isWhole =
      colon > 0 &&
      typeof eventSourceARN === 'string' &&
      /^\d+$/.test(kinesis?.sequenceNumber ?? '') &&
      typeof kinesis.data === 'string' &&
      Number.isFinite(kinesis.approximateArrivalTimestamp);
    if (!isWhole)
      throw new NoKinesisEventError(
        'a record is not one of a Kinesis event source; expected eventID, eventSourceARN and kinesis; attach the function to a data stream',
      );
    const partition = eventID.slice(0, colon);
    const name = `${eventSourceARN} ${partition}`;
    let batch = batches.get(name);
    if (batch === undefined) {
      batch = { streamArn: eventSourceARN, partition, records: [] };
      batches.set(name, batch);
    }
    batch.records.push(decoded(kinesis));
  }
  return [...batches.values()];
}

function decoded({ sequenceNumber, approximateArrivalTimestamp, data }: PushedRecord['kinesis']): LogRecord {
  return {
    position: sequenceNumber,
    appendTime: Math.round(approximateArrivalTimestamp * 1_000),
    get data() {
      return Buffer.from(data, 'base64');
    },
  };
}
