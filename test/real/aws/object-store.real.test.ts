/** The object store on a server of the S3 protocol that somebody else wrote. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { S3Store } from '../../../lib/adapters/s3/s3-store.ts';
import { objectStoreConformance } from '../../pipeline/conformance/object-store.ts';
import { Emulator } from './emulator.ts';

const BUCKET = 'conformance';
let emulator: Emulator;
const clients: S3Client[] = [];

function client(): S3Client {
  const made = new S3Client({
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  emulator = await Emulator.start();
  await client().send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  for (const one of clients) one.destroy();
  await emulator.stop();
});

let subjects = 0;
objectStoreConformance('s3 of the emulator', async () => {
  const prefix = `subject-${++subjects}`;
  return {
    store: new S3Store({ client: client(), bucket: BUCKET, prefix }),
    other: new S3Store({ client: client(), bucket: BUCKET, prefix }),
    close: async () => undefined,
  };
});
