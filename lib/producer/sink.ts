/** Where a producer sends its batches. */
export interface OutgoingRecord {
  /** Equal keys go to the same partition: model and a part of its events, never the model alone. */
  readonly key: string;
  /** NDJSON: one event a line, without a line break at the end. */
  readonly data: string;
  /** Of inferences and of labels; a record holds one kind. */
  readonly kind: 'inference' | 'label';
  readonly events: number;
}

/** A record that was not taken. */
export interface FailedRecord {
  readonly record: OutgoingRecord;
  /** Worth another attempt: throttled, not available. Otherwise it is given up. */
  readonly retry: boolean;
  readonly reason: string;
}

export interface ProducerSink {
  /** Applies the field policy itself: events are sent to it in the clear. */
  readonly appliesPolicy: boolean;
  /** Records of one request at most, and bytes of their data and keys. */
  readonly limits: { readonly records: number; readonly bytes: number };
  /** Resolves with what was not taken. A failure of the whole request rejects, and is tried again. */
  send(records: readonly OutgoingRecord[]): Promise<readonly FailedRecord[]>;
}
