/**
 * The exporter for a process that remembers nothing: every minute it tells the state of all models and of the log to the metric stores. What
 * it needs of a thousand models lies in one object; results are read when a bulletin names them, and once an hour for the statistics of
 * their features. A sink that fails keeps neither the other nor the state from going on, and is told again in the next minute.
 */
import {
  type CloudWatchValue,
  type MetricDetail,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../contracts/cloudwatch-metrics.ts';
import { EXPORT_MINUTES, METRIC } from '../contracts/metric-names.ts';
import type { Monitor, PublishedMonitor } from '../contracts/monitor.ts';
import type { WindowResult } from '../contracts/result.ts';
import { deleteNews, type News, readNews } from './bulletins.ts';
import { EVALUATOR_DEFAULTS } from './evaluator-options.ts';
import { type ExportedModel, type ExportedState, loadExported, saveExported } from './exported-state.ts';
import { inTurn } from './in-turn.ts';
import { readJson } from './json-object.ts';
import { readLearning } from './learning-state.ts';
import { viewOf } from './learning-view.ts';
import { logSamples, logValues, totalsOf } from './log-samples.ts';
import { viewLog } from './log-view.ts';
import { lookUp, withResults } from './model-lookup.ts';
import { featureSamples, learningSamples, ownWindow, sample, stateSamples } from './model-samples.ts';
import { allModelsValues, type MonitoredModel, modelValues } from './model-values.ts';
import { type Clock, ConflictError, type EventLog, type MetricSink, type ObjectStore, type Sample } from './ports.ts';
import type { Registry } from './registry.ts';
import { ruleOf } from './window-schedule.ts';

/** A metric store that keeps what it is told until it is told otherwise. */
export interface SeriesSink extends Pick<MetricSink, 'set'> {
  /** These series are no more. */
  end(samples: readonly Sample[]): Promise<void>;
}

export interface ValueSink {
  put(values: readonly CloudWatchValue[]): Promise<void>;
}

export interface StoreExporterOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Baselines are not needed. */
  readonly registry: Registry;
  /** Prometheus; `null` where there is none. */
  readonly series: SeriesSink | null;
  /** CloudWatch metrics of each model; `null` where there are none. */
  readonly values: { readonly sink: ValueSink; readonly detail: MetricDetail } | null;
  readonly settleMs?: number;
  /** Everything of a model is looked up at least so often, whoever told of it, milliseconds. @default 6 h */
  readonly lookUpAfterMs?: number;
  /** Most models that are looked up, or whose features are told again, in one run. @default 250 */
  readonly modelsPerRun?: number;
  /** Told of what a sink could not do. */
  readonly onProblem?: (error: Error) => void;
}

export interface ExportOutcome {
  /** For alarms: about the platform and all models together. */
  readonly values: readonly CloudWatchValue[];
  readonly models: number;
  /** Models whose results were read. */
  readonly read: number;
  /** More is to be done than one run does. */
  readonly more: boolean;
}

const DEFAULTS = { lookUpAfterMs: 6 * 3_600_000, modelsPerRun: 250 } as const;
const TELL_AFTER_MS = EXPORT_MINUTES.features * 60_000;
const CONCURRENCY = 16;

export class StoreExporter {
  readonly #options: StoreExporterOptions;
  #failures = 0;

  constructor(options: StoreExporterOptions) {
    this.#options = options;
  }

