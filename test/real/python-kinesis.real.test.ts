/** The recipe for Python on Kinesis, with boto3: against a stream that refuses some records in passing. */
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { type ReadEvent, readRecord } from '../../lib/engine/event-reader.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { breachOf } from '../../lib/pipeline/policy-breach.ts';
import { type FakeAws, startFakeAws } from '../lambdas/fake-aws.ts';
import { CHECKOUT, endAll, run } from './programs.ts';

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

/** A Python that has boto3: that of the machine, else one of its own from PyPI. */
function withBoto3(where: string): string {
  if (spawnSync('python3', ['-c', 'import boto3']).status === 0) return 'python3';
  const own = join(where, 'venv');
  for (const [program, arguments_] of [
    ['python3', ['-m', 'venv', own]],
    [join(own, 'bin/pip'), ['install', '--quiet', 'boto3==1.43.11']],
  ] as const) {
    const { status, stderr } = spawnSync(program, arguments_, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  }
  if (!existsSync(join(own, 'bin/python3'))) throw new Error('venv made no python3');
  return join(own, 'bin/python3');
}

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
