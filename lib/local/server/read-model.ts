/**
 * Answers to `GET /api/…` (contracts/api.ts), built from the objects in the store: this server may be the platform itself or a reader
 * of another one's store. Nothing here writes.
 */
import type {
  AlertsAnswer,
  AlertView,
  BaselineInfo,
  Demonstration,
  FeatureAnswer,
  Health,
  HealthAnswer,
  ModelAnswer,
  ModelSummary,
  ModelsAnswer,
  WindowsAnswer,
} from '../../contracts/api.ts';
import type { PublishedBaseline } from '../../contracts/baseline.ts';
import type { EpisodeState } from '../../contracts/episode.ts';
import { HttpProblem } from '../../contracts/http-problem.ts';
import type { PublishedMonitor } from '../../contracts/monitor.ts';
import { METRICS } from '../../contracts/monitor.ts';
import { keys } from '../../contracts/object-keys.ts';
import { formatProblem } from '../../contracts/problem.ts';
import { SEVERITIES, type WindowResult } from '../../contracts/result.ts';
import { readJson } from '../../pipeline/json-object.ts';
import { learningView } from '../../pipeline/learning-view.ts';
import { isUnreadable } from '../../pipeline/pack-reader.ts';
import type { Clock, ObjectStore } from '../../pipeline/ports.ts';
import type { Registry } from '../../pipeline/registry.ts';
import { type AlertLinks, alertViews, byLength } from './alert-views.ts';
import { explain } from './feature-words.ts';
import { ResultIndex, type WindowKeys } from './result-index.ts';
import type { PerformanceSeen, WindowSeen } from './result-views.ts';
import type { WindowColumns } from './window-columns.ts';

export interface ReadModelOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly columns: WindowColumns;
  readonly links: AlertLinks;
  readonly health: () => Health | Promise<Health>;
  readonly quarantine: () => Promise<HealthAnswer['quarantine']>;
  readonly demonstration?: () => Demonstration | null;
  /** How long lists and summaries are believed, milliseconds of real time. @default 1000 */
  readonly cacheMs?: number;
}

export interface WindowsQuery {
  readonly version?: string;
  readonly length?: string;
  /** Milliseconds of event time. */
  readonly from?: number;
  readonly to?: number;
  readonly limit?: number;
}

const RECENT = 30;
const WINDOWS = 200;
const MOST_WINDOWS = 1_000;
const CONCURRENCY = 8;

export class ReadModel {
  readonly #options: ReadModelOptions;
  readonly index: ResultIndex;
  readonly #summaries = new Map<string, { readonly at: number; readonly value: Promise<ModelSummary> }>();

  constructor(options: ReadModelOptions) {
    this.#options = options;
    this.index = new ResultIndex({ store: options.store, listMs: options.cacheMs ?? 1_000 });
  }

  async models(): Promise<ModelsAnswer> {
    await this.#options.registry.refresh();
    const names = this.#options.registry.models();
    const models: ModelSummary[] = new Array<ModelSummary>(names.length);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < names.length; i = next++) models[i] = await this.#summary(names[i]!, names.length);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, names.length) }, work));
    return { now: this.#now(), models, health: await this.#options.health(), ...this.#demonstration() };
  }

  async model(model: string): Promise<ModelAnswer> {
    const published = await this.#monitor(model);
    const versions = await this.index.versions(model);
    const newest = await this.#newest(model);
    const timeline = this.#options.registry.timeline(model);
    const shape = this.#options.registry.shapeFor(model, newest?.view.version ?? '', this.#options.clock.now())?.shape;
    const baselines = [...(timeline?.baselines.values() ?? [])].flat();
    const lengths = new Set(shape?.windows.scales.map(({ name }) => name));
    for (const version of versions)
      for (const { length } of await this.index.windows(model, version)) lengths.add(length);
    return {
      now: this.#now(),
      summary: await this.#summary(model, 1),
      monitor: published.monitor,
      monitorNumber: published.n,
      versions,
      lengths: [...lengths].sort(byLength),
      features: (shape?.columns ?? []).map(({ name, type, role }) => ({ name, type, role })),
      baselines: baselines.map(baselineInfo),
      episodes: await this.#alertsOf(model),
      ...this.#demonstration(),
    };
  }

