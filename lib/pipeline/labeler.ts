/**
 * Joins ground truth with captured predictions and writes performance results. Each window is computed at its checkpoints
 * (lib/engine/checkpoints.ts), from the records that arrived before them, in one query for all models that are due.
 *
 * Safe to kill, to repeat and to run twice: results are put if absent and only when they say something new, and how far all
 * is done is one number that moves forward in one conditional write, after the results.
 */
import type { PublishedMonitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import type { PerformanceResult } from '../contracts/result.ts';
import { beyondAt, checkpointsOf, lastCheckpointAfter } from '../engine/checkpoints.ts';
import type { PerformanceCounts } from '../engine/performance-counts.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { classificationCountsOf, regressionCountsOf } from '../engine/performance-rows.ts';
import { ArchivedCapture, type CaptureReach } from './capture-reach.ts';
import { inTurn } from './in-turn.ts';
import { changeJson, readJson } from './json-object.ts';
import {
  arrivalRange,
  DUPLICATE_REACH,
  type LabelWindow,
  labelQuery,
  type OrphanSpan,
  type SeenWindow,
  touchedQuery,
} from './label-query.ts';
import { type DueWindow, PerformanceWriter, type ResultShapes } from './performance-writer.ts';
import type { Clock, EventLog, ObjectStore, Query } from './ports.ts';

/** A record is on the log within this time after it arrived, milliseconds: collectors wait less than that before they append. */
export const APPEND_DELAY = 60_000;
const DAY = 86_400_000;
/** What it returns is held in memory. */
const A_QUERY = { windows: 500, characters: Number.POSITIVE_INFINITY } as const;
const MODELS_AT_ONCE = 16;
/** Days of orphans counted at once, when there is much to make up for. */
const ORPHAN_DAYS = 31;

/** `labels/<log>.json` */
export interface LabelerState {
  readonly schema: 'mlmon.labels/v1';
  /** Everything that had to be computed from records that arrived before this is computed, milliseconds since 1970. */
  readonly through: number;
  /** A step that began and is not over goes on to here: its queries are the same again, and are taken up where they run on. */
  readonly pending?: number;
  /** Where it began: the oldest capture there was. */
  readonly since: number;
  /** Labels whose prediction never came, by model, counted for arrivals before `orphansThrough`. */
  readonly orphans: Readonly<Record<string, number>>;
  readonly orphansThrough: Readonly<Record<string, number>>;
}

/** What the labeler asks about models: the registry answers it. */
export interface LabelerModels extends ResultShapes {
  refresh(): Promise<void>;
  models(): readonly string[];
  monitorAt(model: string, t: number): PublishedMonitor | null;
  timeline(model: string): { nextChange(t: number): number } | null;
}

export type LabelerOptions = LabelerParts &
  (
    | { readonly log: EventLog; readonly capture?: undefined }
    | {
        readonly log: Pick<EventLog, 'identity'>;
        /** @default what the archiver writes of the log */
        readonly capture: CaptureReach;
      }
  );

interface LabelerParts {
  /** A query that outlives this process is taken up by the next: how far a step goes is written down before it. @default false */
  readonly resumes?: boolean;
  /** Bounds of one query: windows, since what it returns is held in memory, and characters of its text. @default 500, without end */
  readonly aQuery?: { readonly windows: number; readonly characters: number };
  readonly store: ObjectStore;
  readonly query: Query;
  readonly clock: Clock;
  readonly models: LabelerModels;
  /** Told of every result after it is stored, and again when a step that did not come to its end is repeated. */
  readonly onResult?: (result: PerformanceResult) => Promise<void> | void;
  /** Told of all of them together before the step is done with. */
  readonly onStep?: (results: readonly PerformanceResult[]) => Promise<void> | void;
}

export interface LabelerStep {
  /** Windows computed, results written, queries run. */
  readonly windows: number;
  readonly written: number;
  readonly queries: number;
  /** Everything due up to here is done; `null` before anything was captured. */
  readonly through: number | null;
  readonly orphans: Readonly<Record<string, number>>;
}

export class Labeler {
  private readonly options: LabelerOptions;
  private readonly capture: CaptureReach;
  private readonly writer: PerformanceWriter;

  constructor(options: LabelerOptions) {
    this.options = options;
    this.capture = options.capture ?? new ArchivedCapture(options);
    this.writer = new PerformanceWriter(options);
  }

  /** Computes everything that is due now. Call it again and again. */
  async step(): Promise<LabelerStep> {
    const { log, store, models } = this.options;
    await models.refresh();
    const key = keys.labeled(await log.identity());
    const before = (await readJson<LabelerState>(store, key))?.value ?? (await this.firstState());
    const through = before?.pending ?? (await this.capture.through()) - APPEND_DELAY;
    if (before === null || !(through > before.through))
      return { windows: 0, written: 0, queries: 0, through: before?.through ?? null, orphans: before?.orphans ?? {} };
    const all = this.dueWindows(before.through, through);
    const orphans = this.dueOrphans(before, through);
    if (this.options.resumes === true && before.pending === undefined && all.length + orphans.length > 0) {
      const begun = await changeJson<LabelerState>(store, key, (present) =>
        present === null || (present.through === before.through && present.pending === undefined)
          ? { ...(present ?? before), pending: through }
          : null,
      );
      // Another labeler was quicker: the next step does what it says.
      if (begun?.pending !== through || begun.through !== before.through)
        return { windows: 0, written: 0, queries: 0, through: before.through, orphans: before.orphans };
    }
    const untouched = await this.untouched(all, through);
    const due = all.filter((window) => !untouched.windows.has(window));
    let written = 0;
    let { queries } = untouched;
    const found: Record<string, number> = {};
    for (const part of this.parts(due, orphans, labelQuery)) {
      const answer = await this.compute(part.windows, part.orphans, through);
      written += answer.written;
      queries += 1;
      for (const [model, count] of Object.entries(answer.orphans)) found[model] = (found[model] ?? 0) + count;
    }
    if (this.writer.news.length > 0) await this.options.onStep?.(this.writer.news);
    const state = await changeJson<LabelerState>(store, key, (present) =>
      advance(present ?? before, before, through, orphans, found),
    );
    this.writer.done();
    return { windows: due.length, written, queries, through, orphans: state?.orphans ?? {} };
  }

  /** Begins at the oldest capture: nothing can be due before it. `null` when there is none. */
  private async firstState(): Promise<LabelerState | null> {
    const oldest = await this.capture.oldestHour();
    return oldest === null
      ? null
      : { schema: 'mlmon.labels/v1', through: oldest, since: oldest, orphans: {}, orphansThrough: {} };
  }

  /** Windows with a checkpoint in (from, to], each at its latest one, in order of it. */
  private dueWindows(from: number, to: number): DueWindow[] {
    const { models } = this.options;
    const due: DueWindow[] = [];
    for (const model of models.models()) {
      for (let at = from - this.longestAfter(model, from, to); at < to; ) {
        const monitor = models.monitorAt(model, at);
        const shape = monitor === null ? null : (models.shapeFor(model, '', at)?.shape ?? null);
        if (monitor === null || shape === null) {
          at = models.timeline(model)?.nextChange(at) ?? Number.POSITIVE_INFINITY;
          continue;
        }
        const span = shape.windows.windowAt(at);
        const checkpoints = checkpointsOf(span, monitor.monitor);
        const last = checkpoints.findLastIndex(({ cut }) => cut <= to);
        const checkpoint = checkpoints[last];
        const previous = checkpoints[last - 1];
        if (checkpoint !== undefined && checkpoint.cut > from)
          due.push({
            model,
            start: span.start,
            end: span.end,
            cut: checkpoint.cut,
            beyond: beyondAt(span, monitor.monitor),
            task: monitor.monitor.task,
            fixedPoint: regressionFixedPoint(shape.baseline),
            mature: checkpoint.mature,
            since: previous?.mature === true && previous.cut <= from ? previous.cut : null,
            length: shape.windows.scales[0]?.name ?? monitor.monitor.window.every,
            monitor,
          });
        at = span.end;
      }
    }
    return due.filter(({ task }) => task !== 'none').sort((a, b) => a.cut - b.cut);
  }

  /** How far back a window may begin that still has a checkpoint after `from`. */
  private longestAfter(model: string, from: number, to: number): number {
    const { models } = this.options;
    let longest = 0;
    // Every monitor that was in force over the time looked at; changes are few.
    for (let at = from; at <= to; ) {
      const monitor = models.monitorAt(model, at);
      if (monitor !== null) {
        const span = models.shapeFor(model, '', at)?.shape.windows.windowAt(at);
        longest = Math.max(
          longest,
          lastCheckpointAfter(monitor.monitor) + (span === undefined ? 0 : span.end - span.start),
        );
      }
      at = models.timeline(model)?.nextChange(at) ?? Number.POSITIVE_INFINITY;
    }
    const earlier = models.monitorAt(model, from - longest);
    return earlier === null ? longest : Math.max(longest, lastCheckpointAfter(earlier.monitor));
  }

  /**
   * Days of label arrivals for which no prediction can come any more, one span a day, so that a count does not depend on how
   * often this runs. Predictions are looked for as far back as their window would have been revised.
   */
  private dueOrphans(state: LabelerState, through: number): OrphanSpan[] {
    const { models } = this.options;
    const spans: OrphanSpan[] = [];
    for (const model of models.models()) {
      const first = state.orphansThrough[model] ?? Math.floor((state.since - APPEND_DELAY) / DAY) * DAY;
      for (let from = first; from + DAY + DUPLICATE_REACH <= through && from < first + ORPHAN_DAYS * DAY; from += DAY) {
        const monitor = models.monitorAt(model, from)?.monitor;
        const window = models.shapeFor(model, '', from)?.shape.windows.windowAt(from);
        const back =
          monitor === undefined || window === undefined ? 0 : lastCheckpointAfter(monitor) + window.end - window.start;
        spans.push({ model, from, to: from + DAY, since: from - back, until: from + DAY + DUPLICATE_REACH });
      }
    }
    return spans;
  }

  /** Of the mature windows those for which nothing has arrived since they were computed: most of them, most of the time. */
  private async untouched(
    windows: readonly DueWindow[],
    through: number,
  ): Promise<{ readonly windows: ReadonlySet<DueWindow>; readonly queries: number }> {
    const seen = windows.flatMap((window): (SeenWindow & { of: DueWindow })[] =>
      window.since === null ? [] : [{ ...window, since: window.since, of: window }],
    );
    const untouched = new Set(seen.map(({ of }) => of));
    let queries = 0;
    for (const { windows: part } of this.parts(seen, [], touchedQuery)) {
      queries += 1;
      for (const row of await this.ask(touchedQuery(part), arrivalRange(part, []), through)) {
        const touched = part[Number(row['w'])];
        if (touched !== undefined) untouched.delete(touched.of);
      }
    }
    return { windows: untouched, queries };
  }

  /** What one query takes each: so many windows and spans as its bounds allow, in order. */
  private parts<W>(
    windows: readonly W[],
    orphans: readonly OrphanSpan[],
    sql: (windows: readonly W[], orphans: readonly OrphanSpan[]) => string,
  ): { readonly windows: readonly W[]; readonly orphans: readonly OrphanSpan[] }[] {
    const bounds = this.options.aQuery ?? A_QUERY;
    const halved = (
      some: readonly W[],
      spans: readonly OrphanSpan[],
    ): { readonly windows: readonly W[]; readonly orphans: readonly OrphanSpan[] }[] => {
      if (some.length + spans.length === 0) return [];
      const isSmall = some.length + spans.length === 1;
      if (isSmall || (some.length <= bounds.windows && sql(some, spans).length <= bounds.characters))
        return [{ windows: some, orphans: spans }];
      const [w, o] = [Math.ceil(some.length / 2), Math.ceil(spans.length / 2)];
      return [...halved(some.slice(0, w), spans.slice(0, o)), ...halved(some.slice(w), spans.slice(o))];
    };
    return halved(windows, orphans);
  }

  private async ask(
    sql: string,
    range: { readonly from: number; readonly to: number },
    through: number,
  ): Promise<Row[]> {
    const objects = await this.capture.between(range.from, range.to + APPEND_DELAY, through);
    try {
      return await this.options.query.run(sql, objects);
    } catch (error) {
      this.capture.forget();
      throw error;
    }
  }

  private async compute(
    windows: readonly DueWindow[],
    orphans: readonly OrphanSpan[],
    through: number,
  ): Promise<{ readonly written: number; readonly orphans: Record<string, number> }> {
    const rows = await this.ask(labelQuery(windows, orphans), arrivalRange(windows, orphans), through);
    const byWindow = new Map<string, { window: DueWindow; version: string; rows: Row[] }>();
    const found: Record<string, number> = {};
    for (const row of rows) {
      const index = Number(row['w']);
      if (row['kind'] === 'orphans') {
        const span = orphans[index];
        if (span !== undefined) found[span.model] = (found[span.model] ?? 0) + Number(row['labels']);
        continue;
      }
      const window = windows[index];
      const version = String(row['version']);
      if (window === undefined) continue;
      const name = `${index} ${version}`;
      const entry = byWindow.get(name) ?? { window, version, rows: [] };
      entry.rows.push(row);
      byWindow.set(name, entry);
    }
    // Models side by side, the windows of one in order: whoever listens folds them.
    const byModel = new Map<string, { window: DueWindow; version: string; rows: Row[] }[]>();
    for (const entry of byWindow.values())
      byModel.set(entry.window.model, [...(byModel.get(entry.window.model) ?? []), entry]);
    let written = 0;
    await inTurn([...byModel.values()], MODELS_AT_ONCE, async (entries) => {
      for (const { window, version, rows: of } of entries)
        if (await this.writer.write(window, version, countsOf(window, of))) written += 1;
    });
    return { written, orphans: found };
  }
}

type Row = Readonly<Record<string, string | number | bigint | null>>;

function countsOf(window: LabelWindow, rows: readonly Row[]): PerformanceCounts {
  const sum = (column: string): number => rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
  const coverage = { predictions: sum('predictions'), labels: sum('labels'), conflicts: sum('conflicts') };
  return window.task === 'regression'
    ? regressionCountsOf(
        rows.filter(({ kind }) => kind === 'regression'),
        window.fixedPoint,
        coverage,
      )
    : classificationCountsOf(
        rows.filter(({ kind }) => kind === 'classification'),
        coverage,
      );
}

/** `null` when another labeler is as far already: then its counts of orphans are the ones that count. */
function advance(
  present: LabelerState,
  before: LabelerState,
  through: number,
  orphans: readonly OrphanSpan[],
  found: Readonly<Record<string, number>>,
): LabelerState | null {
  const counts: Record<string, number> = { ...present.orphans };
  const until: Record<string, number> = { ...present.orphansThrough };
  const { pending, ...settled } = present;
  let changed = through > present.through;
  for (const { model, to } of orphans) {
    // Somebody else may have counted these days meanwhile.
    if (present.orphansThrough[model] !== before.orphansThrough[model]) continue;
    if (until[model] === present.orphansThrough[model]) counts[model] = (counts[model] ?? 0) + (found[model] ?? 0);
    until[model] = to;
    changed = true;
  }
  return changed
    ? {
        ...settled,
        ...(pending !== undefined && pending > through ? { pending } : {}),
        through: Math.max(present.through, through),
        orphans: counts,
        orphansThrough: until,
      }
    : null;
}
