/** Which objects were created: from S3 itself, through a queue, or through EventBridge. */
export interface CreatedObject {
  readonly bucket: string;
  readonly key: string;
  /** Tells two objects of one key apart; empty where the notification has none. */
  readonly etag: string;
}

export interface Notified {
  /** Of the message that told of them; `null` where no queue stands between. */
  readonly messageId: string | null;
  readonly objects: readonly CreatedObject[];
}

type Json = Readonly<Record<string, unknown>>;

/** What it does not know tells of no objects: test messages of S3, other kinds of events. */
export function notifiedObjects(event: unknown): Notified[] {
  const { Records, detail } = object(event);
  if (!Array.isArray(Records))
    return [{ messageId: null, objects: detail === undefined ? [] : ofDetail(object(detail)) }];
  const direct = Records.map(object).filter(({ s3 }) => s3 !== undefined);
  const queued = Records.map(object).filter(({ eventSource }) => eventSource === 'aws:sqs');
  return [
    ...(direct.length > 0 ? [{ messageId: null, objects: direct.flatMap(ofRecord) }] : []),
    ...queued.map(({ messageId, body }) => ({
      messageId: String(messageId),
      objects: notifiedObjects(parsed(body)).flatMap(({ objects }) => objects),
    })),
  ];
}

function ofRecord({ s3 }: Json): CreatedObject[] {
  const { bucket, object: created } = object(s3);
  const { name } = object(bucket);
  const { key, eTag } = object(created);
  if (typeof name !== 'string' || typeof key !== 'string') return [];
  // Keys of notifications are written as in a query: a space is a plus.
  return [{ bucket: name, key: decoded(key.replaceAll('+', ' ')), etag: typeof eTag === 'string' ? eTag : '' }];
}

function ofDetail({ bucket, object: created }: Json): CreatedObject[] {
  const { name } = object(bucket);
  const { key, etag } = object(created);
  if (typeof name !== 'string' || typeof key !== 'string') return [];
  return [{ bucket: name, key, etag: typeof etag === 'string' ? etag : '' }];
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function parsed(body: unknown): unknown {
  try {
    return typeof body === 'string' ? JSON.parse(body) : null;
  } catch {
    return null;
  }
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