  /** One run. `isLate`: results are not read any more, what is known is told. */
  async tick({ isLate = () => false }: { readonly isLate?: () => boolean } = {}): Promise<ExportOutcome> {
    const { registry, store, values, settleMs = EVALUATOR_DEFAULTS.settleMs } = this.#options;
    this.#failures = 0;
    await registry.refresh();
    const { state, etag } = await loadExported(store);
    const news = await readNews(store);
    const view = await viewLog(this.#options, settleMs);
    const { now } = view;
    const monitors = new Map<string, Monitor>();
    const models = new Map<string, ExportedModel>();
    for (const model of registry.models()) {
      const published = registry.monitorAt(model, now);
      if (published === null) continue;
      monitors.set(model, published.monitor);
      const known = state.models[model];
      if (known !== undefined) models.set(model, withLengths(known, published));
    }
    const read = await this.#read(models, monitors, { news, now, isLate });
    await this.#endSeries(state.models, models);
    await this.#tellFeatures(models, now, isLate);
    const all = [...models].map(([model, summary]) => ({ monitor: monitors.get(model) as Monitor, summary }));
    const learning = await this.#learning(all, now);
    const totals = totalsOf(view);
    const evaluated = all.flatMap(({ summary }) => Object.values(summary.windows).map((window) => window.evaluated));
    await this.#tell((sink) =>
      sink.set([
        ...all.flatMap(({ monitor, summary }) => stateSamples(summary, monitor)),
        ...learning,
        ...logSamples(view, totals),
        ...sample(
          METRIC.lastEvaluation,
          {},
          evaluated.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) / 1_000,
        ),
      ]),
    );
    if (values !== null) await this.#put(all, values, now);
    const isSaved = await this.#save({ ...state, models: Object.fromEntries(models), totals }, etag, read.done);
    return {
      values: [
        ...allModelsValues(all, now),
        // Of two exporters at once one counts.
        ...logValues(view, totals, isSaved ? state.totals : totals),
        { metric: PLATFORM_CLOUDWATCH_METRIC.sinkFailures, value: this.#failures },
      ],
      models: all.length,
      read: read.models,
      more: news.more || read.left,
    };
  }

  /** Of models that learn their baseline, and whose newest window had none. */
  async #learning(all: readonly MonitoredModel[], now: number): Promise<Sample[]> {
    if (this.#options.series === null) return [];
    const samples: Sample[] = [];
    const learning = all.filter(({ monitor, summary }) => {
      const status = ownWindow(summary, monitor)?.status ?? 'learning';
      return monitor.baseline.learn !== undefined && status === 'learning';
    });
    await inTurn(learning, CONCURRENCY, async ({ monitor: { model } }) => {
      const state = await readLearning(this.#options.store, model);
      if (state !== null && state.status !== 'learned') samples.push(...learningSamples(model, viewOf(state, now)));
    });
    return samples;
  }

  /** Reads what bulletins name, and everything of models that are not known or were not looked up for long. */
  async #read(
    models: Map<string, ExportedModel>,
    monitors: ReadonlyMap<string, Monitor>,
    { news, now, isLate }: { readonly news: News; readonly now: number; readonly isLate: () => boolean },
  ): Promise<{ models: number; left: boolean; done: readonly string[] }> {
    const { store, lookUpAfterMs = DEFAULTS.lookUpAfterMs, modelsPerRun = DEFAULTS.modelsPerRun } = this.#options;
    const names = [...monitors.keys()];
    const stale = names.filter((model, index) => {
      const known = models.get(model);
      // Spread evenly, so that they do not come together again.
      return known === undefined || now - known.read >= lookUpAfterMs * (1 + index / names.length / 2);
    });
    const looked = stale.slice(0, modelsPerRun);
    let count = 0;
    let left = stale.length > looked.length;
    const named = [...news.results].filter(([model]) => monitors.has(model));
    let all = true;
    await inTurn(named, CONCURRENCY, async ([model, results]) => {
      if (isLate()) {
        all = false;
        return;
      }
      models.set(model, await withResults(store, model, models.get(model), results));
      count++;
    });
    await inTurn(looked, CONCURRENCY, async (model) => {
      if (isLate()) {
        left = true;
        return;
      }
      models.set(model, await lookUp(store, monitors.get(model) as Monitor, models.get(model), now));
      count++;
    });
    return { models: count, left: left || !all, done: all ? news.bulletins : [] };
  }

