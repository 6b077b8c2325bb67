/**
 * Delivers what the outboxes hold. An attempt is noted before it is made and its outcome after, each by a conditional
 * write: a crash in between leads to a repeat, marked as such, never to silence. What cannot be delivered becomes a dead
 * letter: it stays in the outbox with its reason, and is counted.
 */
import type { EpisodeState, OutboxEntry, Silence, Transition } from '../contracts/episode.ts';
import { keys } from '../contracts/object-keys.ts';
import { changeJson, readJson } from './json-object.ts';
import { type AlertChannel, type Clock, type ObjectStore, TransientError } from './ports.ts';

/** Pauses between attempts, milliseconds of real time; after the last one the transition is a dead letter. */
export const PAUSES = [1_000, 5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000] as const;

export interface NotifierOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly channels: readonly AlertChannel[];
  /** Pauses between attempts; shorter in tests. */
  readonly pauses?: readonly number[];
}

export interface NotifierCounts {
  delivered: number;
  /** Attempts that failed and will be made again. */
  retried: number;
  /** Dead letters. */
  failed: number;
}

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #pauses: readonly number[];
  /** When to try again, by transition and channel, in real time. Lost in a restart, which tries at once. */
  readonly #next = new Map<string, number>();
  readonly counts: NotifierCounts = { delivered: 0, retried: 0, failed: 0 };

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#pauses = options.pauses ?? PAUSES;
  }

  /** One round over the outboxes of these models. Resolves with the number of attempts made. */
  async tick(models: readonly string[]): Promise<number> {
    let attempts = 0;
    for (const model of models) {
      const state = await readJson<EpisodeState>(this.#options.store, keys.episodes(model));
      if (state === null) continue;
      for (const entry of state.value.outbox)
        for (const channel of this.#options.channels)
          if (isPending(entry, channel.name) && this.#due(entry.transition, channel)) {
            // In order for each channel: a closing must not overtake its opening.
            if (this.#blocked(state.value.outbox, entry, channel)) continue;
            attempts++;
            await this.#attempt(model, entry.transition, channel);
          }
    }
    return attempts;
  }

  #due(transition: Transition, channel: AlertChannel): boolean {
    return (this.#next.get(`${transition.key} ${channel.name}`) ?? 0) <= Date.now();
  }

  #blocked(outbox: readonly OutboxEntry[], entry: OutboxEntry, channel: AlertChannel): boolean {
    return outbox
      .slice(0, outbox.indexOf(entry))
      .some(
        (earlier) =>
          earlier.transition.episode.id === entry.transition.episode.id &&
          isPending(earlier, channel.name) &&
          !this.#due(earlier.transition, channel),
      );
  }

  async #attempt(model: string, transition: Transition, channel: AlertChannel): Promise<void> {
    const now = new Date(this.#options.clock.now());
    let earlier = 0;
    let silence: Silence | undefined;
    await this.#mark(model, transition, channel, (entry, state) => {
      earlier = entry.attempts[channel.name] ?? 0;
      silence = state.silences.find((one) => silences(one, transition, now));
      if (silence !== undefined)
        return { ...entry, delivered: { ...entry.delivered, [channel.name]: `silenced by ${silence.id}` } };
      return { ...entry, attempts: { ...entry.attempts, [channel.name]: earlier + 1 } };
    });
    if (silence !== undefined) return;
    try {
      await channel.deliver(transition, { repeat: earlier > 0 });
      await this.#mark(model, transition, channel, (entry) => ({
        ...entry,
        delivered: { ...entry.delivered, [channel.name]: now.toISOString() },
      }));
      this.#next.delete(`${transition.key} ${channel.name}`);
      this.counts.delivered++;
    } catch (error) {
      const pause = this.#pauses[earlier];
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof TransientError && pause !== undefined) {
        this.#next.set(`${transition.key} ${channel.name}`, Date.now() + pause);
        this.counts.retried++;
        return;
      }
      await this.#mark(model, transition, channel, (entry) => ({
        ...entry,
        failed: { ...entry.failed, [channel.name]: reason },
      }));
      this.counts.failed++;
    }
  }

  async #mark(
    model: string,
    transition: Transition,
    channel: AlertChannel,
    change: (entry: OutboxEntry, state: EpisodeState) => OutboxEntry,
  ): Promise<void> {
    await changeJson<EpisodeState>(this.#options.store, keys.episodes(model), (state) => {
      if (state === null) return null;
      const at = state.outbox.findIndex((entry) => entry.transition.key === transition.key);
      const entry = state.outbox[at];
      if (entry === undefined || !isPending(entry, channel.name)) return null;
      return { ...state, outbox: state.outbox.with(at, change(entry, state)) };
    });
  }
}

export function isPending(entry: OutboxEntry, channel: string): boolean {
  return entry.delivered[channel] === undefined && entry.failed[channel] === undefined;
}

/** A silence holds back whatever would be sent while it lasts. */
export function silences(silence: Silence, transition: Transition, at: Date): boolean {
  return (
    silence.model === transition.episode.model &&
    (silence.signal === null || silence.signal === transition.episode.signal) &&
    Date.parse(silence.from) <= at.getTime() &&
    at.getTime() < Date.parse(silence.until)
  );
}
