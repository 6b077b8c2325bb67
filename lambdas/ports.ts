/** What stands behind the ports on AWS, with clients made once for each copy of a function. */
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { KinesisLog, type KinesisLogOptions } from '../lib/adapters/kinesis/kinesis-log.ts';
import { S3Store } from '../lib/adapters/s3/s3-store.ts';
import type { Clock, EventLog, ObjectStore } from '../lib/pipeline/ports.ts';

/** The wall clock. */
export const wallClock: Clock = { now: () => Date.now() };

/** Milliseconds for a connection, and for one attempt of a request: far less than any function has. */
const TIMES = { connectionTimeout: 2_000, requestTimeout: 10_000 } as const;

export function bucketStore(bucket: string): ObjectStore {
  return new S3Store({ client: new S3Client({ maxAttempts: 5, requestHandler: TIMES }), bucket });
}

/** For those who read it, or ask what follows a position. `profiled`: see KinesisLogOptions. */
export function streamLog(streamArn: string, profiled?: KinesisLogOptions['profiled']): KinesisLog {
  return new KinesisLog({
    client: new KinesisClient({ maxAttempts: 3, requestHandler: TIMES }),
    streamArn,
    profiled,
  });
}

/** For those who append: nothing of it reads. */
export function streamSink(streamArn: string): Pick<EventLog, 'append'> {
  return new KinesisLog({ client: new KinesisClient({ maxAttempts: 2, requestHandler: TIMES }), streamArn });
}
