/**
 * What one tick judges of one model: first results of windows that are due, then revisions of windows that got more rows.
 *
 * A version gets a result for every window it has rows in. A window without rows in time of any version gets an empty one for the
 * version that had rows last, so that silence shows.
 */
import { createHash } from 'node:crypto';
import { keys, unsegment, unstamp } from '../contracts/object-keys.ts';
import type { WindowResult } from '../contracts/result.ts';
import { HOUR_MS } from './cursor.ts';
import { canJudge, completeAt, isNowComplete, nextToJudge, revisionsDue, revisionsOf } from './due.ts';
import type { EvaluationState, PendingWindow } from './evaluation-state.ts';
import { EVALUATOR_DEFAULTS, type EvaluatorOptions, type Tick } from './evaluator-options.ts';
import { addOpenGroups, addStoredGroups, type Group, groupName, hourOf, listProfiles } from './grain-sources.ts';
import { encodeJson } from './json-object.ts';
import { learningHeld } from './learning-state.ts';
import { listFolders } from './listing.ts';
import { isUnreadable } from './pack-reader.ts';
import { ConflictError, type ObjectStore } from './ports.ts';
import type { Timeline } from './timeline.ts';
import { judgeRequest, rowsKnown } from './window-judge.ts';
import { firstWindowStart, nextWindow, type ScheduledWindow, scaleNames } from './window-schedule.ts';

/** Stands for the version of a model that never had an event nor a baseline. */
export const NO_VERSION = 'unknown';

interface Subject {
  readonly model: string;
  readonly timeline: Timeline;
  readonly tick: Tick;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Known {
  readonly groups: readonly Group[];
  /** Why not all of it could be read. */
  readonly unreadable: Error | null;
}

const NOTHING_KNOWN: Known = { groups: [], unreadable: null };

interface SourceKey {
  readonly key: string;
  readonly grainStart: number;
}

export class ModelEvaluation {
  /** Results handed on. */
  readonly results: WindowResult[] = [];
  /** More windows are due than one tick judges. */
  more = false;
  state: EvaluationState;
  readonly #options: EvaluatorOptions;
  readonly #subject: Subject;

  private constructor(options: EvaluatorOptions, subject: Subject, state: EvaluationState) {
    this.#options = options;
    this.#subject = subject;
    this.state = state;
  }

  /** `null` while nothing is known of the log, or of a monitor. */
  static async begin(
    options: EvaluatorOptions,
    { state, ...subject }: Subject & { readonly state: EvaluationState | null },
  ): Promise<ModelEvaluation | null> {
    if (state !== null) return new ModelEvaluation(options, subject, state);
    const { model, timeline, tick } = subject;
    const { through: profiled, now } = tick;
    const seen = await firstEvent(options.store, model, tick);
    const start = firstWindowStart(timeline, { through: profiled, now, firstEvent: seen });
    if (start === null) return null;
    const through: Record<string, number> = {};
    for (const length of scaleNames(timeline)) {
      const first = nextWindow(timeline, length, start);
      // A longer window that began before the monitor did is not judged on its rest.
      if (first !== null) through[length] = first.start < start ? first.end : first.start;
    }
    const fresh = { schema: 'mlmon.evaluation/v1', model, epoch: 0, through, versions: {}, pending: [] } as const;
    return new ModelEvaluation(options, subject, { ...fresh, scanned: tick.now, evaluated: null });
  }

