/**
 * A transition in the schema of custom notifications that Amazon Q Developer in chat applications shows; anything else it drops in silence.
 * The same text is shown in Slack and in Teams, so what means something in either is taken out of the data.
 */
import type { Transition } from '../../contracts/episode.ts';
import { cut, headlineOf, isAbsoluteUrl, stateKeyOf } from '../transition-text.ts';

/** Well below what the schema takes. */
const LIMITS = { title: 200, description: 4_000, line: 400, keywords: 5, thread: 200 } as const;

export function chatNotification(transition: Transition, repeat: boolean): Record<string, unknown> {
  const { episode, context, link, runbook, key } = transition;
  const lines = [
    escapeChat(episode.summary || 'no details'),
    ...episode.features
      .slice(0, 8)
      .map(({ name, summary }) => `• *${escapeChat(name)}* ${escapeChat(cut(summary, LIMITS.line))}`),
    ...context.slice(0, 4).map((line) => escapeChat(cut(line, LIMITS.line))),
  ];
  const steps = [
    ['Open', link],
    ['Runbook', runbook],
  ]
    .filter(([, url]) => isAbsoluteUrl(url ?? ''))
    .map(([title, url]) => `<${url?.replace(/[<>|\s]/g, encodeURIComponent)}|${title}>`);
  return {
    version: '1.0',
    source: 'custom',
    id: key.slice(0, LIMITS.thread),
    content: {
      textType: 'client-markdown',
      title: cut(escapeChat(headlineOf(transition, repeat)), LIMITS.title),
      description: cut(lines.join('\n'), LIMITS.description),
      ...(steps.length === 0 ? {} : { nextSteps: steps }),
      keywords: [episode.model, episode.signal, episode.severity]
        .filter((word) => word !== '')
        .slice(0, LIMITS.keywords),
    },
    metadata: {
      threadId: stateKeyOf(transition, LIMITS.thread),
      summary: cut(escapeChat(headlineOf(transition, repeat)), LIMITS.title),
      eventType: `model.${episode.signal}`,
      additionalContext: Object.fromEntries(
        Object.entries({
          severity: episode.severity,
          owner: episode.owner,
          version: episode.version,
          since: episode.since,
        }).map(([name, value]) => [name, cut(value, LIMITS.thread)]),
      ),
    },
  };
}

/** Escapes of Slack, which Teams shows too; markup characters are broken up by a space of no width. */
function escapeChat(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[*_~`[\]]/g, (character) => `${character}\u200b`);
}
