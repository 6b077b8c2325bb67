/**
 * A storm of alerts as one message. A few go out at once, each by itself; when more come than people can read they are told together, at most
 * once in an interval, and what comes meanwhile waits for the next. All of them stand in their outboxes whatever is sent.
 */
import { createHash } from 'node:crypto';
import type { Transition } from '../contracts/episode.ts';
import { noun } from '../contracts/noun.ts';
import { SEVERITIES } from '../contracts/result.ts';

export interface GroupOptions {
  /** Messages by themselves within an interval, a channel. @default 5 */
  readonly limit?: number;
  /** Milliseconds. @default 300000 */
  readonly intervalMs?: number;
}

export const DEFAULT_GROUP = { limit: 5, intervalMs: 300_000 } as const;

/** What a channel was sent lately. */
export interface ChannelPace {
  /** Times of the messages of the last interval, RFC 3339. */
  readonly recent: readonly string[];
  /** After a group: nothing before. */
  readonly heldUntil: string | null;
  /** Groups that a channel which keeps state has open, by the episodes still open in each. */
  readonly groups: readonly { readonly transition: Transition; readonly open: readonly string[] }[];
}

export const NEW_PACE: ChannelPace = { recent: [], heldUntil: null, groups: [] };

export type Turn = 'wait' | 'each' | 'group';

export function turnOf(pace: ChannelPace, waiting: number, now: number, options: GroupOptions = {}): Turn {
  const { limit, intervalMs } = { ...DEFAULT_GROUP, ...options };
  if (pace.heldUntil !== null && Date.parse(pace.heldUntil) > now) return 'wait';
  const recent = pace.recent.filter((at) => Date.parse(at) > now - intervalMs).length;
  return waiting + recent <= limit ? 'each' : 'group';
}

/** The pace after messages were sent, one each or together. */
export function paced(
  pace: ChannelPace,
  sent: number,
  turn: Turn,
  now: number,
  options: GroupOptions = {},
): ChannelPace {
  const { intervalMs } = { ...DEFAULT_GROUP, ...options };
  const at = new Date(now).toISOString();
  const recent = pace.recent.filter((time) => Date.parse(time) > now - intervalMs);
  if (turn === 'group') return { ...pace, recent, heldUntil: new Date(now + intervalMs).toISOString() };
  return { ...pace, recent: [...recent, ...Array.from({ length: sent }, () => at)], heldUntil: null };
}

/** Begins the ids of groups. */
const GROUP = 'group-';

/** Whether it tells of several transitions together. */
export function isGroup({ episode }: Transition): boolean {
  return episode.id.startsWith(GROUP);
}

/** Models named in a group. */
const NAMED = 20;

export function groupOf(transitions: readonly Transition[], at: string): Transition {
  const ranked = [...transitions].sort(
    (a, b) => SEVERITIES.indexOf(b.episode.severity) - SEVERITIES.indexOf(a.episode.severity),
  );
  const worst = ranked[0]!;
  const over = transitions.filter(({ kind }) => kind === 'closed').length;
  const opened = transitions.length - over;
  const models = new Set(transitions.map(({ episode }) => episode.model));
  const owners = new Set(transitions.map(({ episode }) => episode.owner));
  const kind = opened > 0 ? 'opened' : 'closed';
  const id = `${GROUP}${digest(transitions.map(({ key }) => key).sort())}`;
  const count = [opened > 0 ? `${opened} opened` : '', over > 0 ? `${over} closed` : ''].filter((text) => text !== '');
  return {
    key: `${id}/${kind}/1`,
    kind,
    title: `${transitions.length} ${noun(transitions.length, 'alert')} on ${models.size} ${noun(models.size, 'model')}`,
    at,
    runbook: worst.runbook,
    link: worst.link,
    context: ranked.length > NAMED ? [`and ${ranked.length - NAMED} more: \`mlmon alert list\` shows all`] : [],
    episode: {
      ...worst.episode,
      id,
      model: models.size === 1 ? worst.episode.model : 'several-models',
      version: '',
      owner: owners.size === 1 ? worst.episode.owner : 'several',
      closed: kind === 'closed' ? at : null,
      features: ranked.slice(0, NAMED).map(({ episode, kind: what }) => ({
        name: episode.model,
        aspect: null,
        effect: null,
        summary: `${episode.signal} ${what}: ${episode.summary}`,
        since: episode.since,
      })),
      summary: `${count.join(', ')} at about the same time; a common cause is likely`,
    },
  };
}

/** The group is over when the last episode in it is. */
export function groupClosed(group: Transition, at: string): Transition {
  return {
    ...group,
    key: `${group.episode.id}/closed/1`,
    kind: 'closed',
    at,
    episode: { ...group.episode, closed: at },
  };
}

function digest(keys: readonly string[]): string {
  return createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 16);
}
