/**
 * Tells receivers that forget, such as Alertmanager, again and again what is open. Read from the episodes themselves, not from what was sent:
 * after a lost message, a restart of either side or an empty store of the receiver, it is told the state anew within one interval.
 */
import type { Episode, EpisodeState, OutboxEntry, Transition } from '../contracts/episode.ts';
import { readJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { channelsOf, isHeld, silences } from './outbox.ts';
import { inParallel } from './outbox-delivery.ts';
import type { AlertChannel, Clock, ObjectStore } from './ports.ts';

const EVERY_MS = 60_000;

export interface RestatementOptions {
  readonly store: ObjectStore;
  /** Time of the platform: silences. */
  readonly clock: Clock;
  /** Real time: when to tell again. */
  readonly wall: Clock;
  readonly channels: readonly AlertChannel[];
  /** Told of what could not be told; it is tried again at the next round but one. */
  readonly onFailure?: (channel: string, error: unknown) => void;
}

export class Restatement {
  readonly #options: RestatementOptions;
  /** Real time before which a channel is left alone, by its name. */
  readonly #next = new Map<string, number>();

  constructor(options: RestatementOptions) {
    this.#options = options;
  }

  /** Tells every channel whose time has come. Resolves with the number of those that were told. */
  async round(): Promise<number> {
    const { channels, wall, onFailure } = this.#options;
    const now = wall.now();
    const due = channels.filter(({ name, restate }) => restate !== undefined && (this.#next.get(name) ?? 0) <= now);
    if (due.length === 0) return 0;
    const states = await this.#states();
    const told = await Promise.all(
      due.map(async (channel) => {
        const every = channel.restateEveryMs ?? EVERY_MS;
        try {
          await channel.restate?.(states.flatMap((state) => this.#openFor(channel.name, state)));
          this.#next.set(channel.name, now + every);
          return true;
        } catch (error) {
          // Sooner than usual: what is open must not end there because of one failure.
          this.#next.set(channel.name, now + every / 4);
          onFailure?.(channel.name, error);
          return false;
        }
      }),
    );
    return told.filter((one) => one).length;
  }

  async #states(): Promise<EpisodeState[]> {
    const { store } = this.#options;
    const found: string[] = [];
    for await (const key of listAll(store, 'episodes/')) found.push(key);
    const read = await inParallel(found, async (key) => (await readJson<EpisodeState>(store, key))?.value ?? null);
    return read.filter((state) => state !== null);
  }

  /** Openings of what is open and goes to the channel; what is silenced is not told, and so ends there. */
  #openFor(channel: string, state: EpisodeState): Transition[] {
    const at = new Date(this.#options.clock.now());
    return state.episodes.flatMap((episode) => {
      if (episode.closed !== null) return [];
      const entry = state.outbox.findLast(
        ({ transition }) => transition.episode.id === episode.id && transition.kind !== 'closed',
      );
      if (entry !== undefined && (!goesTo(entry, channel) || isHeld(entry, at.getTime()))) return [];
      const transition = entry === undefined ? openingOf(episode) : { ...entry.transition, episode };
      return state.silences.some((silence) => silences(silence, transition, at)) ? [] : [transition];
    });
  }
}

/** An entry that nobody has decided on yet is told when it is delivered. */
function goesTo(entry: OutboxEntry, channel: string): boolean {
  return channelsOf(entry)?.includes(channel) ?? false;
}

/** Of an episode that has been open for so long that its outbox no longer holds its opening. */
function openingOf(episode: Episode): Transition {
  return {
    key: `${episode.id}/opened/1`,
    kind: 'opened',
    episode,
    at: episode.opened,
    runbook: '',
    link: '',
    context: [],
  };
}
