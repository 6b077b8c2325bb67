import { Names, Stack, Token } from 'aws-cdk-lib';
import * as chatbot from 'aws-cdk-lib/aws-chatbot';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Delivery } from '../../contracts/alerting.ts';
import { ProblemError, shown } from '../../contracts/problem.ts';
import type { Severity } from '../../contracts/result.ts';
import { keyStatements, secretStatements } from '../access/statements.ts';
import { acknowledge } from '../acknowledge.ts';

/** A role, of this stack or of another, that statements are added to. */
export interface IStatementHolder {
  addToPolicy(statement: iam.PolicyStatement): unknown;
}

/** What a channel is given when it joins an alerting. */
export interface ChannelContext {
  /** Its name in routes, unique among the channels. */
  readonly name: string;
  /** Delivers transitions of episodes; the channel adds the rights that its delivery takes. */
  readonly notifier: { readonly role: IStatementHolder };
  /** Where alarms are published. Whoever subscribes here hears of blindness even when no function runs. Empty for a team's channel, which hears of its models alone. */
  readonly alarmTopics: { readonly [S in Severity]?: sns.ITopic };
  /** Takes messages that a subscription could not deliver. */
  readonly deadLetters: sqs.IQueue;
  /** A topic for messages of the notifier, encrypted and TLS only like those of alarms. */
  newTopic(scope: Construct, id: string): sns.ITopic;
}

/** What came of it. */
export interface BoundChannel {
  /** What the notifier reads. */
  readonly delivery: Delivery;
  /** Hears of alarms without any function of ours. */
  readonly independent: boolean;
}

/** Where alerts are delivered. Made by the factories of `Channel`, or by anybody whose receiver fits one of the deliveries. */
export interface IChannel {
  /** The name in routes; `undefined` for one made of `kind`. */
  readonly name?: string;
  /** In a word. */
  readonly kind: string;
  bind(scope: Construct, context: ChannelContext): BoundChannel;
}

/** What any channel may be told. */
export interface ChannelOptions {
  /** In routes, in `mlmon alert list`, in the record of deliveries. @default its kind, numbered from the second on */
  readonly name?: string;
}

/** Of a channel whose service has an address in each region. */
export interface RegionalChannelOptions extends ChannelOptions {
  /** Address of the service. @default the public one, in the United States */
  readonly url?: string;
}

/** Where in Slack. */
export interface SlackChannelOptions extends ChannelOptions {
  /** Id of the workspace (`T…`), authorised once in the console of Amazon Q Developer in chat applications. */
  readonly workspace: string;
  /** Id of the channel (`C…`). */
  readonly channel: string;
}

/** Severities of alarms that wake or concern people; `info` is for the record. */
const FOR_PEOPLE: readonly Severity[] = ['critical', 'warning'];
/** What Amazon Q Developer may do, whoever asks it in the channel: look at the alarms it tells of. */
const CHAT_ACTIONS = ['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData', 'cloudwatch:GetMetricWidgetImage'];

/** The channels that come with the library. */
export class Channel implements IChannel {
  /** An incoming webhook of Slack. The secret holds its address. */
  static slack(secret: secretsmanager.ISecret, options: ChannelOptions = {}): Channel {
    return Channel.#withSecret('slack', secret, options, (name, secretArn) => ({ type: 'slack', name, secretArn }));
  }

