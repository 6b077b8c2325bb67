/**
 * What is known of the models and of the platform, as metrics, set anew every tick: rules watch state, and a sample a day is invisible to them.
 * It keeps the samples of the newest window of each model and length, nothing else; after a restart they are read back from the store.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Health } from '../contracts/api.ts';
import type { EpisodeState } from '../contracts/episode.ts';
import { QUARANTINE_REASONS } from '../contracts/event.ts';
import type { LearningView } from '../contracts/learning.ts';
import { METRIC, type MetricDefinition } from '../contracts/metric-names.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../contracts/result.ts';
import { version } from '../contracts/version.ts';
import type { Collector } from './collector.ts';
import { DURATION_BUCKETS, type DurationHistogram } from './collector-counters.ts';
import { readJson } from './json-object.ts';
import { listAll, listFolders } from './listing.ts';
import {
  featureSamples,
  isNewer,
  learningSamples,
  MODEL_FAMILIES,
  type ModelSummary,
  openEpisodesOf,
  sample,
  stateSamples,
  summaryOfPerformance,
  summaryOfWindow,
} from './model-samples.ts';
import type { Clock, MetricSink, ObjectStore, Sample } from './ports.ts';

/** A sink that can let go of single series of a model: features that are no longer judged. */
export interface ExporterSink extends MetricSink {
  retain?(model: string, names: readonly string[], kept: readonly Sample[]): void;
}

export interface ExporterOptions {
  readonly sink: ExporterSink;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: {
    models(): readonly string[];
    monitorAt(model: string, t: number): { readonly monitor: Monitor } | null;
    /** Monitors and baselines that could not be taken over; absent where nobody looks. */
    problems?(): readonly unknown[];
  };
  /** `null` where this process takes no events. */
  readonly collector: Collector | null;
  /** `null` where another process tells of the log. */
  readonly health: (() => Health | Promise<Health>) | null;
  /** Parts of this process, where there is no health to tell of them. */
  readonly parts?: () => Health['parts'];
  /** Attempts to deliver since the process began; absent where it delivers nothing. */
  readonly deliveries?: () => { readonly delivered: number; readonly retried: number; readonly failed: number };
  /** Age of the oldest transition that some channel has not taken, milliseconds; absent where nothing is delivered. */
  readonly undeliveredMs?: () => number;
  /** What is known of a baseline that is being learned; absent where none is. */
  readonly learning?: (model: string, now: number) => Promise<LearningView | null>;
  /** Name of the log, for the collector's deliveries. @default log */
  readonly logName?: string;
}

/** The newest windows of one model. */
interface KnownModel extends Omit<ModelSummary, 'episodes'> {
  /** By length. */
  readonly features: Readonly<Record<string, readonly Sample[]>>;
}

