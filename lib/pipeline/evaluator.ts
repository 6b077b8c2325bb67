/**
 * The evaluator's dispatcher: reads the cursors once a tick, sees which windows are due and has them judged, model by model, in the
 * order of time. Several may run at once: results are put if absent, and each keeps its progress by compare-and-swap.
 */
import { keys } from '../contracts/object-keys.ts';
import { readCursors } from './cursor.ts';
import { type LoadedState, loadEvaluation, saveEvaluation } from './evaluation-state.ts';
import { EVALUATOR_DEFAULTS, type EvaluatorOptions, type Tick } from './evaluator-options.ts';
import { hourOf, openPacks } from './grain-sources.ts';
import { ModelEvaluation } from './model-evaluation.ts';
import { isUnreadable } from './pack-reader.ts';
import { ConflictError } from './ports.ts';
import { partitionProgress, throughOf } from './progress.ts';

export interface TickOutcome {
  /** Results handed on. */
  readonly results: number;
  /** More windows are due at once. */
  readonly more: boolean;
  /** All records appended before this are profiled, milliseconds. */
  readonly through: number;
}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #states = new Map<string, LoadedState>();
  #last: number | null = null;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** When something was last judged, by the platform's clock. */
  get lastEvaluation(): number | null {
    return this.#last;
  }

  /** Judges what is due. Safe to call again after any error. */
  async tick(): Promise<TickOutcome> {
    const { registry, onProblem } = this.#options;
    await registry.refresh();
    const tick = await this.#look();
    let results = 0;
    let more = false;
    for (const model of registry.models()) {
      try {
        const outcome = await this.#model(model, tick);
        results += outcome.results;
        more ||= outcome.more;
      } catch (error) {
        // Whatever it was, what is known of the state may be wrong now.
        this.#states.delete(model);
        if (error instanceof ConflictError) more = true;
        else if (onProblem === undefined) throw error;
        else onProblem(model, error as Error);
      }
    }
    return { results, more, through: tick.through };
  }

  /** Clock, partitions, cursors: in this order nothing that was appended before `now` is missed. */
  async #look(): Promise<Tick> {
    const { clock, log, store, settleMs = EVALUATOR_DEFAULTS.settleMs } = this.#options;
    const now = clock.now();
    const identity = await log.identity();
    const partitions = await log.partitions();
    const cursors = await readCursors(store);
    const byKey = new Map(cursors.map(({ key, cursor }) => [key, cursor]));
    const progress = partitionProgress(partitions, (id) => byKey.get(keys.cursor(identity, id)), now, settleMs);
    const packs = new Set(cursors.flatMap(({ cursor }) => cursor.packs));
    const openVersions = await this.#openVersions(packs);
    return { now, progress, through: throughOf(progress, now), open: openPacks(cursors), openVersions };
  }

  async #openVersions(packs: Iterable<string>): Promise<Tick['openVersions']> {
    const found = new Map<string, Map<string, Set<number>>>();
    for (const key of packs) {
      try {
        for (const { model, version, grainStart } of (await this.#options.reader.content(key)).entries) {
          const versions = found.get(model) ?? new Map<string, Set<number>>();
          found.set(model, versions);
          const hours = versions.get(version) ?? new Set<number>();
          versions.set(version, hours);
          hours.add(hourOf(grainStart));
        }
      } catch (error) {
        // Grains reports it; its hour stays open.
        if (!isUnreadable(error)) throw error;
      }
    }
    return found;
  }

  async #model(model: string, tick: Tick): Promise<{ results: number; more: boolean }> {
    const { registry, store } = this.#options;
    const timeline = registry.timeline(model);
    if (timeline === null) return { results: 0, more: false };
    const known = this.#states.get(model);
    const loaded = known ?? (await loadEvaluation(store, model));
    this.#states.set(model, loaded);
    const work = await ModelEvaluation.begin(this.#options, { model, timeline, tick, state: loaded.state });
    if (work === null) return { results: 0, more: false };
    await work.judgeDue();
    // Only with a state older than the view of the cursors: then no revision is made from less than the one before it.
    if (known !== undefined) await work.revise();
    if (work.state !== loaded.state) {
      this.#states.set(model, await saveEvaluation(store, work.state, loaded.etag));
      if (work.results > 0) this.#last = tick.now;
    }
    return { results: work.results, more: work.more };
  }
}
