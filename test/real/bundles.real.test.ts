/**
 * The bundles as they are deployed, on every Node.js that they must run on: each loads and exports its handler; those of the stream count
 * exactly, with an event source that retries, halves, doubles and gives up.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KinesisLog } from '../../lib/adapters/kinesis/kinesis-log.ts';
import { FUNCTION_ENVIRONMENT, FUNCTION_NAMES, type FunctionName } from '../../lib/contracts/functions.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import { sageMakerSourcesText } from '../../lib/contracts/sagemaker.ts';
import { addTotals, EMPTY_TOTALS, readCursor, readCursors } from '../../lib/pipeline/cursor.ts';
import { Evaluator } from '../../lib/pipeline/evaluator.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { buildFunctions } from '../../scripts/build-functions.ts';
import { BundleProcess, nodeOf } from '../lambdas/bundle-process.ts';
import { StreamDriver } from '../lambdas/stream-driver.ts';
import {
  baselineOf,
  countingJudge,
  differences,
  generate,
  HOUR,
  ManualClock,
  monitorOf,
  T0,
  wire,
} from '../pipeline/simulation.ts';

const MAJORS = [20, 22, 24];
let folder: string;
let built: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundles-'));
  built = await buildFunctions(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Something of the right form for every variable. */
function environmentOf(name: FunctionName): Record<string, string> {
  const values: Record<string, string> = {
    MLMON_AUTH: 'iam',
    MLMON_METRIC_DETAIL: 'minimal',
    MLMON_QUEUE_URL: 'http://127.0.0.1:9/queue',
    MLMON_SAGEMAKER_SOURCES: sageMakerSourcesText([{ endpoint: 'churn', model: 'churn' }]),
    MLMON_CAPTURE_DELAY_SECONDS: '300',
    MLMON_PACK_RETENTION_DAYS: '21',
    MLMON_MINIMUM_SHARDS: '1',
    MLMON_MAXIMUM_SHARDS: '4',
    MLMON_REMOTE_WRITE_URL: 'http://127.0.0.1:9/api/v1/remote_write',
    MLMON_LINK_BASE: 'https://example.org/',
  };
  const names = Object.keys(FUNCTION_ENVIRONMENT[name]);
  return Object.fromEntries(
    names.map((variable) => [
      variable,
      values[variable] ?? (variable.endsWith('_ARN') ? 'arn:aws:kinesis:us-east-1:000000000000:stream/events' : 'name'),
    ]),
  );
}

describe.each(MAJORS)('on Node.js %i', (major) => {
  let node: string;
  beforeAll(async () => {
    node = await nodeOf(major);
  });

  it('every bundle loads and exports its handler', async () => {
    expect([...built].sort()).toEqual([...FUNCTION_NAMES].sort());
    for (const name of FUNCTION_NAMES) {
      const started = await BundleProcess.start(name, { node, folder, env: environmentOf(name) });
      expect(started.node.split('.')[0]).toBe(String(major));
      await started.close();
    }
  });

  it('profiler, redrive and cleaner count each record once', async () => {
    const events = generate(major, { count: 250, models: ['m'] });
    const from = events[0]?.appendTime ?? T0;
    const source = {
      batchSize: 12,
      retries: 0,
      bisect: false,
      faults: { lostAnswer: 0.25, overlap: 0.1, zombie: 0.15 },
    };
    const driver = await StreamDriver.start({ from, shards: 2, seed: major, node, folder, source, windowMs: HOUR });
    try {
      const clock = new ManualClock(T0);
      const publisher = { store: driver.store, clock, cacheMs: 60_000 };
      const approved = { model: 'm', version: '1', by: 'test', approve: true, effectiveFrom: 0 };
      await publishBaseline(publisher, baselineOf('m', '1'), approved);
      await publishMonitor(publisher, monitorOf('m'), { by: 'test', effectiveFrom: T0 });
      await driver.feed(
        events.map((event, id) => ({ appendTime: event.appendTime, data: `${JSON.stringify(wire(event, id))}\n` })),
      );
      await driver.drain();
      expect(driver.source.counts.givenUp).toBeGreaterThan(0);
      const totals = (await readCursors(driver.store)).reduce(
        (sum, { cursor }) => addTotals(sum, cursor.totals),
        EMPTY_TOTALS,
      );
      expect(totals).toMatchObject({ received: 250, quarantined: {}, lost: 0 });

      clock.set(T0 + 80 * HOUR);
      const parts = { store: driver.store, clock, registry: new Registry({ store: driver.store, clock }) };
      const log = new KinesisLog({
        client: driver.stream.client(),
        streamArn: driver.stream.arn,
        profiled: async (identity, shard) => (await readCursor(driver.store, keys.cursor(identity, shard))).cursor,
      });
      const reader = new PackReader(driver.store);
      const evaluator = new Evaluator({ ...parts, log, reader, judge: countingJudge, settleMs: 0 });
      while ((await evaluator.tick()).more);
      await evaluator.tick();
      const results: WindowResult[] = [];
      for await (const key of listAll(driver.store, 'results/'))
        results.push(JSON.parse(Buffer.from((await driver.store.get(key))?.body ?? []).toString()) as WindowResult);
      expect(differences(results, events, monitorOf('m'))).toEqual([]);

      const cleaner = await driver.start('cleaner', { MLMON_PACK_RETENTION_DAYS: '1' });
      const packs = (await driver.store.list('packs/')).length;
      await cleaner.invoke({}, T0 + 200 * HOUR);
      const left = await driver.store.list('packs/');
      const named = new Set((await readCursors(driver.store)).flatMap(({ cursor }) => cursor.packs));
      expect(left.length).toBeLessThanOrEqual(packs);
      expect([...named].every((key) => left.includes(key))).toBe(true);
      expect(cleaner.said.some((line) => line.includes('"Runs":1'))).toBe(true);
    } finally {
      await driver.close();
    }
  });
});