const STARTED = Date.now();
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #known = new Map<string, KnownModel>();
  /** What counters were told last, by series. */
  readonly #told = new Map<string, number>();
  readonly #removed = new Set<string>();
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#delay.enable();
  }

  stop(): void {
    this.#delay.disable();
  }

  /** A result that was just written. Older windows and revisions than the known ones are of no interest. */
  observe(result: WindowResult | PerformanceResult): void {
    const known = this.#known.get(result.model) ?? { windows: {}, performance: null, features: {} };
    if (result.schema === 'mlmon.performance/v1') {
      const performance = summaryOfPerformance(result);
      if (performance === null || !isNewer(performance, known.performance)) return;
      this.#known.set(result.model, { ...known, performance });
      return;
    }
    const { model, length } = result;
    const window = summaryOfWindow(result);
    if (!isNewer(window, known.windows[length])) return;
    const windows = { ...known.windows, [length]: window };
    this.#known.set(model, { ...known, windows, features: { ...known.features, [length]: featureSamples(result) } });
  }

  /** After a restart: the newest stored results of every model. */
  async recover(): Promise<void> {
    for (const model of this.#options.registry.models()) {
      for (const folder of await listFolders(this.#options.store, keys.results(model))) {
        const prefix = `${keys.results(model)}${folder}/`;
        const newest = new Map<string, string>();
        // Of each length and kind the last in order of start; ten revisions and more do not sort by number, which costs an older revision at most.
        for await (const key of listAll(this.#options.store, prefix)) {
          const [, length = '', file = ''] = key.slice(prefix.length).split('/');
          newest.set(`${length}/${file.replace(/r\d+\.json$/, '')}`, key);
        }
        for (const key of newest.values()) {
          const stored = await readJson<WindowResult | PerformanceResult>(this.#options.store, key);
          if (stored !== null) this.observe(stored.value);
        }
      }
    }
  }

  async tick(): Promise<void> {
    const { sink, clock, registry, collector, health } = this.#options;
    const now = clock.now();
    for (const model of registry.models()) {
      const monitor = registry.monitorAt(model, now)?.monitor ?? null;
      if (monitor === null) {
        if (!this.#removed.has(model)) await sink.forget(model);
        this.#removed.add(model);
        this.#known.delete(model);
        continue;
      }
      this.#removed.delete(model);
      const known = this.#known.get(model) ?? { windows: {}, performance: null, features: {} };
      const state = (await readJson<EpisodeState>(this.#options.store, keys.episodes(model)))?.value ?? null;
      const samples = [
        ...stateSamples({ ...known, episodes: openEpisodesOf(state) }, monitor),
        ...Object.values(known.features).flat(),
        ...learningSamples(model, (await this.#options.learning?.(model, now)) ?? null),
      ];
      sink.retain?.(model, MODEL_FAMILIES, samples);
      await sink.set(samples);
    }
    if (collector !== null) await this.#collector(collector);
    if (health === null) await this.#parts(this.#options.parts?.() ?? []);
    else await this.#log(await health(), now);
    await this.#process(now);
  }

  async #collector(collector: Collector): Promise<void> {
    const { counters } = collector;
    const sinkName = this.#options.logName ?? 'log';
    const adds: Sample[] = [];
    for (const [model, { inference, label, rejected }] of counters.models) {
      for (const [kind, formats] of [
        ['inference', inference],
        ['label', label],
      ] as const)
        for (const [format, count] of Object.entries(formats))
          if (count > 0) adds.push(...this.#added(METRIC.collectorReceived, { model, format, kind }, count));
      for (const [reason, count] of Object.entries(rejected))
        adds.push(...this.#added(METRIC.collectorRejected, { model, reason }, count ?? 0));
    }
    for (const [reason, count] of Object.entries(counters.shed))
      adds.push(...this.#added(METRIC.collectorShed, { reason }, count));
    adds.push(...this.#added(METRIC.collectorDelivered, { sink: sinkName }, counters.delivered));
    adds.push(...this.#added(METRIC.collectorFailures, { sink: sinkName }, counters.deliveryFailures));
    await this.#options.sink.add(adds);
    const { bytes, limit, oldestMs } = collector.queue();
    const tier = 'memory';
    await this.#options.sink.set([
      ...sample(METRIC.collectorQueueBytes, { tier }, bytes),
      ...sample(METRIC.collectorQueueLimit, { tier }, limit),
      ...sample(METRIC.collectorQueueAge, { tier }, oldestMs / 1000),
      ...histogramSamples(METRIC.collectorIngest, {}, counters.ingest),
      ...histogramSamples(METRIC.collectorDelivery, { sink: sinkName }, counters.delivery),
    ]);
  }

  async #log(health: Health, now: number): Promise<void> {
    const { counts } = health;
    await this.#options.sink.add([
      ...this.#added(METRIC.profilerProcessed, {}, counts.profiled),
      ...this.#added(METRIC.profilerBeyond, {}, counts.beyond),
      ...this.#added(METRIC.profilerLabels, {}, counts.labels),
      ...this.#added(METRIC.captured, {}, counts.captured),
      ...this.#added(METRIC.lost, {}, counts.lost),
      // Zeros too: a series that begins with the first event shows no increase, and the first is the one that matters.
      ...QUARANTINE_REASONS.flatMap((reason) =>
        this.#added(METRIC.quarantined, { reason }, counts.quarantined[reason] ?? 0),
      ),
    ]);
    await this.#options.sink.set([
      ...health.partitions.flatMap((partition) => lagSamples(partition, now)),
      ...health.partitions.flatMap(({ id, headAppendTime }) =>
        sample(
          METRIC.headAppended,
          { partition: id },
          headAppendTime == null ? null : Date.parse(headAppendTime) / 1000,
        ),
      ),
      ...sample(
        METRIC.lastEvaluation,
        {},
        health.lastEvaluation === null ? null : Date.parse(health.lastEvaluation) / 1000,
      ),
      ...sample(METRIC.healthProblems, {}, health.problems.length),
      ...sample(METRIC.configurationProblems, {}, this.#options.registry.problems?.().length ?? null),
    ]);
    await this.#parts(health.parts);
  }

  async #parts(parts: Health['parts']): Promise<void> {
    await this.#options.sink.set(
      parts.flatMap(({ name, state }) => sample(METRIC.partUp, { part: name }, state === 'running' ? 1 : 0)),
    );
  }

  async #process(now: number): Promise<void> {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    await this.#options.sink.add([
      ...this.#added(METRIC.cpu, {}, (user + system) / 1e6),
      ...Object.entries(this.#options.deliveries?.() ?? {}).flatMap(([outcome, count]) =>
        this.#added(METRIC.notifications, { outcome }, count),
      ),
    ]);
    await this.#options.sink.set([
      ...sample(METRIC.undeliveredAge, {}, (this.#options.undeliveredMs?.() ?? Number.NaN) / 1000),
      ...sample(METRIC.platformTime, {}, now / 1000),
      ...sample(METRIC.buildInfo, { version, node: process.version }, 1),
      ...sample(METRIC.memory, {}, rss),
      ...sample(METRIC.heap, {}, heapUsed),
      ...sample(METRIC.eventLoopLag, {}, this.#delay.percentile(99) / 1e9),
      ...sample(METRIC.startTime, {}, STARTED / 1000),
    ]);
    this.#delay.reset();
  }

  /** What to add so that the counter stands at `total`; a total that went back begins anew. */
  #added(definition: MetricDefinition, labels: Readonly<Record<string, string>>, total: number): Sample[] {
    const series = `${definition.name}${JSON.stringify(labels)}`;
    const before = this.#told.get(series);
    this.#told.set(series, total);
    const value = before === undefined || total < before ? total : total - before;
    // The first time zero is told too, so that the series exists before anything happens.
    return value > 0 || before === undefined ? [{ name: definition.name, labels, value }] : [];
  }
}

