/**
 * What is left when a deployment is destroyed, and what the next one makes of it: nothing where data go, what the table says where they stay,
 * a new platform beside it, or the old one again, with every event counted once.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../../lib/contracts/result.ts';
import { endAll, run } from '../programs.ts';
import { EVENTS_AN_HOUR, inferenceOf, MODEL, ordersOf } from './checkout-traffic.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { Document } from './document.ts';
import { ACCOUNT, AWS_CLI, Emulator, REGION } from './emulator.ts';
import { added, type Inventory, inventoryOf } from './inventory.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Date.UTC(2001, 1, 10, 6);
const hour = (n: number): number => START + n * HOUR;

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let environment: PlatformEnvironment;
let clients: Clients;
let bare: Inventory;
/** Of the first deployment that kept its data. */
let left: Inventory;
let first: Outputs;
let inBucket: readonly string[];

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<void> {
  const { code, out, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${out}\n${err}`);
}

async function deploy(): Promise<Outputs> {
  await succeeded(environment.deploy());
  return (await readOutputs(environment.outputs))[STACK] ?? {};
}

/** As the page says it, the second line with the folder of this test. */
async function destroy(): Promise<void> {
  const [unprotect = ''] = (await Document.read('docs/how-to/remove-everything.md'))
    .code('sh', 'update-termination-protection')
    .split('\n');
  const { code, err } = await run('bash', ['-euo', 'pipefail', '-c', unprotect], {
    env: { ...emulator.env, PATH: `${AWS_CLI}:${process.env['PATH'] ?? ''}` },
  });
  expect([code, code === 0 ? '' : err]).toEqual([0, '']);
  await succeeded(environment.cdk('destroy', '--all', '--force'));
}

/** Changes keys of the file of the environment; `null` takes one out. */
async function change(keysOfFile: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(environment.folder, 'environments/production.yaml');
  const text = { ...(parse(await readFile(file, 'utf8')) as Record<string, unknown>), ...keysOfFile };
  await writeFile(file, stringify(Object.fromEntries(Object.entries(text).filter(([, value]) => value !== null))));
}

const produce = (stream: string, events: readonly Record<string, unknown>[]): Promise<void> =>
  clients.put(
    stream,
    Array.from({ length: Math.ceil(events.length / 15) }, (_, i) => ({
      key: `${MODEL}#${i % 7}`,
      data: events
        .slice(i * 15, (i + 1) * 15)
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(''),
    })),
  );

async function judge(n: number): Promise<void> {
  for (const minute of [2, 7, 8]) {
    await emulator.clock(hour(n + 1) + minute * MINUTE);
    await emulator.tick();
  }
}

const revisions = (bucket: string, n: number): Promise<string[]> =>
  clients.keys(bucket, `${keys.results(MODEL, '1', hour(n))}1h/r`);
async function rowsOf(bucket: string, n: number): Promise<number> {
  return (await clients.json<WindowResult>(bucket, (await revisions(bucket, n)).at(-1) ?? '')).rows;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'removal-'));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  environment = new PlatformEnvironment(folder, emulator);
  await environment.write(receivers, [], [MODEL]);
  await environment.makeSecrets(receivers);
  await succeeded(environment.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`));
  await emulator.alarms(false);
  await emulator.clock(hour(0));
  bare = await inventoryOf(emulator);
});
afterAll(async () => {
  clients?.destroy();
  await receivers?.stop();
  // Roles of functions go with their stacks here: what they asked for is held against their policies in other tests.
  await emulator?.stop({ judged: false });
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('an environment that is destroyed', () => {
  // What follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('leaves nothing at all where data go', async () => {
    await change({ data: 'delete' });
    const { StreamName = '' } = await deploy();
    await produce(StreamName, ordersOf(hour(0)).slice(0, 15).map(inferenceOf));
    await emulator.settled();
    expect(Object.keys(added(bare, await inventoryOf(emulator))).length).toBeGreaterThan(12);
    await succeeded(environment.cdk('destroy', '--all', '--force'));
    expect(added(bare, await inventoryOf(emulator))).toEqual({});
    await change({ data: 'keep' });
  });

  it('leaves what the table says where data stay: buckets with their policies, stream, secret and key', async () => {
    first = await deploy();
    await emulator.clock(hour(1) - MINUTE);
    await produce(first['StreamName'] ?? '', ordersOf(hour(0)).map(inferenceOf));
    await judge(0);
    expect(await rowsOf(first['BucketName'] ?? '', 0)).toBe(EVENTS_AN_HOUR);
    // Half of an hour is counted; the other half comes when nobody is there.
    await emulator.clock(hour(1) + 31 * MINUTE);
    await produce(first['StreamName'] ?? '', ordersOf(hour(1)).slice(0, 150).map(inferenceOf));
    await emulator.settled();
    await destroy();
    left = added(bare, await inventoryOf(emulator));
    expect(Object.fromEntries(Object.entries(left).map(([kind, names]) => [kind, names.length]))).toEqual({
      buckets: 2,
      keys: 1,
      secrets: 1,
      streams: 1,
    });
    for (const Bucket of left['buckets'] ?? [])
      expect((await clients.s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toMatch(/aws:SecureTransport/);
    inBucket = await clients.keys(first['BucketName'] ?? '', '');
    expect(inBucket.filter((key) => key.startsWith('results/'))).not.toEqual([]);
    await emulator.clock(hour(2) - MINUTE);
    await produce(first['StreamName'] ?? '', ordersOf(hour(1)).slice(150).map(inferenceOf));
  });

  it('can be deployed again beside what it left, and touches none of it', async () => {
    const again = await deploy();
    expect(again['BucketName']).not.toBe(first['BucketName']);
    expect(again['StreamName']).not.toBe(first['StreamName']);
    await emulator.tick();
    expect(await clients.keys(first['BucketName'] ?? '', '')).toEqual(inBucket);
    await destroy();
  });

  it('goes on where it was with what it left, and counts every event once', async () => {
    const [bucket = '', stream = ''] = [first['BucketName'], first['StreamName']];
    await change({
      // Of what is brought it says nothing: the next part looks.
      data: 'delete',
      existing: {
        bucket,
        stream: { arn: `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/${stream}`, from: 'beginning', retention: '7d' },
        key: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${left['keys']?.[0]}`,
        policyKey: left['secrets']?.[0],
      },
    });
    const adopted = await deploy();
    expect([adopted['BucketName'], adopted['StreamName']]).toEqual([bucket, stream]);
    expect(added(bare, await inventoryOf(emulator))['keys']).toContain(left['keys']?.[0]);
    await judge(1);
    await emulator.clock(hour(3) - MINUTE);
    await produce(stream, ordersOf(hour(2)).map(inferenceOf));
    await judge(2);
    expect([await rowsOf(bucket, 0), await rowsOf(bucket, 1), await rowsOf(bucket, 2)]).toEqual([
      EVENTS_AN_HOUR,
      EVENTS_AN_HOUR,
      EVENTS_AN_HOUR,
    ]);
    // What was told before is told the same.
    expect((await revisions(bucket, 0)).length).toBe(1);
    expect(await clients.keys(bucket, 'quarantine/')).toEqual([]);
  });

  it('never deletes what it was given, whatever is said of data', async () => {
    await succeeded(environment.cdk('destroy', '--all', '--force'));
    const now = added(bare, await inventoryOf(emulator));
    for (const [kind, names] of Object.entries(left)) expect(now[kind]).toEqual(expect.arrayContaining([...names]));
    expect((await clients.keys(first['BucketName'] ?? '', 'results/')).length).toBeGreaterThan(2);
  });
});
