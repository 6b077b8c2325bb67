/**
 * Keeps the episodes of each model: folds arriving results into `episodes/<model>.json` and puts what changed into the
 * outbox of the same object, in one conditional write. Applying a result twice changes nothing.
 */

import { durationMs } from '../contracts/duration.ts';
import type { Episode, EpisodeState, OutboxEntry, Transition, TransitionKind } from '../contracts/episode.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../contracts/result.ts';
import { EMPTY_FOLD, type FoldState, foldEpisodes } from '../engine/episode.ts';
import { type Judgement, judgementOfPerformance, judgementOfWindow } from '../engine/judgement.ts';
import { changeJson } from './json-object.ts';
import { maintenanceAt } from './maintenance.ts';
import { entryOf, heldBack, hintAt, trimmedOutbox } from './outbox.ts';
import type { Clock, ObjectStore } from './ports.ts';

/** Closed episodes and settled outbox entries that stay in the object, for the page. */
const KEPT = 200;

export interface EpisodeLinks {
  runbook(episode: Episode): string;
  page(episode: Episode): string;
}

export interface EpisodeKeeperOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** The monitor in force for the newest windows; `null` when the model has none any more. */
  readonly monitor: (model: string) => Promise<Monitor | null> | Monitor | null;
  readonly links: EpisodeLinks;
  /** What else changed between two moments of event time: new baselines, monitors, versions. */
  readonly context?: (model: string, from: string, to: string) => Promise<readonly string[]> | readonly string[];
}

export type AnyResult = WindowResult | PerformanceResult;

export class EpisodeKeeper {
  readonly #options: EpisodeKeeperOptions;
  constructor(options: EpisodeKeeperOptions) {
    this.#options = options;
  }

  /** Folds results of one model; returns the transitions that this added to the outbox. */
  async apply(model: string, results: readonly AnyResult[]): Promise<readonly Transition[]> {
    const monitor = await this.#options.monitor(model);
    if (monitor === null || results.length === 0) return [];
    const judgements = results.map((result) =>
      result.schema === 'mlmon.performance/v1' ? judgementOfPerformance(result) : judgementOfWindow(result),
    );
    let added: readonly Transition[] = [];
    const state = await changeJson<EpisodeState>(this.#options.store, keys.episodes(model), async (present) => {
      const step = await this.#step(monitor, present, judgements);
      added = step.transitions;
      return step.state;
    });
    // Also what an earlier process wrote and could not tell of any more.
    if (state !== null) await hintAt(this.#options.store, model, state.outbox);
    return added;
  }

  /** Applies what is stored but was never folded: a crash may come between writing a result and its episode. */
  async recover(model: string): Promise<void> {
    const { store } = this.#options;
    const present = await changeJson<EpisodeState>(store, keys.episodes(model), () => null);
    const { tail, settled } = foldOf(present);
    const applied = new Map(tail.map((j) => [`${j.kind}/${j.version}/${j.start}/${j.length}`, j.revision]));
    const missing: AnyResult[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await store.list(keys.results(model), { after, limit: 1_000 });
      for (const key of page) {
        const stored = await store.get(key);
        if (stored === null) continue;
        const result = JSON.parse(new TextDecoder().decode(stored.body)) as AnyResult;
        const kind = result.schema === 'mlmon.performance/v1' ? 'performance' : 'window';
        if (Date.parse(result.end) < settled[kind]) continue;
        const revision = applied.get(`${kind}/${result.version}/${Date.parse(result.start)}/${result.length}`);
        if (revision === undefined || revision < result.provenance.revision) missing.push(result);
      }
      after = page.at(-1);
      if (after === undefined || page.length < 1_000) break;
    }
    await this.apply(model, missing);
  }

