/**
 * What is known of the models and of the platform, as metrics, set anew every tick: rules watch state, and a sample a day is invisible to them.
 * It keeps the samples of the newest window of each model and length, nothing else; after a restart they are read back from the store.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Health } from '../contracts/api.ts';
import { durationMs } from '../contracts/duration.ts';
import type { EpisodeState } from '../contracts/episode.ts';
import { METRIC, type MetricDefinition } from '../contracts/metric-names.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import { type PerformanceResult, SEVERITIES, SIGNALS, VERDICTS, type WindowResult } from '../contracts/result.ts';
import { version } from '../contracts/version.ts';
import type { Collector } from './collector.ts';
import { DURATION_BUCKETS, type DurationHistogram } from './collector-counters.ts';
import { readJson } from './json-object.ts';
import { listAll, listFolders } from './listing.ts';
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
  };
  /** `null` where this process takes no events. */
  readonly collector: Collector | null;
  readonly health: () => Health | Promise<Health>;
  /** Attempts to deliver since the process began; absent where it delivers nothing. */
  readonly deliveries?: () => { readonly delivered: number; readonly retried: number; readonly failed: number };
  /** Age of the oldest transition that some channel has not taken, milliseconds; absent where nothing is delivered. */
  readonly undeliveredMs?: () => number;
  /** Name of the log, for the collector's deliveries. @default log */
  readonly logName?: string;
}

/** The newest window of one model and length, as samples. */
interface Newest {
  readonly version: string;
  readonly end: number;
  readonly revision: number;
  readonly rows: number;
  readonly samples: readonly Sample[];
}

const STARTED = Date.now();
const MODEL_FAMILIES: readonly string[] = [
  METRIC.windowRows,
  METRIC.windowEnd,
  METRIC.windowEvaluated,
  METRIC.windowDue,
  METRIC.labelsDue,
  METRIC.windowState,
  METRIC.driftedFeatures,
  METRIC.featureDrifted,
  METRIC.metricValue,
  METRIC.metricThreshold,
  METRIC.performanceValue,
  METRIC.performanceThreshold,
  METRIC.performanceWindowEnd,
  METRIC.labelCoverage,
  METRIC.latency,
  METRIC.episodeOpen,
  METRIC.modelInfo,
  METRIC.baselineInfo,
].map(({ name }) => name);

function sample({ name }: MetricDefinition, labels: Readonly<Record<string, string>>, value: number | null): Sample[] {
  return value === null || !Number.isFinite(value) ? [] : [{ name, labels, value }];
}

export class Exporter {
  readonly #options: ExporterOptions;
  /** By model, then by kind and length. */
  readonly #newest = new Map<string, Map<string, Newest>>();
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
    const newest = result.schema === 'mlmon.performance/v1' ? performanceSamples(result) : windowSamples(result);
    if (newest === null) return;
    const name = `${result.schema}/${result.length}`;
    let ofModel = this.#newest.get(result.model);
    if (ofModel === undefined) {
      ofModel = new Map();
      this.#newest.set(result.model, ofModel);
    }
    const known = ofModel.get(name);
    const later =
      known === undefined ||
      newest.end > known.end ||
      (newest.end === known.end && (newest.rows > known.rows || newest.revision >= known.revision));
    if (later) ofModel.set(name, newest);
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
        this.#newest.delete(model);
        continue;
      }
      this.#removed.delete(model);
      const samples = [
        ...[...(this.#newest.get(model)?.values() ?? [])].flatMap((newest) => newest.samples),
        ...this.#modelInfo(model, monitor),
        ...this.#due(model, monitor),
        ...(await this.#episodes(model, monitor)),
      ];
      sink.retain?.(model, MODEL_FAMILIES, samples);
      await sink.set(samples);
    }
    if (collector !== null) await this.#collector(collector);
    await this.#platform(await health(), now);
    await this.#process();
  }

  #modelInfo(model: string, monitor: Monitor): Sample[] {
    const newest = this.#newest.get(model)?.get(`mlmon.result/v1/${monitor.window.every}`);
    return sample(
      METRIC.modelInfo,
      { model, version: newest?.version ?? '', owner: monitor.owner, task: monitor.task },
      1,
    );
  }

  /** When the next window and its labels are to be known: rules compare it with the clock, whatever the length of windows. */
  #due(model: string, { window, truth }: Monitor): Sample[] {
    const newest = this.#newest.get(model);
    const every = durationMs(window.every);
    const lateness = durationMs(window.lateness);
    const judged = newest?.get(`mlmon.result/v1/${window.every}`);
    const labeled = newest?.get(`mlmon.performance/v1/${window.every}`);
    return [
      ...sample(
        METRIC.windowDue,
        { model, length: window.every },
        judged === undefined ? null : (judged.end + every + lateness) / 1000,
      ),
      ...sample(
        METRIC.labelsDue,
        { model },
        labeled === undefined ? null : (labeled.end + every + durationMs(truth.horizon) + lateness) / 1000,
      ),
    ];
  }

  async #episodes(model: string, monitor: Monitor): Promise<Sample[]> {
    const state = (await readJson<EpisodeState>(this.#options.store, keys.episodes(model)))?.value;
    return SIGNALS.flatMap((signal) => {
      const open = (state?.episodes ?? []).filter((episode) => episode.signal === signal && episode.closed === null);
      const worst = open
        .map((episode) => SEVERITIES.indexOf(episode.severity))
        .sort((a, b) => a - b)
        .at(-1);
      const severity = worst === undefined ? monitor.alerts.severity[signal] : SEVERITIES[worst]!;
      return sample(METRIC.episodeOpen, { model, signal, severity }, open.length > 0 ? 1 : 0);
    });
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

  async #platform(health: Health, now: number): Promise<void> {
    const { counts } = health;
    await this.#options.sink.add([
      ...this.#added(METRIC.profilerProcessed, {}, counts.profiled),
      ...this.#added(METRIC.profilerBeyond, {}, counts.beyond),
      ...this.#added(METRIC.profilerLabels, {}, counts.labels),
      ...this.#added(METRIC.captured, {}, counts.captured),
      ...this.#added(METRIC.lost, {}, counts.lost),
      ...Object.entries(counts.quarantined).flatMap(([reason, count]) =>
        this.#added(METRIC.quarantined, { reason }, count),
      ),
      ...Object.entries(this.#options.deliveries?.() ?? {}).flatMap(([outcome, count]) =>
        this.#added(METRIC.notifications, { outcome }, count),
      ),
    ]);
    await this.#options.sink.set([
      ...health.partitions.flatMap(({ id, lag }) => sample(METRIC.lag, { consumer: 'profiler', partition: id }, lag)),
      ...health.partitions.flatMap(({ id, lag, profiledThrough }) =>
        sample(
          METRIC.lagAge,
          { consumer: 'profiler', partition: id },
          lag === 0 ? 0 : profiledThrough == null ? null : (now - Date.parse(profiledThrough)) / 1000,
        ),
      ),
      ...health.partitions.flatMap(({ id, headAppendTime }) =>
        sample(
          METRIC.headAppended,
          { partition: id },
          headAppendTime == null ? null : Date.parse(headAppendTime) / 1000,
        ),
      ),
      ...health.parts.flatMap(({ name, state }) => sample(METRIC.partUp, { part: name }, state === 'running' ? 1 : 0)),
      ...sample(
        METRIC.lastEvaluation,
        {},
        health.lastEvaluation === null ? null : Date.parse(health.lastEvaluation) / 1000,
      ),
      ...sample(METRIC.undeliveredAge, {}, (this.#options.undeliveredMs?.() ?? Number.NaN) / 1000),
      ...sample(METRIC.healthProblems, {}, health.problems.length),
      ...sample(METRIC.platformTime, {}, now / 1000),
      ...sample(METRIC.buildInfo, { version, node: process.version }, 1),
    ]);
  }

  async #process(): Promise<void> {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    await this.#options.sink.add(this.#added(METRIC.cpu, {}, (user + system) / 1e6));
    await this.#options.sink.set([
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

