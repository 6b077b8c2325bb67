/** The object store on a real S3 server that is not AWS: the whole conformance suite, the probe, and races between processes' clients. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeConditionalWrites } from '../../lib/adapters/s3/probe.ts';
import { s3Client } from '../../lib/adapters/s3/s3-client.ts';
import { S3Store } from '../../lib/adapters/s3/s3-store.ts';
import { S3Versions } from '../../lib/adapters/s3/s3-versions.ts';
import { ConflictError, TransientError } from '../../lib/pipeline/ports.ts';
import { objectStoreConformance } from '../pipeline/conformance/object-store.ts';
import { endAll } from './programs.ts';
import { REGION, startVersitygw, type Versitygw } from './versitygw.ts';

let server: Versitygw;
const clients: { destroy(): void }[] = [];

function open(prefix: string, maxAttempts?: number): S3Store {
  const { endpoint, accessKeyIdFile, secretAccessKeyFile } = server;
  const client = s3Client({ region: REGION, endpoint, accessKeyIdFile, secretAccessKeyFile, maxAttempts });
  clients.push(client);
  return new S3Store({ client, bucket: server.bucket('conformance'), prefix });
}

beforeAll(async () => {
  server = await startVersitygw();
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  endAll();
});

objectStoreConformance(
  'versitygw',
  async () => {
    const prefix = randomUUID();
    return { store: open(prefix), other: open(prefix), close: async () => undefined };
  },
  { removalsUnordered: 'version 1.8.0 puts under a lock that its removals do not take' },
);

describe('the object store on versitygw', () => {
  it('passes the probe, which leaves nothing behind', async () => {
    const store = open('probe');
    await probeConditionalWrites(store, 'versitygw');
    expect(await store.list('')).toEqual([]);
  });

  it('keeps no old versions, and says so by having none', async () => {
    const { endpoint, accessKeyIdFile, secretAccessKeyFile } = server;
    const client = s3Client({ region: REGION, endpoint, accessKeyIdFile, secretAccessKeyFile });
    clients.push(client);
    const store = open('versions');
    const etag = await store.putIfAbsent('a/b', new TextEncoder().encode('1'));
    await store.putIfUnchanged('a/b', new TextEncoder().encode('2'), etag);
    const found = [];
    const versions = new S3Versions({ client, bucket: server.bucket('conformance'), prefix: 'versions' });
    for await (const one of versions.list('a/')) found.push(one);
    expect(found.filter(({ current }) => !current)).toEqual([]);
  });

  it('lets one of many win, again and again', async () => {
    const stores = Array.from({ length: 4 }, () => open('race'));
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 32 }, (_, n) =>
          (stores[n % 4] as S3Store).putIfAbsent(`key-${round}`, new TextEncoder().encode(`${n}`)),
        ),
      );
      const won = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []));
      expect(won).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConflictError);
      const present = await (stores[0] as S3Store).get(`key-${round}`);
      expect(new TextDecoder().decode(present?.body)).toBe(`${won[0]}`);
    }
  });

  it('is away, is back, and has lost nothing', async () => {
    const store = open('away', 1);
    const etag = await store.putIfAbsent('a', new Uint8Array([1]));
    await server.stop();
    await expect(store.get('a')).rejects.toThrow(TransientError);
    await expect(store.putIfUnchanged('a', new Uint8Array([2]), etag)).rejects.toThrow(TransientError);
    await server.start();
    expect(await store.get('a')).toEqual({ body: new Uint8Array([1]), etag });
    await store.putIfUnchanged('a', new Uint8Array([2]), etag);
  });
});
