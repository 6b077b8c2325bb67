/** What is asked of a service before anything is written to it, and with whose credentials. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probeConditionalWrites } from '../../../lib/adapters/s3/probe.ts';
import { fileCredentials, s3Client } from '../../../lib/adapters/s3/s3-client.ts';
import { S3Store } from '../../../lib/adapters/s3/s3-store.ts';
import { ProblemError } from '../../../lib/contracts/problem.ts';
import { TransientError } from '../../../lib/pipeline/ports.ts';
import { type S3Fault, type S3Server, startS3Server } from './s3-server.ts';

const BUCKET = 'bucket';
const folder = mkdtempSync(join(tmpdir(), 'mlmon-s3-'));
const idFile = join(folder, 'id');
const keyFile = join(folder, 'key');
let server: S3Server;
const clients: { destroy(): void }[] = [];

function store(credentialsMs?: number): S3Store {
  const client = s3Client({
    region: 'us-east-1',
    endpoint: server.url,
    accessKeyIdFile: idFile,
    secretAccessKeyFile: keyFile,
    maxAttempts: 1,
    credentialsMs,
  });
  clients.push(client);
  return new S3Store({ client, bucket: BUCKET, attempts: 3, firstWaitMs: 1 });
}

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.conditions = 'kept';
  server.fault = () => null;
  server.accessKeys = null;
  writeFileSync(idFile, 'first\n');
  writeFileSync(keyFile, 'secret\n');
});

const probe = (): Promise<void> => probeConditionalWrites(store(), 's3://bucket');
const left = (): Promise<string[]> => server.bucket(BUCKET).list('');

describe('the probe of conditional writes', () => {
  it('passes a service that keeps them, and leaves nothing behind', async () => {
    await probe();
    expect(await left()).toEqual([]);
  });

  it.each([
    ['ignored', 'If-None-Match'],
    ['match-ignored', 'If-Match'],
    ['unknown', 'If-None-Match'],
  ] as const)('refuses a service where they are %s, with what to do', async (conditions, header) => {
    server.conditions = conditions;
    const error = await probe().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as Error).message).toContain(header);
    expect((error as Error).message).toMatch(/s3:\/\/bucket: does not keep conditional writes.*use a service that has/);
    expect(await left()).toEqual([]);
  });

  it('is not led astray by writes that meet others', async () => {
    const faults: (S3Fault | null)[] = ['conflict', null, 'conflict', 'conflict', null, 'conflict'];
    server.fault = ({ method }) => (method === 'PUT' ? (faults.shift() ?? null) : null);
    await probe();
    expect(faults).toEqual([]);
  });

  it('tells a service that is busy, or away, from one that lacks them', async () => {
    server.fault = ({ method }) => (method === 'PUT' ? 'slow-down' : null);
    await expect(probe()).rejects.toThrow(TransientError);
    server.fault = () => 'break';
    await expect(probe()).rejects.toThrow(TransientError);
  });

  it('passes on that the caller is refused', async () => {
    server.accessKeys = new Set(['another']);
    const error = await probe().catch((failure: unknown) => failure as Error);
    expect(error).not.toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ message: expect.stringContaining('InvalidAccessKeyId') });
  });
});

describe('credentials in files', () => {
  it('are taken again after they were rotated, without a restart', async () => {
    const one = store(0);
    server.accessKeys = new Set(['first']);
    await one.putIfAbsent('a', new Uint8Array([1]));
    server.accessKeys = new Set(['second']);
    await expect(one.get('a')).rejects.toThrow(/InvalidAccessKeyId/);
    // As a mounted secret is replaced: in one step.
    writeFileSync(join(folder, 'new'), 'second');
    renameSync(join(folder, 'new'), idFile);
    expect((await one.get('a'))?.body).toEqual(new Uint8Array([1]));
  });

  it('stay good while the files are being replaced, and are named when they never were there', async () => {
    const read = fileCredentials(idFile, keyFile);
    expect(await read()).toMatchObject({ accessKeyId: 'first', secretAccessKey: 'secret' });
    rmSync(keyFile);
    expect(await read()).toMatchObject({ accessKeyId: 'first', secretAccessKey: 'secret' });
    await expect(fileCredentials(idFile, keyFile)()).rejects.toThrow(/key: the credentials cannot be read \(ENOENT\)/);
    writeFileSync(keyFile, ' \n');
    await expect(fileCredentials(idFile, keyFile)()).rejects.toThrow(/key: is empty/);
  });
});
