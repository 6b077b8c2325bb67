/**
 * Says which models have something due, and sends them to evaluators: a first result, a revision, a late version, a window that was stale
 * and is complete, an hour to close. It reads the log's partitions and cursors once, its own agenda, and the progress of only those models
 * that it asked for or whose turn it is.
 *
 * It is driven by what is, not by what was sent: a message that is lost is sent again after a pause, one that comes twice or late finds
 * nothing to do, and of two dispatchers at once one keeps its agenda and both were right to ask. A model that fails is asked for less and
 * less often, and holds up no other.
 */
import type { EvaluationMessage } from '../contracts/functions.ts';
import { type Agenda, type AgendaEntry, dueOf, entryOf, loadAgenda, NOTHING_ASKED, saveAgenda } from './agenda.ts';
import { loadEvaluation } from './evaluation-state.ts';
import { EVALUATOR_DEFAULTS } from './evaluator-options.ts';
import { hasCrowdedHours, hoursToClose } from './grains.ts';
import { inTurn } from './in-turn.ts';
import { viewLog } from './log-view.ts';
import { type Clock, ConflictError, type EventLog, type ObjectStore, TransientError } from './ports.ts';
import type { Registry } from './registry.ts';

/** Where messages for evaluators go. */
export interface EvaluationQueue {
  /** Resolves with those that were not taken. */
  send(messages: readonly EvaluationMessage[]): Promise<readonly EvaluationMessage[]>;
}

export interface DispatcherOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Baselines are not needed. */
  readonly registry: Registry;
  readonly queue: EvaluationQueue;
  /** As the evaluators have it. */
  readonly settleMs?: number;
  readonly stalledAfterMs?: number;
  readonly closeAfterMs?: number;
  /** One message is a bounded amount of work. @default 20 */
  readonly modelsPerMessage?: number;
  /** Before what was asked for and did not happen is asked for again, milliseconds; doubles each time, up to an hour. @default 5 min */
  readonly againAfterMs?: number;
  /** Every model's progress is read at least so often, whatever the agenda says, milliseconds. @default 1 h */
  readonly rereadAfterMs?: number;
}

export interface DispatchOutcome {
  /** Models sent to evaluators. */
  readonly due: number;
  readonly messages: number;
  /** Messages that the queue did not take. */
  readonly refused: number;
  /** Milliseconds since the oldest window that can be judged and is not; 0 when there is none. */
  readonly overdueMs: number;
  /** States of models that were read. */
  readonly read: number;
}

const DEFAULTS = { modelsPerMessage: 20, againAfterMs: 300_000, rereadAfterMs: 3_600_000 } as const;
const LONGEST_PAUSE_MS = 3_600_000;
const CONCURRENCY = 16;

