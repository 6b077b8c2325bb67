/**
 * A day of a platform on AWS in one process: the functions as they are composed there, over objects in memory, every minute of a day, and
 * what each of them asks of the store, writes to its log and keeps. The figures that a bill is reckoned from are held against it.
 */

import { benchBaseline, benchEvents } from '../../bench/profiler-data.ts';
import { dispatcherHandler } from '../../lambdas/dispatcher/handler.ts';
import { episodeKeeper } from '../../lambdas/episode-keeper.ts';
import { type EvaluatorRun, evaluatorHandler } from '../../lambdas/evaluator/handler.ts';
import { exporterHandler } from '../../lambdas/exporter/handler.ts';
import { logOf } from '../../lambdas/log.ts';
import { notifierHandler } from '../../lambdas/notifier/handler.ts';
import { type KinesisEvent, profilerHandler } from '../../lambdas/profiler/handler.ts';
import { pushedProfiler } from '../../lambdas/pushed-profiler.ts';
import { MemoryLog } from '../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { alertingSchema } from '../../lib/contracts/alerting.ts';
import type { FunctionName } from '../../lib/contracts/functions.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { announce } from '../../lib/pipeline/bulletins.ts';
import { Dispatcher } from '../../lib/pipeline/dispatcher.ts';
import { Evaluator } from '../../lib/pipeline/evaluator.ts';
import { Grains } from '../../lib/pipeline/grains.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import type { ObjectStore, Sample } from '../../lib/pipeline/ports.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { StoreExporter } from '../../lib/pipeline/store-exporter.ts';
import { SimulatedQueue } from '../pipeline/evaluation-queue.ts';

export interface Counts {
  /** Invocations. */
  runs: number;
  /** PUT and LIST. */
  writes: number;
  /** GET. */
  reads: number;
  /** Bytes of its log. */
  logged: number;
}

export interface Day {
  readonly of: Readonly<Record<string, Counts>>;
  /** Results of windows that were written. */
  readonly results: number;
  /** Bytes under a prefix at the end of the day, whatever was replaced left out. */
  readonly kept: Readonly<Record<string, number>>;
  /** Series that Prometheus has: of features, and others of models. */
  readonly series: { readonly features: number; readonly state: number };
}

const MINUTE = 60_000;
const BEGIN = Date.UTC(2001, 1, 1);
const EVENTS_A_MINUTE = 15;

/**
 * @param monitors of models that all have the 50 features of the benchmarks
 * @param marks hours after which it is told how things are, ascending
 */
