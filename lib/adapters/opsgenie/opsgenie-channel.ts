/** Transitions to Opsgenie, or the operations of Jira Service Management, which take the same requests. The alias closes what it opened. */
import type { Transition } from '../../contracts/episode.ts';
import type { Severity } from '../../contracts/result.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { cut, isAbsoluteUrl, isOver, plainText, stateKeyOf, wordsOf } from '../transition-text.ts';
import { post } from '../webhook/http-post.ts';

export interface OpsgenieOptions {
  readonly name?: string;
  /** Key of an API integration: a secret. */
  readonly key: string;
  /**
   * Where alerts are made: `https://api.eu.opsgenie.com/v2/alerts` in the EU, `https://api.atlassian.com/jsm/ops/integration/v2/alerts` for Jira
   * Service Management. @default https://api.opsgenie.com/v2/alerts
   */
  readonly url?: string;
  readonly timeout?: number;
}

const ENDPOINT = 'https://api.opsgenie.com/v2/alerts';
const LIMITS = {
  message: 130,
  alias: 512,
  description: 15_000,
  tag: 50,
  entity: 512,
  detail: 400,
  note: 25_000,
} as const;
const PRIORITY: Readonly<Record<Severity, string>> = { critical: 'P1', warning: 'P3', info: 'P5' };

export class OpsgenieChannel implements AlertChannel {
  readonly name: string;
  readonly keepsState = true;
  readonly #options: OpsgenieOptions;

  constructor(options: OpsgenieOptions) {
    this.name = options.name ?? 'opsgenie';
    this.#options = options;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const { key, url = ENDPOINT, timeout } = this.#options;
    const headers = { authorization: `GenieKey ${key}` };
    const address = url.replace(/\/+$/, '');
    if (isOver(transition)) {
      const alias = encodeURIComponent(stateKeyOf(transition, LIMITS.alias));
      await post({
        url: `${address}/${alias}/close?identifierType=alias`,
        headers,
        body: JSON.stringify({ source: 'mlmon', note: cut(wordsOf(transition, repeat), LIMITS.note) }),
        timeout,
        receiver: this.name,
        // Somebody deleted it there: it is over for them too.
        accepted: [404],
      });
    } else
      await post({
        url: address,
        headers,
        body: JSON.stringify(opsgenieAlert(transition, repeat)),
        timeout,
        receiver: this.name,
      });
  }
}

export function opsgenieAlert(transition: Transition, repeat: boolean): Record<string, unknown> {
  const { episode, link, runbook } = transition;
  return {
    message: cut(`${wordsOf(transition, false)}: ${episode.summary}`.replace(/[\r\n]+/g, ' '), LIMITS.message),
    alias: stateKeyOf(transition, LIMITS.alias),
    description: cut(plainText(transition, repeat), LIMITS.description),
    tags: [episode.signal, episode.model, episode.owner].map((tag) => cut(tag, LIMITS.tag)),
    details: Object.fromEntries(
      [
        ['model', episode.model],
        ['version', episode.version],
        ['signal', episode.signal],
        ['owner', episode.owner],
        ['since', episode.since],
        ...[
          ['link', link],
          ['runbook', runbook],
        ].filter(([, url]) => isAbsoluteUrl(url ?? '')),
      ].map(([name, value]) => [name, cut(value ?? '', LIMITS.detail)]),
    ),
    entity: cut(episode.model, LIMITS.entity),
    source: 'mlmon',
    priority: PRIORITY[episode.severity],
  };
}
