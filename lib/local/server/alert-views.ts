/** Episodes as people see them: with what became of their transitions. */
import type { AlertView } from '../../contracts/api.ts';
import { durationMs } from '../../contracts/duration.ts';
import type { Episode, EpisodeState, OutboxEntry } from '../../contracts/episode.ts';

export interface AlertLinks {
  runbook(episode: Episode): string;
  page(episode: Episode): string;
}

/** Newest first. `now`: milliseconds, by the platform's clock. */
export function alertViews(
  state: EpisodeState | null,
  options: { readonly now: number; readonly links: AlertLinks; readonly timezone: string | undefined },
): AlertView[] {
  if (state === null) return [];
  return state.episodes
    .map((episode) => alertView(episode, state, options))
    .sort((a, b) => (a.opened < b.opened ? 1 : a.opened > b.opened ? -1 : a.id < b.id ? -1 : 1));
}

function alertView(
  episode: Episode,
  state: EpisodeState,
  { now, links, timezone }: { now: number; links: AlertLinks; timezone: string | undefined },
): AlertView {
  const entries = state.outbox.filter(({ transition }) => transition.episode.id === episode.id);
  const last = entries.at(-1)?.transition;
  const opened = entries.find(({ transition }) => transition.kind === 'opened')?.transition;
  const silenced = state.silences.some(
    ({ model, signal, from, until }) =>
      model === episode.model &&
      (signal === null || signal === episode.signal) &&
      Date.parse(from) <= now &&
      now < Date.parse(until),
  );
  return {
    ...episode,
    state: episode.closed === null ? 'open' : 'closed',
    corrected: last?.kind === 'corrected' && last.episode.closed !== null,
    acknowledged: state.acknowledged[episode.id] ?? null,
    silenced,
    timezone,
    notifiedAt: opened?.at ?? null,
    runbook: opened?.runbook ?? links.runbook(episode),
    link: opened?.link ?? links.page(episode),
    context: last?.context ?? [],
    deliveries: entries.flatMap(deliveriesOf),
  };
}

/** What is held back for maintenance is told of before anything was tried, and what is sent to nobody with the reason. */
export function deliveriesOf(entry: OutboxEntry): AlertView['deliveries'] {
  const { transition, delivered, attempts, failed, held, muted } = entry;
  const known = [...Object.keys(attempts), ...Object.keys(delivered), ...Object.keys(failed)];
  const channels = new Set(held === undefined ? known : [...known, ...(entry.channels ?? [])]);
  const { kind } = transition;
  const told = [...channels].sort().map((channel): AlertView['deliveries'][number] => {
    const done = delivered[channel];
    if (done?.startsWith('silenced') || done?.startsWith('not told'))
      return { transition: kind, channel, state: 'silenced' as const, detail: done };
    if (done !== undefined) return { transition: kind, channel, state: 'delivered' as const, detail: done };
    const reason = failed[channel];
    if (reason !== undefined) return { transition: kind, channel, state: 'failed' as const, detail: reason };
    const tries = attempts[channel] ?? 0;
    const wait = tries > 0 || held === undefined ? `attempt ${tries}` : `held back until ${held.until}: ${held.reason}`;
    return { transition: kind, channel, state: 'pending' as const, detail: wait };
  });
  return muted === undefined
    ? told
    : [...told, { transition: kind, channel: 'everybody', state: 'silenced', detail: muted }];
}

/** `1h` before `1d` before `7d`; what is no duration comes last, by name. */
export function byLength(a: string, b: string): number {
  return lengthMs(a) - lengthMs(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function lengthMs(length: string): number {
  try {
    return durationMs(length);
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