  async windows(model: string, query: WindowsQuery): Promise<WindowsAnswer> {
    const published = await this.#monitor(model);
    const length = query.length ?? published.monitor.window.every;
    const limit = Math.min(Math.max(1, query.limit ?? WINDOWS), MOST_WINDOWS);
    const versions = query.version === undefined ? await this.index.versions(model) : [query.version];
    const found: WindowKeys[] = [];
    for (const version of versions)
      for (const entry of await this.index.windows(model, version))
        if (
          entry.length === length &&
          entry.start >= (query.from ?? Number.NEGATIVE_INFINITY) &&
          entry.start < (query.to ?? Number.POSITIVE_INFINITY)
        )
          found.push(entry);
    found.sort((a, b) => a.start - b.start || (a.version < b.version ? -1 : 1));
    const newest = found.slice(-limit);
    const windows = await this.index.all<WindowSeen>(
      newest.flatMap(({ window }) => (window === null ? [] : [window.key])),
    );
    const performance = await this.index.all<PerformanceSeen>(
      newest.flatMap((entry) => (entry.performance === null ? [] : [entry.performance.key])),
    );
    return {
      now: this.#now(),
      length,
      windows: windows.map(({ view }) => view),
      performance: performance.map(({ view }) => view),
    };
  }

  async feature(
    model: string,
    feature: string,
    query: { readonly version?: string; readonly length?: string; readonly start?: number },
  ): Promise<FeatureAnswer> {
    const published = await this.#monitor(model);
    const length = query.length ?? published.monitor.window.every;
    const versions = query.version === undefined ? await this.index.versions(model) : [query.version];
    const all: WindowKeys[] = [];
    for (const version of versions)
      for (const entry of await this.index.windows(model, version))
        if (entry.length === length && entry.window !== null) all.push(entry);
    all.sort((a, b) => a.start - b.start || (a.version < b.version ? -1 : 1));
    const chosen = query.start === undefined ? all.at(-1) : all.findLast(({ start }) => start === query.start);
    const history = await this.index.all<WindowSeen>(all.slice(-WINDOWS).map(({ window }) => window!.key));
    const result = chosen === undefined ? null : await this.index.whole(chosen.window!.key);
    const own = result?.features.find(({ name }) => name === feature) ?? null;
    if (own === null && !history.some(({ view }) => Object.hasOwn(view.features, feature)))
      throw new HttpProblem(
        404,
        'no-such-feature',
        `${feature.slice(0, 128)}: no window of ${model} judged such a feature`,
      );
    const closely = result === null || own === null ? null : await this.#closely(result, feature);
    const judged = own === null || closely === null ? own : { ...own, others: closely.tests };
    return {
      now: this.#now(),
      window:
        result === null
          ? null
          : { version: result.version, start: result.start, end: result.end, length: result.length, rows: result.rows },
      result: judged,
      distribution: closely?.distribution ?? null,
      explanation: judged === null ? [] : explain(judged),
      history: history.flatMap(({ view, std }) => {
        const seen = view.features[feature];
        if (seen === undefined) return [];
        const { status, effect, missing, mean } = seen;
        return [{ start: view.start, status, effect, missing, mean, std: std[feature] ?? null }];
      }),
    };
  }

