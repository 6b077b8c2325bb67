/** The channels of a deployment, made of its configuration. Secrets are read when something is delivered, never before, and never shown. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { EventBus } from '../../lib/adapters/eventbridge/event-bus.ts';
import { FunctionChannel } from '../../lib/adapters/function/function-channel.ts';
import { OpsgenieChannel } from '../../lib/adapters/opsgenie/opsgenie-channel.ts';
import { PagerDutyChannel } from '../../lib/adapters/pagerduty/pagerduty-channel.ts';
import { SlackChannel } from '../../lib/adapters/slack/slack-channel.ts';
import { SnsChannel } from '../../lib/adapters/sns/sns-channel.ts';
import { SqsChannel } from '../../lib/adapters/sqs/sqs-channel.ts';
import { TeamsChannel } from '../../lib/adapters/teams/teams-channel.ts';
import { WebhookChannel } from '../../lib/adapters/webhook/webhook-channel.ts';
import type { Alerting, Delivery } from '../../lib/contracts/alerting.ts';
import type { Transition } from '../../lib/contracts/episode.ts';
import { episodeEvent, testEvent } from '../../lib/pipeline/outgoing-events.ts';
import { type AlertChannel, TransientError } from '../../lib/pipeline/ports.ts';
import { transitionDashboard } from '../../lib/pipeline/transition-dashboard.ts';
import type { Secrets } from '../secrets.ts';

export interface ChannelClients {
  readonly sns: Pick<SNSClient, 'send'>;
  readonly sqs: Pick<SQSClient, 'send'>;
  readonly lambda: Pick<LambdaClient, 'send'>;
  readonly events: Pick<EventBridgeClient, 'send'>;
}

export function channelClients(): ChannelClients {
  const options = { maxAttempts: 2 };
  return {
    sns: new SNSClient(options),
    sqs: new SQSClient(options),
    lambda: new LambdaClient({ maxAttempts: 1 }),
    events: new EventBridgeClient(options),
  };
}

export interface ChannelParts {
  readonly secrets: Pick<Secrets, 'text'>;
  readonly clients: ChannelClients;
  /** Name of the environment. */
  readonly environment: string;
}

export function channelsOf(alerting: Alerting, parts: ChannelParts): AlertChannel[] {
  const links = { ...alerting, environment: parts.environment };
  return alerting.channels.map((delivery) => linked(channelOf(delivery, parts), links));
}

/** Channels whose receivers do not subscribe to the topics of alarms themselves: to those the notifier passes alarms on. */
export function hearingAlarmsFromUs({ channels }: Alerting): string[] {
  return channels
    .filter((delivery) => {
      if (delivery.type === 'event-bus') return false;
      if (delivery.type === 'sns') return delivery.hearsAlarms === false;
      return delivery.type !== 'sqs' || delivery.hearsAlarms !== true;
    })
    .map(({ name }) => name);
}

function channelOf(delivery: Delivery, { secrets, clients, environment }: ChannelParts): AlertChannel {
  const { name } = delivery;
  if (delivery.type === 'sns')
    return new SnsChannel({ name, client: clients.sns, topicArn: delivery.topicArn, format: delivery.format });
  if (delivery.type === 'sqs') return new SqsChannel({ name, client: clients.sqs, queueUrl: delivery.queueUrl });
  if (delivery.type === 'function')
    return new FunctionChannel({ name, client: clients.lambda, functionArn: delivery.functionArn });
  if (delivery.type === 'event-bus') {
    const bus = new EventBus({ client: clients.events, bus: delivery.busArn });
    return {
      ...{ name, records: true, takesAll: true },
      deliver: (transition, { withheld, test }) =>
        bus.put([
          test === true ? testEvent(transition, environment) : episodeEvent(transition, environment, withheld ?? null),
        ]),
    };
  }
  const { secretArn } = delivery;
  const secret = async (): Promise<string> => {
    try {
      return (await secrets.text(secretArn)).trim();
    } catch (error) {
      // Somebody may give access, or put the secret, within the time that deliveries are tried.
      throw new TransientError(
        `${name}: its secret cannot be read: ${error instanceof Error ? error.name : 'no answer'}`,
      );
    }
  };
  if (delivery.type === 'slack')
    return lazily(name, {}, async () => new SlackChannel({ name, url: address(name, await secret()).url }));
  if (delivery.type === 'teams')
    return lazily(name, {}, async () => new TeamsChannel({ name, url: address(name, await secret()).url }));
  if (delivery.type === 'pagerduty')
    return lazily(
      name,
      { keepsState: true },
      async () => new PagerDutyChannel({ name, routingKey: keyOf(await secret()), url: delivery.url }),
    );
  if (delivery.type === 'opsgenie')
    return lazily(
      name,
      { keepsState: true },
      async () => new OpsgenieChannel({ name, key: keyOf(await secret()), url: delivery.url }),
    );
  return lazily(name, { records: true }, async () => {
    const { url, key } = address(name, await secret());
    return new WebhookChannel({ name, url, secret: key });
  });
}

function lazily(
  name: string,
  kind: Pick<AlertChannel, 'records' | 'keepsState'>,
  make: () => Promise<AlertChannel>,
): AlertChannel {
  return {
    name,
    ...kind,
    deliver: async (transition, options) => (await make()).deliver(transition, options),
  };
}

/** An address alone, or `{ "url": …, "key": … }`. */
function address(name: string, secret: string): { readonly url: string; readonly key: string | undefined } {
  const fields = secret.startsWith('{') ? jsonFields(secret) : { url: secret };
  const { url, key } = fields;
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:/.test(url))
    throw new TransientError(`${name}: its secret holds no address; expected https://…, or { "url": …, "key": … }`);
  return { url, key: typeof key === 'string' && key !== '' ? key : undefined };
}

/** A key alone, or `{ "key": … }`. */
function keyOf(secret: string): string {
  const { key } = secret.startsWith('{') ? jsonFields(secret) : { key: secret };
  return typeof key === 'string' ? key : secret;
}

function jsonFields(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** Where links lead to. */
export interface LinkBases extends Pick<Alerting, 'linkBase' | 'runbookBase' | 'dashboardBase'> {
  /** Name of the environment: what its series carry as `instance`. */
  readonly environment: string;
}

/** Parts make links without knowing where pages lie; here it is known. */
function linked(channel: AlertChannel, bases: LinkBases): AlertChannel {
  return {
    name: channel.name,
    records: channel.records,
    keepsState: channel.keepsState,
    takesAll: channel.takesAll,
    deliver: (transition, options) => channel.deliver(withLinks(transition, bases), options),
  };
}

/** A page that somebody names comes first; without one what is shown in Grafana is linked to there. */
export function withLinks(
  transition: Transition,
  { linkBase, runbookBase, dashboardBase, environment }: LinkBases,
): Transition {
  const shown =
    transition.link === '' && dashboardBase !== undefined
      ? transitionDashboard(transition, { base: dashboardBase, instance: environment })
      : null;
  return {
    ...transition,
    link: shown ?? absolute(transition.link, linkBase),
    runbook: absolute(
      transition.runbook.slice(Math.max(0, transition.runbook.indexOf('#'))),
      runbookBase,
      transition.runbook,
    ),
  };
}

function absolute(path: string, base: string | undefined, given = path): string {
  if (/^https?:\/\//.test(given) || given === '') return given;
  return base === undefined ? given : `${base.replace(/\/+$/, '')}${/^[/#]/.test(path) ? '' : '/'}${path}`;
}
