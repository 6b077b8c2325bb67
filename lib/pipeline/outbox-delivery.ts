/**
 * Attempts to deliver what an outbox holds. Each is noted before it is made and its outcome after, by conditional writes: a crash in between
 * leads to a repeat, marked as such, never to silence. When to try again stands in the entry too, so that a process that lives for one round
 * knows it. Two that run at once do not both attempt: whoever notes first holds the attempt for as long as it may take.
 */
import type { EpisodeState, Outbox, OutboxEntry, Transition } from '../contracts/episode.ts';
import { changeJson } from './json-object.ts';
import { dueAt, isHeld, isPending, notTold, silences } from './outbox.ts';
import { type AlertChannel, type Clock, type ObjectStore, TransientError } from './ports.ts';

/** Pauses between attempts, milliseconds of real time, some two hours in all; after the last one the transition is a dead letter. */
export const PAUSES = [
  1_000, 5_000, 30_000, 120_000, 300_000, 600_000, 900_000, 900_000, 900_000, 900_000, 900_000, 1_800_000,
] as const;
/** The longest that a receiver may ask to be left alone, milliseconds. */
const LONGEST_PAUSE = 3_600_000;
/** Marks of one group at a time. */
const CONCURRENCY = 16;

export type OutboxState = EpisodeState | Outbox;

/** An object with an outbox, as last seen. */
export interface Holder {
  readonly key: string;
  /** `test`: every channel is to answer once, and nothing is tried again. */
  readonly source: 'model' | 'alarms' | 'test';
  state: OutboxState;
}

export interface Job {
  readonly holder: Holder;
  readonly transition: Transition;
}

/** `taken`: somebody else attempts it just now, or has done so. */
export type Outcome = 'delivered' | 'silenced' | 'retry' | 'failed' | 'taken';

export interface DeliveryCounts {
  delivered: number;
  /** Attempts that failed and will be made again. */
  retried: number;
  /** Dead letters. */
  failed: number;
}

interface Begun {
  /** Attempts before this one. */
  readonly earlier: number;
  readonly withheld: string | undefined;
}

export interface OutboxDeliveryOptions {
  readonly store: ObjectStore;
  /** Time of the platform: silences, and when something was delivered. */
  readonly clock: Clock;
  /** Real time: pauses. */
  readonly wall: Clock;
  readonly pauses: readonly number[];
  /** How long an attempt may be under way, milliseconds; 0 where no two notifiers ever run at once. */
  readonly leaseMs: number;
  readonly counts: DeliveryCounts;
}

export class OutboxDelivery {
  readonly #options: OutboxDeliveryOptions;

  constructor(options: OutboxDeliveryOptions) {
    this.#options = options;
  }