  async #step(monitor: Monitor, present: EpisodeState | null, judgements: readonly Judgement[]) {
    const revise = durationMs(monitor.window.revise) + durationMs(monitor.window.lateness);
    const fold = foldEpisodes(foldOf(present), judgements, {
      monitor,
      settleAfter: { window: revise, performance: revise + durationMs(monitor.truth.horizon) },
    });
    const before = new Map((present?.episodes ?? []).map((episode) => [episode.id, episode]));
    const after = new Map(fold.episodes.map((episode) => [episode.id, episode]));
    const transitions: Transition[] = [];
    const episodes = new Map(before);
    for (const episode of fold.episodes) {
      const known = before.get(episode.id);
      episodes.set(episode.id, episode);
      if (known === undefined || isRetracted(present, known.id)) {
        if (known === undefined) transitions.push(await this.#transition(episode, 'opened', present));
        else transitions.push(await this.#transition(episode, 'corrected', present));
        if (episode.closed !== null) transitions.push(await this.#transition(episode, 'closed', present));
      } else if (known.closed === null && episode.closed !== null)
        transitions.push(await this.#transition(episode, 'closed', present));
      else if (known.closed !== null && episode.closed === null)
        transitions.push(await this.#transition(episode, 'corrected', present));
    }
    // What the fold no longer finds, although its windows are still open to revision, was taken back by a revision.
    const horizon = Math.min(fold.state.settled.window, fold.state.settled.performance);
    for (const episode of before.values()) {
      if (after.has(episode.id) || Date.parse(episode.opened) < horizon || isRetracted(present, episode.id)) continue;
      if (wasSettled(present, episode)) continue;
      const closed = { ...episode, closed: episode.closed ?? episode.opened };
      episodes.set(episode.id, closed);
      transitions.push(await this.#transition(closed, 'corrected', present));
    }
    return { transitions, state: this.#state(monitor, present, fold.state, [...episodes.values()], transitions) };
  }

  #state(
    monitor: Monitor,
    present: EpisodeState | null,
    fold: FoldState,
    episodes: readonly Episode[],
    transitions: readonly Transition[],
  ): EpisodeState {
    const withheld = maintenanceAt(monitor.alerts.maintenance, this.#options.clock.now());
    const outbox: OutboxEntry[] = [
      ...(present?.outbox ?? []),
      ...transitions.map((one) => heldBack(entryOf(one), withheld)),
    ];
    const open = episodes.filter(({ closed }) => closed === null);
    const closed = episodes.filter((episode) => episode.closed !== null).sort((a, b) => (a.opened < b.opened ? -1 : 1));
    return {
      schema: 'mlmon.episodes/v1',
      model: monitor.model,
      appliedThrough: fold as unknown as EpisodeState['appliedThrough'],
      episodes: [...closed.slice(-KEPT), ...open],
      acknowledged: present?.acknowledged ?? {},
      silences: (present?.silences ?? []).filter(
        ({ until }) => Date.parse(until) > this.#options.clock.now() - 7 * 86_400_000,
      ),
      outbox: trimmedOutbox(outbox, KEPT),
    };
  }

  async #transition(episode: Episode, kind: TransitionKind, present: EpisodeState | null): Promise<Transition> {
    const { clock, links, context } = this.#options;
    const earlier = (present?.outbox ?? []).filter(
      ({ transition }) => transition.episode.id === episode.id && transition.kind === kind,
    ).length;
    return {
      key: `${episode.id}/${kind}/${earlier + 1}`,
      kind,
      episode,
      at: new Date(clock.now()).toISOString(),
      runbook: links.runbook(episode),
      link: links.page(episode),
      context: (await context?.(episode.model, episode.since, episode.opened)) ?? [],
    };
  }
}

function foldOf(present: EpisodeState | null): FoldState {
  return present === null ? EMPTY_FOLD : (present.appliedThrough as unknown as FoldState);
}

/** Its opening window lies before the checkpoint and it had closed: the fold does not see it any more, and need not. */
function wasSettled(present: EpisodeState | null, episode: Episode): boolean {
  const { tail } = foldOf(present);
  return !tail.some(
    (judgement) => judgement.end === Date.parse(episode.opened) && judgement.conditions[episode.signal] !== undefined,
  );
}

/** The last word sent about it was that it had been no episode. */
function isRetracted(present: EpisodeState | null, id: string): boolean {
  const last = present?.outbox.filter(({ transition }) => transition.episode.id === id).at(-1);
  return last?.transition.kind === 'corrected' && last.transition.episode.closed !== null;
}
