/**
 * Everything that an environment can choose, on an emulated AWS, doing all that it can: every call of every function is held against the
 * policies that its role had at the time, and what is granted and never used is a list with reasons.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { endAll, eventually, MLMON, run } from '../programs.ts';
import { query } from './caller.ts';
import { CheckoutPlatform, envelope, HOUR, MINUTE, pathOf } from './checkout-platform.ts';
import { EVENTS_AN_HOUR, inferenceOf, MODEL, ordersOf } from './checkout-traffic.ts';
import { readOutputs, requestTo } from './deployment.ts';
import { ACCOUNT, Emulator, REGION } from './emulator.ts';
import { GRANTED_AND_UNUSED } from './granted-and-unused.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';
import { type Recorded, refused, unused } from './recorded-policies.ts';

const START = Date.UTC(2001, 1, 10, 6);
/** A model that nobody sends events of. */
const SECOND = 'checkout-retired';
const CAPTURED = 'captured-endpoints';
const SENDER = { id: 'checkout', key: 'k'.repeat(40) };
const QUEUE = 'alerts-of-a-team';

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let environment: PlatformEnvironment;
let platform: CheckoutPlatform;
let recorded: Recorded;

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<void> {
  const { code, out, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${out}\n${err}`);
}

const tick = async (...minutes: readonly number[]): Promise<void> => {
  for (const minute of minutes) {
    await emulator.clock(START + minute * MINUTE);
    await emulator.tick();
  }
};

/** The example environment with all that it leaves out. */
async function chooseEverything(): Promise<void> {
  await environment.write(receivers, [{ principal: SENDER.id, events: [MODEL], labels: [MODEL] }], [MODEL]);
  await writeFile(
    join(folder, 'monitors', `${SECOND}.yaml`),
    `model: ${SECOND}\nfeatures: { amount: { type: numeric } }\n`,
  );
  const file = join(folder, 'environments/production.yaml');
  const production = parse(await readFile(file, 'utf8')) as Record<string, unknown> & {
    alerting: { channels: object[] };
  };
  production.alerting.channels.push(
    { type: 'webhook', secret: 'proof/webhook' },
    { type: 'teams', secret: 'proof/teams' },
    { type: 'sqs', queueArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${QUEUE}` },
  );
  await writeFile(
    file,
    stringify({
      ...production,
      data: 'delete',
      stream: { capacity: 'provisioned', shards: 1, maximumShards: 4 },
      collector: { access: 'keys', keysSecret: 'proof/keys' },
      sageMaker: {
        ...{ bucket: CAPTURED, prefix: 'capture' },
        sources: [{ endpoint: 'checkout', model: MODEL, version: '1', inputs: ['amount', 'country'], output: 'score' }],
      },
    }),
  );
}

