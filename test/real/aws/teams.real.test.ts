/**
 * Two teams attach their models to one platform, each from an app of its own, by the plain CDK command line on an emulated AWS: their alerts go
 * different ways, a model has one owner, and what a team takes away leaves its data.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TeamChannels } from '../../../lib/contracts/alerting.ts';
import type { PublishedMonitor } from '../../../lib/contracts/monitor.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../../lib/contracts/result.ts';
import { CHECKOUT, endAll, eventually, MLMON, run } from '../programs.ts';
import { assumeRole, type Credentials, signedRequest } from './caller.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { ACCOUNT, Emulator, REGION } from './emulator.ts';
import { Receivers } from './receivers.ts';

const MINUTE = 60_000;
const START = Date.UTC(2001, 1, 10, 6);
const ROWS = 150;
const PLATFORM = 'examples/aws/teams/platform.ts';
const CREDENTIALS = { accessKeyId: ACCOUNT, secretAccessKey: 'emulator' };

let folder: string;
let apps: string;
let emulator: Emulator;
let receivers: Receivers;
let clients: Clients;
let sqs: SQSClient;
const outputs: Record<string, Outputs> = {};
const out = (stack: string, name: string): string => outputs[stack]?.[name] ?? '';
const bucket = (): string => out('SharedMonitoring', 'BucketName');

/** As a team runs it, from a folder of its own: no functions are built there. */
async function cdk(command: string, app: string, ...more: string[]): Promise<{ code: number | null; said: string }> {
  const file = isAbsolute(app) ? app : join(CHECKOUT, app);
  const ran = await emulator.cdk(
    [command, ...['--app', `node --import tsx ${file}`, '--output', join(folder, app.replaceAll(/\W/g, '-'))], ...more],
    app === PLATFORM ? CHECKOUT : apps,
  );
  return { code: ran.code, said: `${ran.out}\n${ran.err}` };
}

async function deployed(app: string): Promise<void> {
  const file = join(folder, 'outputs.json');
  const { code, said } = await cdk('deploy', app, '--all', '--require-approval', 'never', '--outputs-file', file);
  if (code !== 0) throw new Error(`${app} ended with ${code}:\n${said}`);
  Object.assign(outputs, await readOutputs(file));
}

/** An app of somebody who wants a model that another team has. */
async function writeApp(name: string, stack: string, body: string): Promise<string> {
  const file = join(apps, `${name}.ts`);
  await writeFile(
    file,
    `import { App, Stack } from 'aws-cdk-lib';
import { ModelMonitor, ModelMonitoring, Monitor } from 'ml-monitoring-constructs/aws';
const stack = new Stack(new App(), '${stack}');
const platform = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'shared');
${body}`,
  );
  return file;
}

const wants = (model: string): string =>
  `new ModelMonitor(stack, 'Mine', { platform, monitor: Monitor.of({ model: '${model}', features: { amount: { type: 'numeric' } } }) });\n`;

/** Payments whose amounts are text: no number, whatever reference data there may be. */
function payments(hour: number, from: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ id: `p-${hour}-${from + i}`, type: 'inference', model: 'fraud', version: '1' },
    time: new Date(hour + (from + i) * 10_000).toISOString(),
    ...{ numeric: { amount: `${i},50` }, categorical: { country: i % 3 === 0 ? 'DE' : 'FR' }, score: 0.1 },
    predicted: 'fine',
  }));
}

function deliveries(hour: number, isWrong: boolean): Record<string, unknown>[] {
  return Array.from({ length: ROWS }, (_, i) => ({
    ...{ id: `d-${hour}-${i}`, type: 'inference', model: 'delivery-time', version: '1' },
    time: new Date(hour + i * 10_000).toISOString(),
    ...{ numeric: { distance: isWrong ? `${i} km` : i }, categorical: { carrier: i % 2 === 0 ? 'post' : 'bike' } },
    predicted: 2,
  }));
}

