/**
 * Episodes as a pure fold over the latest revisions in window order: opened after M of N windows, closed with hysteresis, not
 * opened again for the same change within the cool-down.
 * A revision changes the past, so the fold keeps a checkpoint before everything that may still be revised and the
 * judgements since, and runs again from there. The same judgements in any order of arrival give the same episodes.
 */
import { createHash } from 'node:crypto';
import type { Episode, EpisodeFeature } from '../contracts/episode.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { SIGNALS, type Signal } from '../contracts/result.ts';
import type { Judgement } from './judgement.ts';

/** Quiet base windows in a row that close an episode. */
export const QUIET_WINDOWS = 3;
const DAY = 86_400_000;
/** After an episode of windows shorter than a day its features open none for so long, unless they move further than they did. */
export const COOL_DOWN = DAY;

interface Machine {
  readonly signal: Signal;
  readonly version: string;
  /** Blind for labels, which is another matter than blind for events: what ends the one says nothing of the other. */
  readonly ofLabels?: boolean;
  /** The last N base windows, newest last: what each flagged. */
  recent: { start: number; names: string[] }[];
  open: Episode | null;
  quiet: number;
  /** Longer scales that opened or joined the episode and have not yet had a quiet window. */
  held: string[];
  /** The last episode that closed: when, and how far each of its features had moved. */
  closed?: { readonly at: number; readonly effects: readonly (readonly [feature: string, effect: number])[] };
}

export interface FoldState {
  /** State machines as they stood before the oldest judgement of `tail`. */
  readonly checkpoint: readonly Machine[];
  /** In window order: end, then shortest first. */
  readonly tail: readonly Judgement[];
  /** Windows of either kind that ended before this are settled; results for them come too late to change episodes. */
  readonly settled: Readonly<Record<Judgement['kind'], number>>;
}

export const EMPTY_FOLD: FoldState = { checkpoint: [], tail: [], settled: { window: 0, performance: 0 } };

export interface FoldRules {
  readonly monitor: Monitor;
  /** How long after its end a window may still be revised, by kind, milliseconds. */
  readonly settleAfter: Readonly<Record<Judgement['kind'], number>>;
}

export interface Fold {
  readonly state: FoldState;
  /** Episodes opened or still open since the checkpoint, in order of opening. */
  readonly episodes: readonly Episode[];
  /** Judgements that came after their window was settled. */
  readonly tooLate: number;
}

/** M and N of the shortest windows, as the monitor says or by default. */
export function confirmation(monitor: Monitor, windowMs: number): { readonly m: number; readonly n: number } {
  const text = monitor.alerts.after ?? (windowMs < DAY ? '2 of 3' : '1 of 1');
  return { m: Number(text[0]), n: Number(text[5]) };
}

export function foldEpisodes(before: FoldState, arrived: readonly Judgement[], rules: FoldRules): Fold {
  const { tail, tooLate } = insert(before, arrived);
  const newest = { window: 0, performance: 0 };
  for (const { kind, end } of tail) newest[kind] = Math.max(newest[kind], end);
  const settled = {
    window: Math.max(before.settled.window, newest.window - rules.settleAfter.window),
    performance: Math.max(before.settled.performance, newest.performance - rules.settleAfter.performance),
  };
  // A checkpoint may only move past judgements that come before every unsettled one, since the fold is in window order.
  const firstUnsettled = tail.findIndex((judgement) => judgement.end >= settled[judgement.kind]);
  const cut = firstUnsettled < 0 ? tail.length : firstUnsettled;

  const machines = new Map<string, Machine>(
    before.checkpoint.map((machine) => [machineKey(machine), structuredClone(machine) as Machine]),
  );
  const episodes = new Map<string, Episode>();
  for (const { open } of machines.values()) if (open !== null) episodes.set(open.id, open);
  let checkpoint: readonly Machine[] = before.checkpoint;
  tail.forEach((judgement, i) => {
    if (i === cut) checkpoint = structuredClone([...machines.values()]);
    for (const signal of SIGNALS) step(machines, episodes, judgement, signal, rules);
  });
  if (cut === tail.length) checkpoint = [...machines.values()];
  return { state: { checkpoint, tail: tail.slice(cut), settled }, episodes: [...episodes.values()], tooLate };
}

/** The latest revision of each window, in window order. */
function insert(before: FoldState, arrived: readonly Judgement[]): { tail: Judgement[]; tooLate: number } {
  const byWindow = new Map(before.tail.map((judgement) => [windowKey(judgement), judgement]));
  let tooLate = 0;
  for (const judgement of arrived) {
    if (judgement.end < before.settled[judgement.kind]) {
      tooLate++;
      continue;
    }
    const key = windowKey(judgement);
    const present = byWindow.get(key);
    if (present === undefined || judgement.revision > present.revision) byWindow.set(key, judgement);
  }
  return { tail: [...byWindow.values()].sort(inWindowOrder), tooLate };
}

function inWindowOrder(a: Judgement, b: Judgement): number {
  return a.end - b.end || b.start - a.start || (windowKey(a) < windowKey(b) ? -1 : 1);
}

const windowKey = (j: Judgement): string => `${j.kind}/${j.start}/${j.length}/${j.version}`;
const machineKey = ({ signal, version, ofLabels }: Pick<Machine, 'signal' | 'version' | 'ofLabels'>): string =>
  `${signal}/${version}${ofLabels === true ? '/labels' : ''}`;
const isOfLabels = ({ kind }: Judgement, signal: Signal): boolean => signal === 'blind' && kind === 'performance';