/** How far each consumer of the partition is behind its head. */
function lagSamples(
  { id, lag, profiledThrough, archiveLag, archivedThrough }: Health['partitions'][number],
  now: number,
): Sample[] {
  const of = (consumer: string, records: number, through: string | null | undefined): Sample[] => [
    ...sample(METRIC.lag, { consumer, partition: id }, records),
    ...sample(
      METRIC.lagAge,
      { consumer, partition: id },
      records === 0 ? 0 : through == null ? null : (now - Date.parse(through)) / 1000,
    ),
  ];
  return [
    ...of('profiler', lag, profiledThrough),
    ...(archiveLag === undefined ? [] : of('archiver', archiveLag, archivedThrough)),
  ];
}

/** The series of the text format: cumulative buckets, sum, count. */
function histogramSamples(
  { name }: MetricDefinition,
  labels: Readonly<Record<string, string>>,
  histogram: DurationHistogram,
): Sample[] {
  let cumulative = 0;
  const buckets = histogram.counts.map((count, i) => {
    cumulative += count;
    const bound = DURATION_BUCKETS[i];
    return {
      name: `${name}_bucket`,
      labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound) },
      value: cumulative,
    };
  });
  return [
    ...buckets,
    { name: `${name}_sum`, labels, value: histogram.sum },
    { name: `${name}_count`, labels, value: histogram.count },
  ];
}
