/** The state of what waits in an outbox, read from its entries alone: which channels, whether it is over, when it is due. */
import type { Outbox, OutboxEntry, Silence, Transition } from '../contracts/episode.ts';
import { keys } from '../contracts/object-keys.ts';
import type { Withheld } from './maintenance.ts';
import { ConflictError, type ObjectStore } from './ports.ts';

/**
 * Channels that an entry goes to; `null` when nobody has decided yet. An entry from before they were written down goes to those that it was
 * attempted for.
 */
export function channelsOf(entry: OutboxEntry): readonly string[] | null {
  if (entry.channels !== undefined) return entry.channels;
  const known = new Set([
    ...Object.keys(entry.attempts),
    ...Object.keys(entry.delivered),
    ...Object.keys(entry.failed),
  ]);
  return known.size === 0 ? null : [...known];
}

export function isPending(entry: OutboxEntry, channel: string): boolean {
  return entry.delivered[channel] === undefined && entry.failed[channel] === undefined;
}

/** Every attempt ended, one way or the other. */
export function isSettled(entry: OutboxEntry): boolean {
  const channels = channelsOf(entry);
  return channels?.every((channel) => !isPending(entry, channel)) ?? false;
}

/** Milliseconds before which it is not to be attempted. */
export function dueAt(entry: OutboxEntry, channel: string): number {
  return Date.parse(entry.next?.[channel] ?? '1970-01-01T00:00:00Z');
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

/** The newest `kept` of the settled entries, and all others. */
export function trimmedOutbox(outbox: readonly OutboxEntry[], kept: number): OutboxEntry[] {
  let excess = outbox.length - kept;
  return outbox.filter((entry) => !(isSettled(entry) && excess-- > 0));
}

/** What stands in place of the time of a delivery that was not made. */
const NOT_TOLD = 'not told: ';

/** The entry, held back until a maintenance window is over; of two windows until the later end. */
export function heldBack(entry: OutboxEntry, withheld: Withheld | null): OutboxEntry {
  if (withheld === null) return entry;
  if (entry.held !== undefined && Date.parse(entry.held.until) >= withheld.until) return entry;
  const held = { until: new Date(withheld.until).toISOString(), reason: withheld.reason };
  return { ...entry, held };
}

/** People may not be told of it yet, by the platform's clock. */
export function isHeld({ held }: OutboxEntry, now: number): boolean {
  return held !== undefined && now < Date.parse(held.until);
}

/**
 * What is noted in place of a delivery to people after a maintenance window; `null`: they are to be told. What was over by then is not told, and
 * no end is told of what people never heard of.
 */
export function notTold(entry: OutboxEntry, outbox: readonly OutboxEntry[], channel: string): string | null {
  const ofSame = outbox.filter(({ transition }) => transition.episode.id === entry.transition.episode.id);
  const at = ofSame.findIndex(({ transition }) => transition.key === entry.transition.key);
  if (entry.held !== undefined && ofSame.slice(at + 1).some(({ transition }) => isOver(transition)))
    return `${NOT_TOLD}${entry.held.reason}`;
  const before = ofSame[at - 1]?.delivered[channel];
  return isOver(entry.transition) && before?.startsWith(NOT_TOLD) === true ? before : null;
}

function isOver({ kind, episode }: Transition): boolean {
  return kind === 'closed' || (kind === 'corrected' && episode.closed !== null);
}

export function entryOf(transition: Transition): OutboxEntry {
  return { transition, delivered: {}, attempts: {}, failed: {} };
}

export function emptyOutbox(): Outbox {
  return { schema: 'mlmon.outbox/v1', silences: [], outbox: [] };
}

/**
 * Tells the notifier which outboxes to read, after they were written: a hint that comes before what it hints at could be taken for done.
 * One that is lost in a crash costs time only, since every outbox is looked at now and then.
 */
export async function hintAt(store: ObjectStore, model: string, outbox: readonly OutboxEntry[]): Promise<void> {
  for (const entry of outbox) {
    if (isSettled(entry)) continue;
    try {
      await store.putIfAbsent(keys.pending(model, entry.transition.key), new Uint8Array());
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}

/** The part of a key that names its model: `pending/<model>/…`, `episodes/<model>.json`. */
export function modelSegment(key: string): string {
  return (key.split('/')[1] ?? '').replace(/\.json$/, '');
}
