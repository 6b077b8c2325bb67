/** Transitions to a workflow of Microsoft Teams, as an adaptive card. Text from data can make no links, lists or emphasis. */
import type { Transition } from '../../contracts/episode.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { cut, headlineOf, isAbsoluteUrl } from '../transition-text.ts';
import { post } from '../webhook/http-post.ts';

export interface TeamsOptions {
  readonly name?: string;
  /** The address of the workflow's webhook: a secret. */
  readonly url: string;
  readonly timeout?: number;
}

/** Bytes that Teams takes are some 28,000; what is larger loses its features, then its context. */
const LARGEST = 24_000;
const LIMITS = { title: 200, summary: 1_000, value: 500, facts: 10 } as const;

export class TeamsChannel implements AlertChannel {
  readonly name: string;
  readonly #options: TeamsOptions;

  constructor(options: TeamsOptions) {
    this.name = options.name ?? 'teams';
    this.#options = options;
  }

  /** Resolves when the workflow was started: whether it then posts is not told to whoever sends. */
  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const { url, timeout } = this.#options;
    await post({ url, body: teamsBody(transition, repeat), timeout, receiver: this.name });
  }
}

export function teamsBody(transition: Transition, repeat: boolean): string {
  let features = Math.min(LIMITS.facts, transition.episode.features.length);
  let context = transition.context.length;
  for (;;) {
    const body = JSON.stringify(teamsMessage(transition, { repeat, features, context }));
    if (Buffer.byteLength(body) <= LARGEST || features + context === 0) return body;
    if (features > 0) features--;
    else context--;
  }
}

function teamsMessage(
  transition: Transition,
  { repeat, features, context }: { readonly repeat: boolean; readonly features: number; readonly context: number },
): object {
  const { episode, link, runbook } = transition;
  const facts = [
    ...episode.features.slice(0, features).map(({ name, summary }) => [name, summary] as const),
    ['Since', episode.since] as const,
    ['Severity', episode.severity] as const,
    ['Owner', episode.owner] as const,
  ];
  const actions = [
    ['Open', link],
    ['Runbook', runbook],
  ].filter(([, url]) => isAbsoluteUrl(url ?? ''));
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            text(cut(headlineOf(transition, repeat), LIMITS.title), { size: 'Medium', weight: 'Bolder' }),
            text(cut(episode.summary || 'no details', LIMITS.summary)),
            {
              type: 'FactSet',
              facts: facts.map(([title, value]) => ({
                title: escapeMarkdown(cut(title, LIMITS.title)),
                value: escapeMarkdown(cut(value, LIMITS.value)),
              })),
            },
            ...transition.context
              .slice(0, context)
              .map((line) => text(cut(line, LIMITS.value), { isSubtle: true, size: 'Small' })),
          ],
          actions: actions.map(([title, url]) => ({ type: 'Action.OpenUrl', title, url })),
        },
      },
    ],
  };
}

function text(content: string, more: Readonly<Record<string, unknown>> = {}): object {
  return { type: 'TextBlock', text: escapeMarkdown(content), wrap: true, ...more };
}

/**
 * Cards read a subset of Markdown and nothing escapes it everywhere, so what has a meaning is parted from what it would act on by a
 * space of no width; it reads as it was.
 */
export function escapeMarkdown(content: string): string {
  return (
    content
      .replace(/[\r\n]+/g, ' ')
      .replace(/[*_~`#[\]<>|]/g, (character) => `${character}\u200b`)
      // `1.` and `-` at the beginning would make lists, a scheme would make links.
      .replace(/^(\s*(?:\d+|[-+]))/, '$1\u200b')
      .replaceAll('://', ':\u200b//')
  );
}
