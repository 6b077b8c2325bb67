/**
 * Delivers what the outboxes hold. What cannot be delivered becomes a dead letter: it stays in the outbox with its reason, and is counted.
 *
 * Which outboxes to read is told by hints (`pending/…`), so that a round over a thousand models that have nothing to tell reads nothing of
 * them. A hint may be lost in a crash, so each round also looks at a few models in turn.
 */
import type { Outbox, OutboxEntry, Transition } from '../contracts/episode.ts';
import type { Maintenance } from '../contracts/maintenance.ts';
import { keys } from '../contracts/object-keys.ts';
import { ChannelRound } from './channel-round.ts';
import { changeJson, readJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { maintenanceAt } from './maintenance.ts';
import { type ChannelPace, type GroupOptions, NEW_PACE } from './notification-group.ts';
import {
  channelsOf,
  emptyOutbox,
  entryOf,
  heldBack,
  isPending,
  isSettled,
  modelSegment,
  trimmedOutbox,
} from './outbox.ts';
import {
  type DeliveryCounts,
  type Holder,
  inParallel,
  type Job,
  OutboxDelivery,
  type OutboxState,
  PAUSES,
} from './outbox-delivery.ts';
import type { AlertChannel, Clock, ObjectStore } from './ports.ts';
import { Restatement } from './restatement.ts';
import type { Destination } from './routes.ts';

export { PAUSES } from './outbox-delivery.ts';

export interface NotifierOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly channels: readonly AlertChannel[];
  /** Where a transition goes, asked once for each. @default all channels */
  readonly destination?: (transition: Transition, source: Holder['source']) => Destination;
  /** Of everything, alarms included; a monitor's own stands in the entries of its model already. @default none */
  readonly maintenance?: readonly Maintenance[] | undefined;
  /** Many at once become one message. @default each by itself */
  readonly group?: GroupOptions;
  /** Pauses between attempts; shorter in tests. */
  readonly pauses?: readonly number[];
  /** Real time. @default the wall clock */
  readonly wall?: Clock;
  /** How long an attempt may be under way, milliseconds. @default 0: no two notifiers ever run at once */
  readonly leaseMs?: number;
  /** Models looked at in turn, a round, besides those with hints. @default 20 */
  readonly sweep?: number;
}

export interface RoundResult {
  readonly attempts: number;
  /** Outboxes that were read. */
  readonly read: number;
  /** Age of the oldest transition that some channel has not taken, milliseconds. */
  readonly undeliveredMs: number;
}

interface NotifierState {
  readonly schema: 'mlmon.notifier/v1';
  /** Where the turn of models goes on. */
  readonly after: string | null;
  readonly channels: Readonly<Record<string, ChannelPace>>;
}

/** Tests that were answered stay for so long, milliseconds. */
const TEST_KEPT = 86_400_000;
const ALARMS_KEPT = 200;
const SWEEP = 20;

