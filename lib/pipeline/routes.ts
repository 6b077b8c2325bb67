/** Where a transition goes: channels by owner, model, signal and severity, unless a mute holds it back. */
import type { Alerting, Mute, Route } from '../contracts/alerting.ts';
import type { Transition } from '../contracts/episode.ts';

export interface Destination {
  readonly channels: readonly string[];
  /** Why there are none. */
  readonly muted?: string;
}

export type Routing = Pick<Alerting, 'routes' | 'mutes' | 'notifiedBy'>;

/** `isAlarm`: an alarm of the platform, which is passed on whoever tells of models. */
export function destinationOf(
  transition: Transition,
  routing: Routing,
  {
    channels,
    now,
    isAlarm = false,
    teams,
  }: {
    /** Those of the platform. */
    readonly channels: readonly string[];
    readonly now: number;
    readonly isAlarm?: boolean;
    /** Model → channels that its team brought: they take the place of all channels, and stand beside those that a route names. */
    readonly teams?: ReadonlyMap<string, readonly string[]>;
  },
): Destination {
  const mute = routing.mutes.find((one) => isInForce(one, now) && matches(one.match, transition));
  if (mute !== undefined) return { channels: [], muted: mute.reason };
  if (!isAlarm && routing.notifiedBy === 'alarms') return { channels: [], muted: 'alarms tell of open episodes' };
  const own = isAlarm ? [] : (teams?.get(transition.episode.model) ?? []);
  const matching = routing.routes.filter(({ match }) => matches(match, transition));
  if (matching.length === 0) return { channels: own.length > 0 ? own : channels };
  const named = new Set(matching.flatMap((route) => route.channels));
  return { channels: [...channels.filter((name) => named.has(name)), ...own] };
}

function matches(match: Route['match'], { episode }: Transition): boolean {
  return (
    (match.owner === undefined || match.owner === episode.owner) &&
    (match.model === undefined || match.model === episode.model) &&
    (match.signal === undefined || match.signal === episode.signal) &&
    (match.severity === undefined || match.severity === episode.severity)
  );
}

function isInForce({ from, until }: Mute, now: number): boolean {
  return (from === undefined || Date.parse(from) <= now) && (until === undefined || now < Date.parse(until));
}