  /** Writes the first result of every window that is due. */
  async judgeDue(): Promise<void> {
    const { stalledAfterMs, windowsPerTick } = { ...EVALUATOR_DEFAULTS, ...definedOnly(this.#options) };
    const { timeline, tick } = this.#subject;
    let versions: readonly string[] | null = null;
    for (let count = 0; ; count++) {
      const due = nextToJudge(timeline, this.state.through, tick.now);
      if (due === null || !canJudge(due, tick, stalledAfterMs)) return;
      if (count >= windowsPerTick) {
        this.more = true;
        return;
      }
      versions ??= await this.#versions();
      let isEmpty = true;
      const written = new Set<string>();
      for (const version of versions) {
        const known = await this.#known(version, due);
        if (known.groups.length === 0 && known.unreadable === null) continue;
        await this.#write(version, due, known, null);
        written.add(version);
        const { rows } = this.results.at(-1)?.provenance ?? {};
        // Rows that were late do not tell whether it was silent in time: when they are seen depends on when it is judged.
        if (known.unreadable !== null || (rows !== undefined && rows.onTime + rows.otherBaseline > 0)) isEmpty = false;
      }
      const last = this.#lastVersion();
      if (isEmpty && !written.has(last)) await this.#write(last, due, NOTHING_KNOWN, null);
      this.state = { ...this.state, through: { ...this.state.through, [due.length]: due.end } };
    }
  }

  /**
   * Looks through the windows that may still be revised: at most once in a window's length of clock time, and once more when no
   * further record can belong to it.
   */
  async revise(): Promise<void> {
    const { tick, timeline } = this.#subject;
    if (!revisionsDue(timeline, revisionsOf(timeline, this.state), tick)) return;
    await this.#addLateVersions(await this.#versions());
    for (const [version, windows] of byVersion(this.state.pending)) {
      const sources = await this.#sourceKeys(version, spanOf(windows));
      for (const window of windows) await this.#reviseOne(window, sources);
    }
    this.state = { ...this.state, scanned: tick.now };
  }

  async #reviseOne(pending: PendingWindow, sources: readonly SourceKey[]): Promise<void> {
    const { model, timeline, tick } = this.#subject;
    const { version, length, start, end } = pending;
    const isLast = tick.through >= pending.until;
    const becameWhole = isNowComplete(timeline, pending, tick.through);
    // A stale window is judged again when it is complete, not before.
    if (!isLast && !becameWhole && (!pending.complete || tick.now < pending.at + (end - start))) return;
    const digest = digestOf(within(sources, start, end));
    const window = nextWindow(timeline, length, start);
    const resolved = window === null ? null : this.#options.registry.shapeFor(model, version, end - 1);
    let current = pending;
    if (window !== null && resolved !== null && (digest !== pending.sources || becameWhole)) {
      const known = await this.#known(version, window);
      const rows = await this.#rowsKnown(known, resolved.shape.digest);
      const grew = rows !== null && (rows > pending.rows || pending.failed);
      if (grew || becameWhole) {
        current = await this.#write(version, window, known, pending);
        // The revision that somebody else wrote first may lack rows that are known here: look again in the next tick.
        if (rows !== null && current.rows < rows) return;
      }
    }
    this.#replace(current, isLast ? null : { ...current, sources: digest });
  }

  /** A version whose first rows of a window were late gets its first result with the revisions. */
  async #addLateVersions(versions: readonly string[]): Promise<void> {
    const windows = new Map(this.state.pending.map((one) => [`${one.length}/${one.start}`, one]));
    const known = new Set(this.state.pending.map((one) => `${one.length}/${one.start}/${one.version}`));
    for (const version of versions) {
      const missing = [...windows.values()].filter(({ length, start }) => !known.has(`${length}/${start}/${version}`));
      if (missing.length === 0) continue;
      const sources = await this.#sourceKeys(version, spanOf(missing));
      for (const { start, end, length } of missing) {
        if (within(sources, start, end).length === 0) continue;
        const window = nextWindow(this.#subject.timeline, length, start);
        const late = window === null ? NOTHING_KNOWN : await this.#known(version, window);
        if (window !== null && late.groups.length > 0) await this.#write(version, window, late, null);
      }
    }
  }

  /** Judges and writes one revision, or reads back the one that somebody else wrote; hands it on; remembers it. */
  async #write(
    version: string,
    window: ScheduledWindow,
    known: Known,
    present: PendingWindow | null,
  ): Promise<PendingWindow> {
    const { reader, registry, store, judge, onResult } = this.#options;
    const { model, tick } = this.#subject;
    const revision = present === null ? 0 : present.revision + 1;
    const resolved = registry.shapeFor(model, version, window.end - 1);
    if (resolved === null) throw new Error(`${model}: no monitor for a window that has one; the registry is changing`);
    const complete = completeAt(window);
    const seen = tick.progress.filter(({ through }) => through >= complete).length;
    const partitions = { seen, all: tick.progress.length };
    const held = resolved.shape.learning ? await learningHeld(store, model, window.start) : null;
    const request = { model, version, window, resolved, revision, ...known, partitions, held, now: tick.now };
    const result = await putResult(store, await judgeRequest(request, reader, judge));
    await onResult?.(result);
    this.results.push(result);
    const next: PendingWindow = {
      version,
      length: window.length,
      start: window.start,
      end: window.end,
      revision,
      rows: result.rows,
      at: tick.now,
      until: complete + window.rule.reviseMs,
      complete: result.provenance.partitions.seen >= result.provenance.partitions.all,
      failed: result.status === 'failed',
      // Rows that were not on time are looked for with the next revision.
      sources: '',
    };
    const { versions } = this.state;
    if (revision === 0 && result.rows > 0 && (versions[version] ?? 0) < window.end)
      this.state = { ...this.state, versions: { ...versions, [version]: window.end } };
    this.state = { ...this.state, evaluated: tick.now };
    this.#replace(next, next);
    return next;
  }

