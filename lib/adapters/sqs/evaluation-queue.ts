/** The queue between dispatcher and evaluators: messages ten at a time, what was refused is handed back. */
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { EvaluationMessage } from '../../contracts/functions.ts';
import { portError } from '../aws-error.ts';

const PER_REQUEST = 10;

export interface SqsEvaluationQueueOptions {
  /** Retries by itself; give it a few attempts. */
  readonly client: Pick<SQSClient, 'send'>;
  readonly queueUrl: string;
}

export class SqsEvaluationQueue {
  readonly #options: SqsEvaluationQueueOptions;
  /** Why the last message was not taken. */
  lastFailure: string | null = null;

  constructor(options: SqsEvaluationQueueOptions) {
    this.#options = options;
  }

  /** Resolves with those that were not taken; it never rejects, since a message that is lost is sent again by the next run. */
  async send(messages: readonly EvaluationMessage[]): Promise<readonly EvaluationMessage[]> {
    const { client, queueUrl } = this.#options;
    const refused: EvaluationMessage[] = [];
    for (let from = 0; from < messages.length; from += PER_REQUEST) {
      const part = messages.slice(from, from + PER_REQUEST);
      const Entries = part.map((message, i) => ({ Id: String(i), MessageBody: JSON.stringify(message) }));
      try {
        const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
        for (const { Id, Code, Message } of Failed) {
          const message = part[Number(Id)];
          if (message !== undefined) refused.push(message);
          this.lastFailure = `${Code}: ${Message ?? ''}`;
        }
      } catch (error) {
        refused.push(...part);
        this.lastFailure = portError('sqs: send', error).message;
      }
    }
    return refused;
  }
}
