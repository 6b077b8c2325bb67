/**
 * Whether the capture holds what was profiled. Both are counted by event time, so that neither the hour in which a record was delivered
 * nor the partition it came through matters: once a day, for every model, the newest window that can get no record any more. Its
 * results say how many rows were profiled; one query for all models counts the captured ones, and reads four short columns for it.
 *
 * Captured rows may be more (a delivery made twice, lines that the profiler refused), which is no loss and is not netted against one. What was
 * erased since the window began is no loss either.
 */
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { PublishedMonitor } from '../contracts/monitor.ts';
import { keys, unsegment } from '../contracts/object-keys.ts';
import type { WindowResult } from '../contracts/result.ts';
import { beyondAt } from '../engine/checkpoints.ts';
import type { CaptureReach } from './capture-reach.ts';
import { type CountedWindow, countQuery } from './count-query.ts';
import { erasedSince } from './erased-events.ts';
import { changeJson, readJson } from './json-object.ts';
import type { LabelerModels } from './labeler.ts';
import { listFolders } from './listing.ts';
import type { Clock, EventLog, ObjectStore, Query } from './ports.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const CONCURRENCY = 16;
/** Versions of one model that are looked at. */
const VERSIONS = 50;

/** `labels/<log>.completeness.json` */
export interface CompletenessState {
  readonly schema: 'mlmon.completeness/v1';
  /** When it was counted, milliseconds since 1970. */
  readonly at: number;
  /** Windows that were compared, and rows in them. */
  readonly windows: number;
  readonly profiled: number;
  readonly captured: number;
  /** Rows that were profiled and are not in the capture, over all windows. */
  readonly missing: number;
  /** The window that misses most; `null` when none does. */
  readonly worst: { readonly model: string; readonly start: string; readonly missing: number } | null;
}

export interface CompletenessOptions {
  readonly log: Pick<EventLog, 'identity'>;
  readonly store: ObjectStore;
  readonly query: Query;
  readonly capture: CaptureReach;
  readonly clock: Clock;
  readonly models: LabelerModels;
  /** @default one day */
  readonly everyMs?: number;
}

interface SettledWindow extends CountedWindow {
  readonly length: string;
}

export class Completeness {
  private readonly options: CompletenessOptions;

  constructor(options: CompletenessOptions) {
    this.options = options;
  }

  /** Counts when it is time to; returns what was counted last, `null` before the first time. */
  async step(): Promise<CompletenessState | null> {
    const { log, store, clock, capture, query, models, everyMs = DAY } = this.options;
    const key = keys.completeness(await log.identity());
    const known = (await readJson<CompletenessState>(store, key))?.value ?? null;
    const now = clock.now();
    if (known !== null && now < known.at + everyMs) return known;
    const oldest = await capture.oldestHour();
    const through = await capture.through();
    if (oldest === null) return known;
    await models.refresh();
    // To the hour, so that a query which outlives this process is the same when it is taken up.
    const settled = this.settledWindows(Math.floor(through / HOUR) * HOUR, oldest);
    const profiled = await inParallel(settled, (window) => this.profiled(window));
    const counted = settled.flatMap((window, i) =>
      (profiled[i] ?? 0) > 0 ? [{ ...window, rows: profiled[i] ?? 0 }] : [],
    );
    const captured = new Map<number, number>();
    if (counted.length > 0) {
      const from = Math.min(...counted.map(({ start }) => start)) - EVENT_LIMITS.futureMs;
      const to = Math.max(...counted.map(({ until }) => until));
      const objects = await capture.between(from, to, through);
      for (const row of await query.run(countQuery(counted, { from, to }), objects))
        captured.set(Number(row['w']), Number(row['n']));
    }
    const erased = await erasedSince(store, Math.min(now, ...counted.map(({ start }) => start)));
    const missing = counted.map(({ model, rows }, w) =>
      Math.max(0, rows - (captured.get(w) ?? 0) - (erased.get(model) ?? 0)),
    );
    const most = missing.reduce((best, one, w) => (one > (missing[best] ?? 0) ? w : best), 0);
    const worst = counted[most];
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const state: CompletenessState = {
      schema: 'mlmon.completeness/v1',
      at: now,
      windows: counted.length,
      profiled: sum(counted.map(({ rows }) => rows)),
      captured: sum([...captured.values()]),
      missing: sum(missing),
      worst:
        worst === undefined || missing[most] === 0
          ? null
          : { model: worst.model, start: new Date(worst.start).toISOString(), missing: missing[most] ?? 0 },
    };
    return changeJson<CompletenessState>(store, key, (present) =>
      present !== null && present.at >= now ? null : state,
    );
  }

  /** Of each model the newest window for which no record can come any more, captured from its beginning. */
  private settledWindows(through: number, oldest: number): SettledWindow[] {
    const { models } = this.options;
    return models.models().flatMap((model): SettledWindow[] => {
      const newest = this.windowAt(model, through);
      if (newest === null) return [];
      // What may still come for the newest may come for others before it.
      const back = through - (beyondAt(newest.span, newest.monitor.monitor) - newest.span.end);
      for (let at = back, tries = 0; tries < 3; tries++) {
        const found = this.windowAt(model, at);
        if (found === null) return [];
        const { start, end } = found.span;
        const until = beyondAt(found.span, found.monitor.monitor);
        if (until > through) {
          at = start - 1;
          continue;
        }
        return start < oldest + HOUR ? [] : [{ model, start, end, until, length: found.length }];
      }
      return [];
    });
  }

  private windowAt(
    model: string,
    at: number,
  ): {
    readonly span: { readonly start: number; readonly end: number };
    readonly length: string;
    readonly monitor: PublishedMonitor;
  } | null {
    const { models } = this.options;
    const monitor = models.monitorAt(model, at);
    const windows = models.shapeFor(model, '', at)?.shape.windows;
    if (monitor === null || windows === undefined) return null;
    return { span: windows.windowAt(at), length: windows.scales[0]?.name ?? monitor.monitor.window.every, monitor };
  }

  /** Rows of all versions, as their newest results say. */
  private async profiled({ model, start, length }: SettledWindow): Promise<number> {
    const { store } = this.options;
    let rows = 0;
    for (const version of await listFolders(store, keys.results(model), VERSIONS)) {
      const prefix = keys.result(model, unsegment(version), start, length, 0).replace(/0\.json$/, '');
      const revisions = (await store.list(prefix)).flatMap((key) => {
        const match = /^(\d+)\.json$/.exec(key.slice(prefix.length));
        return match === null ? [] : [Number(match[1])];
      });
      if (revisions.length === 0) continue;
      const stored = await readJson<WindowResult>(store, `${prefix}${Math.max(...revisions)}.json`);
      const counts = stored?.value.provenance.rows;
      if (counts !== undefined) rows += counts.onTime + counts.revising + counts.otherBaseline;
    }
    return rows;
  }
}

async function inParallel<T, R>(of: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < of.length; at = next++) results[at] = await work(of[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, of.length) }, worker));
  return results;
}
