/**
 * The published monitors and baselines, cached. Which of them applies to an event is chosen by the event's time, never by when it
 * was loaded: everything published takes effect at least two cache lifetimes later, so every reader knows it by then.
 */
import type { PublishedBaseline } from '../contracts/baseline.ts';
import { monitorSchema, type PublishedMonitor } from '../contracts/monitor.ts';
import { keys, unsegment } from '../contracts/object-keys.ts';
import type { Problem } from '../contracts/problem.ts';
import { compileShape, type Shape } from '../engine/shape.ts';
import { holdsBack } from './field-policy.ts';
import { listAll } from './listing.ts';
import type { Clock, ObjectStore } from './ports.ts';
import { Timeline } from './timeline.ts';

export interface BaselineReference {
  readonly version: string;
  readonly n: number;
  /** Another version's baseline stands in. */
  readonly fallback: boolean;
  /** It is in force although nobody approved it. */
  readonly provisional?: true;
}

/** What an event of one model version is folded with, in one stretch of event time. */
export interface Resolved {
  readonly shape: Shape;
  readonly monitorN: number;
  readonly baseline: BaselineReference | null;
  /** It holds for event times in [from, to), milliseconds. */
  readonly from: number;
  readonly to: number;
}

export interface RegistryOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** How long what was read is believed. Publishers must use the same. @default 60000 */
  readonly cacheMs?: number;
  /**
   * What is kept of baselines. `whole`: to judge. `bins`: to fold and to check events; the fitted nulls, most of a baseline's size, are dropped
   * as they are read, so that those of a thousand models fit. `none`: only monitors are read, to know when windows end. @default whole
   */
  readonly baselines?: 'whole' | 'bins' | 'none';
}

export const DEFAULT_CACHE_MS = 60_000;
/** Versions whose choice is remembered; more (a version per event) only costs time. */
const REMEMBERED_VERSIONS = 10_000;
const CONCURRENCY = 16;
/** Models that stay known although others were selected since. */
const REMEMBERED_MODELS = 20;

interface ModelEntry {
  readonly timeline: Timeline;
  readonly shapes: Map<string, Shape>;
}

type Stretch = { readonly from: number; readonly to: number; readonly resolved: Resolved | null };

