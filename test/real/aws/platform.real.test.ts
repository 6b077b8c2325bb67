/**
 * The example environment, deployed with the plain CDK command line on an emulated AWS, from a bare account to its removal: events in by the
 * collector and by a producer, alerts out at Slack and PagerDuty, and what goes wrong on the way.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetQueryExecutionCommand, GetQueryResultsCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../../../lib/contracts/result.ts';
import { endAll, eventually, run } from '../programs.ts';
import { assumeNewRole, type Credentials, signedRequest } from './caller.ts';
import { EVENTS_AN_HOUR, inferenceOf, labelOf, MODEL, type Order, ordersOf } from './checkout-traffic.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { Document } from './document.ts';
import { AWS_CLI, Emulator } from './emulator.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** An ordinary morning. */
const START = Date.UTC(2001, 1, 10, 6);

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let environment: PlatformEnvironment;
let clients: Clients;
let sender: Credentials & { readonly roleArn: string };
let out: Outputs;
const bucket = (): string => out['BucketName'] ?? '';
const hour = (n: number): number => START + n * HOUR;

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<string> {
  const { code, out: said, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${said}\n${err}`);
  return `${said}\n${err}`;
}

/** Through the address of the collector, as a service with a role of its own. */
async function collect(events: readonly Record<string, unknown>[], path = 'v1/events'): Promise<number> {
  const kind = path === 'v1/events' ? 'inference' : 'label';
  const { status, body } = await signedRequest(emulator, `${out['CollectorUrl']}${path}`, sender, {
    contentType: 'application/cloudevents+json',
    body: JSON.stringify({
      ...{ specversion: '1.0', id: `${events[0]?.['id']}-${kind}`, source: 'checkout', type: `ml.${kind}.v1` },
      data: events,
    }),
  });
  if (status !== 202) throw new Error(`the collector answered ${status}: ${body}`);
  return status;
}

/** Straight to the stream, fifteen events a record. */
function produce(events: readonly Record<string, unknown>[]): Promise<void> {
  const records = [];
  for (let i = 0; i < events.length; i += 15)
    records.push({
      key: `${MODEL}#${i % 7}`,
      data: events
        .slice(i, i + 15)
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(''),
    });
  return clients.put(out['StreamName'] ?? '', records);
}

/** An hour of orders, the first half by the collector and the rest by the producer; then what became due. */
async function passHour(n: number, wrong = false): Promise<Order[]> {
  const orders = ordersOf(hour(n), wrong);
  const half = EVENTS_AN_HOUR / 2;
  const before = n === 0 ? [] : ordersOf(hour(n - 1));
  await emulator.clock(hour(n) + 30 * MINUTE);
  await collect(orders.slice(0, half).map(inferenceOf));
  await emulator.clock(hour(n + 1) - MINUTE);
  await produce(orders.slice(half).map(inferenceOf));
  if (before.length > 0) await produce(before.map(labelOf));
  // Lateness, the batching window, and a minute for those who look.
  for (const minute of [2, 7, 8]) {
    await emulator.clock(hour(n + 1) + minute * MINUTE);
    await emulator.tick();
  }
  return orders;
}

/** With the AWS command line, as somebody would. */
async function inTerminal(command: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, err } = await run('bash', ['-euo', 'pipefail', '-c', command], {
    env: { ...emulator.env, PATH: `${AWS_CLI}:${process.env['PATH'] ?? ''}`, ...env },
  });
  expect([command, code, code === 0 ? '' : err]).toEqual([command, 0, '']);
}

/** Texts in Slack that name it, oldest first. */
function told(what: string): readonly string[] {
  return receivers
    .at('/slack')
    .map(({ text }) => String(text))
    .filter((text) => text.includes(what));
}

/** Events of PagerDuty about the model: what is to be done, and with which incident. */
function paged(): readonly (readonly unknown[])[] {
  return receivers
    .at('/v2/enqueue')
    .filter((event) => String(event['dedup_key']).includes(MODEL))
    .map((event) => [event['event_action'], event['dedup_key'], event['routing_key']]);
}