async function makeWhatItNames(): Promise<void> {
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'emulator' };
  const secrets = new SecretsManagerClient({ endpoint: emulator.endpoint, region: REGION, credentials });
  const digest = createHash('sha256').update(SENDER.key).digest('hex');
  for (const [Name, SecretString] of [
    ['proof/keys', JSON.stringify({ [SENDER.id]: digest })],
    ['proof/webhook', JSON.stringify({ url: `${receivers.url}/webhook`, key: 'x'.repeat(32) })],
    ['proof/teams', `${receivers.url}/teams`],
  ])
    await secrets.send(new CreateSecretCommand({ Name, SecretString }));
  secrets.destroy();
  const { s3 } = platform.clients;
  await s3.send(new CreateBucketCommand({ Bucket: CAPTURED }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: CAPTURED,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  await query(emulator, 'sqs', { Action: 'CreateQueue', Version: '2012-11-05', QueueName: QUEUE });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'least-privilege-'));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  environment = new PlatformEnvironment(folder, emulator);
  platform = new CheckoutPlatform(emulator, receivers, START);
  await chooseEverything();
  await makeWhatItNames();
  await environment.makeSecrets(receivers);
  await emulator.clock(START + 10_000);
  await emulator.alarms(false);
  await succeeded(environment.cdk('bootstrap', 'aws://000000000000/us-east-1'));
  await succeeded(environment.deploy());
  platform.outputs = (await readOutputs(environment.outputs))[STACK] ?? {};
  platform.sender = {
    async collect(events, kind) {
      const { status, body } = await requestTo(emulator, `${platform.outputs['CollectorUrl']}${pathOf(kind)}`, {
        headers: {
          authorization: `Bearer ${SENDER.id}.${SENDER.key}`,
          'content-type': 'application/cloudevents+json',
        },
        body: envelope(events, kind),
      });
      if (status !== 202) throw new Error(`the collector answered ${status}: ${body}`);
    },
  };
}, 600_000);
afterAll(async () => {
  platform?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('what functions may do', () => {
  // One story: what follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part of the story failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('is tried by hours with drift and labels', async () => {
    for (let n = 0; n < 6; n++) {
      await platform.passHour(n, n === 1 || n === 2);
    }
    expect(platform.told(MODEL).length).toBeGreaterThan(1);
    expect((await platform.result(2)).rows).toBe(EVENTS_AN_HOUR);
  });

  it('is tried by files of an endpoint of SageMaker', async () => {
    const at = START + 7.5 * HOUR;
    await emulator.clock(at + MINUTE);
    const line = (i: number) => ({
      captureData: {
        endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: `${i},DE`, encoding: 'CSV' },
        endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: '0.5', encoding: 'CSV' },
      },
      eventMetadata: { eventId: `s-${i}`, inferenceTime: new Date(at).toISOString() },
      eventVersion: '0',
    });
    await platform.clients.s3.send(
      new PutObjectCommand({
        Bucket: CAPTURED,
        Key: 'capture/checkout/AllTraffic/2001/02/10/13/30-00-000-a.jsonl',
        Body: [1, 2, 3].map((i) => JSON.stringify(line(i))).join('\n'),
      }),
    );
    await eventually(
      () => platform.clients.keys(platform.bucket, 'sagemaker/'),
      (found) => found.length > 0,
    );
    // The clock must not jump while it works: it would think that its time is over.
    await emulator.settled();
  });

  it('is tried by what cannot be read, captured or folded', async () => {
    await emulator.faults([{ function: 'Profiler', method: 'PUT', path: '/packs/', status: 503, times: 1_000_000 }]);
    const [first, second] = ordersOf(platform.hour(8)).map(inferenceOf);
    await emulator.clock(platform.hour(8) + MINUTE);
    await platform.clients.put(platform.outputs['StreamName'] ?? '', [
      // The second does not fit the table: Firehose gives the record up, and the first is captured from there.
      {
        key: 'k',
        data: `${JSON.stringify(first)}\nno event\n${JSON.stringify({ ...second, numeric: { amount: 'much' } })}\n`,
      },
    ]);
    await emulator.clock(platform.hour(8) + 3 * MINUTE);
    await eventually(
      () => platform.clients.keys(platform.bucket, keys.onFailure()),
      (found) => found.length === 1,
      240_000,
    );
    await emulator.faults([]);
    await emulator.flush();
    await emulator.flush(false);
    await eventually(
      () => platform.clients.keys(platform.bucket, 'capture-errors/'),
      (found) => found.length > 0,
    );
    await tick(8 * 60 + 10);
    expect(await platform.clients.keys(platform.bucket, 'quarantine/')).not.toEqual([]);
  });

  it('is tried by a stream that is full, and by a test of the channels', async () => {
    await platform.clients.cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: 'AWS/Kinesis',
        MetricData: [1, 2, 3, 4, 5].map((minute) => ({
          MetricName: 'IncomingBytes',
          Dimensions: [{ Name: 'StreamName', Value: platform.outputs['StreamName'] }],
          Timestamp: new Date(platform.hour(8) + (10 + minute) * MINUTE),
          Value: 60_000_000,
        })),
      }),
    );
    const tested = run(process.execPath, [MLMON, 'alert', 'test', '--platform', `s3://${platform.bucket}`], {
      env: emulator.env,
    });
    for (let minute = 16; minute < 20; minute++) await tick(8 * 60 + minute);
    const { code, out, err } = await tested;
    expect([code, code === 0 ? '' : out + err]).toEqual([0, '']);
  });

  it('is tried by days that make files superfluous', async () => {
    for (const days of [1, 2, 9]) await tick(days * 24 * 60, days * 24 * 60 + 3);
  }, 600_000);

  it('is tried by a model that is no longer monitored, and by the end of it all', async () => {
    await rm(join(folder, 'monitors', `${SECOND}.yaml`));
    await succeeded(environment.deploy());
    await query(emulator, 'cloudformation', {
      ...{ Action: 'UpdateTerminationProtection', Version: '2010-05-15' },
      ...{ StackName: STACK, EnableTerminationProtection: 'false' },
    });
    await succeeded(environment.cdk('destroy', '--all', '--force'));
  }, 600_000);

  it('allows every call that was made', async () => {
    recorded = await emulator.calls();
    const functions = new Set(recorded.calls.map((call) => call.function));
    expect(functions.size).toBeGreaterThan(11);
    expect(refused(recorded)).toEqual([]);
  });

  it('would be refused without the policies that allow it', async () => {
    const without = {
      ...recorded,
      policies: Object.fromEntries(Object.keys(recorded.policies).map((digest) => [digest, []])),
    };
    expect(refused(without).length).toBeGreaterThan(100);
  });

  it('is used, but for what a list gives reasons for', () => {
    const found = unused(recorded).map(({ who, action, resource }) => `${who} ${action} ${resource}`);
    if (process.env['SHOW_UNUSED']) process.stdout.write(`${found.join('\n')}\n`);
    const justified = (text: string): boolean => GRANTED_AND_UNUSED.some(({ what }) => what.test(text));
    expect(found.filter((text) => !justified(text))).toEqual([]);
    const idle = GRANTED_AND_UNUSED.filter(
      ({ what, sometimes }) => !sometimes && !found.some((text) => what.test(text)),
    );
    expect(idle.map(({ what }) => String(what))).toEqual([]);
  });
});