  async alerts(query: { readonly model?: string; readonly state?: string }): Promise<AlertsAnswer> {
    await this.#options.registry.refresh();
    if (query.model !== undefined) await this.#monitor(query.model);
    const models = query.model === undefined ? this.#options.registry.models() : [query.model];
    const alerts: AlertView[] = [];
    const silences: AlertsAnswer['silences'][number][] = [];
    for (const model of models) {
      const state = await this.#episodes(model);
      alerts.push(...(await this.#alertsOf(model, state)));
      silences.push(...(state?.silences ?? []));
    }
    alerts.sort((a, b) => (a.opened < b.opened ? 1 : a.opened > b.opened ? -1 : 0));
    return {
      now: this.#now(),
      alerts: query.state === undefined ? alerts : alerts.filter(({ state }) => state === query.state),
      silences,
    };
  }

  async health(): Promise<HealthAnswer> {
    return { now: this.#now(), health: await this.#options.health(), quarantine: await this.#options.quarantine() };
  }

  /** `null` too when a pack is gone or spoilt: the result itself still stands. */
  async #closely(result: WindowResult, feature: string): ReturnType<WindowColumns['look']> {
    try {
      return await this.#options.columns.look(result, feature);
    } catch (error) {
      if (isUnreadable(error)) return null;
      throw error;
    }
  }

  /** The newest window of the monitor's own length, over all versions. */
  async #newest(model: string): Promise<WindowSeen | null> {
    return (await this.#recent(model, 1)).at(-1) ?? null;
  }

  /** The newest base windows of a model, oldest first: of one start that of the version with most rows. */
  async #recent(model: string, count: number): Promise<WindowSeen[]> {
    const { monitor } = await this.#monitor(model);
    const byStart = new Map<number, string[]>();
    for (const version of await this.index.versions(model))
      for (const { start, length, window } of (await this.index.windows(model, version)).slice(-4 * count - 8))
        if (length === monitor.window.every && window !== null)
          byStart.set(start, [...(byStart.get(start) ?? []), window.key]);
    const starts = [...byStart.keys()].sort((a, b) => a - b).slice(-count);
    const recent: WindowSeen[] = [];
    for (const start of starts) {
      const seen = await this.index.all<WindowSeen>(byStart.get(start)!);
      const best = seen.sort((a, b) => a.view.rows - b.view.rows).at(-1);
      if (best !== undefined) recent.push(best);
    }
    return recent;
  }

  /** Summaries of very many models are believed longer: nobody can look at all of them at once. */
  #summary(model: string, among: number): Promise<ModelSummary> {
    const known = this.#summaries.get(model);
    const lifetime = (this.#options.cacheMs ?? 1_000) * Math.max(1, Math.min(30, among / 20));
    if (known !== undefined && performance.now() - known.at < lifetime) return known.value;
    const value = this.#summarise(model);
    this.#summaries.set(model, { at: performance.now(), value });
    value.catch(() => this.#summaries.delete(model));
    return value;
  }

  async #summarise(model: string): Promise<ModelSummary> {
    const { monitor } = await this.#monitor(model);
    const removed = this.#options.registry.monitorAt(model, this.#options.clock.now()) === null;
    const learning = await learningView(this.#options, model, this.#options.clock.now());
    const recent = await this.#recent(model, RECENT);
    const newest = recent.at(-1);
    const open = (await this.#alertsOf(model)).filter(({ state }) => state === 'open');
    const worst = open
      .map(({ severity }) => SEVERITIES.indexOf(severity))
      .sort((a, b) => a - b)
      .at(-1);
    return {
      model,
      owner: monitor.owner,
      task: monitor.task,
      version: newest?.view.version ?? null,
      state: newest?.view.status ?? 'learning',
      reason: newest === undefined ? 'no window is complete yet' : newest.view.reason,
      lastWindow:
        newest === undefined ? null : { start: newest.view.start, end: newest.view.end, rows: newest.view.rows },
      openEpisodes: open.length,
      severity: worst === undefined ? null : SEVERITIES[worst]!,
      headline: await this.#headline(model, monitor.task),
      recentRows: recent.map(({ view }) => view.rows),
      removed,
      ...(learning === null ? {} : { learning }),
      timezone: monitor.window.timezone,
    };
  }

  async #headline(model: string, task: keyof typeof METRICS): Promise<ModelSummary['headline']> {
    const { monitor } = await this.#monitor(model);
    const found: WindowKeys[] = [];
    for (const version of await this.index.versions(model))
      for (const entry of (await this.index.windows(model, version)).slice(-400))
        if (entry.performance !== null && entry.length === monitor.window.every) found.push(entry);
    found.sort((a, b) => b.start - a.start);
    const wanted: readonly string[] = METRICS[task];
    for (const entry of found.slice(0, 10)) {
      const seen = await this.index.performance(entry.performance!.key);
      if (seen === null || seen.view.labels === 0) continue;
      for (const metric of wanted) {
        const value = seen.view.metrics.find((one) => one.metric === metric)?.value ?? null;
        if (value !== null) return { metric, value, mature: seen.view.mature, coverage: seen.view.coverage ?? 0 };
      }
    }
    return null;
  }

  async #alertsOf(model: string, known?: EpisodeState | null): Promise<AlertView[]> {
    const state = known === undefined ? await this.#episodes(model) : known;
    return alertViews(state, {
      now: this.#options.clock.now(),
      links: this.#options.links,
      timezone: (await this.#monitor(model)).monitor.window.timezone,
    });
  }

  async #episodes(model: string): Promise<EpisodeState | null> {
    return (await readJson<EpisodeState>(this.#options.store, keys.episodes(model)))?.value ?? null;
  }

  /** The monitor in force, the next one when none is yet, the last one of a removed model. */
  async #monitor(model: string): Promise<PublishedMonitor> {
    await this.#options.registry.refresh();
    const timeline = this.#options.registry.timeline(model);
    const published = timeline?.monitorAt(this.#options.clock.now()) ?? timeline?.monitors.at(-1);
    if (published === undefined)
      throw new HttpProblem(
        404,
        'no-such-model',
        `${model.slice(0, 63)}: no monitor declares it; GET /api/models lists those that are`,
      );
    return published;
  }

  #demonstration(): { demonstration?: Demonstration } {
    const demonstration = this.#options.demonstration?.() ?? null;
    return demonstration === null ? {} : { demonstration };
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

/** `2001-01-31 23:57` of an RFC 3339 time. */
function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}

export function baselineInfo({
  version,
  n,
  effectiveFrom,
  approved,
  provisional,
  baseline,
}: PublishedBaseline): BaselineInfo {
  const { source } = baseline;
  const range = source.from === null || source.to === null ? '' : ` (${minute(source.from)} to ${minute(source.to)})`;
  return {
    version,
    n,
    rows: baseline.rows,
    source: `${source.kind === 'windows' ? 'windows' : source.name}${range}`,
    effectiveFrom,
    approved,
    ...(provisional === true ? { provisional } : {}),
    findings: baseline.findings.map(formatProblem),
  };
}
