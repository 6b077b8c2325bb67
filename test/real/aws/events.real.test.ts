/**
 * What programs hear, on an emulated AWS: the production environment, and the example of a team's stack that listens to it, each deployed with the
 * plain CDK command line. Baselines, results and episodes come through the bus and a rule to the queue of the other stack.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { keys } from '../../../lib/contracts/object-keys.ts';
import {
  BUS_SOURCE,
  OUTGOING_TYPES,
  type OutgoingEvent,
  outgoingEventSchema,
} from '../../../lib/contracts/outgoing-events.ts';
import type { WindowResult } from '../../../lib/contracts/result.ts';
import { CHECKOUT, endAll } from '../programs.ts';
import { inferenceOf, MODEL, ordersOf } from './checkout-traffic.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { ACCOUNT, Emulator, REGION } from './emulator.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';

const [HOUR, MINUTE] = [3_600_000, 60_000];
const START = Date.UTC(2001, 1, 10, 6);
const LISTENER = join(CHECKOUT, 'examples/aws/retraining/app.ts');

interface Entry {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: OutgoingEvent;
}

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let environment: PlatformEnvironment;
let clients: Clients;
let sqs: SQSClient;
let out: Outputs;
let queueUrl = '';
const heard: Entry[] = [];

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<void> {
  const { code, out: said, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${said}\n${err}`);
}

/** So long after the beginning. */
const time = (after: number): string => new Date(START + after).toISOString();

const inSlack = (): readonly string[] =>
  receivers
    .at('/slack')
    .map(({ text }) => String(text))
    .filter((text) => text.includes(`Drift on ${MODEL}`));