export class Notifier {
  readonly #options: NotifierOptions;
  readonly #wall: Clock;
  readonly #delivery: OutboxDelivery;
  readonly #restatement: Restatement;
  readonly counts: DeliveryCounts = { delivered: 0, retried: 0, failed: 0 };
  #undeliveredMs = 0;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#wall = options.wall ?? { now: () => Date.now() };
    const { store, clock, pauses = PAUSES, leaseMs = 0 } = options;
    this.#delivery = new OutboxDelivery({ store, clock, wall: this.#wall, pauses, leaseMs, counts: this.counts });
    this.#restatement = new Restatement({
      store,
      clock,
      wall: this.#wall,
      channels: options.channels,
      onFailure: () => this.counts.retried++,
    });
  }

  /** Age of the oldest transition that some channel had not taken at the end of the last round. */
  get undeliveredMs(): number {
    return this.#undeliveredMs;
  }

  /** One round over the outboxes of these models. Resolves with the number of attempts made. */
  async tick(models: readonly string[]): Promise<number> {
    const holders = await this.#load(models.map((model) => ({ key: keys.episodes(model), source: 'model' })));
    return (await this.#round(holders, Number.POSITIVE_INFINITY)).attempts;
  }

  /** One round over every outbox that may hold something. No attempt is begun after `until`, real time. */
  async run({ until = Number.POSITIVE_INFINITY }: { readonly until?: number } = {}): Promise<RoundResult> {
    const { store } = this.#options;
    // Hints first: what is read after them holds what they hint at.
    const hints: string[] = [];
    for await (const key of listAll(store, keys.allPending())) hints.push(key);
    const models = new Set([...hints.map(modelSegment), ...(await this.#swept())]);
    const tests: string[] = [];
    for await (const key of listAll(store, keys.channelTests())) tests.push(key);
    const holders = await this.#load([
      { key: keys.alarms(), source: 'alarms' },
      ...tests.map((key) => ({ key, source: 'test' as const })),
      ...[...models].map((model) => ({ key: `episodes/${model}.json`, source: 'model' as const })),
    ]);
    const result = await this.#round(holders, until);
    const byModel = new Map(holders.map(({ key, state }) => [modelSegment(key), state]));
    await inParallel(hints, async (key) => {
      if (byModel.get(modelSegment(key))?.outbox.every(isSettled) ?? true) await store.delete(key);
    });
    await this.#forgetTests(holders);
    await this.#restatement.round();
    return { ...result, read: holders.length };
  }

  /** One round over alarms of the platform alone: they are told at once, whatever the models have. */
  async runAlarms({ until = Number.POSITIVE_INFINITY }: { readonly until?: number } = {}): Promise<RoundResult> {
    const holders = await this.#load([{ key: keys.alarms(), source: 'alarms' }]);
    return { ...(await this.#round(holders, until)), read: holders.length };
  }

  /** Takes alarms of the platform into an outbox of their own; one that is known already is left as it is. */
  async accept(transitions: readonly Transition[]): Promise<void> {
    await changeJson<Outbox>(this.#options.store, keys.alarms(), (present) => {
      const outbox = present ?? emptyOutbox();
      const known = new Set(outbox.outbox.map(({ transition }) => transition.key));
      const added = transitions.filter(({ key }) => !known.has(key) && known.add(key));
      return added.length === 0
        ? null
        : { ...outbox, outbox: trimmedOutbox([...outbox.outbox, ...added.map(entryOf)], ALARMS_KEPT) };
    });
  }

  async #load(named: readonly Pick<Holder, 'key' | 'source'>[]): Promise<Holder[]> {
    const found = await inParallel(named, async ({ key, source }) => {
      const state = (await readJson<OutboxState>(this.#options.store, key))?.value;
      return state === undefined ? [] : [{ key, source, state }];
    });
    return found.flat();
  }

  async #round(holders: readonly Holder[], until: number): Promise<Omit<RoundResult, 'read'>> {
    const { channels, group, clock, store } = this.#options;
    await inParallel(holders, (holder) => this.#decide(holder));
    await this.#dropUnknown(holders);
    const known =
      group === undefined ? null : ((await readJson<NotifierState>(store, keys.notifier()))?.value.channels ?? {});
    const rounds = await Promise.all(
      channels.map(async (channel) => {
        const jobs = holders.flatMap((holder) => pendingFor(holder, channel.name));
        if (jobs.length === 0 && (known?.[channel.name]?.groups.length ?? 0) === 0) return null;
        const pace = known?.[channel.name] ?? NEW_PACE;
        const round = new ChannelRound({
          delivery: this.#delivery,
          channel,
          wall: this.#wall,
          clock,
          group,
          pace,
          until,
        });
        return { name: channel.name, before: pace, ...(await round.run(jobs)) };
      }),
    );
    const ended = rounds.filter((round) => round !== null);
    if (group !== undefined) await this.#keepPace(ended.filter(({ before, pace }) => before !== pace));
    this.#undeliveredMs = undelivered(holders, clock.now());
    return { attempts: ended.reduce((sum, { attempts }) => sum + attempts, 0), undeliveredMs: this.#undeliveredMs };
  }

  /** Writes down where each new transition goes. */
  async #decide(holder: Holder): Promise<void> {
    const { store, clock, channels, destination, maintenance } = this.#options;
    // Alarms of the platform are on topics of their own, where programs hear of them.
    const programs = channels.filter(({ takesAll }) => takesAll === true && holder.source !== 'alarms');
    const always = programs.map(({ name }) => name);
    const people = channels.filter(({ takesAll }) => takesAll !== true).map(({ name }) => name);
    const decided = (entry: OutboxEntry): OutboxEntry => {
      if (channelsOf(entry) !== null) return entry;
      const to: Destination =
        holder.source === 'test' || destination === undefined
          ? { channels: people }
          : destination(entry.transition, holder.source);
      const told = to.channels.filter((name) => people.includes(name));
      const muted = to.muted ?? (told.length === 0 ? 'no channel takes it' : undefined);
      const at: OutboxEntry = { ...entry, channels: [...told, ...always], ...(muted === undefined ? {} : { muted }) };
      return holder.source === 'test' ? at : heldBack(at, maintenanceAt(maintenance, clock.now()));
    };
    if (holder.state.outbox.every((entry) => channelsOf(entry) !== null)) return;
    const state = await changeJson<OutboxState>(store, holder.key, (present) =>
      present === null ? null : { ...present, outbox: present.outbox.map(decided) },
    );
    if (state !== null) holder.state = state;
  }

  /** What waits for a channel that is gone would wait for ever. */
  async #dropUnknown(holders: readonly Holder[]): Promise<void> {
    const names = new Set(this.#options.channels.map(({ name }) => name));
    for (const holder of holders)
      for (const entry of holder.state.outbox)
        for (const name of channelsOf(entry) ?? [])
          if (!names.has(name) && isPending(entry, name))
            await this.#delivery.abandon(
              { holder, transition: entry.transition },
              name,
              'the channel is not configured any more',
            );
  }

  /** The next few models in turn. */
  async #swept(): Promise<string[]> {
    const { store, sweep = SWEEP } = this.#options;
    const after = (await readJson<NotifierState>(store, keys.notifier()))?.value.after ?? undefined;
    const page = await store.list('episodes/', { after, limit: sweep });
    const last = page.length < sweep ? null : (page.at(-1) ?? null);
    if (last !== (after ?? null)) await this.#change((state) => ({ ...state, after: last }));
    return page.map(modelSegment);
  }

  async #keepPace(changed: readonly { readonly name: string; readonly pace: ChannelPace }[]): Promise<void> {
    if (changed.length === 0) return;
    await this.#change((state) => ({
      ...state,
      channels: { ...state.channels, ...Object.fromEntries(changed.map(({ name, pace }) => [name, pace])) },
    }));
  }

  async #change(change: (state: NotifierState) => NotifierState): Promise<void> {
    await changeJson<NotifierState>(this.#options.store, keys.notifier(), (present) =>
      change(present ?? { schema: 'mlmon.notifier/v1', after: null, channels: {} }),
    );
  }

  async #forgetTests(holders: readonly Holder[]): Promise<void> {
    for (const { key, source, state } of holders)
      if (
        source === 'test' &&
        state.outbox.every(({ transition }) => Date.parse(transition.at) < this.#options.clock.now() - TEST_KEPT)
      )
        await this.#options.store.delete(key);
  }
}

function pendingFor(holder: Holder, channel: string): Job[] {
  return holder.state.outbox
    .filter((entry) => channelsOf(entry)?.includes(channel) === true && isPending(entry, channel))
    .map(({ transition }) => ({ holder, transition }));
}

function undelivered(holders: readonly Holder[], now: number): number {
  return (
    holders
      .flatMap(({ state }) => state.outbox)
      .filter((entry) => !isSettled(entry))
      // What is held back waits from the end of the window on.
      .map(({ transition, held }) =>
        Math.max(Date.parse(transition.at), held === undefined ? 0 : Date.parse(held.until)),
      )
      .reduce((oldest, since) => Math.max(oldest, now - since), 0)
  );
}
