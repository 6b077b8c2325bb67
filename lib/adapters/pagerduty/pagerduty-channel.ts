/** Transitions to PagerDuty's Events API v2. The episode is the de-duplication key: opened triggers, closed resolves. */
import type { Transition } from '../../contracts/episode.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { cut } from '../transition-text.ts';
import { post } from '../webhook/http-post.ts';

export interface PagerDutyOptions {
  readonly name?: string;
  /** Integration key of the service: a secret of 32 characters. */
  readonly routingKey: string;
  /** Default the US endpoint; `https://events.eu.pagerduty.com/v2/enqueue` for the EU. */
  readonly url?: string;
  readonly timeout?: number;
}

const LONGEST_SUMMARY = 1_024;
const ENDPOINT = 'https://events.pagerduty.com/v2/enqueue';

export class PagerDutyChannel implements AlertChannel {
  readonly name: string;
  readonly keepsState = true;
  readonly #options: PagerDutyOptions;

  constructor(options: PagerDutyOptions) {
    this.name = options.name ?? 'pagerduty';
    this.#options = options;
  }

  async deliver(transition: Transition): Promise<void> {
    const body = JSON.stringify(pagerDutyEvent(transition, this.#options.routingKey));
    await post({ url: this.#options.url ?? ENDPOINT, body, timeout: this.#options.timeout, receiver: this.name });
  }
}

export function pagerDutyEvent(
  { episode, kind, title, runbook, link, context }: Transition,
  routingKey: string,
): Record<string, unknown> {
  // A retracted episode is resolved; one that a revision opened again is triggered again.
  const action = kind === 'closed' || (kind === 'corrected' && episode.closed !== null) ? 'resolve' : 'trigger';
  const base = {
    routing_key: routingKey,
    event_action: action,
    dedup_key: `mlmon/${episode.model}/${episode.id}`.slice(0, 255),
  };
  if (action === 'resolve') return base;
  return {
    ...base,
    payload: {
      summary: cut(
        `${title ?? `${episode.model} ${episode.version}: ${episode.signal}`}: ${episode.summary}`,
        LONGEST_SUMMARY,
      ),
      source: episode.model,
      severity: episode.severity,
      timestamp: episode.opened,
      component: episode.features[0]?.name ?? episode.signal,
      group: episode.owner,
      class: episode.signal,
      custom_details: {
        version: episode.version,
        since: episode.since,
        window: episode.length,
        features: Object.fromEntries(episode.features.slice(0, 20).map(({ name, summary }) => [name, summary])),
        context,
        runbook,
      },
    },
    links: [
      { href: link, text: 'Open' },
      { href: runbook, text: 'Runbook' },
    ].filter(({ href }) => /^https?:\/\//.test(href)),
    client: 'mlmon',
  };
}