/** Everything that waits in the queue of the listener; taken out of it. */
async function listen(): Promise<readonly Entry[]> {
  const before = heard.length;
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return heard.slice(before);
    for (const { Body = '', ReceiptHandle } of Messages) {
      heard.push(JSON.parse(Body) as Entry);
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

/** Labels never come, so that performance goes blind meanwhile: that is another story. */
function isOfDrift({ detail }: Entry): boolean {
  return 'signal' in detail.data && detail.data.signal === 'drift';
}

/** An hour of orders onto the stream, then all that becomes due. */
async function passHour(n: number, wrong = false): Promise<void> {
  await emulator.clock(START + (n + 1) * HOUR - MINUTE);
  const lines = ordersOf(START + n * HOUR, wrong).map((order) => `${JSON.stringify(inferenceOf(order))}\n`);
  await clients.put(out['StreamName'] ?? '', [{ key: 'k', data: lines.join('') }]);
  for (const minute of [2, 7, 8]) {
    await emulator.clock(START + (n + 1) * HOUR + minute * MINUTE);
    await emulator.tick();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'events-'));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'emulator' };
  sqs = new SQSClient({ endpoint: emulator.endpoint, region: REGION, credentials });
  environment = new PlatformEnvironment(folder, emulator);
  await environment.write(receivers, [], [MODEL]);
  const file = join(folder, 'environments/production.yaml');
  const config = parse(await readFile(file, 'utf8')) as { alerting: Record<string, unknown> };
  config.alerting['maintenance'] = [
    { from: time(3 * HOUR), until: time(4 * HOUR + 30 * MINUTE), reason: 'the warehouse moves' },
  ];
  await writeFile(file, stringify(config));
});
afterAll(async () => {
  clients?.destroy();
  sqs?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('programs', () => {
  it('listen from a stack of their own', async () => {
    await emulator.clock(START + 10_000);
    await emulator.alarms(false);
    await succeeded(environment.cdk('bootstrap', 'aws://000000000000/us-east-1'));
    await environment.makeSecrets(receivers);
    await succeeded(environment.deploy());
    out = (await readOutputs(environment.outputs))[STACK] ?? {};
    const outputs = join(folder, 'listener.json');
    await succeeded(
      emulator.cdk([
        ...['deploy', '--app', `node --import tsx ${LISTENER}`, '--output', join(folder, 'listener.out')],
        ...['-c', `model=${MODEL}`, '--require-approval', 'never', '--outputs-file', outputs],
      ]),
    );
    queueUrl = (await readOutputs(outputs))['Retraining']?.['FindingsUrl'] ?? '';
    expect(queueUrl).toMatch(/Findings/);
  }, 600_000);

  it('hear of each judged window, once, by an id that names its object', async () => {
    for (const n of [0, 1]) await passHour(n);
    const windows = (await listen()).filter((entry) => entry['detail-type'] === OUTGOING_TYPES.window);
    expect(windows.map(({ detail }) => detail.id).sort()).toEqual(
      [0, 1].map((n) => keys.result(MODEL, '1', START + n * HOUR, '1h', 0)),
    );
    const result = await clients.json<WindowResult>(out['BucketName'] ?? '', windows[0]!.detail.id);
    expect(windows[0]!.detail).toMatchObject({
      source: '/ml-monitoring/production',
      subject: MODEL,
      time: result.provenance.evaluatedAt,
      dataref: `s3://${out['BucketName']}/${windows[0]!.detail.id}`,
      data: { status: 'ok', rows: result.rows, start: result.start, revision: 0 },
    });
  });

  it('hear of an episode and of what drifted, though people are spared in maintenance', async () => {
    for (const n of [2, 3]) await passHour(n, true);
    const episodes = (await listen()).filter(isOfDrift);
    expect(episodes.map((entry) => entry['detail-type'])).toEqual([OUTGOING_TYPES.episodeOpened]);
    expect(episodes[0]!.detail.data).toMatchObject({
      ...{ model: MODEL, owner: 'team-payments', signal: 'drift', severity: 'critical', closed: null },
      withheld: 'the warehouse moves',
      features: [expect.objectContaining({ name: 'amount' })],
    });
    expect(inSlack()).toEqual([]);
  });

  it('heard before people, who are told when the maintenance is over, since it is still so', async () => {
    await passHour(4);
    expect(inSlack()).toEqual([expect.stringMatching(/^⚠ Drift on checkout-fraud 1/)]);
    expect((await listen()).filter(isOfDrift)).toEqual([]);
  });

  it('hear that it is over, under the id of the same episode', async () => {
    for (const n of [5, 6, 7]) await passHour(n);
    const episodes = (await listen()).filter(isOfDrift);
    expect(episodes.map((entry) => entry['detail-type'])).toEqual([OUTGOING_TYPES.episodeClosed]);
    const opened = heard.find((entry) => entry['detail-type'] === OUTGOING_TYPES.episodeOpened);
    expect(episodes[0]!.detail.data).toMatchObject({
      episode: (opened!.detail.data as { episode: string }).episode,
      closed: expect.any(String) as unknown,
      withheld: null,
    });
    expect(inSlack()).toHaveLength(2);
  });

  it('hear of a new baseline', async () => {
    const stored = await clients.json<object>(out['BucketName'] ?? '', keys.baseline(MODEL, '1', 1));
    const proposed = { ...stored, n: 2, effectiveFrom: null, approved: null };
    const key = keys.baseline(MODEL, '1', 2);
    await clients.s3.send(
      new PutObjectCommand({ Bucket: out['BucketName'], Key: key, Body: JSON.stringify(proposed) }),
    );
    await emulator.settled();
    expect((await listen()).map(({ detail }) => [detail.type, detail.id])).toEqual([
      [OUTGOING_TYPES.baselineProposed, key],
    ]);
  });

  it('read what the published schema says', () => {
    for (const { source, detail, 'detail-type': type } of heard) {
      expect([source, type]).toEqual([BUS_SOURCE, detail.type]);
      expect(outgoingEventSchema.parse(detail)).toEqual(detail);
    }
    const ids = heard.map(({ detail }) => detail.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
