/** Transitions to a Lambda function of the user's, which answers when it has done its work: what it throws is tried again. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Transition } from '../../contracts/episode.ts';
import { type AlertChannel, TransientError } from '../../pipeline/ports.ts';
import { portError } from '../aws-error.ts';
import { transitionJson } from '../transition-text.ts';

export interface FunctionOptions {
  readonly name?: string;
  readonly client: Pick<LambdaClient, 'send'>;
  readonly functionArn: string;
  /** Milliseconds. @default 20000 */
  readonly timeout?: number;
}

export class FunctionChannel implements AlertChannel {
  readonly name: string;
  readonly records = true;
  readonly #options: FunctionOptions;

  constructor(options: FunctionOptions) {
    this.name = options.name ?? 'function';
    this.#options = options;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const { client, functionArn, timeout = 20_000 } = this.#options;
    const payload = new TextEncoder().encode(transitionJson(transition, repeat));
    let failure: string | undefined;
    try {
      const answer = await client.send(
        new InvokeCommand({ FunctionName: functionArn, InvocationType: 'RequestResponse', Payload: payload }),
        { abortSignal: AbortSignal.timeout(timeout) },
      );
      failure = answer.FunctionError;
    } catch (error) {
      throw portError(`${this.name}: invoke`, error, 'check that the function is there and may be invoked');
    }
    // Its error text may hold anything, and stands in its own log.
    if (failure !== undefined) throw new TransientError(`${this.name}: the function failed (${failure})`);
  }
}
