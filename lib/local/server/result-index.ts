/**
 * Finds results in the object store and keeps what was read of them: result objects never change, so only lists are asked for again,
 * and of those only the end, since old windows get no new revisions.
 */
import { keys, unsegment, unstamp } from '../../contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../../contracts/result.ts';
import { listAll, listFolders } from '../../pipeline/listing.ts';
import type { ObjectStore } from '../../pipeline/ports.ts';
import { type PerformanceSeen, performanceSeen, type WindowSeen, windowSeen } from './result-views.ts';

/** One window of one version, with its latest revisions. */
export interface WindowKeys {
  readonly version: string;
  /** Milliseconds. */
  readonly start: number;
  readonly length: string;
  window: { readonly revision: number; readonly key: string } | null;
  performance: { readonly revision: number; readonly key: string } | null;
}

interface VersionIndex {
  /** By start and length. */
  readonly windows: Map<string, WindowKeys>;
  /** Ascending by start; made anew after changes. */
  sorted: WindowKeys[] | null;
  newestStart: number;
  readAt: number;
  readWholeAt: number;
  reading: Promise<void> | null;
}

export interface ResultIndexOptions {
  readonly store: ObjectStore;
  /** How long a list is believed, milliseconds of real time. @default 1000 */
  readonly listMs?: number;
  /** How far back new revisions may come, milliseconds. @default 40 days */
  readonly reviseMs?: number;
  /** Bytes of result objects whose views are kept. @default 48 MiB */
  readonly keptBytes?: number;
}

const WHOLE_MS = 60_000;
const CONCURRENCY = 16;
const FILE = /^(performance-)?r(\d+)\.json$/;

export class ResultIndex {
  readonly #store: ObjectStore;
  readonly #listMs: number;
  readonly #reviseMs: number;
  readonly #keptBytes: number;
  readonly #versions = new Map<string, { at: number; names: Promise<string[]> }>();
  readonly #indexes = new Map<string, VersionIndex>();
  /** Least recently used first. */
  readonly #seen = new Map<string, { readonly bytes: number; readonly value: WindowSeen | PerformanceSeen }>();
  #bytes = 0;

  constructor({ store, listMs = 1_000, reviseMs = 40 * 86_400_000, keptBytes = 50_331_648 }: ResultIndexOptions) {
    this.#store = store;
    this.#listMs = listMs;
    this.#reviseMs = reviseMs;
    this.#keptBytes = keptBytes;
  }

  /** Versions that have results, ascending. */
  async versions(model: string): Promise<string[]> {
    const known = this.#versions.get(model);
    if (known !== undefined && performance.now() - known.at < this.#listMs) return known.names;
    const names = listFolders(this.#store, keys.results(model)).then((folders) => folders.map(unsegment));
    this.#versions.set(model, { at: performance.now(), names });
    names.catch(() => this.#versions.delete(model));
    return names;
  }

  /** All windows of one version, ascending by start, then by length. */
  async windows(model: string, version: string): Promise<readonly WindowKeys[]> {
    const name = `${model}/${version}`;
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = {
        windows: new Map(),
        sorted: null,
        newestStart: Number.NEGATIVE_INFINITY,
        readAt: Number.NEGATIVE_INFINITY,
        readWholeAt: Number.NEGATIVE_INFINITY,
        reading: null,
      };
      this.#indexes.set(name, index);
    }
    const current = index;
    if (performance.now() - current.readAt >= this.#listMs) {
      current.reading ??= this.#list(model, version, current).finally(() => {
        current.reading = null;
      });
      await current.reading;
    }
    current.sorted ??= [...current.windows.values()].sort(
      (a, b) => a.start - b.start || (a.length < b.length ? -1 : 1),
    );
    return current.sorted;
  }

  async window(key: string): Promise<WindowSeen | null> {
    return (await this.#read(key)) as WindowSeen | null;
  }

  async performance(key: string): Promise<PerformanceSeen | null> {
    return (await this.#read(key)) as PerformanceSeen | null;
  }

  /** Several at once, in their order; what is gone is left out. */
  async all<T extends WindowSeen | PerformanceSeen>(wanted: readonly string[]): Promise<T[]> {
    const found: (T | null)[] = new Array<T | null>(wanted.length).fill(null);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < wanted.length; i = next++) found[i] = (await this.#read(wanted[i]!)) as T | null;
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, wanted.length) }, work));
    return found.filter((one) => one !== null);
  }

  /** The whole result, not kept. */
  async whole(key: string): Promise<WindowResult | null> {
    const stored = await this.#store.get(key);
    return stored === null ? null : (JSON.parse(new TextDecoder().decode(stored.body)) as WindowResult);
  }

  async #list(model: string, version: string, index: VersionIndex): Promise<void> {
    const begun = performance.now();
    const whole = begun - index.readWholeAt >= WHOLE_MS;
    const from = whole ? null : index.newestStart - this.#reviseMs;
    const prefix = keys.results(model, version);
    const after =
      from === null || !Number.isFinite(from) || from <= 0
        ? undefined
        : keys.results(model, version, from).slice(0, -1);
    for await (const key of listAll(this.#store, prefix, after)) {
      const [stamped = '', length = '', file = ''] = key.slice(prefix.length).split('/');
      const match = FILE.exec(file);
      if (match === null) continue;
      const name = `${stamped}/${length}`;
      let entry = index.windows.get(name);
      if (entry === undefined) {
        const start = unstamp(stamped);
        if (Number.isNaN(start)) continue;
        entry = { version, start, length, window: null, performance: null };
        index.windows.set(name, entry);
        index.sorted = null;
        index.newestStart = Math.max(index.newestStart, start);
      }
      const kind = match[1] === undefined ? 'window' : 'performance';
      const revision = Number(match[2]);
      if (entry[kind] === null || entry[kind].revision < revision) entry[kind] = { revision, key };
    }
    index.readAt = begun;
    if (whole) index.readWholeAt = begun;
  }

  async #read(key: string): Promise<WindowSeen | PerformanceSeen | null> {
    const known = this.#seen.get(key);
    if (known !== undefined) {
      this.#seen.delete(key);
      this.#seen.set(key, known);
      return known.value;
    }
    const stored = await this.#store.get(key);
    if (stored === null) return null;
    const result = JSON.parse(new TextDecoder().decode(stored.body)) as WindowResult | PerformanceResult;
    const value = result.schema === 'mlmon.performance/v1' ? performanceSeen(result) : windowSeen(result);
    if (!this.#seen.has(key)) {
      this.#seen.set(key, { bytes: stored.body.byteLength, value });
      this.#bytes += stored.body.byteLength;
    }
    for (const [oldest, { bytes }] of this.#seen) {
      if (this.#bytes <= this.#keptBytes) break;
      this.#seen.delete(oldest);
      this.#bytes -= bytes;
    }
    return value;
  }
}
