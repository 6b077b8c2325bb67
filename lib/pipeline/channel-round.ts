/** One round of one channel over everything that waits for it: in order for each episode, by itself or together, and no longer than it may. */
import type { Transition } from '../contracts/episode.ts';
import {
  type ChannelPace,
  type GroupOptions,
  groupClosed,
  groupOf,
  NEW_PACE,
  paced,
  type Turn,
  turnOf,
} from './notification-group.ts';
import { dueAt, isHeld } from './outbox.ts';
import { inParallel, type Job, type OutboxDelivery } from './outbox-delivery.ts';
import type { AlertChannel, Clock } from './ports.ts';

/** Passing failures one after another, after which the channel is left alone until the next round: each may take its whole time-out. */
const FAILURES = 3;

export interface ChannelRoundOptions {
  readonly delivery: OutboxDelivery;
  readonly channel: AlertChannel;
  readonly wall: Clock;
  readonly clock: Clock;
  /** Absent: every transition by itself. */
  readonly group?: GroupOptions;
  readonly pace?: ChannelPace;
  /** No attempt is begun after it, real time. */
  readonly until: number;
}

export interface ChannelRoundResult {
  readonly attempts: number;
  /** Differs from what was given when something was sent. */
  readonly pace: ChannelPace;
}

export class ChannelRound {
  readonly #options: ChannelRoundOptions;
  #pace: ChannelPace;
  #attempts = 0;
  #failures = 0;
  /** Episodes whose earlier transition was not delivered: a closing must not overtake its opening. */
  readonly #stuck = new Set<string>();

  constructor(options: ChannelRoundOptions) {
    this.#options = options;
    this.#pace = options.pace ?? NEW_PACE;
  }

  /** `jobs`: all that is pending for the channel, due or not, of one episode in order. */
  async run(jobs: readonly Job[]): Promise<ChannelRoundResult> {
    const { channel, group } = this.#options;
    if (channel.records === true) await this.#records(jobs);
    else if (group === undefined) for (const job of jobs) await this.#single(job);
    else await this.#bell(jobs, group);
    return { attempts: this.#attempts, pace: this.#pace };
  }

  /** Outboxes side by side, since nobody is rung for. */
  async #records(jobs: readonly Job[]): Promise<void> {
    const lanes = new Map<string, Job[]>();
    for (const job of jobs) lanes.set(job.holder.key, [...(lanes.get(job.holder.key) ?? []), job]);
    await inParallel([...lanes.values()], async (lane) => {
      for (const job of lane) await this.#single(job);
    });
  }

  async #bell(jobs: readonly Job[], group: GroupOptions): Promise<void> {
    const { channel, wall, clock } = this.#options;
    const now = wall.now();
    const rings = (job: Job): boolean =>
      job.holder.source !== 'test' && !(channel.keepsState === true && isOver(job.transition));
    const waiting = jobs.filter((job) => rings(job) && this.#isDue(job, now));
    const turn: Turn = waiting.length === 0 ? 'each' : turnOf(this.#pace, waiting.length, now, group);
    if (turn === 'group' && waiting.length > 1) {
      const free = this.#free(jobs, now).filter((job) => waiting.includes(job));
      this.#attempts++;
      const sent = await this.#options.delivery.together(free, channel, (transitions) =>
        groupOf(transitions, new Date(clock.now()).toISOString()),
      );
      if (sent.outcome === 'delivered') this.#remember(sent.message, sent.jobs, now, group);
      else for (const job of free) this.#stuck.add(job.transition.episode.id);
    }
    let sent = 0;
    for (const job of jobs) {
      if (turn === 'wait' && rings(job)) this.#stuck.add(job.transition.episode.id);
      else if (turn === 'group' && waiting.length > 1 && waiting.includes(job)) continue;
      else if ((await this.#single(job)) && rings(job)) sent++;
    }
    if (sent > 0)
      this.#pace = paced(this.#pace, sent, turn === 'group' && waiting.length === 1 ? 'group' : 'each', now, group);
    if (channel.keepsState === true) await this.#closeGroups();
  }

  /** True when it was delivered. */
  async #single(job: Job): Promise<boolean> {
    const { delivery, channel, wall, until } = this.#options;
    const { id } = job.transition.episode;
    const now = wall.now();
    if (this.#stuck.has(id)) return false;
    if (!this.#isDue(job, now) || now >= until || this.#failures >= FAILURES) {
      this.#stuck.add(id);
      return false;
    }
    this.#attempts++;
    const outcome = await delivery.one(job, channel);
    if (outcome === 'delivered') this.#failures = 0;
    if (outcome === 'retry') this.#failures++;
    if (outcome === 'retry' || outcome === 'taken') this.#stuck.add(id);
    if (outcome === 'delivered' && isOver(job.transition)) this.#forget(id);
    return outcome === 'delivered';
  }

  #isDue({ holder, transition }: Job, now: number): boolean {
    const entry = holder.state.outbox.find((one) => one.transition.key === transition.key);
    const { channel, clock } = this.#options;
    if (entry === undefined || dueAt(entry, channel.name) > now) return false;
    return channel.takesAll === true || holder.source === 'test' || !isHeld(entry, clock.now());
  }

  /** Those of which no earlier transition of the same episode waits for a later moment. */
  #free(jobs: readonly Job[], now: number): Job[] {
    const late = new Set<string>();
    return jobs.filter((job) => {
      const { id } = job.transition.episode;
      if (!this.#isDue(job, now)) late.add(id);
      return !late.has(id);
    });
  }

  #remember(message: Transition | null, jobs: readonly Job[], now: number, group: GroupOptions): void {
    const { keepsState } = this.#options.channel;
    this.#pace = paced(this.#pace, 1, 'group', now, group);
    if (keepsState !== true || message === null) return;
    const open = [...new Set(jobs.map(({ transition }) => transition.episode.id))];
    this.#pace = { ...this.#pace, groups: [...this.#pace.groups, { transition: message, open }].slice(-20) };
  }

  #forget(episode: string): void {
    if (!this.#pace.groups.some(({ open }) => open.includes(episode))) return;
    this.#pace = {
      ...this.#pace,
      groups: this.#pace.groups.map((group) => ({ ...group, open: group.open.filter((id) => id !== episode) })),
    };
  }

  /** What a group opened is closed when the last of its episodes is; a failure leaves it for the next round. */
  async #closeGroups(): Promise<void> {
    const { channel, clock } = this.#options;
    for (const group of this.#pace.groups) {
      if (group.open.length > 0) continue;
      try {
        await channel.deliver(groupClosed(group.transition, new Date(clock.now()).toISOString()), { repeat: false });
        this.#pace = { ...this.#pace, groups: this.#pace.groups.filter((one) => one !== group) };
      } catch {
        return;
      }
    }
  }
}

function isOver({ kind, episode }: Transition): boolean {
  return kind === 'closed' || (kind === 'corrected' && episode.closed !== null);
}