  /** Events API v2 of PagerDuty. The secret holds the routing key. */
  static pagerDuty(secret: secretsmanager.ISecret, options: RegionalChannelOptions = {}): Channel {
    const { url } = options;
    return Channel.#withSecret('pagerduty', secret, options, (name, secretArn) => ({
      type: 'pagerduty',
      name,
      secretArn,
      url,
    }));
  }

  /** A workflow of Microsoft Teams that takes webhook requests. The secret holds its address. */
  static teams(secret: secretsmanager.ISecret, options: ChannelOptions = {}): Channel {
    return Channel.#withSecret('teams', secret, options, (name, secretArn) => ({ type: 'teams', name, secretArn }));
  }

  /** Opsgenie, or Jira Service Management with its address as `url`. The secret holds the key of the integration. */
  static opsgenie(secret: secretsmanager.ISecret, options: RegionalChannelOptions = {}): Channel {
    const { url } = options;
    return Channel.#withSecret('opsgenie', secret, options, (name, secretArn) => ({
      type: 'opsgenie',
      name,
      secretArn,
      url,
    }));
  }

  /** Any HTTPS endpoint. The secret holds `{ "url": …, "key": … }`, the key signing the body, or the address alone. */
  static webhook(secret: secretsmanager.ISecret, options: ChannelOptions = {}): Channel {
    return Channel.#withSecret('webhook', secret, options, (name, secretArn) => ({ type: 'webhook', name, secretArn }));
  }

  /** E-mail. Each of its subscriptions (episodes, critical alarms, warnings) is confirmed once by the receiver. Hears of blindness without our code. */
  static email(address: string, options: ChannelOptions = {}): Channel {
    if (!Token.isUnresolved(address) && !/^[^\s@]+@[^\s@]+$/.test(address))
      throw new ProblemError([
        {
          code: 'email',
          path: 'address',
          message: 'is no e-mail address',
          got: shown(address),
          expected: 'name@domain',
        },
      ]);
    return Channel.#subscribed('email', address, options, 'text', (topic, deadLetterQueue) =>
      topic.addSubscription(new subscriptions.EmailSubscription(address, { deadLetterQueue })),
    );
  }

  /**
   * An HTTPS endpoint as a subscriber of topics: it confirms itself and checks signatures as SNS asks. Hears of blindness without our code. Its
   * address stands in the template: for one that is secret use `webhook`.
   */
  static https(url: string, options: ChannelOptions = {}): Channel {
    if (!Token.isUnresolved(url) && !url.startsWith('https://'))
      throw new ProblemError([
        { code: 'https', path: 'url', message: 'is no HTTPS address', got: shown(url), expected: 'https://…' },
      ]);
    return Channel.#subscribed('https', url, options, 'json', (topic, deadLetterQueue) =>
      topic.addSubscription(
        new subscriptions.UrlSubscription(url, { protocol: sns.SubscriptionProtocol.HTTPS, deadLetterQueue }),
      ),
    );
  }

  /** A channel of Slack through Amazon Q Developer in chat applications: no secret and no webhook. Hears of blindness without our code. */
  static slackChannel(options: SlackChannelOptions): Channel {
    return new Channel('slack-channel', options.name, (scope, context) => {
      const topic = context.newTopic(scope, 'Topic');
      allowPublish(context, topic);
      const look = (): iam.PolicyStatement => new iam.PolicyStatement({ actions: CHAT_ACTIONS, resources: ['*'] });
      const role = new iam.Role(scope, 'Role', {
        assumedBy: new iam.ServicePrincipal('chatbot.amazonaws.com', {
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
        }),
        description: `Looks at alarms for the channel ${context.name}`,
      });
      role.addToPolicy(look());
      const guardrail = new iam.ManagedPolicy(scope, 'Guardrail', {
        description: 'The most that commands in the channel may do: look at alarms',
        statements: [look()],
      });
      for (const one of [role, guardrail])
        acknowledge(
          one,
          'AwsSolutions-IAM5[Resource::*]',
          'these read-only actions of CloudWatch name no resources: cloudwatch:GetMetricData and GetMetricWidgetImage are given for all or none',
        );
      new chatbot.SlackChannelConfiguration(scope, 'Configuration', {
        slackChannelConfigurationName: Names.uniqueResourceName(scope, { maxLength: 100, separator: '-' }),
        slackWorkspaceId: options.workspace,
        slackChannelId: options.channel,
        notificationTopics: [topic, ...topicsForPeople(context)],
        guardrailPolicies: [guardrail],
        role,
      });
      return {
        delivery: { type: 'sns', name: context.name, topicArn: topic.topicArn, format: 'chat' },
        independent: true,
      };
    });
  }

  /**
   * A queue: a JSON message for each transition. A queue of the same app hears of blindness without our code; one that was made elsewhere does
   * so when you subscribe it to `alerting.topics` there.
   */
  static sqs(queue: sqs.IQueue, options: ChannelOptions = {}): Channel {
    if (queue.fifo)
      throw new ProblemError([
        {
          code: 'fifo-queue',
          path: 'queue',
          message: 'topics of alarms cannot deliver to a FIFO queue',
          got: shown(queue.node.path),
          expected: 'a standard queue',
        },
      ]);
    return new Channel('sqs', options.name, (_scope, context) => {
      const { role } = context.notifier;
      role.addToPolicy(new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources: [queue.queueArn] }));
      for (const statement of keyStatements(queue.encryptionMasterKey)) role.addToPolicy(statement);
      // Only the stack that made a queue can admit topics to it.
      const independent = queue instanceof sqs.Queue;
      if (independent)
        for (const topic of topicsForPeople(context))
          topic.addSubscription(new subscriptions.SqsSubscription(queue, { deadLetterQueue: context.deadLetters }));
      return {
        delivery: { type: 'sqs', name: context.name, queueUrl: queue.queueUrl, hearsAlarms: independent },
        independent,
      };
    });
  }

  /** A function of yours, invoked with each transition; what it throws is tried again. */
  static custom(target: lambda.IFunction, options: ChannelOptions = {}): Channel {
    return new Channel('function', options.name, (_scope, context) => {
      context.notifier.role.addToPolicy(
        new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target.functionArn] }),
      );
      return {
        delivery: { type: 'function', name: context.name, functionArn: target.functionArn },
        independent: false,
      };
    });
  }

  static #withSecret(
    kind: string,
    secret: secretsmanager.ISecret,
    options: ChannelOptions,
    delivery: (name: string, secretArn: string) => Delivery,
  ): Channel {
    return new Channel(kind, options.name, (_scope, { name, notifier }) => {
      for (const statement of secretStatements(secret)) notifier.role.addToPolicy(statement);
      return { delivery: delivery(name, secret.secretArn), independent: false };
    });
  }

  /** A topic of its own for transitions, and the same subscriber on the topics of alarms. */
  static #subscribed(
    kind: string,
    subscriber: string,
    options: ChannelOptions,
    format: 'text' | 'json',
    subscribe: (topic: sns.ITopic, deadLetters: sqs.IQueue) => void,
  ): Channel {
    return new Channel(kind, options.name, (scope, context) => {
      const topic = context.newTopic(scope, 'Topic');
      allowPublish(context, topic);
      for (const one of [topic, ...topicsForPeople(context)]) {
        // Routes may give one subscriber several names; of alarms it hears once. Subscriptions are called by their subscriber, if it is known.
        if (Token.isUnresolved(subscriber) || one.node.tryFindChild(subscriber) === undefined)
          subscribe(one, context.deadLetters);
      }
      return { delivery: { type: 'sns', name: context.name, topicArn: topic.topicArn, format }, independent: true };
    });
  }

  readonly kind: string;
  readonly name?: string;
  readonly #bind: IChannel['bind'];

  private constructor(kind: string, name: string | undefined, bind: IChannel['bind']) {
    this.kind = kind;
    this.name = name;
    this.#bind = bind;
  }

  bind(scope: Construct, context: ChannelContext): BoundChannel {
    return this.#bind(scope, context);
  }
}

function topicsForPeople({ alarmTopics }: ChannelContext): readonly sns.ITopic[] {
  return FOR_PEOPLE.flatMap((severity) => alarmTopics[severity] ?? []);
}

function allowPublish({ notifier }: ChannelContext, topic: sns.ITopic): void {
  notifier.role.addToPolicy(new iam.PolicyStatement({ actions: ['sns:Publish'], resources: [topic.topicArn] }));
}
