/** Transitions to any HTTP receiver, as JSON, with an idempotency key and, when there is a secret, a signature. */
import { createHmac } from 'node:crypto';
import type { Transition } from '../../contracts/episode.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { transitionJson } from '../transition-text.ts';
import { post } from './http-post.ts';

export interface WebhookOptions {
  readonly name?: string;
  readonly url: string;
  /** Signs the body: header `mlmon-signature: sha256=<hex HMAC of "<timestamp>.<body>">`, with `mlmon-timestamp` in seconds. */
  readonly secret?: string;
  readonly timeout?: number;
}

export class WebhookChannel implements AlertChannel {
  readonly name: string;
  readonly records = true;
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.name = options.name ?? 'webhook';
    this.#options = options;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const body = transitionJson(transition, repeat);
    const headers: Record<string, string> = { 'idempotency-key': transition.key };
    if (this.#options.secret !== undefined) {
      const timestamp = String(Math.floor(Date.now() / 1_000));
      headers['mlmon-timestamp'] = timestamp;
      headers['mlmon-signature'] =
        `sha256=${createHmac('sha256', this.#options.secret).update(`${timestamp}.${body}`).digest('hex')}`;
    }
    await post({ url: this.#options.url, headers, body, timeout: this.#options.timeout, receiver: this.name });
  }
}
