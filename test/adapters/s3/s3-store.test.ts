import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { S3Store } from '../../../lib/adapters/s3/s3-store.ts';
import { ConflictError, TransientError } from '../../../lib/pipeline/ports.ts';
import { objectStoreConformance } from '../../pipeline/conformance/object-store.ts';
import { type S3Fault, type S3Request, type S3Server, startS3Server } from './s3-server.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const BUCKET = 'bucket';

let server: S3Server;
const clients: S3Client[] = [];
function client(maxAttempts = 1): S3Client {
  const made = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts,
  });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(async () => {
  for (const one of clients) one.destroy();
  await server.close();
});

let subjects = 0;
objectStoreConformance('s3', async () => {
  const prefix = `subject-${++subjects}`;
  return {
    store: new S3Store({ client: client(), bucket: BUCKET, prefix }),
    other: new S3Store({ client: client(), bucket: BUCKET, prefix }),
    close: async () => undefined,
  };
});

describe('the object store on S3', () => {
  let faults: (S3Fault | null)[] = [];
  let on: string[] = ['PUT'];
  beforeEach(() => {
    faults = [];
    on = ['PUT'];
    server.fault = ({ method }: S3Request) => (on.includes(method) ? (faults.shift() ?? null) : null);
    server.requests.length = 0;
  });

  let count = 0;
  const fresh = (attempts?: number, maxAttempts = 1): S3Store =>
    new S3Store({
      client: client(maxAttempts),
      bucket: BUCKET,
      prefix: `faults-${++count}`,
      attempts,
      firstWaitMs: 1,
    });
  const textOf = async (store: S3Store, key: string): Promise<string> =>
    new TextDecoder().decode((await store.get(key))?.body);

  it('puts its prefix before every key and takes it off again', async () => {
    const inner = new S3Store({ client: client(), bucket: BUCKET, prefix: 'a/b' });
    const outer = new S3Store({ client: client(), bucket: BUCKET });
    await inner.putIfAbsent('c/d', bytes('x'));
    expect(await outer.list('a/b/')).toEqual(['a/b/c/d']);
    expect(await inner.list('')).toEqual(['c/d']);
    expect(await inner.list('', { after: 'c/d' })).toEqual([]);
    expect(() => new S3Store({ client: client(), bucket: BUCKET, prefix: 'a/' })).toThrow(RangeError);
  });

  it('has no conflict with itself when the answer to its first attempt was lost', async () => {
    const store = fresh(undefined, 3);
    faults = ['lose-answer'];
    const etag = await store.putIfAbsent('k', bytes('1'));
    expect((await store.get('k'))?.etag).toBe(etag);
    faults = ['lose-answer'];
    const next = await store.putIfUnchanged('k', bytes('2'), etag);
    expect((await store.get('k'))?.etag).toBe(next);
    expect(await textOf(store, 'k')).toBe('2');
  });

  it('has a conflict with another writer, also when its own request was repeated', async () => {
    const store = fresh(undefined, 3);
    const etag = await store.putIfAbsent('k', bytes('other'));
    faults = ['internal-error'];
    await expect(store.putIfAbsent('k', bytes('mine'))).rejects.toThrow(ConflictError);
    await store.putIfUnchanged('k', bytes('other again'), etag);
    faults = ['break'];
    await expect(store.putIfUnchanged('k', bytes('mine'), etag)).rejects.toThrow(ConflictError);
    expect(await textOf(store, 'k')).toBe('other again');
  });

  it('says that a write failed in passing when it is not known whether it took effect', async () => {
    const store = fresh();
    faults = ['lose-answer'];
    await expect(store.putIfAbsent('k', bytes('1'))).rejects.toThrow(TransientError);
    expect(await textOf(store, 'k')).toBe('1');
  });

  it('tries again when it meets a write that is under way', async () => {
    const store = fresh(4);
    faults = ['conflict', 'conflict', 'conflict'];
    const etag = await store.putIfAbsent('k', bytes('1'));
    faults = ['conflict', 'conflict', 'conflict'];
    await store.putIfUnchanged('k', bytes('2'), etag);
    expect(await textOf(store, 'k')).toBe('2');
  });

  it('decides by reading when it meets writes again and again', async () => {
    const store = fresh(3);
    const always: S3Fault[] = ['conflict', 'conflict', 'conflict'];
    faults = [...always];
    await expect(store.putIfAbsent('k', bytes('1'))).rejects.toThrow(TransientError);
    const etag = await store.putIfAbsent('k', bytes('1'));
    faults = [...always];
    await expect(store.putIfAbsent('k', bytes('mine'))).rejects.toThrow(ConflictError);
    faults = [...always];
    await expect(store.putIfUnchanged('k', bytes('mine'), etag)).rejects.toThrow(TransientError);
    await store.putIfUnchanged('k', bytes('2'), etag);
    faults = [...always];
    await expect(store.putIfUnchanged('k', bytes('mine'), etag)).rejects.toThrow(ConflictError);
    // Somebody put exactly these bytes meanwhile: nobody can tell whose they are.
    faults = [...always];
    expect(await store.putIfUnchanged('k', bytes('2'), etag)).toBe((await store.get('k'))?.etag);
  });

  it.each(['slow-down', 'internal-error', 'break'] as const)('calls %s a passing failure', async (fault) => {
    const store = fresh();
    on = ['GET', 'PUT', 'DELETE', 'LIST', 'HEAD'];
    const always = Array.from({ length: 6 }, () => fault);
    faults = [...always];
    await expect(store.get('k')).rejects.toThrow(TransientError);
    await expect(store.getRange('k', 0, 5)).rejects.toThrow(TransientError);
    await expect(store.getRange('k', 5, 5)).rejects.toThrow(TransientError);
    await expect(store.putIfAbsent('k', bytes('1'))).rejects.toThrow(TransientError);
    await expect(store.list('')).rejects.toThrow(TransientError);
    await expect(store.delete('k')).rejects.toThrow(TransientError);
  });

  it('never takes a forbidden object for an absent one', async () => {
    const store = fresh();
    on = ['GET'];
    faults = ['deny', 'deny'];
    const answer = await store.get('cursors/x').catch((error: unknown) => error as Error);
    expect(answer).not.toBeInstanceOf(TransientError);
    expect(answer).toMatchObject({ message: expect.stringContaining('s3:ListBucket') });
  });

  it('reads one page for one page', async () => {
    const store = fresh();
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.putIfAbsent(key, bytes(key))));
    server.requests.length = 0;
    expect(await store.list('', { limit: 2, after: 'a' })).toEqual(['b', 'c']);
    expect(server.requests.map(({ method }) => method)).toEqual(['LIST']);
  });
});
