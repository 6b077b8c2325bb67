/**
 * An upgrade and its way back, on an emulated AWS: what was deployed before, events, this checkout deployed while events come, and then the
 * earlier one again. Nothing that holds data is replaced, no event is refused, lost or counted twice, and nobody hears twice of one change.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { endAll } from '../programs.ts';
import { assumeNewRole } from './caller.ts';
import { CheckoutPlatform, signingSender } from './checkout-platform.ts';
import { EVENTS_AN_HOUR, MODEL, ordersOf } from './checkout-traffic.ts';
import { readOutputs } from './deployment.ts';
import { earlierCheckout, removeEarlierCheckouts } from './earlier-checkout.ts';
import { Emulator } from './emulator.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';

const START = Date.UTC(2001, 1, 10, 6);
/** Hours whose amounts come in cents: it begins before the upgrade and ends after the way back. */
const WRONG = new Set([1, 2, 3]);
/** While this hour passes, this checkout is deployed, and while that one does the earlier again. */
const UPGRADE = 3;
const BACK = 5;
const HOURS = 10;

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let platform: CheckoutPlatform;
/** With the code from before, and with that of this checkout. */
let before: PlatformEnvironment;
let now: PlatformEnvironment;
/** What of the deployment holds data, by its physical id. */
let holding: readonly string[];

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<string> {
  const { code, out, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${out}\n${err}`);
  return `${out}\n${err}`;
}

async function holdingData(): Promise<string[]> {
  const { resources } = await emulator.calls();
  return Object.entries(resources)
    .filter(([, { type }]) =>
      /^AWS::(S3::Bucket|Kinesis::Stream|SecretsManager::Secret|Glue::Table|SQS::Queue)$/.test(type),
    )
    .map(([id, { type }]) => `${type} ${id}`)
    .sort();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
  const earlier = await earlierCheckout();
  process.stdout.write(`upgraded from: ${earlier.what}\n`);
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  platform = new CheckoutPlatform(emulator, receivers, START);
  const sender = await assumeNewRole(emulator, 'checkout');
  now = new PlatformEnvironment(folder, emulator);
  before = now.of(earlier);
  await before.write(receivers, [{ principal: sender.roleArn, events: [MODEL], labels: [MODEL] }], [MODEL]);
  await emulator.clock(START + 10_000);
  await emulator.alarms(false);
  await succeeded(before.cdk('bootstrap', 'aws://000000000000/us-east-1'));
  await before.makeSecrets(receivers);
  await succeeded(before.deploy());
  platform.outputs = (await readOutputs(before.outputs))[STACK] ?? {};
  platform.sender = signingSender(emulator, platform.outputs['CollectorUrl'] ?? '', sender);
  holding = await holdingData();
}, 600_000);
afterAll(async () => {
  platform?.destroy();
  await receivers?.stop();
  // What the earlier state was not allowed to do is no news; that of this one is judged by every other test.
  await emulator?.stop({ judged: false });
  endAll();
  await removeEarlierCheckouts();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('an upgrade', () => {
  // One story: what follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part of the story failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('begins with a platform that judged some hours, the last two of them drifted', async () => {
    for (let n = 0; n < UPGRADE; n++) await platform.passHour(n, WRONG.has(n));
    expect(platform.told(MODEL)).toEqual([expect.stringMatching(/^⚠ Drift on checkout-fraud 1/)]);
  });

  it('happens while events come, and replaces nothing that holds data', async () => {
    await succeeded(now.cdk('synth', '--quiet'));
    const said = await platform.passHourDuring(UPGRADE, WRONG.has(UPGRADE), () => succeeded(now.deployAssembly()));
    expect(said).not.toMatch(/no changes/);
    expect(await holdingData()).toEqual(expect.arrayContaining([...holding]));
    const out = (await readOutputs(now.outputs))[STACK] ?? {};
    expect(out).toMatchObject(platform.outputs);
  }, 600_000);

  it('is followed by an hour like any other', async () => {
    await platform.passHour(UPGRADE + 1, WRONG.has(UPGRADE + 1));
  });

  it('is taken back while events come, and replaces nothing that holds data', async () => {
    await succeeded(before.cdk('synth', '--quiet'));
    await platform.passHourDuring(BACK, WRONG.has(BACK), () => succeeded(before.deployAssembly()));
    expect(await holdingData()).toEqual(expect.arrayContaining([...holding]));
    for (let n = BACK + 1; n < HOURS; n++) await platform.passHour(n);
  }, 600_000);

  it('counted every event once', async () => {
    for (let n = 0; n < HOURS; n++) {
      const orders = ordersOf(platform.hour(n), WRONG.has(n));
      const result = await platform.result(n);
      const amount = result.features.find(({ name }) => name === 'amount');
      expect([n, result.rows, amount?.currentCount, amount?.mean]).toEqual([
        ...[n, EVENTS_AN_HOUR, EVENTS_AN_HOUR],
        expect.closeTo(orders.reduce((sum, one) => sum + one.amount, 0) / orders.length, 3),
      ]);
    }
  });

  it('joined every label with its prediction once', async () => {
    // The horizon is three hours.
    for (let n = 0; n < HOURS - 4; n++) {
      const orders = ordersOf(platform.hour(n), WRONG.has(n));
      const right = orders.filter(({ predicted, truth }) => predicted === truth).length;
      const result = await platform.performance(n);
      expect([n, result]).toEqual([
        n,
        expect.objectContaining({ mature: true, predictions: EVENTS_AN_HOUR, labels: EVENTS_AN_HOUR, conflicts: 0 }),
      ]);
      expect(result.metrics.find(({ metric }) => metric === 'accuracy')?.value).toBeCloseTo(right / EVENTS_AN_HOUR, 9);
    }
  });

  it('captured every event once, and gave none up', async () => {
    await emulator.flush();
    await emulator.flush(false);
    const day = new Date(START).toISOString().slice(0, 10);
    const counts = await platform.rows(
      `SELECT type, count(*) AS n, count(DISTINCT id) AS ids FROM ${platform.outputs['CaptureTable']} WHERE dt = '${day}' GROUP BY type ORDER BY type`,
    );
    const [events, labels] = [HOURS * EVENTS_AN_HOUR, (HOURS - 1) * EVENTS_AN_HOUR].map(String);
    expect(counts).toEqual([
      ['inference', events, events],
      ['label', labels, labels],
    ]);
    for (const prefix of ['quarantine/', keys.onFailure(), 'capture-errors/'])
      expect([prefix, await platform.clients.keys(platform.bucket, prefix)]).toEqual([prefix, []]);
  });

  it('told of the change once, and of its end once', async () => {
    expect(platform.told(MODEL)).toEqual([
      expect.stringMatching(/^⚠ Drift on checkout-fraud 1/),
      expect.stringMatching(/^✓ Drift on checkout-fraud 1: closed/),
    ]);
  });

  it('did all of it without a function failing', async () => {
    const failed = Object.entries((await emulator.state()).invocations)
      // Under load the emulator loses a body of HTTP/2 now and then; the next minute asks again.
      .filter(([, { failed: n, last }]) => n > 0 && !last?.includes('answered without an iterator'))
      .map(([name, { last }]) => [name, last]);
    expect(failed).toEqual([]);
  });
});