export class Registry {
  readonly cacheMs: number;
  readonly #options: RegistryOptions;
  /** Immutable objects already read; `null`: unreadable. */
  readonly #monitors = new Map<string, PublishedMonitor | null>();
  readonly #baselines = new Map<string, PublishedBaseline | null>();
  readonly #problems = new Map<string, Problem>();
  #models = new Map<string, ModelEntry>();
  #choices = new Map<string, Stretch[]>();
  #holdsBack = false;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | null = null;
  /** `null`: all. The most recent last. */
  #selected: Set<string> | null = null;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.cacheMs = options.cacheMs ?? DEFAULT_CACHE_MS;
  }

  /**
   * Reads what is new, unless what is known is younger than its lifetime. Call it before every batch.
   * @throws what the store throws; then nothing may be profiled, since a change could be missed
   */
  async refresh(): Promise<void> {
    const age = this.#options.clock.now() - this.#loadedAt;
    if (age >= 0 && age < this.cacheMs) return;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  /** The next `refresh` reads again: for a publisher in the same process. */
  invalidate(): void {
    this.#loadedAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * From now on only these models are of interest, and those of the calls just before: what is published of others is not read, or forgotten.
   * For a process that works on some models at a time, where all baselines would not fit into memory.
   */
  async select(models: readonly string[]): Promise<void> {
    const before = [...(this.#selected ?? [])].filter((model) => !models.includes(model));
    const kept = before.slice(Math.min(before.length, Math.max(0, before.length + models.length - REMEMBERED_MODELS)));
    const isNew = this.#selected === null || models.some((model) => !this.#selected?.has(model));
    this.#selected = new Set([...kept, ...models]);
    if (isNew) {
      // What is being read now was chosen before.
      await this.#loading?.catch(() => undefined);
      for (const known of [this.#monitors, this.#baselines])
        for (const key of known.keys()) if (!this.#selected.has(modelOf(key))) known.delete(key);
      this.#models = new Map([...this.#models].filter(([model]) => this.#selected?.has(model)));
      this.invalidate();
    }
    await this.refresh();
  }

  /** Models that have a monitor, removed ones included, ascending. */
  models(): string[] {
    return [...this.#models.keys()].sort();
  }

  /** Some monitor that was ever published does not keep every field. */
  holdsBack(): boolean {
    return this.#holdsBack;
  }

  timeline(model: string): Timeline | null {
    return this.#models.get(model)?.timeline ?? null;
  }

  /** The monitor for events at `t`; `null` for a model that nobody declared or that was removed by then. */
  monitorAt(model: string, t: number): PublishedMonitor | null {
    const monitor = this.timeline(model)?.monitorAt(t) ?? null;
    return monitor === null || monitor.removed ? null : monitor;
  }

  /** What to fold an event with; `null` for a model that nobody declared or that was removed by then. Never throws. */
  shapeFor(model: string, version: string, eventMs: number): Resolved | null {
    const entry = this.#models.get(model);
    if (entry === undefined) return null;
    const name = `${model}/${version}`;
    let stretches = this.#choices.get(name);
    if (stretches === undefined) {
      if (this.#choices.size >= REMEMBERED_VERSIONS) this.#choices.clear();
      stretches = [];
      this.#choices.set(name, stretches);
    }
    for (const stretch of stretches) if (eventMs >= stretch.from && eventMs < stretch.to) return stretch.resolved;
    const stretch = this.#resolve(entry, version, eventMs);
    stretches.push(stretch);
    return stretch.resolved;
  }

  /** The shape that profiles of this digest were made with; `null` when it is none of those published. */
  shapeByDigest(model: string, version: string, digest: string): Shape | null {
    const changes = this.timeline(model)?.changes ?? [];
    for (const moment of [(changes[0] ?? 0) - 1, ...changes].reverse()) {
      const resolved = this.shapeFor(model, version, moment);
      if (resolved?.shape.digest === digest) return resolved.shape;
    }
    return null;
  }

  /** What could not be read or compiled: surfaced, never blocking. */
  problems(): Problem[] {
    return [...this.#problems.values()];
  }

  #resolve(entry: ModelEntry, version: string, t: number): Stretch {
    const { timeline, shapes } = entry;
    const from = timeline.changes.findLast((moment) => moment <= t) ?? Number.NEGATIVE_INFINITY;
    const to = timeline.nextChange(t);
    const published = timeline.monitorAt(t);
    if (published === null || published.removed) return { from, to, resolved: null };
    const { monitor, n: monitorN } = published;
    const choice = timeline.baselineAt(version, t, monitor.baseline.fallback === 'last-approved');
    if (choice !== null) {
      const { version: of, n, baseline, provisional } = choice.published;
      const path = keys.baseline(timeline.model, of, n);
      const name = `${monitorN}/${of}/${n}`;
      try {
        let shape = shapes.get(name);
        if (shape === undefined) {
          shape = compileShape(monitor, baseline);
          shapes.set(name, shape);
        }
        return {
          from,
          to,
          resolved: {
            shape,
            monitorN,
            baseline: { version: of, n, fallback: choice.fallback, ...(provisional === true ? { provisional } : {}) },
            from,
            to,
          },
        };
      } catch (error) {
        this.#unusable(path, error);
      }
    }
    const name = `${monitorN}`;
    const shape = shapes.get(name) ?? compileShape(monitor, null);
    shapes.set(name, shape);
    return { from, to, resolved: { shape, monitorN, baseline: null, from, to } };
  }

  async #load(): Promise<void> {
    const startedAt = this.#options.clock.now();
    const changed = (await this.#loadNew(keys.monitors(), this.#monitors, readMonitor)) + (await this.#loadBaselines());
    if (changed > 0 || this.#models.size === 0) this.#rebuild();
    this.#loadedAt = startedAt;
  }

  async #loadBaselines(): Promise<number> {
    const { baselines = 'whole' } = this.#options;
    if (baselines === 'none') return 0;
    const read =
      baselines === 'whole' ? readBaseline : (key: string, body: Uint8Array) => withoutNulls(readBaseline(key, body));
    return this.#loadNew(keys.baselines(), this.#baselines, read);
  }

  async #loadNew<T>(
    prefix: string,
    known: Map<string, T | null>,
    read: (key: string, body: Uint8Array) => T,
  ): Promise<number> {
    const unknown: string[] = [];
    for await (const key of listAll(this.#options.store, prefix))
      if (!known.has(key) && (this.#selected === null || this.#selected.has(modelOf(key)))) unknown.push(key);
    let next = 0;
    const loadOne = async (): Promise<void> => {
      for (let key = unknown[next++]; key !== undefined; key = unknown[next++]) {
        const stored = await this.#options.store.get(key);
        if (stored === null) continue;
        try {
          known.set(key, read(key, stored.body));
        } catch (error) {
          known.set(key, null);
          this.#unusable(key, error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, unknown.length) }, loadOne));
    return unknown.length;
  }

  #rebuild(): void {
    const monitors = grouped(this.#monitors);
    const baselines = grouped(this.#baselines);
    const models = new Map<string, ModelEntry>();
    for (const [model, list] of monitors) {
      const timeline = new Timeline(model, list, baselines.get(model) ?? []);
      // A monitor and a baseline of one number never change, so what was compiled from them stays.
      models.set(model, { timeline, shapes: this.#models.get(model)?.shapes ?? new Map() });
    }
    this.#models = models;
    this.#holdsBack = [...this.#monitors.values()].some((one) => one !== null && holdsBack(one.monitor));
    this.#choices = new Map();
  }

  #unusable(path: string, error: unknown): void {
    this.#problems.set(path, {
      code: 'unusable-object',
      path,
      message: 'cannot be used and is left out',
      got: error instanceof Error ? error.message.slice(0, 200) : String(error),
      fix: 'publish it again; profiling goes on without it',
    });
  }
}

function grouped<T>(objects: ReadonlyMap<string, T | null>): Map<string, T[]> {
  const byModel = new Map<string, T[]>();
  for (const [key, value] of objects) {
    if (value === null) continue;
    const model = modelOf(key);
    const list = byModel.get(model);
    if (list === undefined) byModel.set(model, [value]);
    else list.push(value);
  }
  return byModel;
}

function modelOf(key: string): string {
  return unsegment(key.split('/')[1] ?? '');
}

function parsed(body: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
}

function readMonitor(_key: string, body: Uint8Array): PublishedMonitor {
  const value = parsed(body) as PublishedMonitor;
  const effective = Date.parse(value.effectiveFrom);
  if (!Number.isInteger(value.n) || Number.isNaN(effective)) throw new Error('not a published monitor');
  return { ...value, removed: value.removed === true, monitor: monitorSchema.parse(value.monitor) };
}

/** The fitted nulls say nothing of how events are folded. */
function withoutNulls(published: PublishedBaseline): PublishedBaseline {
  const columns = published.baseline.columns.map((column) => ({ ...column, calibration: null }));
  return { ...published, baseline: { ...published.baseline, columns } };
}

function readBaseline(_key: string, body: Uint8Array): PublishedBaseline {
  const value = parsed(body) as PublishedBaseline;
  const isTime = value.effectiveFrom === null || !Number.isNaN(Date.parse(value.effectiveFrom));
  if (!Number.isInteger(value.n) || typeof value.version !== 'string' || !isTime)
    throw new Error('not a published baseline');
  if (value.baseline?.schema !== 'mlmon.baseline/v1' || !Array.isArray(value.baseline.columns))
    throw new Error('its baseline is of no known schema');
  return value;
}