function step(
  machines: Map<string, Machine>,
  episodes: Map<string, Episode>,
  judgement: Judgement,
  signal: Signal,
  rules: FoldRules,
): void {
  const condition = judgement.conditions[signal];
  if (condition === undefined) return;
  const what = { signal, version: judgement.version, ...(isOfLabels(judgement, signal) ? { ofLabels: true } : {}) };
  const key = machineKey(what);
  const machine = machines.get(key) ?? {
    ...what,
    recent: [],
    open: null,
    quiet: 0,
    held: [],
  };
  machines.set(key, machine);

  const confirmed = judgement.base
    ? confirmedNow(machine, judgement, rules)
    : new Map(condition.flagged.map(({ name }) => [name, judgement.start]));
  const features = condition.flagged
    .filter(({ name }) => confirmed.has(name))
    .map((feature) => ({ ...feature, since: iso(confirmed.get(feature.name) ?? judgement.start) }));

  if (machine.open === null && features.every((feature) => isCooling(machine, judgement, feature))) return;
  if (features.length > 0) {
    machine.open =
      machine.open === null ? opened(judgement, signal, features, rules.monitor) : joined(machine.open, features);
    if (!judgement.base && !machine.held.includes(judgement.length)) machine.held.push(judgement.length);
    machine.quiet = 0;
  } else if (machine.open !== null) {
    const loud = condition.loud || condition.flagged.length > 0;
    if (!judgement.base) {
      if (!loud) machine.held = machine.held.filter((length) => length !== judgement.length);
    } else machine.quiet = loud ? 0 : machine.quiet + 1;
    const enough = signal === 'blind' ? 1 : QUIET_WINDOWS;
    if (machine.quiet >= enough && machine.held.length === 0) {
      const closed = { ...machine.open, closed: iso(judgement.end) };
      episodes.set(closed.id, closed);
      if (!isCertain(signal))
        machine.closed = {
          at: judgement.end,
          effects: closed.features.map(({ name, effect }) => [name, effect ?? 0]),
        };
      machine.open = null;
      machine.quiet = 0;
      return;
    }
  }
  if (machine.open !== null) episodes.set(machine.open.id, machine.open);
}

/**
 * Told already: the feature was in the episode that closed last, has not moved further than then, and either the cool-down is
 * not over or this longer window still holds rows of that episode.
 */
function isCooling({ closed }: Machine, { start, end }: Judgement, { name, effect }: EpisodeFeature): boolean {
  const known = closed?.effects.find(([feature]) => feature === name);
  if (closed === undefined || known === undefined || (effect ?? 0) > known[1]) return false;
  return start < closed.at || (end - start < DAY && end <= closed.at + COOL_DOWN);
}

/** A breach of the contract and blindness are certain at once: nothing statistical is to be confirmed, or to come back by chance. */
function isCertain(signal: Signal): boolean {
  return signal === 'quality' || signal === 'blind';
}

/** Features flagged in at least M of the last N base windows, with the start of the first of those. */
function confirmedNow(machine: Machine, judgement: Judgement, rules: FoldRules): Map<string, number> {
  const flagged = judgement.conditions[machine.signal]?.flagged.map(({ name }) => name) ?? [];
  const { m, n } = isCertain(machine.signal)
    ? { m: 1, n: 1 }
    : confirmation(rules.monitor, judgement.end - judgement.start);
  machine.recent = [...machine.recent, { start: judgement.start, names: flagged }].slice(-n);
  const confirmed = new Map<string, number>();
  for (const name of flagged) {
    const hits = machine.recent.filter(({ names }) => names.includes(name));
    if (hits.length >= m) confirmed.set(name, hits[0]?.start ?? judgement.start);
  }
  return confirmed;
}

function opened(judgement: Judgement, signal: Signal, features: readonly EpisodeFeature[], monitor: Monitor): Episode {
  const sorted = byEffect(features);
  return {
    id: createHash('sha256')
      .update(
        JSON.stringify([
          ...[monitor.model, judgement.version, signal, judgement.end, judgement.length],
          ...(isOfLabels(judgement, signal) ? ['labels'] : []),
        ]),
      )
      .digest('hex')
      .slice(0, 16),
    model: monitor.model,
    version: judgement.version,
    signal,
    severity: monitor.alerts.severity[signal],
    owner: monitor.owner,
    opened: iso(judgement.end),
    closed: null,
    since: sorted.map(({ since }) => since).sort()[0] ?? iso(judgement.start),
    length: judgement.length,
    features: sorted,
    summary: summary(sorted),
    provisional: judgement.provisional,
  };
}

/** An open episode keeps, for each feature, the window in which it was largest. */
function joined(episode: Episode, features: readonly EpisodeFeature[]): Episode {
  const byName = new Map(episode.features.map((feature) => [feature.name, feature]));
  for (const feature of features) {
    const present = byName.get(feature.name);
    if (present === undefined) byName.set(feature.name, feature);
    else if ((feature.effect ?? 0) > (present.effect ?? 0))
      byName.set(feature.name, { ...feature, since: present.since });
  }
  const sorted = byEffect([...byName.values()]);
  return { ...episode, features: sorted, summary: summary(sorted) };
}

function byEffect(features: readonly EpisodeFeature[]): EpisodeFeature[] {
  return [...features].sort((a, b) => (b.effect ?? 0) - (a.effect ?? 0) || (a.name < b.name ? -1 : 1));
}

function summary(features: readonly EpisodeFeature[]): string {
  const shown = features.slice(0, 3).map((feature) => `${feature.name}: ${feature.summary}`);
  const more = features.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

const iso = (ms: number): string => new Date(ms).toISOString();
