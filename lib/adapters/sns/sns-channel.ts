/** Transitions to an SNS topic, as its subscribers read them: text for e-mail, the schema of chat applications, or JSON for programs. */
import { createHash } from 'node:crypto';
import { type MessageAttributeValue, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Transition } from '../../contracts/episode.ts';
import type { AlertChannel } from '../../pipeline/ports.ts';
import { portError } from '../aws-error.ts';
import { cut, cutBytes, plainText, transitionJson, wordsOf } from '../transition-text.ts';
import { chatNotification } from './chat-notification.ts';

export interface SnsOptions {
  readonly name?: string;
  readonly client: Pick<SNSClient, 'send'>;
  readonly topicArn: string;
  readonly format: 'text' | 'chat' | 'json';
}

/** Bytes of a message, and characters of a subject, less than the service takes. */
const LARGEST = 240_000;
const LONGEST_SUBJECT = 99;

export class SnsChannel implements AlertChannel {
  readonly name: string;
  readonly records: boolean;
  readonly #options: SnsOptions;

  constructor(options: SnsOptions) {
    this.name = options.name ?? 'sns';
    this.records = options.format === 'json';
    this.#options = options;
  }

  async deliver(transition: Transition, { repeat }: { readonly repeat: boolean }): Promise<void> {
    const { client, topicArn, format } = this.#options;
    const { episode, kind, key } = transition;
    try {
      await client.send(
        new PublishCommand({
          TopicArn: topicArn,
          Message: messageOf(transition, { format, repeat }),
          ...(format === 'text' ? { Subject: subjectOf(transition, repeat) } : {}),
          MessageAttributes: Object.fromEntries(
            [
              ['model', episode.model],
              ['signal', episode.signal],
              ['severity', episode.severity],
              ['owner', episode.owner],
              ['kind', kind],
              ['key', key],
            ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, textAttribute(value)]])),
          ),
          ...(topicArn.endsWith('.fifo')
            ? { MessageGroupId: digest(episode.id), MessageDeduplicationId: digest(`${key} ${repeat}`) }
            : {}),
        }),
      );
    } catch (error) {
      throw portError(`${this.name}: publish`, error, 'check the topic, its policy and its key');
    }
  }
}

function messageOf(
  transition: Transition,
  { format, repeat }: { readonly format: SnsOptions['format']; readonly repeat: boolean },
): string {
  if (format === 'text') return cutBytes(plainText(transition, repeat), LARGEST);
  if (format === 'chat') return JSON.stringify(chatNotification(transition, repeat));
  return transitionJson(transition, repeat, LARGEST);
}

/** Printable ASCII, beginning with a letter, a digit or punctuation. */
export function subjectOf(transition: Transition, repeat: boolean): string {
  const text = wordsOf(transition, repeat)
    .normalize('NFKD')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
  return text.length <= LONGEST_SUBJECT ? text : `${text.slice(0, LONGEST_SUBJECT - 3).trimEnd()}...`;
}

function textAttribute(value: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: cut(value.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, ' '), 256) };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
