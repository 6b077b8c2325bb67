/** A transition in words, as every channel says it. */
import type { Transition } from '../contracts/episode.ts';

const MARK = { opened: '⚠', closed: '✓', corrected: '↺' } as const;
const WORD = {
  drift: 'Drift',
  quality: 'Data quality',
  performance: 'Performance',
  latency: 'Latency',
  volume: 'Volume',
  blind: 'Monitoring is blind',
} as const;

/** One line: what, on which model, and whether it is over. */
export function headlineOf(transition: Transition, repeat: boolean): string {
  return `${MARK[transition.kind]} ${wordsOf(transition, repeat)}`;
}

/** The same without the mark, for receivers of plain characters. */
export function wordsOf({ episode, kind, title }: Transition, repeat: boolean): string {
  const what = title ?? `${WORD[episode.signal]} on ${episode.model} ${episode.version}`;
  return `${what}${kind === 'opened' ? '' : `: ${kind}`}${repeat ? ' (repeated)' : ''}`;
}

/** The whole of it as lines of plain text. */
export function plainText(transition: Transition, repeat: boolean): string {
  const { episode, context, runbook, link } = transition;
  return [
    wordsOf(transition, repeat),
    '',
    episode.summary,
    ...episode.features.slice(0, 20).map(({ name, summary }) => `- ${name}: ${summary}`),
    '',
    `Since: ${episode.since}`,
    `Severity: ${episode.severity}`,
    `Owner: ${episode.owner}`,
    ...context.map((line) => `Also: ${line}`),
    ...(isAbsoluteUrl(link) ? [`Open: ${link}`] : []),
    ...(runbook === '' ? [] : [`Runbook: ${runbook}`]),
  ].join('\n');
}

/** The last word on it is that it is over: closed, or taken back. */
export function isOver({ kind, episode }: Transition): boolean {
  return kind === 'closed' || (kind === 'corrected' && episode.closed !== null);
}

/** What receivers that keep state know it by, the same from opening to closing. */
export function stateKeyOf({ episode }: Transition, longest: number): string {
  return `mlmon/${episode.model}/${episode.id}`.slice(0, longest);
}

export function isAbsoluteUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

/** Cuts without leaving half an escape or half a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/&[a-z]{0,3}$|[\ud800-\udbff]$/, '')}…`;
}

/** No more than so many bytes of UTF-8, with whole characters. */
export function cutBytes(text: string, limit: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return text;
  // Streaming holds back what is half a character at the end.
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, limit - 3)), { stream: true }).concat('…');
}

/** What programs read, at most so many bytes: of very many features the last are left out, never half of one. */
export function transitionJson(transition: Transition, repeat: boolean, largest = Number.POSITIVE_INFINITY): string {
  for (let kept = transition.episode.features.length; ; kept = Math.floor(kept / 2)) {
    const episode = { ...transition.episode, features: transition.episode.features.slice(0, kept) };
    const body = JSON.stringify({ schema: 'mlmon.transition/v1', repeat, ...transition, episode });
    if (kept === 0 || Buffer.byteLength(body) <= largest) return body;
  }
}