  async one(job: Job, channel: AlertChannel): Promise<Outcome> {
    const begun = await this.#begin(job, channel);
    if (typeof begun === 'string') return begun;
    return this.#settle([{ job, earlier: begun.earlier }], channel, () =>
      channel.deliver(job.transition, {
        repeat: begun.earlier > 0,
        withheld: begun.withheld,
        test: job.holder.source === 'test',
      }),
    );
  }

  /** Several as one message. Resolves with what became of it and with the jobs that it spoke of. */
  async together(
    jobs: readonly Job[],
    channel: AlertChannel,
    make: (transitions: readonly Transition[]) => Transition,
  ): Promise<{ readonly outcome: Outcome; readonly jobs: readonly Job[]; readonly message: Transition | null }> {
    const begun = await inParallel(jobs, async (job) => ({ job, begun: await this.#begin(job, channel) }));
    const ours = begun.flatMap(({ job, begun: mine }) =>
      typeof mine === 'string' ? [] : [{ job, earlier: mine.earlier }],
    );
    if (ours.length === 0) return { outcome: 'taken', jobs: [], message: null };
    const message = make(ours.map(({ job }) => job.transition));
    const outcome = await this.#settle(ours, channel, () =>
      channel.deliver(message, { repeat: ours.some(({ earlier }) => earlier > 0) }),
    );
    return { outcome, jobs: ours.map(({ job }) => job), message };
  }

  /** Gives an entry up without an attempt. */
  async abandon(job: Job, channel: string, reason: string): Promise<void> {
    await this.#mark(job, channel, (entry) => ({ ...entry, failed: { ...entry.failed, [channel]: reason } }));
    this.#options.counts.failed++;
  }

  async #begin(job: Job, { name, takesAll = false }: AlertChannel): Promise<Begun | 'silenced' | 'taken'> {
    const { clock, wall, leaseMs } = this.#options;
    const now = wall.now();
    let begun: Begun | 'silenced' | 'taken' = 'taken';
    const noted = await this.#mark(job, name, (entry, state) => {
      if (dueAt(entry, name) > now) return null;
      if (!takesAll && job.holder.source !== 'test') {
        if (isHeld(entry, clock.now())) return null;
        const said = notTold(entry, state.outbox, name);
        if (said !== null) {
          begun = 'silenced';
          return { ...entry, delivered: { ...entry.delivered, [name]: said } };
        }
      }
      const silence = state.silences.find((one) => silences(one, job.transition, new Date(clock.now())));
      if (silence !== undefined && !takesAll) {
        begun = 'silenced';
        return { ...entry, delivered: { ...entry.delivered, [name]: `silenced by ${silence.id}` } };
      }
      const earlier = entry.attempts[name] ?? 0;
      const silenced = silence === undefined ? entry.held?.reason : `silenced by ${silence.id}`;
      begun = { earlier, withheld: takesAll ? (entry.muted ?? silenced) : undefined };
      return {
        ...entry,
        attempts: { ...entry.attempts, [name]: earlier + 1 },
        ...(leaseMs > 0 ? { next: { ...entry.next, [name]: new Date(now + leaseMs).toISOString() } } : {}),
      };
    });
    // What a change that lost its race would have been says nothing.
    return noted ? begun : 'taken';
  }

  async #settle(
    begun: readonly { readonly job: Job; readonly earlier: number }[],
    channel: AlertChannel,
    deliver: () => Promise<void>,
  ): Promise<Outcome> {
    const { clock, counts } = this.#options;
    const { name } = channel;
    let failure: unknown;
    try {
      await deliver();
    } catch (error) {
      failure = error ?? new Error('threw nothing');
    }
    const at = new Date(clock.now()).toISOString();
    const outcomes = await inParallel(begun, async ({ job, earlier }): Promise<Outcome> => {
      if (failure === undefined) {
        await this.#mark(job, name, (entry) => ({
          ...without(entry, name),
          delivered: { ...entry.delivered, [name]: at },
        }));
        return 'delivered';
      }
      const until = this.#nextAttempt(failure, job.holder.source === 'test' ? Number.POSITIVE_INFINITY : earlier);
      const reason = failure instanceof Error ? failure.message : String(failure);
      await this.#mark(job, name, (entry) =>
        until === null
          ? { ...without(entry, name), failed: { ...entry.failed, [name]: reason } }
          : { ...entry, next: { ...entry.next, [name]: until } },
      );
      return until === null ? 'failed' : 'retry';
    });
    for (const outcome of outcomes)
      if (outcome === 'delivered') counts.delivered++;
      else if (outcome === 'retry') counts.retried++;
      else counts.failed++;
    return outcomes[0]!;
  }

  /** `null`: never. */
  #nextAttempt(failure: unknown, earlier: number): string | null {
    const { pauses, wall } = this.#options;
    const pause = pauses[earlier];
    if (!(failure instanceof TransientError) || pause === undefined) return null;
    const asked = Math.min(failure.retryAfterMs ?? 0, LONGEST_PAUSE);
    return new Date(wall.now() + Math.max(pause, asked)).toISOString();
  }

  /** True when the entry was changed; false when there is nothing to change any more. */
  async #mark(
    { holder, transition }: Job,
    channel: string,
    change: (entry: OutboxEntry, state: OutboxState) => OutboxEntry | null,
  ): Promise<boolean> {
    let changed = false;
    const state = await changeJson<OutboxState>(this.#options.store, holder.key, (present) => {
      changed = false;
      if (present === null) return null;
      const at = present.outbox.findIndex((entry) => entry.transition.key === transition.key);
      const entry = present.outbox[at];
      if (entry === undefined || !isPending(entry, channel)) return null;
      const next = change(entry, present);
      changed = next !== null;
      return next === null ? null : { ...present, outbox: present.outbox.with(at, next) };
    });
    // Of two marks at once the one that knows more may have come back first: nothing that ended begins again.
    if (state !== null && settledIn(state) >= settledIn(holder.state)) holder.state = state;
    return changed;
  }
}

function settledIn({ outbox }: OutboxState): number {
  return outbox.reduce(
    (sum, entry) => sum + Object.keys(entry.delivered).length + Object.keys(entry.failed).length,
    outbox.length,
  );
}

function without(entry: OutboxEntry, channel: string): OutboxEntry {
  if (entry.next?.[channel] === undefined) return entry;
  const { [channel]: _, ...next } = entry.next;
  return { ...entry, next };
}

/** At most so many at once; marks of one object follow each other, so jobs of one holder are one lane. */
export async function inParallel<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(all.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < all.length; i = next++) results[i] = await work(all[i]!);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, all.length) }, lane));
  return results;
}
