/** Batches onto a Kinesis stream. The client is given (`new Kinesis({})` of `@aws-sdk/client-kinesis`), so no package of AWS is needed here. */
import type { FailedRecord, OutgoingRecord, ProducerSink } from './sink.ts';

/** What is used of the client. */
export interface KinesisPutter {
  putRecords(input: {
    StreamARN?: string;
    StreamName?: string;
    Records: { PartitionKey: string; Data: Uint8Array }[];
  }): Promise<{ Records?: { ErrorCode?: string; ErrorMessage?: string }[] | undefined }>;
}

export interface KinesisSinkOptions {
  readonly client: KinesisPutter;
  /** The ARN of the stream, or its name. */
  readonly stream: string;
}

/** Of one PutRecords. The service takes 10 MiB; half of that leaves other callers of the shard their share. */
const LIMITS = { records: 500, bytes: 5 * 1_048_576 } as const;

export class KinesisSink implements ProducerSink {
  readonly appliesPolicy = false;
  readonly limits = LIMITS;
  readonly #client: KinesisPutter;
  readonly #stream: { readonly StreamARN: string } | { readonly StreamName: string };

  constructor({ client, stream }: KinesisSinkOptions) {
    this.#client = client;
    this.#stream = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
  }

  async send(records: readonly OutgoingRecord[]): Promise<readonly FailedRecord[]> {
    const { Records: answers = [] } = await this.#client.putRecords({
      ...this.#stream,
      Records: records.map(({ key, data }) => ({ PartitionKey: key, Data: Buffer.from(data, 'utf8') })),
    });
    return records.flatMap((record, i) => {
      const answer = answers[i];
      if (answer !== undefined && (answer.ErrorCode === undefined || answer.ErrorCode === '')) return [];
      // The service refuses single records only in passing: a shard's throughput, or a failure inside.
      return [{ record, retry: true, reason: answer?.ErrorCode ?? 'no answer for the record' }];
    });
  }
}
