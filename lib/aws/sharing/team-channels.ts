import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct, type IConstruct } from 'constructs';
import type { Delivery } from '../../contracts/alerting.ts';
import { BorrowedRole } from '../access/borrowed-role.ts';
import { DeadLetterQueue } from '../message-queue.ts';
import { channelNames } from '../watching/alerting.ts';
import type { IChannel } from '../watching/channel.ts';
import type { IMonitoringPlatform } from './monitoring-platform.ts';

export interface TeamChannelsProps {
  readonly platform: IMonitoringPlatform;
  /** Whose alerts are delivered. */
  readonly model: string;
  readonly channels: readonly IChannel[];
}

/** Channels of one model, from the stack of its team: what they need is made here, and the platform's notifier is let in from here. */
export class TeamChannels extends Construct {
  /** What the notifier reads; ARNs in it are known when deployed. */
  readonly deliveries: readonly Delivery[];
  /** What must be there before anything is delivered. */
  readonly policy: IConstruct | undefined;
  #deadLetters: DeadLetterQueue | undefined;

  constructor(scope: Construct, id: string, props: TeamChannelsProps) {
    super(scope, id);
    const { platform, model, channels } = props;
    const role = new BorrowedRole(this, 'Notifier', { roleArn: platform.notifierRoleArn(this) });
    const names = channelNames(channels);
    const letters = (): sqs.IQueue => {
      this.#deadLetters ??= new DeadLetterQueue(this, 'DeadLetters', {});
      return this.#deadLetters.queue;
    };
    this.deliveries = channels.map(
      (channel, i) =>
        channel.bind(new Construct(this, names[i]!), {
          name: nameOf(model, names[i]!),
          notifier: { role },
          alarmTopics: {},
          get deadLetters() {
            return letters();
          },
          newTopic: (within, topicId) =>
            new sns.Topic(within, topicId, { masterKey: platform.topicKey(this), enforceSSL: true }),
        }).delivery,
    );
    this.policy = role.policy;
  }

  /** Messages that a subscription could not deliver; made where a channel has subscriptions. */
  get deadLetters(): sqs.IQueue | undefined {
    return this.#deadLetters?.queue;
  }

  /** As a publication takes it. */
  get json(): string {
    return Stack.of(this).toJsonString(this.deliveries);
  }
}

/** Longest name of a channel. */
const LONGEST = 40;

/** A model has one owner, so its name tells channels of teams apart. */
function nameOf(model: string, name: string): string {
  const whole = `${model}-${name}`;
  if (whole.length <= LONGEST) return whole;
  return `${whole.slice(0, LONGEST - 7)}-${createHash('sha256').update(whole).digest('hex').slice(0, 6)}`;
}