const resultOf = (n: number, r = 0): Promise<WindowResult> =>
  clients.json<WindowResult>(bucket(), keys.result(MODEL, '1', hour(n), '1h', r));

async function rows(sql: string): Promise<(string | undefined)[][]> {
  const { QueryExecutionId } = await clients.athena.send(
    new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: out['Workgroup'] }),
  );
  await eventually(
    () => clients.athena.send(new GetQueryExecutionCommand({ QueryExecutionId })),
    ({ QueryExecution }) => /SUCCEEDED|FAILED/.test(QueryExecution?.Status?.State ?? ''),
  );
  const { ResultSet } = await clients.athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
  return (ResultSet?.Rows ?? []).slice(1).map(({ Data }) => (Data ?? []).map(({ VarCharValue }) => VarCharValue));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platform-'));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  environment = new PlatformEnvironment(folder, emulator);
  sender = await assumeNewRole(emulator, 'checkout');
  await environment.write(receivers, [{ principal: sender.roleArn, events: [MODEL], labels: [MODEL] }], [MODEL]);
});
afterAll(async () => {
  if (process.env['SHOW_TOLD'])
    for (const one of receivers.received)
      process.stdout.write(`${one.path} ${JSON.stringify(one.body).slice(0, 700)}\n`);
  clients?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('a deployed platform', () => {
  // One story: what follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part of the story failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('is deployed into a bare account', async () => {
    // In the first minute of the first hour: nothing is missing yet when events begin.
    await emulator.clock(START + 10_000);
    await emulator.alarms(false);
    await succeeded(environment.cdk('bootstrap', 'aws://000000000000/us-east-1'));
    await environment.makeSecrets(receivers);
    await succeeded(environment.deploy());
    out = (await readOutputs(environment.outputs))[STACK] ?? {};
    expect(Object.keys(out).sort()).toEqual([
      ...['BucketName', 'CaptureTable', 'CollectorUrl', 'EventBusArn', 'StreamName', 'Workgroup'],
    ]);
    // What nothing stands behind here is tested elsewhere: rules by promtool, remote write by a real Prometheus.
    const { stubs } = await emulator.state();
    process.stdout.write(`only shells on the emulator: ${[...new Set(stubs.map(({ type }) => type))].join(', ')}\n`);
    expect(stubs.map(({ type }) => type).sort()).toEqual([
      'AWS::APS::RuleGroupsNamespace',
      'AWS::APS::Workspace',
      'AWS::Events::Archive',
    ]);
  });

  it('has published its monitors, baselines and rights', async () => {
    expect(await clients.keys(bucket(), keys.monitors(MODEL))).toEqual([keys.monitor(MODEL, 1)]);
    expect(await clients.keys(bucket(), keys.baselines(MODEL))).toEqual([keys.baseline(MODEL, '1', 1)]);
    expect(await clients.json(bucket(), keys.bindings())).toMatchObject({
      [sender.roleArn]: { events: [MODEL], labels: [MODEL] },
    });
  });

  it('takes events of those who may send them, and of nobody else', async () => {
    const stranger = await assumeNewRole(emulator, 'stranger');
    const mine = sender;
    sender = stranger;
    await expect(collect(ordersOf(hour(0)).slice(0, 1).map(inferenceOf))).rejects.toThrow(/answered 40[13]/);
    sender = mine;
  });

  it('judges an hour of events that came by the collector and by a producer', async () => {
    const orders = await passHour(0);
    const result = await resultOf(0);
    expect([result.rows, result.status]).toEqual([EVENTS_AN_HOUR, 'ok']);
    const amount = result.features.find(({ name }) => name === 'amount');
    expect(amount?.mean).toBeCloseTo(orders.reduce((sum, one) => sum + one.amount, 0) / orders.length, 3);
    expect((await clients.keys(bucket(), 'packs/')).length).toBeGreaterThan(0);
    expect((await clients.keys(bucket(), keys.allCursors())).length).toBeGreaterThan(0);
    expect([told(MODEL), paged()]).toEqual([[], []]);
  });

  it('tells Slack and PagerDuty when a model drifts, once', async () => {
    await passHour(1);
    await passHour(2, true);
    await passHour(3, true);
    const result = await resultOf(3);
    expect([
      result.status,
      result.features.filter(({ status }) => status === 'drifted').map(({ name }) => name),
    ]).toEqual(['drifted', ['amount']]);
    expect(told(MODEL)).toEqual([expect.stringMatching(/^⚠ Drift on checkout-fraud 1: amount: mean up/)]);
    expect(paged()).toEqual([['trigger', expect.any(String), 'routing-key-of-the-test']]);
  });

  it('tells of the recovery', async () => {
    for (const n of [4, 5, 6, 7]) await passHour(n);
    expect(told(MODEL)).toEqual([expect.any(String), expect.stringMatching(/^✓ Drift on checkout-fraud 1: closed/)]);
    const [opened, closed] = paged();
    expect([paged().length, closed]).toEqual([2, ['resolve', opened?.[1], 'routing-key-of-the-test']]);
  });

  it('computes the performance of labels that came an hour later', async () => {
    const found = await clients.keys(bucket(), `${keys.results(MODEL, '1', hour(0))}1h/performance-r`);
    const result = await clients.json<PerformanceResult>(bucket(), found.at(-1) ?? '');
    const orders = ordersOf(hour(0));
    const right = orders.filter(({ predicted, truth }) => predicted === truth).length;
    expect(result).toMatchObject({ mature: true, predictions: EVENTS_AN_HOUR, labels: EVENTS_AN_HOUR, conflicts: 0 });
    expect(result.metrics.find(({ metric }) => metric === 'accuracy')?.value).toBeCloseTo(right / EVENTS_AN_HOUR, 9);
  });

  it('has captured every event, readable through the Glue table', async () => {
    await emulator.flush();
    await emulator.flush(false);
    const question = (await Document.read('docs/how-to/run-on-aws.md'))
      .code('sql')
      .replace('<CaptureTable>', out['CaptureTable'] ?? '')
      .replace('2026-11-21', '2001-02-10')
      .replace("'churn'", `'${MODEL}'`);
    expect(await rows(question)).toEqual([['1', String(8 * EVENTS_AN_HOUR)]]);
    const counts = await rows(
      `SELECT type, count(*) AS n, count(DISTINCT id) AS ids FROM ${out['CaptureTable']} WHERE dt = '2001-02-10' GROUP BY type ORDER BY type`,
    );
    expect(counts).toEqual([
      ['inference', String(8 * EVENTS_AN_HOUR), String(8 * EVENTS_AN_HOUR)],
      ['label', String(7 * EVENTS_AN_HOUR), String(7 * EVENTS_AN_HOUR)],
    ]);
  });

  it('puts what is no event into quarantine, and counts the rest of its record', async () => {
    const [good, other] = ordersOf(hour(8)).map(inferenceOf);
    await emulator.clock(hour(8) + 10 * MINUTE);
    await clients.put(out['StreamName'] ?? '', [
      {
        key: 'k',
        data: `${JSON.stringify(good)}\nthis is no event\n${JSON.stringify({ ...other, model: 'nobody' })}\n`,
      },
    ]);
    await emulator.clock(hour(8) + 12 * MINUTE);
    await emulator.settled();
    const found = await clients.keys(bucket(), keys.quarantineDay(hour(8)));
    expect(found.map((key) => key.split('/')[2]).sort()).toEqual(['json', 'unknown-model']);
    const text = await Promise.all(
      found.map(async (key) => new TextDecoder().decode(await clients.bytes(bucket(), key))),
    );
    expect(text.join('')).toContain('this is no event');
    expect(await clients.keys(bucket(), keys.onFailure())).toEqual([]);
  });

  it('redrives a batch that was given up, once however often it comes, and an alarm tells of it', async () => {
    await emulator.faults([{ function: 'Profiler', method: 'PUT', path: '/packs/', status: 503, times: 1_000_000 }]);
    const orders = ordersOf(hour(8)).slice(1).map(inferenceOf);
    await emulator.clock(hour(8) + 59 * MINUTE);
    await clients.put(out['StreamName'] ?? '', [
      { key: 'k', data: orders.map((one) => JSON.stringify(one)).join('\n') },
    ]);
    await emulator.clock(hour(8) + 61 * MINUTE);
    await eventually(
      () => clients.keys(bucket(), keys.onFailure()),
      (found) => found.length === 1,
      240_000,
    );
    await emulator.faults([]);
    await emulator.settled();
    await emulator.alarms(true);
    await emulator.tick();
    const givenUp = async (): Promise<string | undefined> =>
      Object.entries((await emulator.state()).alarms).find(([name]) => name.includes('BatchesGivenUp'))?.[1];
    expect(await givenUp()).toBe('ALARM');
    await eventually(
      async () => told('BatchesGivenUp'),
      ({ length }) => length === 1,
    );
    await emulator.clock(hour(8) + 75 * MINUTE);
    await emulator.tick();
    expect(await givenUp()).toBe('OK');
    await eventually(
      async () => told('BatchesGivenUp'),
      ({ length }) => length === 2,
    );
    await emulator.alarms(false);
    // The same object again, under another name.
    const [given = ''] = await clients.keys(bucket(), keys.onFailure());
    await inTerminal((await Document.read('docs/how-to/run-on-aws.md')).code('sh', 'aws s3 cp'), {
      bucket: bucket(),
      key: given,
    });
    expect(await clients.keys(bucket(), keys.onFailure())).toEqual([given, `${given}-again`]);
    await emulator.settled();
    for (const minute of [76, 77]) {
      await emulator.clock(hour(8) + minute * MINUTE);
      await emulator.tick();
    }
    const result = await resultOf(8);
    expect([result.rows, result.status]).toEqual([EVENTS_AN_HOUR, 'ok']);
  });

  it('changes nothing when nothing changed', async () => {
    expect(await succeeded(environment.deploy())).toMatch(/no changes/);
  });

  it('keeps its data when a monitor changes', async () => {
    const before = await clients.keys(bucket(), keys.results(MODEL));
    const file = join(folder, 'monitors', `${MODEL}.yaml`);
    await writeFile(file, (await readFile(file, 'utf8')).replace('team-payments', 'team-checkout'));
    await succeeded(environment.deploy());
    expect(await clients.keys(bucket(), keys.monitors(MODEL))).toEqual([
      keys.monitor(MODEL, 1),
      keys.monitor(MODEL, 2),
    ]);
    for (const n of [9, 10]) await passHour(n);
    const after = await clients.keys(bucket(), keys.results(MODEL));
    expect(after).toEqual(expect.arrayContaining(before));
    expect((await resultOf(10)).rows).toBe(EVENTS_AN_HOUR);
  });

  it('did all of it without a function failing but those that were made to', async () => {
    const failed = Object.entries((await emulator.state()).invocations)
      .filter(([name, { failed: n }]) => n > 0 && !/Profiler/.test(name))
      .map(([name, { last }]) => [name, last]);
    expect(failed).toEqual([]);
  });

  it('goes when it is destroyed, and leaves what its removal policy keeps', async () => {
    const refused = await environment.cdk('destroy', '--all', '--force');
    expect([refused.code, `${refused.out}${refused.err}`]).toEqual([
      1,
      expect.stringMatching(/[Tt]ermination ?[Pp]rotection/),
    ]);
    const [unprotect, destroy] = (await Document.read('docs/how-to/remove-everything.md'))
      .code('sh', 'update-termination-protection')
      .trim()
      .split('\n');
    expect(destroy).toBe('npx cdk destroy -c environment=production --all --force');
    await inTerminal(unprotect ?? '');
    const held = await clients.keys(bucket(), '');
    await succeeded(environment.cdk('destroy', '--all', '--force'));
    expect((await emulator.state()).alarms).toEqual({});
    expect(await clients.keys(bucket(), 'results/')).toEqual(held.filter((key) => key.startsWith('results/')));
  });
});