function windowSamples(result: WindowResult): Newest {
  const { model, length, rows, status, provenance, latency } = result;
  const labels = { model, length };
  const end = Date.parse(result.end);
  const judged = result.features.filter((feature) => feature.status === 'ok' || feature.status === 'drifted');
  const { baseline } = provenance;
  return {
    version: result.version,
    end,
    revision: provenance.revision,
    rows,
    samples: [
      ...sample(METRIC.windowRows, labels, rows),
      ...sample(METRIC.windowEnd, labels, end / 1000),
      ...sample(METRIC.windowEvaluated, labels, Date.parse(provenance.evaluatedAt) / 1000),
      ...VERDICTS.flatMap((state) => sample(METRIC.windowState, { ...labels, state }, state === status ? 1 : 0)),
      ...sample(METRIC.driftedFeatures, labels, judged.filter((feature) => feature.status === 'drifted').length),
      ...judged.flatMap(({ name, status: found }) =>
        sample(METRIC.featureDrifted, { ...labels, feature: name }, found === 'drifted' ? 1 : 0),
      ),
      ...result.features.flatMap(({ name, effect, pValue, threshold, missingCurrent }) => [
        ...sample(METRIC.metricValue, { ...labels, feature: name, statistic: 'effect' }, effect),
        ...sample(METRIC.metricValue, { ...labels, feature: name, statistic: 'p_value' }, pValue),
        ...sample(METRIC.metricThreshold, { ...labels, feature: name, statistic: 'p_value' }, threshold),
        ...sample(
          METRIC.metricValue,
          { ...labels, feature: name, statistic: 'missing_ratio' },
          rows === 0 ? null : missingCurrent / rows,
        ),
      ]),
      ...(['p50', 'p90', 'p99'] as const).flatMap((percentile) =>
        sample(METRIC.latency, { ...labels, percentile }, latency === null ? null : inSeconds(latency[percentile])),
      ),
      ...(baseline === null || !result.base
        ? []
        : sample(METRIC.baselineInfo, { model, version: baseline.version, number: String(baseline.n) }, 1)),
    ],
  };
}

function performanceSamples(result: PerformanceResult): Newest | null {
  if (result.labels === 0) return null;
  const { model, coverage, metrics, labels: rows, provenance } = result;
  const end = Date.parse(result.end);
  return {
    version: result.version,
    end,
    revision: provenance.revision,
    rows,
    samples: [
      ...sample(METRIC.performanceWindowEnd, { model }, end / 1000),
      ...sample(METRIC.labelCoverage, { model }, coverage),
      ...metrics.flatMap(({ metric, value, threshold }) => [
        ...sample(METRIC.performanceValue, { model, statistic: metric }, value),
        ...sample(METRIC.performanceThreshold, { model, statistic: metric }, threshold),
      ]),
    ],
  };
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
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
