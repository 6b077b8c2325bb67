/** The recipes for Python with boto3: onto a stream that refuses some records in passing, and to a collector that wants signed requests. */
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { type ReadEvent, readRecord } from '../../lib/engine/event-reader.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { breachOf } from '../../lib/pipeline/policy-breach.ts';
import { type FakeAws, startFakeAws } from '../lambdas/fake-aws.ts';
import { CHECKOUT, endAll, run } from './programs.ts';
import { withBoto3 } from './python-with-boto3.ts';

const KEY = { version: 'k1', key: '42'.repeat(32) };
let folder: string;
let aws: FakeAws;
let python: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'python-kinesis-'));
  aws = await startFakeAws();
  python = withBoto3(folder);
});
afterAll(async () => {
  endAll();
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

it('sends each event once, batched, spread and under the policy', async () => {
  const file = join(folder, 'key.json');
  await writeFile(file, JSON.stringify(KEY));
  let records = 0;
  aws.refuse = () => records++ % 4 === 0;
  const sent = await run(python, [join(CHECKOUT, 'examples/python/stream_churn.py'), 'events', '1000', file], {
    env: {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_DEFAULT_REGION: 'eu-west-1',
    },
  });
  expect([sent.code, sent.out.trim()]).toEqual([0, 'sent - dropped: 0 failed: 0']);
  const { monitor } = parseMonitor({
    model: 'churn',
    features: {
      tenure: { type: 'numeric' },
      plan: { type: 'categorical' },
      customer: { type: 'categorical', policy: 'hash' },
    },
  });
  const shape = compileShape(monitor!, null);
  const ids = new Map<string, string>();
  for (const { key, data } of aws.records) {
    const events: ReadEvent[] = [];
    readRecord(
      Buffer.from(data),
      (event) => events.push(event),
      ({ detail }) => expect.unreachable(detail),
    );
    expect(events.length).toBeLessThanOrEqual(15);
    expect(key).toMatch(/^churn#[0-3]$/);
    for (const event of events) {
      expect(ids.has(`${event.kind} ${event.id}`)).toBe(false);
      ids.set(`${event.kind} ${event.id}`, key);
      if (event.kind !== 'inference') continue;
      expect(breachOf(shape, event, null)).toBeNull();
      const customer = `customer ${event.id.slice('order-'.length)}`;
      const hash = createHmac('sha256', Buffer.from(KEY.key, 'hex')).update(customer).digest('base64url');
      expect(event.categorical?.['customer']).toBe(hash);
    }
  }
  expect(ids.size).toBe(2_000);
  expect(new Set(ids.values()).size).toBe(4);
  expect(aws.records.length).toBeLessThan(2_000 / 8);
});

it('signs what it sends to a collector, as AWS would check it', async () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' };
  const signer = new SignatureV4({
    service: 'lambda',
    region: 'eu-central-1',
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  });
  const seen: { readonly signed: boolean; readonly events: number }[] = [];
  const collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const header = (name: string): string => String(request.headers[name]);
    const date = header('x-amz-date').replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
    const { headers } = await signer.sign(
      {
        method: 'POST',
        protocol: 'http:',
        hostname: header('host'),
        path: String(request.url),
        headers: { host: header('host'), 'content-type': header('content-type') },
        body,
      },
      { signingDate: new Date(date) },
    );
    const signature = (text: string | undefined): string | undefined => /Signature=(\w+)$/.exec(text ?? '')?.[1];
    const signed =
      signature(header('authorization')) !== undefined &&
      signature(header('authorization')) === signature(headers['authorization']) &&
      header('x-amz-security-token') === 'session';
    const events = (JSON.parse(body.toString()) as { readonly data: readonly unknown[] }[]).flatMap(({ data }) => data);
    seen.push({ signed, events: events.length });
    response.writeHead(signed ? 202 : 403).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
    const code = `
from mlmon_aws import signed
from mlmon_client import Monitor

monitor = Monitor("${url}", model="churn", version="7", authorize=signed(region="eu-central-1"))
for i in range(150):
    monitor.prediction(id=f"order-{i}", numeric={"tenure": i}, score=0.5)
monitor.label(id="order-0", truth="leaves")
print(monitor.flush(), monitor.dropped)
`;
    const sent = await run(python, ['-c', code], {
      cwd: join(CHECKOUT, 'examples/python'),
      env: {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    });
    expect([sent.code, sent.out.trim(), sent.err]).toEqual([0, 'True 0', '']);
    expect(seen.every(({ signed }) => signed)).toBe(true);
    expect(seen.reduce((sum, { events }) => sum + events, 0)).toBe(151);
  } finally {
    collector.close();
  }
});
