/** A model without reference data on a deployed platform: its first hours become its baseline, by the queries that Athena runs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublishedBaseline } from '../../../lib/contracts/baseline.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../../lib/contracts/result.ts';
import { endAll } from '../programs.ts';
import { EVENTS_AN_HOUR, inferenceOf, labelOf, MODEL, ordersOf } from './checkout-traffic.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { Emulator } from './emulator.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Date.UTC(2001, 1, 10, 6);
/** Hours that are learned from, and which of them has amounts in cents. */
const LEARNED = 5;
const ODD = 2;

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let clients: Clients;
let out: Outputs;
const bucket = (): string => out['BucketName'] ?? '';
const hour = (n: number): number => START + n * HOUR;

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<void> {
  const { code, out: said, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${said}\n${err}`);
}

/** An hour of orders with the labels of the one before, and the time in which it is profiled, delivered, judged and learned from. */
async function passHour(n: number, wrong = false): Promise<void> {
  const orders = ordersOf(hour(n), wrong);
  const before = n === 0 ? [] : ordersOf(hour(n - 1));
  await emulator.clock(hour(n + 1) - MINUTE);
  const lines = [...orders.map(inferenceOf), ...before.map(labelOf)].map((event) => `${JSON.stringify(event)}\n`);
  const records = [];
  for (let i = 0; i < lines.length; i += 15)
    records.push({ key: `${MODEL}#${i % 7}`, data: lines.slice(i, i + 15).join('') });
  await clients.put(out['StreamName'] ?? '', records);
  for (const minute of [7, 30, 45]) {
    await emulator.clock(hour(n + 1) + minute * MINUTE);
    await emulator.tick();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'learning-'));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  const environment = new PlatformEnvironment(folder, emulator);
  await environment.write(receivers, [], [MODEL]);
  const file = join(folder, 'monitors', `${MODEL}.yaml`);
  const declared = await readFile(file, 'utf8');
  await rm(join(folder, 'monitors', `${MODEL}-baseline.json`));
  await writeFile(file, declared.replace(/^baseline: .*$/m, `baseline: { learn: ${LEARNED}h }`));
  await emulator.clock(START + 10_000);
  await emulator.alarms(false);
  await succeeded(environment.cdk('bootstrap', 'aws://000000000000/us-east-1'));
  await environment.makeSecrets(receivers);
  await succeeded(environment.deploy());
  out = (await readOutputs(environment.outputs))[STACK] ?? {};
});
afterAll(async () => {
  clients?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const published = (): Promise<PublishedBaseline[]> =>
  clients.objects<PublishedBaseline>(bucket(), keys.baselines(MODEL));
const resultOf = (n: number): Promise<WindowResult> =>
  clients.json<WindowResult>(bucket(), keys.result(MODEL, '1', hour(n), '1h', 0));

describe.sequential('a baseline that is learned on AWS', () => {
  it('is made of the first hours, without the one that stands out', async () => {
    for (let n = 0; n < LEARNED; n++) {
      expect(await published()).toEqual([]);
      await passHour(n, n === ODD);
    }
    const [one, ...others] = await published();
    expect(others).toEqual([]);
    const kept = Array.from({ length: LEARNED }, (_, n) => n)
      .filter((n) => n !== ODD)
      .flatMap((n) => ordersOf(hour(n)));
    expect(one).toMatchObject({ provisional: true, approved: null, baseline: { rows: kept.length } });
    expect(one?.baseline.learned?.leftOut).toEqual([
      { start: new Date(hour(ODD)).toISOString(), end: new Date(hour(ODD + 1)).toISOString() },
    ]);
    const column = (name: string) => one?.baseline.columns.find((each) => each.name === name);
    const amount = column('amount');
    expect(amount?.type === 'numeric' && amount.mean).toBeCloseTo(
      kept.reduce((sum, order) => sum + order.amount, 0) / kept.length,
      9,
    );
    const country = column('country');
    const german = country?.type === 'categorical' ? country.counts[country.categories.indexOf('DE')] : null;
    expect(german).toBe(kept.filter((order) => order.country === 'DE').length);
    expect(one?.baseline.performance).not.toBeNull();
  });

  it('is judged with from the next boundary on, provisionally', async () => {
    await passHour(LEARNED);
    expect(await resultOf(LEARNED)).toMatchObject({ status: 'learning', provenance: { baseline: null } });
    await passHour(LEARNED + 1);
    expect(await resultOf(LEARNED + 1)).toMatchObject({
      rows: EVENTS_AN_HOUR,
      status: 'ok',
      provenance: { baseline: { version: '1', n: 1, fallback: false, provisional: true } },
    });
    await passHour(LEARNED + 2, true);
    const { features } = await resultOf(LEARNED + 2);
    expect(features.find(({ name }) => name === 'amount')?.status).toBe('drifted');
    expect(await published()).toHaveLength(1);
  });

  it('failed no function', async () => {
    const failed = Object.entries((await emulator.state()).invocations).filter(([, { failed: n }]) => n > 0);
    expect(failed).toEqual([]);
  });
});
