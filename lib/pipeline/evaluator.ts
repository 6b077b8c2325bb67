/**
 * The evaluator: judges what is due of some models or of all, each in the order of time. It reads their progress, then the log and the
 * cursors once, then judges. Several may run at once: results are put if absent, and each keeps its progress by compare-and-swap.
 */
import { type LoadedState, loadEvaluation, saveEvaluation } from './evaluation-state.ts';
import { EVALUATOR_DEFAULTS, type EvaluatorOptions, type Tick } from './evaluator-options.ts';
import { hourOf, openPacks } from './grain-sources.ts';
import { inTurn } from './in-turn.ts';
import { type LogHeads, readHeads, viewLog } from './log-view.ts';
import { ModelEvaluation } from './model-evaluation.ts';
import { isUnreadable } from './pack-reader.ts';
import { ConflictError } from './ports.ts';

export interface TickOutcome {
  /** Results handed on. */
  readonly results: number;
  /** More windows are due at once. */
  readonly more: boolean;
  /** All records appended before this are profiled, milliseconds. */
  readonly through: number;
}

export interface JudgeOutcome {
  readonly results: number;
  /** Models of which more is due at once: many windows, or somebody else judged meanwhile. */
  readonly more: readonly string[];
  /** Models that were not begun, for lack of time. */
  readonly left: readonly string[];
  readonly failed: ReadonlyMap<string, Error>;
  readonly through: number;
}

export interface JudgeLimits {
  readonly isLate?: () => boolean;
  readonly since?: number;
}

export class Evaluator {
  readonly #options: EvaluatorOptions;
  /** Progress of models as this evaluator left it in its last tick. */
  readonly #states = new Map<string, LoadedState>();
  #last: number | null = null;
  #heads: LogHeads | null = null;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** When something was last judged, by the platform's clock. */
  get lastEvaluation(): number | null {
    return this.#last;
  }

  /** Judges what is due of all models. Safe to call again after any error. */
  async tick(): Promise<TickOutcome> {
    const { registry, onProblem } = this.#options;
    await registry.refresh();
    const { results, more, failed, through } = await this.#judge(registry.models(), this.#states, () => false);
    for (const [model, error] of failed) {
      if (onProblem === undefined) throw error;
      onProblem(model, error);
    }
    return { results, more: more.length > 0, through };
  }

  /**
   * Judges what is due of these models, with nothing remembered but what never changes: for a process that is one of many. What is due
   * no more, or never was, is left alone, so repeating it does no harm. `isLate`: nothing more is to be begun. `since`: how far the log
   * reaches need not be asked again if it was asked after this moment, milliseconds; that costs reads of every partition.
   */
  async judge(
    models: readonly string[],
    { isLate = () => false, since = Number.POSITIVE_INFINITY }: JudgeLimits = {},
  ): Promise<JudgeOutcome> {
    const { registry, reader } = this.#options;
    await registry.refresh();
    reader.together(models);
    if (this.#heads === null || this.#heads.now < since) this.#heads = await readHeads(this.#options);
    return this.#judge(models, new Map(), isLate, this.#heads);
  }

  async #judge(
    models: readonly string[],
    states: Map<string, LoadedState>,
    isLate: () => boolean,
    heads?: LogHeads,
  ): Promise<JudgeOutcome> {
    const { registry, store, concurrency = EVALUATOR_DEFAULTS.concurrency } = this.#options;
    const failed = new Map<string, Error>();
    // States before cursors: then no revision is made from less than the one before it.
    await inTurn(models, concurrency, async (model) => {
      if (registry.timeline(model) === null || states.has(model)) return;
      try {
        states.set(model, await loadEvaluation(store, model));
      } catch (error) {
        failed.set(model, error as Error);
      }
    });
    const tick = await this.#look(models, heads);
    let results = 0;
    const more: string[] = [];
    const left: string[] = [];
    await inTurn(models, concurrency, async (model) => {
      const known = states.get(model);
      if (known === undefined) return;
      if (isLate()) {
        left.push(model);
        return;
      }
      try {
        const outcome = await this.#model(model, tick, known, states);
        results += outcome.results;
        if (outcome.more) more.push(model);
      } catch (error) {
        // Whatever it was, what is known of the state may be wrong now.
        states.delete(model);
        if (error instanceof ConflictError) more.push(model);
        else failed.set(model, error as Error);
      }
    });
    return { results, more, left, failed, through: tick.through };
  }

  async #look(models: readonly string[], heads?: LogHeads): Promise<Tick> {
    const { settleMs = EVALUATOR_DEFAULTS.settleMs, clock } = this.#options;
    const { progress, through, cursors, ...view } = await viewLog(this.#options, settleMs, heads);
    const now = heads === undefined ? view.now : clock.now();
    const packs = new Set(cursors.flatMap(({ cursor }) => cursor.packs));
    const openVersions = await this.#openVersions(packs, models);
    return { now, progress, through, open: openPacks(cursors), openVersions };
  }

  async #openVersions(packs: Iterable<string>, models: readonly string[]): Promise<Tick['openVersions']> {
    const { reader, concurrency = EVALUATOR_DEFAULTS.concurrency } = this.#options;
    const found = new Map<string, Map<string, Set<number>>>();
    await inTurn([...packs], concurrency, async (key) => {
      try {
        const { byModel } = await reader.content(key);
        for (const model of models)
          for (const { version, grainStart } of byModel.get(model) ?? []) {
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
    });
    return found;
  }

  async #model(
    model: string,
    tick: Tick,
    loaded: LoadedState,
    states: Map<string, LoadedState>,
  ): Promise<{ results: number; more: boolean }> {
    const { registry, store, onModel } = this.#options;
    const timeline = registry.timeline(model);
    if (timeline === null) return { results: 0, more: false };
    const work = await ModelEvaluation.begin(this.#options, { model, timeline, tick, state: loaded.state });
    if (work === null) return { results: 0, more: false };
    await work.judgeDue();
    await work.revise();
    const { results, more, state } = work;
    if (results.length > 0) await onModel?.(model, results);
    if (state !== loaded.state) {
      states.set(model, await saveEvaluation(store, state, loaded.etag));
      if (results.length > 0) this.#last = tick.now;
    }
    return { results: results.length, more };
  }
}
