/** Transitions to a Slack incoming webhook, in Block Kit. Text from data can neither mention nor link: `&`, `<`, `>` are escaped. */
import type { Transition } from '../../contracts/episode.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { cut, headlineOf } from '../transition-text.ts';
import { post } from '../webhook/http-post.ts';

export interface SlackOptions {
  readonly name?: string;
  /** The webhook's URL: a secret. */
  readonly url: string;
  readonly timeout?: number;
}

/** Limits of Block Kit, characters. */
const LIMITS = { header: 150, section: 3_000, field: 2_000, context: 2_000, text: 4_000 } as const;

export class SlackChannel implements AlertChannel {
  readonly name: string;
  readonly #options: SlackOptions;

  constructor(options: SlackOptions) {
    this.name = options.name ?? 'slack';
    this.#options = options;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const body = JSON.stringify(slackMessage(transition, repeat));
    await post({ url: this.#options.url, body, timeout: this.#options.timeout, receiver: this.name });
  }
}

export function slackMessage(transition: Transition, repeat: boolean): Record<string, unknown> {
  const { episode, runbook, link, context } = transition;
  const headline = headlineOf(transition, repeat);
  const features = episode.features
    .slice(0, 10)
    .map(({ name, summary }) => `• *${escapeMrkdwn(name)}* ${escapeMrkdwn(summary)}`)
    .join('\n');
  const fields = [
    ['Since', episode.since],
    ['Severity', episode.severity],
    ['Owner', episode.owner],
    ['Windows of', episode.length],
  ].map(([title, value]) => ({ type: 'mrkdwn', text: cut(`*${title}*\n${escapeMrkdwn(value ?? '')}`, LIMITS.field) }));
  return {
    text: cut(escapeMrkdwn(`${headline}: ${episode.summary}`), LIMITS.text),
    blocks: [
      // A plain_text header shows its characters as they are: escaping there would be seen.
      { type: 'header', text: { type: 'plain_text', text: cut(headline, LIMITS.header), emoji: false } },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: cut(features === '' ? escapeMrkdwn(episode.summary || 'no details') : features, LIMITS.section),
        },
      },
      { type: 'section', fields },
      ...(context.length === 0
        ? []
        : [
            {
              type: 'context',
              elements: [{ type: 'mrkdwn', text: cut(context.map(escapeMrkdwn).join('\n'), LIMITS.context) }],
            },
          ]),
      ...buttons(link, runbook),
    ],
  };
}

/** Slack refuses buttons without an absolute URL. */
function buttons(link: string, runbook: string): Record<string, unknown>[] {
  const elements = [
    ['Open', link],
    ['Runbook', runbook],
  ]
    .filter(([, url]) => /^https?:\/\//.test(url ?? ''))
    .map(([text, url]) => ({ type: 'button', text: { type: 'plain_text', text }, url: (url ?? '').slice(0, 3_000) }));
  return elements.length === 0 ? [] : [{ type: 'actions', elements }];
}

/** The three characters Slack gives a meaning in text; without `<` there is no `<!channel>`. Markup characters are broken up. */
export function escapeMrkdwn(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[*_~`]/g, (c) => `\u200b${c}`);
}
