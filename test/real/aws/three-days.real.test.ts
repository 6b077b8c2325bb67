/**
 * Three days around the demonstration's incident through the deployed platform, under a simulated clock: the same statistics, byte for byte, as
 * the platform on one machine has of the same records at the same append times.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY } from '../../../examples/flight-delay/flights.ts';
import { INCIDENT } from '../../../examples/flight-delay/incident.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { readMonitorText } from '../../../lib/local/monitor-file.ts';
import { endAll } from '../programs.ts';
import { streamAction } from './caller.ts';
import { Clients, readOutputs } from './deployment.ts';
import { Emulator } from './emulator.ts';
import { type Judged, judged, onOneMachine, readBaseline, type TakenRecord } from './one-machine.ts';
import { PlatformEnvironment, STACK } from './platform-environment.ts';
import { Receivers } from './receivers.ts';
import { flightsOf } from './traffic.ts';

const MODEL = 'flight-delay';
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** The day before, and two of its three days. */
const FROM = INCIDENT.from - DAY;
const TO = FROM + 3 * DAY;
/** The last window waits an hour; the labels of the first have had their two days. */
const END = TO + 4 * HOUR;

let folder: string;
let emulator: Emulator;
let receivers: Receivers;
let clients: Clients;
let environment: PlatformEnvironment;
let bucket: string;
let stream: string;

async function succeeded(ran: ReturnType<Emulator['cdk']>): Promise<void> {
  const { code, out, err } = await ran;
  if (code !== 0) throw new Error(`ended with ${code}:\n${out}\n${err}`);
}

/** What the stream took, in order of time. */
async function taken(): Promise<TakenRecord[]> {
  const ask = <T>(action: string, parameters: object): Promise<T> => streamAction<T>(emulator, action, parameters);
  const { Shards } = await ask<{ Shards: { ShardId: string }[] }>('ListShards', { StreamName: stream });
  const records: TakenRecord[] = [];
  for (const { ShardId } of Shards) {
    let next = await ask<{ ShardIterator: string }>('GetShardIterator', {
      ...{ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' },
    });
    for (;;) {
      const { Records, NextShardIterator } = await ask<{
        Records: { ApproximateArrivalTimestamp: number; Data: string }[];
        NextShardIterator: string;
      }>('GetRecords', next);
      if (Records.length === 0) break;
      for (const { ApproximateArrivalTimestamp, Data } of Records)
        records.push({
          appendTime: Math.round(ApproximateArrivalTimestamp * 1_000),
          data: Buffer.from(Data, 'base64').toString(),
        });
      next = { ShardIterator: NextShardIterator };
    }
  }
  return records.sort((one, other) => one.appendTime - other.appendTime);
}

async function judgedOnAws(): Promise<Judged> {
  const objects = new Map<string, string>();
  for (const key of await clients.keys(bucket, keys.results(MODEL)))
    objects.set(key, new TextDecoder().decode(await clients.bytes(bucket, key)));
  return judged(MODEL, objects);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'three-days-'));
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  environment = new PlatformEnvironment(folder, emulator);
  await environment.write(receivers, [], [MODEL]);
  await emulator.clock(FROM);
  await emulator.alarms(false);
  await succeeded(environment.cdk('bootstrap', 'aws://000000000000/us-east-1'));
  await environment.makeSecrets(receivers);
  await succeeded(environment.deploy());
  const out = (await readOutputs(environment.outputs))[STACK] ?? {};
  bucket = out['BucketName'] ?? '';
  stream = out['StreamName'] ?? '';
});
afterAll(async () => {
  clients?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('three days of the demonstration on AWS', () => {
  it('pass, and tell of the incident', async () => {
    for await (const { at, records } of flightsOf(folder, FROM, TO, END)) {
      await emulator.clock(at);
      // As the collector and the producer helper write it: with the time at which they took the event.
      const arrival = new Date(at).toISOString();
      await clients.put(
        stream,
        records.map(({ key, data }) => ({ key, data: data.replaceAll('}\n', `,"arrival":"${arrival}"}\n`) })),
      );
      // Those who look every minute come every other hour here.
      if (at % (2 * HOUR) !== 0) continue;
      // Longer than records are held back, so that all before is folded and captured by then.
      await emulator.clock(at + 6 * MINUTE);
      await emulator.tick();
    }
    expect(
      receivers
        .at('/slack')
        .map((message) => JSON.stringify(message))
        .join('\n'),
    ).toMatch(/distance/);
  }, 1_200_000);

  it('have the same statistics as on one machine', async () => {
    const text = await readFile(join(folder, 'monitors/flight-delay.yaml'), 'utf8');
    const { monitor } = readMonitorText(text);
    if (monitor === null) throw new Error('the monitor cannot be read');
    const onAws = await judgedOnAws();
    const records = await taken();
    const here = await onOneMachine(
      join(folder, 'one-machine'),
      {
        monitor,
        baseline: await readBaseline(join(folder, 'monitors'), 'flight-delay-baseline.json'),
        version: '1',
        from: FROM,
      },
      records,
      END,
      ({ windows, performance }) => windows.size >= 3 && performance.size >= 1,
    );
    expect([...onAws.windows.keys()]).toEqual([FROM, FROM + DAY, FROM + 2 * DAY].map((at) => `1/${stampOf(at)}/1d`));
    expect(onAws.windows).toEqual(here.windows);
    expect(onAws.performance.size).toBe(1);
    expect(onAws.performance).toEqual(here.performance);
    const failed = Object.entries((await emulator.state()).invocations).filter(([, { failed: n }]) => n > 0);
    expect(failed).toEqual([]);
  }, 600_000);
});

function stampOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}T000000Z`;
}
