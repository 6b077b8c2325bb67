/** What the roles of one process share: the ports, what is published, how often each looks. */
import { DuckDbCaptureWriter } from '../adapters/duckdb/capture-writer.ts';
import { type DuckDb, openDuckDb } from '../adapters/duckdb/load.ts';
import { FetchedObjects, filesInPlace, type ObjectFiles } from '../adapters/duckdb/object-files.ts';
import { runbookAnchor } from '../alerts/catalogue.ts';
import { dashboardPath } from '../contracts/dashboards.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import type { Role, RunConfig } from '../contracts/roles.ts';
import { type OpenedEraser, openEraser } from '../local/open-eraser.ts';
import { wallClock } from '../local/replay-clock.ts';
import { changeContext } from '../pipeline/change-context.ts';
import { EpisodeKeeper, type EpisodeLinks } from '../pipeline/episodes.ts';
import type { PolicyKey } from '../pipeline/field-policy.ts';
import type { Clock, EventLog, MetricSink, ObjectStore, PartitionOwner } from '../pipeline/ports.ts';
import { Registry } from '../pipeline/registry.ts';
import type { OpenedStore } from './open-store.ts';
import type { OpenedLog } from './opened-log.ts';

/** Waits between steps that found nothing to do, milliseconds. Every look at a store that is not a folder costs calls. */
export interface Pace {
  readonly commit: number;
  readonly evaluate: number;
  readonly archive: number;
  readonly label: number;
  readonly learn: number;
  readonly notify: number;
  readonly export: number;
  readonly refresh: number;
}
const NEAR: Pace = {
  commit: 250,
  evaluate: 500,
  archive: 500,
  label: 1_000,
  learn: 5_000,
  notify: 500,
  export: 2_000,
  refresh: 1_000,
};
const FAR: Pace = {
  commit: 1_000,
  evaluate: 2_000,
  archive: 2_000,
  label: 5_000,
  learn: 30_000,
  notify: 2_000,
  export: 5_000,
  refresh: 5_000,
};

/** Of one database; what does not fit spills. */
const DATABASE_MEMORY = '512MB';

export interface SharedOptions {
  readonly config: RunConfig;
  readonly roles: readonly Role[];
  readonly opened: { readonly store: OpenedStore | null; readonly log: OpenedLog | null };
  readonly policyKey: PolicyKey | null;
  /** What this process exports. */
  readonly sink: MetricSink;
  /** For the log of whoever runs it. */
  readonly say: (text: string) => void;
}

export class Shared {
  readonly config: RunConfig;
  readonly roles: readonly Role[];
  readonly clock: Clock = wallClock;
  readonly pace: Pace;
  readonly registry: Registry;
  readonly policyKey: PolicyKey | null;
  readonly sink: MetricSink;
  readonly say: (text: string) => void;
  readonly #opened: SharedOptions['opened'];
  readonly #closing: (() => Promise<unknown>)[] = [];
  #objects: Promise<ObjectFiles> | null = null;
  #db: Promise<DuckDb> | null = null;
  #eraser: OpenedEraser | null = null;

  constructor({ config, roles, opened, policyKey, sink, say }: SharedOptions) {
    this.config = config;
    this.roles = roles;
    this.#opened = opened;
    this.policyKey = policyKey;
    this.sink = sink;
    this.say = say;
    this.pace = opened.store !== null && opened.store.path === null ? FAR : NEAR;
    // To judge, to learn and to show, baselines are needed whole.
    const whole = roles.some((role) => role === 'evaluator' || role === 'page');
    this.registry = new Registry({
      store: opened.store?.store ?? NO_STORE,
      clock: this.clock,
      baselines: whole ? 'whole' : 'bins',
    });
  }

  get store(): ObjectStore {
    return this.#opened.store?.store ?? NO_STORE;
  }

  get log(): EventLog {
    if (this.#opened.log === null) throw new Error('the configuration was checked to have a log');
    return this.#opened.log.log;
  }

  /** Which partitions this process works on, of those who do the same; absent: all. */
  owner(kind: 'profiler' | 'archiver'): Promise<PartitionOwner | undefined> {
    return this.#opened.log?.owner(kind) ?? Promise.resolve(undefined);
  }

  /** Work on the log that is done again and again, besides that of roles. */
  get logUpkeep() {
    return this.#opened.log?.upkeep ?? [];
  }

  /** Captured objects as files. */
  objects(): Promise<ObjectFiles> {
    this.#objects ??= (async () => {
      const path = this.#opened.store?.path ?? null;
      if (path !== null) return filesInPlace(path);
      const { folder, diskBytes } = this.config.scratch;
      const files = await FetchedObjects.open({
        store: this.store,
        limitBytes: diskBytes,
        temporary: folder,
        changed: async () => (await this.store.get(keys.rewritten()))?.etag ?? null,
      });
      this.#closing.push(() => files.close());
      return files;
    })();
    return this.#objects;
  }

  /** For queries; one at a time. */
  database(): Promise<DuckDb> {
    this.#db ??= this.#openDatabase(2);
    return this.#db;
  }

  async captureWriter(): Promise<DuckDbCaptureWriter> {
    return new DuckDbCaptureWriter(await this.#openDatabase(1));
  }

  /** Erases predictions. */
  eraser(): OpenedEraser {
    if (this.#eraser === null) {
      const { store, clock, config } = this;
      const versions = this.#opened.store?.versions ?? null;
      const eraser = openEraser({ store, versions, clock, temporary: config.scratch.folder });
      this.#closing.push(() => eraser.close());
      this.#eraser = eraser;
    }
    return this.#eraser;
  }

  async #openDatabase(threads: number): Promise<DuckDb> {
    const temporary = this.config.scratch.folder;
    const db = await openDuckDb({ threads, memoryLimit: DATABASE_MEMORY, temporary });
    this.#closing.push(() => db.close());
    return db;
  }

  /** The monitor that holds now. */
  monitor(model: string): Monitor | null {
    return this.registry.monitorAt(model, this.clock.now())?.monitor ?? null;
  }

  get links(): EpisodeLinks {
    const { page, runbook, dashboards } = this.config.links;
    const pageBase = page?.replace(/\/+$/, '');
    const grafana = dashboards?.replace(/\/+$/, '');
    const runbookBase = runbook ?? (pageBase === undefined ? undefined : `${pageBase}/runbook`);
    return {
      runbook: ({ model, signal }) =>
        this.monitor(model)?.alerts.runbook ??
        (runbookBase === undefined ? '' : `${runbookBase}${runbookAnchor(signal)}`),
      page: ({ model }) => {
        const name = encodeURIComponent(model);
        if (pageBase !== undefined) return `${pageBase}/#/models/${name}`;
        return grafana === undefined ? '' : `${grafana}${dashboardPath('model', { variables: { model: name } })}`;
      },
    };
  }

  episodes(): EpisodeKeeper {
    const { store, clock, registry, links } = this;
    return new EpisodeKeeper({
      store,
      clock,
      monitor: (model) => this.monitor(model),
      links,
      context: (model, from, to) => changeContext(registry, model, Date.parse(from), Date.parse(to)),
    });
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
    await this.#opened.log?.close();
    this.#opened.store?.close();
  }
}

/** A role that needs a store was refused before it came here. */
const NO_STORE: ObjectStore = new Proxy({} as ObjectStore, {
  get: () => () => Promise.reject(new Error('the configuration names no store')),
});