export class Dispatcher {
  readonly #options: DispatcherOptions;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** One look. Safe to call at any time, from anywhere. */
  async tick(): Promise<DispatchOutcome> {
    const { registry, store, queue, clock, stalledAfterMs, closeAfterMs, settleMs } = this.#options;
    await registry.refresh();
    const { agenda, etag } = await loadAgenda(store);
    const { models, read } = await this.#entries(agenda, clock.now());
    const view = await viewLog(this.#options, settleMs ?? EVALUATOR_DEFAULTS.settleMs);
    const { now } = view;
    let overdueMs = 0;
    const due: { readonly model: string; readonly since: number }[] = [];
    for (const [model, entry] of models) {
      const timeline = registry.timeline(model);
      const found =
        timeline === null ? null : dueOf(timeline, entry, view, stalledAfterMs ?? EVALUATOR_DEFAULTS.stalledAfterMs);
      if (found === null) {
        if (entry.asked !== null) models.set(model, { ...entry, ...NOTHING_ASKED });
        continue;
      }
      const since = found.since ?? now;
      overdueMs = Math.max(overdueMs, now - since);
      if (this.#mayAsk(entry, now)) due.push({ model, since });
    }
    // Whoever has waited longest goes first; neighbours by name share reads of packs.
    due.sort((a, b) => a.since - b.since || (a.model < b.model ? -1 : 1));
    const mustClose = hoursToClose(view.cursors, now, closeAfterMs).length > 0 || hasCrowdedHours(view.cursors);
    const closes = mustClose && this.#mayAsk(agenda.closing, now);
    const messages = this.#messages(
      due.map(({ model }) => model),
      closes,
      now,
    );
    const refused = messages.length === 0 ? [] : await queue.send(messages);
    let closing = mustClose ? agenda.closing : NOTHING_ASKED;
    for (const message of messages) {
      if (refused.includes(message)) continue;
      if (message.close) closing = { asked: now, asks: closing.asks + 1 };
      for (const model of message.models) {
        const entry = models.get(model) as AgendaEntry;
        models.set(model, { ...entry, asked: now, asks: entry.asks + 1 });
      }
    }
    const next = { ...agenda, models: Object.fromEntries(models), closing };
    try {
      if (JSON.stringify(next) !== JSON.stringify(agenda)) await saveAgenda(store, next, etag);
    } catch (error) {
      // Another dispatcher's agenda stands; what this one asked for may be asked for again.
      if (!(error instanceof ConflictError)) throw error;
    }
    return { due: due.length, messages: messages.length, refused: refused.length, overdueMs, read };
  }

  /** Entries of all models, those read anew that were asked for, are not known, or were not read for long: a share of them each minute. */
  async #entries(agenda: Agenda, now: number): Promise<{ models: Map<string, AgendaEntry>; read: number }> {
    const { registry, store, rereadAfterMs = DEFAULTS.rereadAfterMs } = this.#options;
    const all = registry.models();
    const models = new Map<string, AgendaEntry>();
    const stale: string[] = [];
    for (const [index, model] of all.entries()) {
      const entry = agenda.models[model];
      if (entry !== undefined) models.set(model, entry);
      // Spread evenly, so that they do not come together again.
      const age = rereadAfterMs * (1 + index / all.length / 2);
      if (entry === undefined || entry.asked !== null || now - entry.read >= age || now < entry.read) stale.push(model);
    }
    await inTurn(stale, CONCURRENCY, async (model) => {
      const timeline = registry.timeline(model);
      if (timeline === null) return;
      try {
        const { state } = await loadEvaluation(store, model);
        models.set(model, entryOf(timeline, state, agenda.models[model], now));
      } catch (error) {
        // One that does not answer keeps its entry; one that cannot be read is the evaluator's to report.
        if (!(error instanceof TransientError)) models.set(model, entryOf(timeline, null, agenda.models[model], now));
      }
    });
    return { models: new Map([...models].sort(([a], [b]) => (a < b ? -1 : 1))), read: stale.length };
  }

  #mayAsk({ asked, asks }: Pick<AgendaEntry, 'asked' | 'asks'>, now: number): boolean {
    const { againAfterMs = DEFAULTS.againAfterMs } = this.#options;
    const pause = Math.min(
      Math.max(LONGEST_PAUSE_MS, againAfterMs),
      againAfterMs * 2 ** Math.min(Math.max(0, asks - 1), 20),
    );
    return asked === null || now >= asked + pause || now < asked;
  }

  #messages(models: readonly string[], close: boolean, now: number): EvaluationMessage[] {
    const { modelsPerMessage = DEFAULTS.modelsPerMessage } = this.#options;
    const at = new Date(now).toISOString();
    const messages: EvaluationMessage[] = [];
    for (let from = 0; from < models.length; from += modelsPerMessage)
      messages.push({
        schema: 'mlmon.evaluate/v1',
        models: models.slice(from, from + modelsPerMessage),
        close: false,
        at,
      });
    // Last: a verdict is waited for, a closed hour is not.
    if (close) messages.push({ schema: 'mlmon.evaluate/v1', models: [], close: true, at });
    return messages;
  }
}