  /** Statistics of features: of windows that are new, and once an hour of all. */
  async #tellFeatures(models: Map<string, ExportedModel>, now: number, isLate: () => boolean): Promise<void> {
    const { series, modelsPerRun = DEFAULTS.modelsPerRun } = this.#options;
    if (series === null) return;
    const due = [...models].flatMap(([model, { windows }]) =>
      Object.entries(windows)
        .filter(([, { told }]) => told === null || now - told >= TELL_AFTER_MS)
        .map(([length, window]) => ({ model, length, window })),
    );
    // New ones first.
    due.sort((a, b) => (a.window.told ?? 0) - (b.window.told ?? 0));
    const fresh = due.filter(({ window }) => window.told === null).length;
    await inTurn(due.slice(0, Math.max(fresh, modelsPerRun)), CONCURRENCY, async ({ model, length, window }) => {
      if (isLate()) return;
      const samples = await this.#features(window.key);
      const ended = window.before === undefined ? [] : without(await this.#features(window.before), samples);
      const isTold = await this.#tell(async (sink) => {
        if (ended.length > 0) await sink.end(ended);
        await sink.set(samples);
      });
      const known = models.get(model);
      if (!isTold || known === undefined) return;
      const { before, ...rest } = window;
      void before;
      models.set(model, { ...known, windows: { ...known.windows, [length]: { ...rest, told: now } } });
    });
  }

  /** Series of models that were removed, of lengths that are no longer judged, of episodes and states that have other labels now. */
  async #endSeries(
    before: Readonly<Record<string, ExportedModel>>,
    models: ReadonlyMap<string, ExportedModel>,
  ): Promise<void> {
    const ended: Sample[] = [];
    for (const [model, old] of Object.entries(before)) {
      const known = models.get(model);
      const monitor = this.#options.registry.timeline(model)?.monitors.at(-1)?.monitor;
      if (known === old || monitor === undefined) continue;
      ended.push(...without(stateSamples(old, monitor), known === undefined ? [] : stateSamples(known, monitor)));
      for (const [length, { key }] of Object.entries(old.windows))
        if (known?.windows[length] === undefined) ended.push(...(await this.#features(key)));
    }
    if (ended.length > 0) await this.#tell((sink) => sink.end(ended));
  }

  async #features(key: string): Promise<Sample[]> {
    const stored = await readJson<WindowResult>(this.#options.store, key);
    return stored === null ? [] : featureSamples(stored.value);
  }

  async #put(
    all: readonly MonitoredModel[],
    { sink, detail }: { readonly sink: ValueSink; readonly detail: MetricDetail },
    now: number,
  ): Promise<void> {
    try {
      await sink.put(all.flatMap((one) => modelValues(one, detail, now)));
    } catch (error) {
      this.#failed(error);
    }
  }

  async #tell(work: (sink: SeriesSink) => Promise<void>): Promise<boolean> {
    const { series } = this.#options;
    if (series === null) return true;
    try {
      await work(series);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#options.onProblem?.(error instanceof Error ? error : new Error(String(error)));
  }

  /** State first, then the bulletins: what a crash leaves is read again. */
  async #save(state: ExportedState, etag: string | null, bulletins: readonly string[]): Promise<boolean> {
    const { store } = this.#options;
    try {
      await saveExported(store, state, etag);
    } catch (error) {
      // Another exporter's state stands, and it deletes what it has read.
      if (error instanceof ConflictError) return false;
      throw error;
    }
    await deleteNews(store, bulletins);
    return true;
  }
}

/** The model without lengths that its monitor no longer has. */
function withLengths(known: ExportedModel, published: PublishedMonitor): ExportedModel {
  const names = new Set(ruleOf(published).scales.map(({ name }) => name));
  const kept = Object.entries(known.windows).filter(([length]) => names.has(length));
  return kept.length === Object.keys(known.windows).length ? known : { ...known, windows: Object.fromEntries(kept) };
}

/** Those of `samples` whose series are not among `others`. */
function without(samples: readonly Sample[], others: readonly Sample[]): Sample[] {
  const name = ({ name: of, labels }: Sample): string => `${of}${JSON.stringify(labels)}`;
  const kept = new Set(others.map(name));
  return samples.filter((one) => !kept.has(name(one)));
}
