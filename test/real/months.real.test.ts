/**
 * Months of the demonstration through the bundled functions, behind an event source that retries, doubles, gives up and reshards: the
 * same statistics, byte for byte, as the platform on one machine has of the same records at the same append times.
 */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY, REPLAY } from '../../examples/flight-delay/flights.ts';
import { prepare, REFERENCE_FILE } from '../../examples/flight-delay/prepare.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import type { EvaluationMessage } from '../../lib/contracts/functions.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { readMonitorText } from '../../lib/local/monitor-file.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { buildFunctions } from '../../scripts/build-functions.ts';
import type { BundleProcess } from '../lambdas/bundle-process.ts';
import { StreamDriver } from '../lambdas/stream-driver.ts';
import { type Judged, judged, onOneMachine, readBaseline, type TakenRecord } from './aws/one-machine.ts';
import { flightsOf } from './aws/traffic.ts';
import { CHECKOUT, endAll, MLMON, run } from './programs.ts';

const MODEL = 'flight-delay';
const VERSION = '1';
const HOUR = 3_600_000;
const { from: FROM } = REPLAY;
/** Days of the replay: a month and a day of the incident. `all` for five months. */
const WANTED = process.env['REPLAY_DAYS'] ?? '29';
const DAYS = WANTED === 'all' ? (REPLAY.to - FROM) / DAY : Number(WANTED);
const TO = FROM + DAYS * DAY;
/** The last window waits an hour. */
const END = TO + 4 * HOUR;

let folder: string;
let monitor: Monitor;
let baseline: Baseline;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'months-'));
  await prepare(folder, () => undefined);
  const file = join(folder, 'monitor.yaml');
  await copyFile(join(CHECKOUT, 'examples/flight-delay/monitor.yaml'), file);
  const argv = [MLMON, 'profile', join(folder, REFERENCE_FILE), '--monitor', file, '-o', join(folder, 'baseline.json')];
  const { code, err } = await run(process.execPath, argv);
  if (code !== 0) throw new Error(`mlmon profile ended with ${code}: ${err}`);
  const read = readMonitorText(await readFile(file, 'utf8'));
  if (read.monitor === null) throw new Error('the monitor cannot be read');
  monitor = read.monitor;
  baseline = await readBaseline(folder);
});
afterAll(async () => {
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** Events of each window of a day, counted directly. */
const sent = new Map<string, number>();

/** What the stream takes, as the collector and the producer helper write it: with the time at which they took the event. */
async function* taken(): AsyncGenerator<TakenRecord> {
  sent.clear();
  for await (const { at, records } of flightsOf(folder, FROM, TO, END)) {
    const arrival = new Date(at).toISOString();
    for (const { data } of records) {
      for (const line of data.split('\n').filter((line) => line.includes('"type":"inference"'))) {
        const { time } = JSON.parse(line) as { time: string };
        const name = `${VERSION}/${time.slice(0, 10).replaceAll('-', '')}T000000Z/1d`;
        sent.set(name, (sent.get(name) ?? 0) + 1);
      }
      yield { appendTime: at, data: data.replaceAll('}\n', `,"arrival":"${arrival}"}\n`) };
    }
  }
}

async function throughBundles(): Promise<{ judged: Judged; driver: StreamDriver }> {
  const bundles = join(folder, 'bundles');
  await buildFunctions(bundles);
  const driver = await StreamDriver.start({
    from: FROM,
    shards: 2,
    folder: bundles,
    windowMs: 3 * HOUR,
    source: { retries: 1, faults: { lostAnswer: 0.1, overlap: 0.05, zombie: 0.05, shortOfTime: 0.02 } },
  });
  const publisher = { store: driver.store, clock: { now: () => driver.now } };
  const approved = { model: MODEL, version: VERSION, by: 'test', approve: true, monitor };
  await publishBaseline(publisher, baseline, approved);
  await publishMonitor(publisher, monitor, { by: 'test', effectiveFrom: FROM });
  const evaluator = await driver.start('evaluator');
  let day = FROM + DAY;
  for await (const record of taken()) {
    for (; record.appendTime > day; day += DAY) {
      await driver.advance(day);
      await evaluate(driver, evaluator);
      if (driver.random() < 0.1) reshard(driver);
    }
    await driver.feed([record]);
  }
  await driver.advance(END);
  await driver.drain();
  await evaluate(driver, evaluator);
  const objects = new Map<string, string>();
  for await (const key of listAll(driver.store, keys.results(MODEL)))
    objects.set(key, Buffer.from((await driver.store.get(key))?.body ?? []).toString());
  return { judged: judged(MODEL, objects), driver };
}

async function evaluate(driver: StreamDriver, evaluator: BundleProcess): Promise<void> {
  const at = new Date(driver.now).toISOString();
  const message: EvaluationMessage = { schema: 'mlmon.evaluate/v1', models: [MODEL], close: true, at };
  const event = { Records: [{ messageId: '1', body: JSON.stringify(message) }] };
  const { value } = await evaluator.invoke(event, driver.now, 300_000);
  expect(value).toEqual({ batchItemFailures: [] });
}

function reshard({ stream, random }: StreamDriver): void {
  const open = [...stream.open].sort((a, b) => (a.from < b.from ? -1 : 1));
  const [left, right] = open;
  if (left !== undefined && right !== undefined && random() < 0.5) stream.merge(left.id, right.id);
  else if (left !== undefined) stream.split(left.id);
}

describe('months of the demonstration', () => {
  it('have the same statistics through the bundled functions as on one machine', async () => {
    const { judged: onAws, driver } = await throughBundles();
    const { counts } = driver.source;
    await driver.close();
    expect(counts.failures).toBeGreaterThan(DAYS / 10);
    const given = { monitor, baseline, version: VERSION, from: FROM };
    const enough = ({ windows }: Judged) => [...windows.keys()].filter((name) => name.endsWith('/1d')).length >= DAYS;
    const here = await onOneMachine(join(folder, 'one-machine'), given, taken(), END, enough);
    const rows = (of: Judged) =>
      [...of.windows]
        .filter(([name]) => name.endsWith('/1d'))
        .map(([name, text]) => [name, (JSON.parse(text) as { rows: number }).rows]);
    expect(sent.size).toBe(DAYS);
    expect(rows(onAws)).toEqual([...sent]);
    expect(rows(here)).toEqual([...sent]);
    const different = [...here.windows].filter(([name, text]) => onAws.windows.get(name) !== text);
    expect(different.map(([name]) => name)).toEqual([]);
    expect(onAws.windows.size).toBe(here.windows.size);
  }, 3_600_000);
});
