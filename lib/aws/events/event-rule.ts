import * as events from 'aws-cdk-lib/aws-events';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DeadLetterQueue } from '../message-queue.ts';
import { type EventChoice, eventPattern } from './event-pattern.ts';
import type { EventTarget } from './event-target.ts';
import type { IPlatformEvents } from './platform-events.ts';
import { admitRule } from './rule-queue.ts';

export interface EventRuleProps extends EventChoice {
  /** Whose events; the `eventBus` of a platform. */
  readonly events: IPlatformEvents;
  /** What they start. */
  readonly target: EventTarget;
  /** @default what the events are, in words */
  readonly description?: string;
  /** Takes events that the target did not take within a day; one that was made elsewhere must let EventBridge send, and so must its key. @default that of the bus where it makes the rule in its own stack, else a queue of its own */
  readonly deadLetters?: sqs.IQueue;
  /** `false` makes it and starts nothing. @default true */
  readonly enabled?: boolean;
}

/**
 * Starts something on events of a platform: a pipeline, a state machine, a function. Events come at least once: what is started must live with
 * a repeat, which carries the same id.
 */
export class EventRule extends Construct {
  readonly rule: events.CfnRule;
  readonly deadLetters: sqs.IQueue;

  constructor(scope: Construct, id: string, props: EventRuleProps) {
    super(scope, id);
    this.deadLetters = props.deadLetters ?? new DeadLetterQueue(this, 'DeadLetters').queue;
    const { admit, arn, role, sageMakerPipelineParameters } = props.target.bind(this);
    const pattern = eventPattern(props.events, props);
    this.rule = new events.CfnRule(this, 'Resource', {
      eventBusName: props.events.busArn?.(this) ?? props.events.bus.eventBusArn,
      description: props.description ?? 'Model monitoring: starts something on what the platform finds',
      eventPattern: { source: pattern.source, 'detail-type': pattern.detailType, detail: pattern.detail },
      state: props.enabled === false ? 'DISABLED' : 'ENABLED',
      targets: [
        {
          id: 'Target',
          arn,
          roleArn: role?.roleArn,
          sageMakerPipelineParameters,
          deadLetterConfig: { arn: this.deadLetters.queueArn },
          retryPolicy: { maximumRetryAttempts: 185, maximumEventAgeInSeconds: 86_400 },
        },
      ],
    });
    if (role !== undefined) this.rule.node.addDependency(role);
    admit?.(this.rule);
    admitRule(this.deadLetters, this.rule);
  }
}
