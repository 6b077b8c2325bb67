/** Transitions to an SQS queue, a message each, for programs. */
import { createHash } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Transition } from '../../contracts/episode.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { portError } from '../aws-error.ts';
import { transitionJson } from '../transition-text.ts';

export interface SqsOptions {
  readonly name?: string;
  readonly client: Pick<SQSClient, 'send'>;
  readonly queueUrl: string;
}

/** Bytes of a message, less than the service takes. */
const LARGEST = 240_000;

export class SqsChannel implements AlertChannel {
  readonly name: string;
  readonly records = true;
  readonly #options: SqsOptions;

  constructor(options: SqsOptions) {
    this.name = options.name ?? 'sqs';
    this.#options = options;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const { client, queueUrl } = this.#options;
    const { episode, key, kind } = transition;
    const attribute = (value: string): { DataType: string; StringValue: string } => ({
      DataType: 'String',
      StringValue: value,
    });
    try {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: transitionJson(transition, repeat, LARGEST),
          MessageAttributes: {
            signal: attribute(episode.signal),
            severity: attribute(episode.severity),
            kind: attribute(kind),
          },
          // A FIFO queue drops a repeat by itself within five minutes.
          ...(queueUrl.endsWith('.fifo')
            ? {
                MessageGroupId: digest(episode.id),
                MessageDeduplicationId: digest(key),
              }
            : {}),
        }),
      );
    } catch (error) {
      throw portError(`${this.name}: send`, error, 'check the queue, its policy and its key');
    }
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
