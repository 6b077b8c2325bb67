/** What Lambda keeps of a batch that it gave up, where its destination is a bucket: why, and the whole invocation record. */
import { type PushedBatch, type PushedRecord, pushedBatches } from './pushed-records.ts';

export interface GivenUpBatch {
  /** E.g. `RetryAttemptsExhausted`. */
  readonly condition: string;
  readonly attempts: number | null;
  /** Usually one. */
  readonly batches: readonly PushedBatch[];
}

/** An object of the on-failure prefix that holds no records: nothing can be redriven from it. */
export class NoGivenUpBatchError extends Error {
  override readonly name = 'NoGivenUpBatchError';
}

/** @throws NoGivenUpBatchError */
export function givenUpBatch(body: Uint8Array): GivenUpBatch {
  let value: {
    readonly requestContext?: { readonly condition?: unknown; readonly approximateInvokeCount?: unknown };
    readonly payload?: unknown;
  };
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as typeof value;
    const payload = typeof value.payload === 'string' ? JSON.parse(value.payload) : value.payload;
    const batches = pushedBatches((payload ?? {}) as { readonly Records?: readonly PushedRecord[] });
    if (batches.length === 0) throw new Error('it has no payload with records');
    const { condition, approximateInvokeCount } = value.requestContext ?? {};
    return {
      condition: typeof condition === 'string' ? condition : 'unknown',
      attempts: typeof approximateInvokeCount === 'number' ? approximateInvokeCount : null,
      batches,
    };
  } catch (error) {
    throw new NoGivenUpBatchError(
      `not a batch that Lambda gave up, with its records: ${error instanceof Error ? error.message : String(error)}; expected the destination of the event source to be a bucket`,
      { cause: error },
    );
  }
}
