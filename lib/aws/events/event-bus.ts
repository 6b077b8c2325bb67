import { type Duration, Names, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { PREFIXES } from '../../contracts/object-keys.ts';
import { BUS_SOURCE, outgoingSource } from '../../contracts/outgoing-events.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { queueReaderStatements } from '../access/statements.ts';
import { acknowledge } from '../acknowledge.ts';
import { ANNOUNCER_BATCH, ANNOUNCER_CONCURRENCY, EVENTS_CARRIED, FUNCTION_SIZES } from '../defaults.ts';
import { DeadLetterQueue, MessageQueue } from '../message-queue.ts';
import { MonitoringFunction } from '../monitoring-function.ts';
import { newObjects } from '../object-trigger.ts';
import type { PlatformContext } from '../platform-context.ts';
import { linkFrom, outermost } from '../sharing/platform-links.ts';
import type { IChannel } from '../watching/channel.ts';
import { EventRule, type EventRuleProps } from './event-rule.ts';
import type { IPlatformEvents } from './platform-events.ts';
import { admitBus } from './rule-queue.ts';

/** What a bus carries: transitions of episodes, judged windows, baselines. */
export type CarriedEvents = 'episodes' | 'results' | 'baselines';

/** What programs are told of, and where. */
export interface EventBusOptions {
  /** A bus of yours; its policy must let this account put events, where it is of another. @default a bus of its own */
  readonly bus?: events.IEventBus;
  /** How long what was put on the bus is kept, so that it can be put there again (a replay). @default nothing is kept */
  readonly archive?: Duration;
  /** What is told. @default EVENTS_CARRIED: episodes,results,baselines */
  readonly carries?: readonly CarriedEvents[];
}

export interface EventBusProps extends EventBusOptions {
  readonly platform: PlatformContext;
}

/**
 * Tells programs what the platform finds, as CloudEvents on an EventBridge bus, each at least once: episodes come from their outbox through the
 * notifier, results and baselines as they are written to the store. What they hold: docs/reference/events-out.md.
 */
export class EventBus extends Construct implements IPlatformEvents {
  readonly bus: events.IEventBus;
  readonly source: string;
  /** What no rule's target took, what the key could not open, and news of objects that could not be queued; watched by an alarm. */
  readonly deadLetters: DeadLetterQueue;
  readonly archive: events.CfnArchive | undefined;
  /** Puts results and baselines on the bus; `undefined` where only episodes are told. */
  readonly announcer: MonitoringFunction<'announcer'> | undefined;
  /** The way of episodes: a channel that gets whatever is muted or silenced too; `undefined` where they are not told. */
  readonly channel: IChannel | undefined;

  readonly #environmentName: string;

  constructor(scope: Construct, id: string, props: EventBusProps) {
    super(scope, id);
    const { platform } = props;
    this.#environmentName = platform.environmentName;
    const carries = props.carries ?? EVENTS_CARRIED;
    if (carries.length === 0)
      throw new ProblemError([
        {
          code: 'nothing-carried',
          path: 'carries',
          message: 'names nothing to tell',
          expected: 'episodes, results or baselines',
          fix: 'leave it out, or leave out the bus',
        },
      ]);
    this.source = outgoingSource(platform.environmentName);
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { key: platform.key });
    this.bus = props.bus ?? this.#own(platform);
    // The bus itself, and rules on it.
    admitBus(this.deadLetters.queue, this.bus, Stack.of(this));
    this.archive = props.archive === undefined ? undefined : this.#archived(props.archive, platform);
    this.channel = carries.includes('episodes') ? this.#channel() : undefined;
    const prefixes = [
      ...(carries.includes('results') ? [PREFIXES.results] : []),
      ...(carries.includes('baselines') ? [PREFIXES.baselines] : []),
    ];
    this.announcer = prefixes.length === 0 ? undefined : this.#announcer(platform, prefixes);
  }

  /** By its parameter where a platform made it in another stack; a bus of yours is named as it is. */
  busArn(scope: Construct): string {
    const { eventBusArn } = this.bus;
    const isHere = outermost(this.bus) === outermost(this);
    return isHere ? linkFrom(scope, this, 'eventBusArn', this.#environmentName, eventBusArn) : eventBusArn;
  }

  /** Starts something on events of the platform; what its target does not take lies in the dead letters here, or beside a rule of another stack. */
  on(scope: Construct, id: string, props: Omit<EventRuleProps, 'events'>): EventRule {
    const here = outermost(scope) === outermost(this) ? { deadLetters: this.deadLetters.queue } : {};
    return new EventRule(scope, id, { ...here, ...props, events: this });
  }

  #own({ key, environmentName }: PlatformContext): events.IEventBus {
    const bus = new events.EventBus(this, 'Bus', {
      eventBusName: Names.uniqueResourceName(this, { maxLength: 200, separator: '-' }),
      description: `Episodes, results and baselines of the model monitoring of ${environmentName}`,
    });
    const resource = bus.node.defaultChild as events.CfnEventBus;
    resource.deadLetterConfig = { arn: this.deadLetters.queue.queueArn };
    if (key !== undefined) {
      // Said here: the way of the library would tie the key to the bus.
      resource.kmsKeyIdentifier = key.keyArn;
      key.addToResourcePolicy(
        new iam.PolicyStatement({
          sid: 'EventBuses',
          principals: [new iam.ServicePrincipal('events.amazonaws.com')],
          actions: ['kms:DescribeKey'],
          resources: ['*'],
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
      );
    }
    return bus;
  }

  #archived(retention: Duration, { key }: PlatformContext): events.CfnArchive {
    return new events.CfnArchive(this, 'Archive', {
      sourceArn: this.bus.eventBusArn,
      description: 'Events of the model monitoring',
      eventPattern: { source: [BUS_SOURCE], detail: { source: [this.source] } },
      retentionDays: retention.toDays(),
      ...(key === undefined ? {} : { kmsKeyIdentifier: key.keyArn }),
    });
  }

  #channel(): IChannel {
    return {
      kind: 'event-bus',
      bind: (_scope, { name, notifier }) => {
        notifier.role.addToPolicy(this.#mayPut());
        return { delivery: { type: 'event-bus', name, busArn: this.bus.eventBusArn }, independent: false };
      },
    };
  }

  #announcer(platform: PlatformContext, prefixes: readonly string[]): MonitoringFunction<'announcer'> {
    const { queue } = new MessageQueue(this, 'Objects', {
      key: platform.key,
      functionTimeout: FUNCTION_SIZES.announcer.timeout,
    });
    const rule = new events.CfnRule(this, 'NewObjects', {
      description: 'Model monitoring: new objects for announcer',
      eventPattern: newObjects(platform.bucket, prefixes),
      targets: [
        {
          id: 'Queue',
          arn: queue.queueArn,
          deadLetterConfig: { arn: this.deadLetters.queue.queueArn },
          retryPolicy: { maximumRetryAttempts: 185, maximumEventAgeInSeconds: 86_400 },
        },
      ],
    });
    queue.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
      }),
    );
    const announcer = new MonitoringFunction(this, 'Announcer', {
      name: 'announcer',
      platform,
      environment: { MLMON_EVENT_BUS_ARN: this.bus.eventBusArn },
    });
    for (const statement of [...queueReaderStatements(queue, platform.key), this.#mayPut()])
      announcer.role.addToPolicy(statement);
    const source = new lambda.EventSourceMapping(this, 'EventSource', {
      target: announcer.function,
      eventSourceArn: queue.queueArn,
      batchSize: ANNOUNCER_BATCH,
      reportBatchItemFailures: true,
      maxConcurrency: ANNOUNCER_CONCURRENCY,
    });
    source.node.addDependency(announcer.role);
    const reason = 'what it gives up goes to the dead letters of its queue';
    acknowledge(announcer.function, 'Serverless-LambdaDLQ', reason);
    acknowledge(source, 'Serverless-LambdaEventSourceMappingDestination', reason);
    return announcer;
  }

  #mayPut(): iam.PolicyStatement {
    return new iam.PolicyStatement({ actions: ['events:PutEvents'], resources: [this.bus.eventBusArn] });
  }
}