export async function aDay(monitors: readonly Monitor[], marks: readonly number[]): Promise<readonly Day[]> {
  let now = BEGIN;
  const clock = { now: () => now };
  const memory = new MemoryStore();
  const counts: Record<string, Counts> = {};
  const countsOf = (name: string): Counts => (counts[name] ??= { runs: 0, writes: 0, reads: 0, logged: 0 });
  const storeOf = (name: FunctionName): ObjectStore => counted(memory, countsOf(name));
  const write = (name: FunctionName) => (line: string) => {
    countsOf(name).logged += Buffer.byteLength(line);
  };
  const logged = (name: FunctionName) => ({
    log: logOf(name, { write: write(name), now: clock.now }),
    write: write(name),
  });

  const baseline = benchBaseline(2_000, 1);
  const version = baseline.version ?? '7';
  for (const monitor of monitors) {
    const by = { store: memory, clock, cacheMs: 0 };
    const { model } = monitor;
    const at = { by: 'test', effectiveFrom: BEGIN - 86_400_000 };
    await publishBaseline(by, { ...baseline, model }, { model, version, approve: true, ...at });
    await publishMonitor(by, monitor, at);
  }

  await memory.putIfAbsent(
    keys.alerting(),
    encodeJson(alertingSchema.parse({ schema: 'mlmon.alerting/v1', channels: [] })),
  );

  const stream = new MemoryLog({ clock, identity: 'stream@1' });
  const queue = new SimulatedQueue(() => 0.5);
  const environment = 'test';
  const profiler = profilerHandler({
    profiler: pushedProfiler({ log: stream, store: storeOf('profiler'), clock }),
    ...logged('profiler'),
  });
  const dispatcher = dispatcherHandler({
    dispatcher: new Dispatcher({
      log: stream,
      store: storeOf('dispatcher'),
      clock,
      registry: new Registry({ store: storeOf('dispatcher'), clock, baselines: 'none' }),
      queue,
    }),
    refusal: () => null,
    environment,
    clock,
    ...logged('dispatcher'),
  });
  const store = storeOf('evaluator');
  const registry = new Registry({ store, clock });
  const reader = new PackReader(store);
  const episodes = episodeKeeper({ store, clock, registry, linkBase: undefined });
  const run: EvaluatorRun = { isLate: () => false, verdictDelayMs: null };
  const select = (models: readonly string[]): Promise<void> => registry.select(models);
  let results = 0;
  const evaluator = evaluatorHandler({
    evaluator: new Evaluator({
      log: stream,
      store,
      clock,
      registry,
      reader,
      judge: judgeWindow,
      onResult: async (result) => {
        results++;
        await episodes.apply(result.model, [result]);
      },
      onModel: (_model, found) => announce({ store, clock }, found),
    }),
    grains: new Grains({ store, clock, registry, reader, select, isLate: () => false }),
    select,
    run,
    environment,
    clock,
    ...logged('evaluator'),
  });
  const series = new Set<string>();
  const exporter = exporterHandler({
    exporter: new StoreExporter({
      log: stream,
      store: storeOf('exporter'),
      clock,
      registry: new Registry({ store: storeOf('exporter'), clock, baselines: 'none' }),
      series: {
        set: async (samples) => {
          for (const sample of samples) if (sample.labels['model'] !== undefined) series.add(nameOf(sample));
        },
        end: async () => undefined,
      },
      values: { sink: { put: async () => undefined }, detail: 'minimal' },
    }),
    refused: () => ({ count: 0, reason: null }),
    environment,
    clock,
    ...logged('exporter'),
  });
  const notifier = notifierHandler({
    store: storeOf('notifier'),
    clock,
    environment,
    heartbeatTopicArn: undefined,
    secrets: { text: async () => '' } as never,
    clients: {} as never,
    ...logged('notifier'),
  });

  const events = benchEvents(2_000, 3).map(({ line }) => JSON.parse(line) as Record<string, unknown>);
  const context = { awsRequestId: 'a-request-of-thirty-six-characters--', getRemainingTimeInMillis: () => 300_000 };
  const scheduled = { dispatcher, exporter, notifier } as const;
  let next = 0;
  const days: Day[] = [];
  for (let minute = 1; minute <= Math.max(...marks) * 60; minute++) {
    now = BEGIN + minute * MINUTE + 30_000;
    const records = monitors.map(({ model }) => ({
      key: model,
      data: Buffer.from(
        Array.from({ length: EVENTS_A_MINUTE }, (_, i) =>
          JSON.stringify({
            ...events[next++ % events.length],
            id: `${model}-${next}`,
            model,
            time: new Date(now - i * 100).toISOString(),
          }),
        ).join('\n'),
      ),
    }));
    const appended = await stream.append(records);
    countsOf('profiler').runs++;
    await profiler(invocation(records, appended, now), context);
    now += 29_000;
    for (const [name, handler] of Object.entries(scheduled)) {
      countsOf(name).runs++;
      await (handler as (event: unknown, of: typeof context) => Promise<void>)({}, context);
    }
    for (let message = queue.take(); message !== null; message = queue.take()) {
      countsOf('evaluator').runs++;
      await evaluator({ Records: [{ messageId: 'm', body: JSON.stringify(message) }] }, context);
    }
    if (!marks.includes(minute / 60)) continue;
    const names = [...series];
    const features = names.filter((name) => name.includes('feature=')).length;
    days.push({
      of: structuredClone(counts),
      results,
      kept: await sizes(memory),
      series: { features, state: names.length - features },
    });
  }
  return days;
}

/** Bytes by prefix. */
async function sizes(store: ObjectStore): Promise<Readonly<Record<string, number>>> {
  const kept: Record<string, number> = {};
  for (const key of await everyKey(store)) {
    const size = (await store.get(key))?.body.length ?? 0;
    const prefix = `${key.split('/')[0]}/`;
    kept[prefix] = (kept[prefix] ?? 0) + size;
  }
  return kept;
}

function invocation(
  records: readonly { readonly data: Uint8Array }[],
  appended: readonly { readonly partition: string; readonly position: string }[],
  now: number,
): KinesisEvent {
  return {
    Records: records.map(({ data }, i) => ({
      eventID: `${appended[i]!.partition}:${appended[i]!.position}`,
      eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
      kinesis: {
        sequenceNumber: appended[i]!.position,
        approximateArrivalTimestamp: now / 1_000,
        data: Buffer.from(data).toString('base64'),
      },
    })),
  };
}

function nameOf({ name, labels }: Sample): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(',')}}`;
}

async function everyKey(store: ObjectStore): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const page = await store.list('', { after: found.at(-1), limit: 1_000 });
    if (page.length === 0) return found;
    found.push(...page);
  }
}

function counted(inner: ObjectStore, counts: Counts): ObjectStore {
  return {
    get: (key) => {
      counts.reads++;
      return inner.get(key);
    },
    getRange: (...of) => {
      counts.reads++;
      return inner.getRange(...of);
    },
    list: (...of) => {
      counts.writes++;
      return inner.list(...of);
    },
    putIfAbsent: (...of) => {
      counts.writes++;
      return inner.putIfAbsent(...of);
    },
    putIfUnchanged: (...of) => {
      counts.writes++;
      return inner.putIfUnchanged(...of);
    },
    delete: (key) => inner.delete(key),
  };
}