async function collect(credentials: Credentials, events: readonly Record<string, unknown>[]): Promise<number> {
  const { status } = await signedRequest(emulator, `${out('Payments', 'CollectorUrl')}v1/events`, credentials, {
    contentType: 'application/cloudevents+json',
    body: JSON.stringify({
      ...{ specversion: '1.0', id: String(events[0]?.['id']), source: 'payments', type: 'ml.inference.v1' },
      data: events,
    }),
  });
  return status;
}

/** Everything in the queue of logistics, as it was put there. */
async function queued(): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: out('Logistics', 'AlertsUrl'),
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 0,
      }),
    );
    for (const { Body = '{}', MessageId } of Messages)
      if (!found.some((one) => one['id'] === MessageId))
        found.push({ id: MessageId, ...(JSON.parse(Body) as Record<string, unknown>) });
    return found;
  }
}

const monitorOf = (model: string, n: number): Promise<PublishedMonitor> =>
  clients.json<PublishedMonitor>(bucket(), keys.monitor(model, n));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'teams-'));
  // Within the checkout, so that packages are found.
  await mkdir(join(CHECKOUT, '.cache'), { recursive: true });
  apps = await mkdtemp(join(CHECKOUT, '.cache/teams-'));
  const { context } = JSON.parse(await readFile(join(CHECKOUT, 'cdk.json'), 'utf8')) as { context: object };
  await writeFile(join(apps, 'cdk.json'), JSON.stringify({ context }));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  sqs = new SQSClient({ endpoint: emulator.endpoint, region: REGION, credentials: CREDENTIALS });
});
afterAll(async () => {
  clients?.destroy();
  sqs?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  for (const one of [folder, apps]) await rm(one, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('teams on one platform', () => {
  // One story: what follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part of the story failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('find a platform that another app deployed', async () => {
    await emulator.clock(START + 10_000);
    await emulator.alarms(false);
    const { code, err } = await emulator.cdk(['bootstrap', 'aws://000000000000/us-east-1'], apps);
    expect([code, code === 0 ? '' : err]).toEqual([0, '']);
    await deployed(PLATFORM);
    const secrets = new SecretsManagerClient({
      endpoint: emulator.endpoint,
      region: REGION,
      credentials: CREDENTIALS,
    });
    await secrets.send(new CreateSecretCommand({ Name: 'payments/slack', SecretString: `${receivers.url}/payments` }));
    secrets.destroy();
    await deployed('examples/aws/teams/payments.ts');
    await deployed('examples/aws/teams/logistics.ts');
    expect((await monitorOf('fraud', 1)).monitor.owner).toBe('team-payments');
    expect((await monitorOf('delivery-time', 1)).monitor.owner).toBe('team-logistics');
    const { teams } = await clients.json<TeamChannels>(bucket(), keys.teamChannels());
    expect(
      Object.entries(teams).map(([owner, { models, channels }]) => [owner, models, channels.map(({ name }) => name)]),
    ).toEqual([
      ['Logistics/DeliveryTime/Publication', ['delivery-time'], ['delivery-time-sqs']],
      ['Payments/Fraud/Publication', ['fraud'], ['fraud-slack']],
    ]);
  });

  it('are told of their own models, each by its own channel', async () => {
    const scoring = await assumeRole(emulator, out('Payments', 'ScoringRole'));
    await emulator.clock(START + 30 * MINUTE);
    expect(await collect(scoring, payments(START, 0, ROWS))).toBe(202);
    await clients.put(
      out('SharedMonitoring', 'StreamName'),
      deliveries(START, true).map((event) => ({ key: String(event['id']), data: `${JSON.stringify(event)}\n` })),
    );
    for (const minute of [62, 67, 68]) {
      await emulator.clock(START + minute * MINUTE);
      await emulator.tick();
    }
    for (const model of ['fraud', 'delivery-time']) {
      const result = await clients.json<WindowResult>(bucket(), keys.result(model, '1', START, '1h', 0));
      expect([model, result.rows]).toEqual([model, ROWS]);
    }
    await eventually(
      async () => ({ slack: receivers.at('/payments'), queue: await queued() }),
      ({ slack, queue }) => slack.length > 0 && queue.length > 0,
    );
    expect(receivers.at('/payments').map(({ text }) => String(text))).toEqual([
      expect.stringMatching(/Data quality on fraud 1: amount/),
    ]);
    const messages = (await queued()).map((message) => JSON.stringify(message));
    expect(messages).toEqual([expect.stringContaining('delivery-time')]);
    expect(messages.join('')).not.toContain('fraud');
  });

  it('may send what they were granted, and nothing of others', async () => {
    const scoring = await assumeRole(emulator, out('Payments', 'ScoringRole'));
    const [theirs] = deliveries(START, false);
    expect(await collect(scoring, [theirs!])).toBe(403);
  });

  it('cannot take a model that another team has', async () => {
    const app = await writeApp('rival', 'Rival', wants('fraud'));
    const { code, said } = await cdk('deploy', app, '--all', '--require-approval', 'never');
    expect(code).not.toBe(0);
    expect(said).toMatch(/another publication owns this model/);
    expect(said).toMatch(/Rival\/Mine\/Publication.*Payments\/Fraud\/Publication/s);
    // Nothing came of it: the monitor is as it was, and the model may be had under another name.
    expect(await clients.keys(bucket(), keys.monitors('fraud'))).toEqual([keys.monitor('fraud', 1)]);
    expect((await clients.keys(bucket(), keys.publications())).filter((key) => key.includes('Rival'))).toEqual([]);
  });

  it('are listed for whoever asks the platform, and changed where they are declared', async () => {
    const mlmon = (...argv: string[]) =>
      run(process.execPath, [MLMON, ...argv, '--platform', `s3://${bucket()}`], { env: { ...emulator.env } });
    const { code, out: told } = await mlmon('monitor', 'list');
    expect([code, told.replaceAll(/ {2,}/g, ' ').split('\n').filter(Boolean)]).toEqual([
      0,
      [expect.stringMatching(/^delivery-time team-logistics /), expect.stringMatching(/^fraud team-payments /)],
    ]);
    const file = join(folder, 'fraud.yaml');
    const declared = await readFile(join(CHECKOUT, 'examples/aws/teams/fraud.yaml'), 'utf8');
    await writeFile(file, declared.replace('team-payments', 'team-rival'));
    const refused = await mlmon('monitor', 'apply', file);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('Payments/Fraud/Publication')]);
    expect(await clients.keys(bucket(), keys.monitors('fraud'))).toEqual([keys.monitor('fraud', 1)]);
  });

  it('take their model away, and leave its data', async () => {
    const held = await clients.keys(bucket(), keys.results('fraud'));
    const app = 'examples/aws/teams/payments.ts';
    const { code, said } = await cdk('destroy', app, '--all', '--force');
    expect([code, code === 0 ? '' : said]).toEqual([0, '']);
    expect(await clients.keys(bucket(), keys.results('fraud'))).toEqual(held);
    expect(held.length).toBeGreaterThan(0);
    const tombstone = await monitorOf('fraud', 2);
    expect([tombstone.removed, tombstone.by]).toEqual([true, 'publication Payments/Fraud/Publication']);
    const { teams } = await clients.json<TeamChannels>(bucket(), keys.teamChannels());
    expect(Object.keys(teams)).toEqual(['Logistics/DeliveryTime/Publication']);
    expect(Object.keys(await clients.json<object>(bucket(), keys.bindings()))).toEqual([]);
  });

  it('may then have it, who could not before', async () => {
    await deployed(await writeApp('rival', 'Rival', wants('fraud')));
    const monitor = await monitorOf('fraud', 3);
    expect([monitor.removed, monitor.by]).toEqual([false, 'publication Rival/Mine/Publication']);
  });

  it('did all of it without a function failing', async () => {
    const failed = Object.entries((await emulator.state()).invocations)
      .filter(([, { failed: n }]) => n > 0)
      .map(([name, { last }]) => [name, last]);
    expect(failed).toEqual([]);
  });
});