  /** Puts `next` in the place of the pending window like `of`, or takes it out. */
  #replace(of: PendingWindow, next: PendingWindow | null): void {
    const rest = this.state.pending.filter(
      ({ version, length, start }) => version !== of.version || length !== of.length || start !== of.start,
    );
    this.state = { ...this.state, pending: next === null ? rest : [...rest, next] };
  }

  /** The version that had rows last; before any had, the one with a baseline. */
  #lastVersion(): string {
    const [latest] = Object.entries(this.state.versions).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return latest?.[0] ?? [...this.#subject.timeline.baselines.keys()].sort().at(-1) ?? NO_VERSION;
  }

  /** Every version that ever had rows, ascending. */
  async #versions(): Promise<readonly string[]> {
    const { model, tick } = this.#subject;
    const stored = await listFolders(this.#options.store, keys.profiles(model));
    const open = tick.openVersions.get(model)?.keys() ?? [];
    return [...new Set([...stored.map(unsegment), ...open])].sort();
  }

  /** Everything known of a version within a window. Stored profiles are listed after the cursors were read. */
  async #known(version: string, window: ScheduledWindow): Promise<Known> {
    const { store, reader } = this.#options;
    const { model, tick } = this.#subject;
    const groups = new Map<string, Group>();
    let unreadable: Error | null = null;
    try {
      await addOpenGroups(groups, tick.open, reader, { hours: this.#openHours(version, window), model, version });
      const profiles = await listProfiles(store, model, version, window);
      await addStoredGroups(groups, reader, { model, version, profiles });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable = error as Error;
    }
    const within = [...groups.values()]
      .filter(({ grainStart }) => grainStart >= window.start && grainStart < window.end)
      .sort((a, b) => (groupName(a) < groupName(b) ? -1 : 1));
    return { groups: within, unreadable };
  }

  /** Rows that the next revision would judge; `null` when that cannot be read. */
  async #rowsKnown({ groups, unreadable }: Known, digest: string): Promise<number | null> {
    if (unreadable !== null) return null;
    try {
      return await rowsKnown(groups, digest, this.#options.reader);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return null;
    }
  }

  async #sourceKeys(version: string, span: Span): Promise<SourceKey[]> {
    const { model, tick } = this.#subject;
    const found: SourceKey[] = await listProfiles(this.#options.store, model, version, span);
    for (const hour of this.#openHours(version, span))
      for (const key of tick.open.get(hour) ?? []) found.push({ key, grainStart: hour });
    return found;
  }

  #openHours(version: string, { start, end }: Span): number[] {
    const { model, tick } = this.#subject;
    const hours = [...(tick.openVersions.get(model)?.get(version) ?? [])];
    return hours.filter((hour) => hour + HOUR_MS > start && hour < end).sort((a, b) => a - b);
  }
}

async function firstEvent(store: ObjectStore, model: string, tick: Tick): Promise<number | null> {
  const starts: number[] = [];
  for (const hours of tick.openVersions.get(model)?.values() ?? []) starts.push(...hours);
  for (const folder of await listFolders(store, keys.profiles(model))) {
    const [grain] = await listFolders(store, keys.profiles(model, unsegment(folder)), 1);
    if (grain !== undefined) starts.push(unstamp(grain));
  }
  return starts.length === 0 ? null : Math.min(...starts);
}

/** Writes a result, or reads back the one of this revision that is there. */
async function putResult(store: ObjectStore, result: WindowResult): Promise<WindowResult> {
  const { model, version, start, length, provenance } = result;
  const key = keys.result(model, version, Date.parse(start), length, provenance.revision);
  try {
    await store.putIfAbsent(key, encodeJson(result));
    return result;
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const stored = await store.get(key);
    if (stored === null) throw error;
    return JSON.parse(new TextDecoder().decode(stored.body)) as WindowResult;
  }
}

/** Those with rows that may lie in [start, end): open packs are known by the hour only. */
function within(sources: readonly SourceKey[], start: number, end: number): SourceKey[] {
  return sources.filter(({ grainStart }) => grainStart >= hourOf(start) && grainStart < end);
}

function digestOf(sources: readonly SourceKey[]): string {
  const names = [...new Set(sources.map(({ key }) => key))].sort();
  return createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 16);
}

function spanOf(windows: readonly Span[]): Span {
  return { start: Math.min(...windows.map(({ start }) => start)), end: Math.max(...windows.map(({ end }) => end)) };
}

function byVersion(windows: readonly PendingWindow[]): Map<string, PendingWindow[]> {
  const found = new Map<string, PendingWindow[]>();
  for (const window of windows) found.set(window.version, [...(found.get(window.version) ?? []), window]);
  return found;
}

function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
