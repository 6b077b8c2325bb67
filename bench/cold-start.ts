/**
 * What a cold start of each function costs before and in its first invocation: loading the bundle in a new process, then a call that does
 * something, against small servers of S3 and Kinesis on this machine. Starting Node.js itself, which Lambda adds, is left out; so is the
 * network. Processor time, since that is what a function with less than one processor waits for.
 *
 *   node --import tsx bench/cold-start.ts [rounds]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alertingSchema } from '../lib/contracts/alerting.ts';
import { FUNCTION_ENVIRONMENT, type FunctionName } from '../lib/contracts/functions.ts';
import { keys } from '../lib/contracts/object-keys.ts';
import { sageMakerSourcesText } from '../lib/contracts/sagemaker.ts';
import { publishMonitor } from '../lib/pipeline/publisher.ts';
import { buildFunctions } from '../scripts/build-functions.ts';
import { BundleProcess } from '../test/lambdas/bundle-process.ts';
import { StreamDriver } from '../test/lambdas/stream-driver.ts';
import { median, noiseOf, tell } from './measurement.ts';
import { benchEvents, benchMonitor } from './profiler-data.ts';

const ROUNDS = Number(process.argv[2] ?? 9);
const AT = Date.UTC(2001, 1, 1, 10, 5);
const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/events';

const VALUES: Readonly<Record<string, string>> = {
  MLMON_AUTH: 'iam',
  MLMON_METRIC_DETAIL: 'none',
  MLMON_QUEUE_URL: 'http://127.0.0.1:9/queue',
  MLMON_SAGEMAKER_SOURCES: sageMakerSourcesText([{ endpoint: 'bench', model: 'bench' }]),
  MLMON_CAPTURE_DELAY_SECONDS: '300',
  MLMON_PACK_RETENTION_DAYS: '21',
  MLMON_MINIMUM_SHARDS: '1',
  MLMON_MAXIMUM_SHARDS: '4',
};

const ROLE = 'arn:aws:iam::000000000000:role/bench';
const ALERTING = { schema: 'mlmon.alerting/v1', channels: [], routes: [], mutes: [] };
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Something of the right form for every variable that a function must be told; what it may be told is left out. */
function environmentOf(name: FunctionName): Record<string, string> {
  const variables = Object.entries(FUNCTION_ENVIRONMENT[name]).filter(([, schema]) => !schema.isOptional());
  return Object.fromEntries(
    variables.map(([variable]) => [variable, VALUES[variable] ?? (variable.endsWith('_ARN') ? STREAM : 'bench')]),
  );
}

/** A first invocation that needs no other service than the two; of other functions only loading is measured. */
const FIRST: Readonly<Partial<Record<FunctionName, unknown>>> = {
  profiler: {
    Records: benchEvents(100, 3).map(({ line }, i) => ({
      eventID: `shardId-000000000000:${10n ** 55n + BigInt(i)}`,
      eventSourceARN: STREAM,
      kinesis: {
        sequenceNumber: String(10n ** 55n + BigInt(i)),
        approximateArrivalTimestamp: AT / 1_000,
        data: Buffer.from(`${line}\n`).toString('base64'),
      },
    })),
  },
  collector: {
    version: '2.0',
    rawPath: '/v1/events',
    rawQueryString: '',
    headers: { 'content-type': 'application/cloudevents+json' },
    requestContext: {
      requestId: '1',
      http: { method: 'POST', path: '/v1/events', sourceIp: '127.0.0.1' },
      authorizer: { iam: { userArn: ROLE } },
    },
    body: JSON.stringify({
      specversion: '1.0',
      id: '1',
      source: 'bench',
      type: 'ml.inference.v1',
      data: JSON.parse(benchEvents(1, 3)[0]?.line ?? '{}'),
    }),
    isBase64Encoded: false,
  },
  dispatcher: {},
  evaluator: {
    Records: [
      {
        messageId: '1',
        body: JSON.stringify({
          schema: 'mlmon.evaluate/v1',
          models: ['bench'],
          close: true,
          at: new Date(AT).toISOString(),
        }),
      },
    ],
  },
  notifier: {},
  redrive: { Records: [{ s3: { object: { key: 'aws/lambda/none' } } }] },
  exporter: {},
  cleaner: {},
};

const folder = await mkdtemp(join(tmpdir(), 'cold-start-'));
const names = (await buildFunctions(folder)) as readonly FunctionName[];
try {
  for (const name of names) {
    const loads: number[] = [];
    const calls: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const driver = await StreamDriver.start({ from: AT - 3_600_000, folder });
      try {
        const clock = { now: () => AT };
        const publisher = { store: driver.store, clock, cacheMs: 60_000 };
        await publishMonitor(publisher, benchMonitor(), { by: 'bench', effectiveFrom: AT - 86_400_000 });
        await driver.store.putIfAbsent(keys.bindings(), json({ [ROLE]: { events: ['*'], labels: [] } }));
        await driver.store.putIfAbsent(keys.alerting(), json(alertingSchema.parse(ALERTING)));
        const started = await BundleProcess.start(name, { folder, env: { ...environmentOf(name), ...driver.env } });
        loads.push(started.loadedCpuMs);
        const first = FIRST[name];
        if (first !== undefined) {
          const { value, cpuMs } = await started.invoke(first, AT);
          const status = (value as { statusCode?: number } | null)?.statusCode ?? 200;
          if (status >= 300) throw new Error(`${name}: answered ${status}: ${JSON.stringify(value)}`);
          calls.push(cpuMs);
        }
        await started.close();
      } finally {
        await driver.close();
      }
    }
    const [load, call] = [median(loads), calls.length === 0 ? null : median(calls)];
    process.stdout.write(
      `${name}: loaded in ${load.toFixed(0)} ms${call === null ? '' : `, first call ${call.toFixed(0)} ms`}\n`,
    );
    tell({
      benchmark: 'cold-start',
      measure: `${name}: the bundle loaded${call === null ? '' : ' and called once'}`,
      ours: load + (call ?? 0),
      reference: load,
      against: 'loading alone',
      ratio: null,
      unit: 'ms of processor time',
      target: null,
      met: null,
      noise: noiseOf(loads),
      command: 'node --import tsx bench/cold-start.ts',
    });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
