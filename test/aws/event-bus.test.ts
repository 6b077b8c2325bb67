/** The bus for programs: what stands around it, and rules that start something. */
import { Duration, Stack, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as stepfunctions from 'aws-cdk-lib/aws-stepfunctions';
import { describe, expect, it } from 'vitest';
import { EventBus, type EventBusOptions } from '../../lib/aws/events/event-bus.ts';
import { type EventChoice, eventPattern } from '../../lib/aws/events/event-pattern.ts';
import { EventRule } from '../../lib/aws/events/event-rule.ts';
import { EventTarget } from '../../lib/aws/events/event-target.ts';
import type { PlatformContext } from '../../lib/aws/platform-context.ts';
import { alertingSchema } from '../../lib/contracts/alerting.ts';
import { OUTGOING_TYPES, outgoingEventSchema } from '../../lib/contracts/outgoing-events.ts';
import { testApp } from './app.ts';
import { interfaces } from './interfaces.ts';
import { light } from './light.ts';
import { least, newApp } from './subjects.ts';
import { allowed, ofType, resourcesOf } from './template.ts';
import './without-validation.ts';

function platformIn(stack: Stack, more: Partial<PlatformContext> = {}): PlatformContext {
  return {
    environmentName: 'test',
    bucket: s3.Bucket.fromBucketName(stack, 'Store', 'platform-bucket'),
    stream: kinesis.Stream.fromStreamArn(stack, 'Stream', 'arn:aws:kinesis:eu-central-1:111122223333:stream/events'),
    ...more,
  };
}
function made(options: EventBusOptions = {}, platform: Partial<PlatformContext> = {}) {
  const stack = new Stack(testApp(), 'Test');
  const bus = new EventBus(stack, 'Events', { platform: platformIn(stack, platform), ...options });
  return { stack, bus, resources: () => resourcesOf(stack) };
}
const text = (name: string): string => Token.asString({ Ref: name });

describe('the bus', () => {
  it('tells of results and baselines by a queue, from new objects of the store', () => {
    const { resources } = made();
    const [rule] = ofType(resources(), 'AWS::Events::Rule');
    expect(rule?.Properties).toMatchObject({
      EventPattern: {
        source: ['aws.s3'],
        detail: {
          bucket: { name: ['platform-bucket'] },
          object: { key: [{ prefix: 'results/' }, { prefix: 'baselines/' }] },
        },
      },
      Targets: [{ DeadLetterConfig: { Arn: expect.anything() as unknown } }],
    });
    expect(ofType(resources(), 'AWS::Lambda::EventSourceMapping')[0]?.Properties).toMatchObject({
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 5 },
    });
  });

  it('lets its function put events and read what it tells of, nothing else', () => {
    const { resources } = made();
    const actions = allowed(resources(), 'EventsAnnouncer').filter((action) => !/^(logs|xray|sqs):/.test(action));
    expect([...new Set(actions)].sort()).toEqual(['events:PutEvents', 's3:GetObject', 's3:ListBucket']);
  });

  it('carries what was asked for alone', () => {
    const episodes = made({ carries: ['episodes'] });
    expect(episodes.bus.announcer).toBeUndefined();
    expect(episodes.bus.channel).toBeDefined();
    const baselines = made({ carries: ['baselines'] });
    expect(baselines.bus.channel).toBeUndefined();
    expect(JSON.stringify(ofType(baselines.resources(), 'AWS::Events::Rule'))).not.toContain('results/');
    expect(() => made({ carries: [] })).toThrow(/carries: names nothing to tell/);
  });

  it('takes a bus that there is', () => {
    const stack = new Stack(testApp(), 'Test');
    const bus = events.EventBus.fromEventBusName(stack, 'Company', 'company');
    const made = new EventBus(stack, 'Events', { platform: platformIn(stack), bus });
    expect(made.bus).toBe(bus);
    expect(ofType(resourcesOf(stack), 'AWS::Events::EventBus')).toEqual([]);
    expect(JSON.stringify(ofType(resourcesOf(stack), 'AWS::Lambda::Function'))).toContain('event-bus/company');
  });

  it('keeps events of this platform alone in its archive', () => {
    const { resources } = made({ archive: Duration.days(30) });
    expect(ofType(resources(), 'AWS::Events::Archive')[0]?.Properties).toMatchObject({
      RetentionDays: 30,
      EventPattern: { source: ['ml-monitoring'], detail: { source: ['/ml-monitoring/test'] } },
    });
  });

  it('is encrypted under the key that there is, and leaves what it cannot open to its dead letters', () => {
    const stack = new Stack(testApp(), 'Test');
    const key = new kms.Key(stack, 'Key');
    new EventBus(stack, 'Events', { platform: platformIn(stack, { key }), archive: Duration.days(1) });
    const [bus] = ofType(resourcesOf(stack), 'AWS::Events::EventBus');
    const [archive] = ofType(resourcesOf(stack), 'AWS::Events::Archive');
    expect(bus?.Properties).toMatchObject({
      KmsKeyIdentifier: { 'Fn::GetAtt': [expect.stringMatching(/^Key/), 'Arn'] },
    });
    expect(bus?.Properties.DeadLetterConfig).toBeDefined();
    expect(archive?.Properties.KmsKeyIdentifier).toBeDefined();
  });
});

describe('episodes', () => {
  const platform = (eventBus?: EventBusOptions) =>
    least(new Stack(newApp(), 'Test'), { ...(eventBus === undefined ? {} : { eventBus }) });

  it('come by a channel that is none of the routes', () => {
    const { configuration } = platform({}).alerting;
    expect(configuration.channels.map(({ type }) => type)).toEqual(['sns', 'event-bus']);
    expect(() =>
      least(new Stack(newApp(), 'Test'), { eventBus: {}, routes: [{ match: {}, channels: ['event-bus'] }] }),
    ).toThrow(/no channel has this name/);
    expect(
      alertingSchema.shape.channels.safeParse([{ type: 'event-bus', name: 'event-bus', busArn: 'arn:b' }]).success,
    ).toBe(true);
  });

  it('do not pass for somebody who hears of blindness', () => {
    const stack = new Stack(newApp(), 'Test');
    least(stack, { eventBus: {}, channels: [] });
    const warned = stack.node.findAll().flatMap(({ node }) => node.metadata.filter(({ type }) => /warning/.test(type)));
    expect(JSON.stringify(warned.map(({ data }) => data))).toMatch(/nobody is told of anything/);
  });

  it('are put with a right to the one bus', () => {
    const { alerting } = platform({});
    const resources = resourcesOf(Stack.of(alerting));
    expect(allowed(resources, 'MonitoringAlertingNotifierRole')).toContain('events:PutEvents');
    expect(allowed(resourcesOf(Stack.of(platform().alerting)), 'MonitoringAlertingNotifierRole')).not.toContain(
      'events:PutEvents',
    );
  });

  it('have their dead letters watched', () => {
    const ids = Object.keys(platform({}).alarms.alarms);
    expect(ids).toContain('dead-letters-EventBus-DeadLetters');
    expect(ids).toContain('dead-letters-EventBus-Objects-DeadLetters');
    expect(ids).toContain('function-failing-announcer');
  });
});

describe('a rule', () => {
  const opened = { types: [OUTGOING_TYPES.episodeOpened] } as const;
  function rule(target: (stack: Stack) => EventTarget, choice: EventChoice = opened) {
    const stack = new Stack(testApp(), 'Team');
    const bus = events.EventBus.fromEventBusName(stack, 'Bus', 'monitoring');
    new EventRule(stack, 'Rule', { events: { bus, source: '/ml-monitoring/test' }, ...choice, target: target(stack) });
    const resources = resourcesOf(stack);
    return { resources, properties: ofType(resources, 'AWS::Events::Rule')[0]!.Properties };
  }

  it('starts a pipeline of SageMaker with values of the event', () => {
    const arn = 'arn:aws:sagemaker:eu-central-1:111122223333:pipeline/train';
    const { properties, resources } = rule(() => EventTarget.sageMakerPipeline(arn, { model: '$.detail.data.model' }));
    expect(properties.Targets[0]).toMatchObject({
      Arn: arn,
      SageMakerPipelineParameters: { PipelineParameterList: [{ Name: 'model', Value: '$.detail.data.model' }] },
      RoleArn: expect.anything() as unknown,
    });
    expect(allowed(resources, 'RuleRole')).toEqual(['sagemaker:StartPipelineExecution']);
  });

  it.each([
    [
      'a state machine',
      (stack: Stack) =>
        EventTarget.stateMachine(stepfunctions.StateMachine.fromStateMachineName(stack, 'M', 'retrain')),
      'states:StartExecution',
    ],
    [
      'another bus',
      (stack: Stack) => EventTarget.bus(events.EventBus.fromEventBusName(stack, 'B', 'other')),
      'events:PutEvents',
    ],
  ] as const)('starts %s with exactly one right', (_, target, action) => {
    const { resources, properties } = rule(target);
    expect(allowed(resources, 'RuleRole')).toEqual([action]);
    expect(properties.Targets[0].RoleArn).toBeDefined();
  });

  it('is let in by a function and by a queue', () => {
    const fn = rule((stack) =>
      EventTarget.function(
        lambda.Function.fromFunctionArn(stack, 'F', 'arn:aws:lambda:eu-central-1:111122223333:function:f'),
      ),
    );
    expect(ofType(fn.resources, 'AWS::Lambda::Permission')[0]?.Properties).toMatchObject({
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [expect.stringMatching(/^Rule/), 'Arn'] },
    });
    const queue = rule((stack) =>
      EventTarget.queue(new sqs.Queue(stack, 'Queue', { encryptionMasterKey: new kms.Key(stack, 'Key') })),
    );
    const policies = ofType(queue.resources, 'AWS::SQS::QueuePolicy').map(({ Properties }) =>
      JSON.stringify(Properties),
    );
    expect(policies.filter((policy) => policy.includes('events.amazonaws.com'))).toHaveLength(2);
    expect(JSON.stringify(ofType(queue.resources, 'AWS::KMS::Key'))).toContain('events.amazonaws.com');
    expect(() => rule((stack) => EventTarget.queue(new sqs.Queue(stack, 'Fifo', { fifo: true })))).toThrow(/no order/);
  });

  it('leaves what its target does not take to a queue', () => {
    const { properties } = rule((stack) => EventTarget.queue(new sqs.Queue(stack, 'Queue')));
    expect(properties.Targets[0]).toMatchObject({ DeadLetterConfig: { Arn: expect.anything() as unknown } });
    const { bus, stack } = made();
    const { deadLetters } = bus.on(stack, 'Rule', { ...opened, target: EventTarget.bus(bus.bus) });
    expect(deadLetters).toBe(bus.deadLetters.queue);
    // Its policy names all rules: one more statement for each would have an end.
    expect(
      JSON.stringify(ofType(resourcesOf(stack), 'AWS::SQS::QueuePolicy')).match(/events:.{0,90}rule\/\*/g),
    ).toHaveLength(1);
  });

  it('is let in by a queue of yours that takes what its target does not', () => {
    const stack = new Stack(testApp(), 'Team');
    const bus = events.EventBus.fromEventBusName(stack, 'Bus', 'monitoring');
    const deadLetters = new sqs.Queue(stack, 'Mine', { encryptionMasterKey: new kms.Key(stack, 'Key') });
    const target = EventTarget.sageMakerPipeline('arn:aws:sagemaker:eu-central-1:111122223333:pipeline/train');
    new EventRule(stack, 'Rule', { events: { bus, source: '/ml-monitoring/test' }, target, deadLetters });
    const resources = resourcesOf(stack);
    expect(ofType(resources, 'AWS::SQS::QueuePolicy')[0]?.Properties.PolicyDocument.Statement).toMatchObject([
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [expect.stringMatching(/^Rule/), 'Arn'] } } },
      },
    ]);
    expect(JSON.stringify(ofType(resources, 'AWS::KMS::Key'))).toContain('events.amazonaws.com');
  });

  it('sends to queues of another stack, which do not wait for it', () => {
    const app = testApp();
    const theirs = new Stack(app, 'Queues');
    const [taken, given] = [new sqs.Queue(theirs, 'Taken'), new sqs.Queue(theirs, 'Given')];
    const stack = new Stack(app, 'Team');
    const bus = events.EventBus.fromEventBusName(stack, 'Bus', 'monitoring');
    const from = { bus, source: '/ml-monitoring/test' };
    new EventRule(stack, 'Rule', { events: from, target: EventTarget.queue(taken), deadLetters: given });
    const policies = ofType(resourcesOf(theirs), 'AWS::SQS::QueuePolicy').map(
      ({ Properties }) => Properties.PolicyDocument.Statement[0].Condition,
    );
    expect(policies).toHaveLength(2);
    for (const condition of policies) {
      expect(condition.StringEquals).toEqual({ 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
      expect(JSON.stringify(condition.ArnLike)).toContain(':rule/*');
    }
    expect(stack.dependencies).toEqual([theirs]);
  });

  it('takes the bus of a platform in another stack by its parameter, with dead letters of its own', () => {
    const app = newApp();
    const platform = new Stack(app, 'Platform');
    const theirs = new Stack(app, 'Team');
    const { eventBus } = least(platform, { eventBus: {} });
    eventBus!.on(theirs, 'Rule', { target: EventTarget.queue(new sqs.Queue(theirs, 'Taken')) });
    eventBus!.on(platform, 'Rule', { target: EventTarget.queue(new sqs.Queue(platform, 'Taken')) });
    const own = eventBus!.deadLetters.queue;
    const [there, here] = [theirs, platform].map((stack) => Template.fromStack(stack).toJSON());
    expect(JSON.stringify(there)).not.toContain('Fn::ImportValue');
    expect(JSON.stringify(here?.Outputs ?? {})).not.toContain('Export');
    const parameter = Object.entries<{ Default?: string }>(there?.Parameters).find(([, { Default }]) =>
      Default?.endsWith('/event-bus-arn'),
    );
    const [rule] = ofType(resourcesOf(theirs), 'AWS::Events::Rule');
    expect(rule?.Properties.EventBusName).toEqual({ Ref: parameter?.[0] });
    expect(theirs.dependencies).toEqual([platform]);
    const [target] = ofType(resourcesOf(platform), 'AWS::Events::Rule').flatMap(({ Properties }) =>
      Properties.EventBusName === undefined ? [] : Properties.Targets,
    );
    expect(target.DeadLetterConfig.Arn).toEqual(platform.resolve(own.queueArn));
    // Its policy lets in every rule already, and says so once.
    const [policy] = ofType(resourcesOf(platform), 'AWS::SQS::QueuePolicy').filter(
      ({ Properties }) => JSON.stringify(Properties.Queues) === JSON.stringify([platform.resolve(own.queueUrl)]),
    );
    const sent = policy?.Properties.PolicyDocument.Statement.filter(
      ({ Action }: { Action: unknown }) => Action === 'sqs:SendMessage',
    );
    expect(sent).toHaveLength(1);
  });

  it.each<[string, EventChoice, RegExp]>([
    ['types that there are not', { types: ['ml.episode.open.v1' as never] }, /did you mean ml\.episode\.open/],
    ['an empty list', { models: [] }, /models: is empty/],
    ['signals of results', { types: [OUTGOING_TYPES.window], signals: ['drift'] }, /only events of episodes have it/],
    ['verdicts of episodes', { ...opened, statuses: ['drifted'] }, /only events of results have it/],
  ])('refuses %s, which nothing would ever match', (_, choice, message) => {
    expect(() => eventPattern({ source: 's' }, choice)).toThrow(message);
  });

  it('takes tokens and leaves none behind', () => {
    const stack = new Stack(newApp(), 'Test');
    const { eventBus } = least(stack, {
      environmentName: text('Name'),
      eventBus: { bus: events.EventBus.fromEventBusArn(stack, 'B', text('Bus')) },
    });
    eventBus!.on(stack, 'Rule', {
      types: [OUTGOING_TYPES.episodeOpened],
      models: [text('Model')],
      owners: [text('Owner')],
      description: text('Words'),
      target: EventTarget.sageMakerPipeline(text('Pipeline'), { a: text('Value') }),
    });
    const { template, problems } = light(stack);
    expect(problems).toEqual([]);
    expect(JSON.stringify(template)).not.toMatch(/\$\{Token\[|TOKEN\.\d/);
  });

  describe('no prop is dead', () => {
    const VALUES: Readonly<Record<string, (stack: Stack) => unknown>> = {
      types: () => [OUTGOING_TYPES.episodeClosed],
      models: () => ['churn'],
      owners: () => ['team'],
      signals: () => ['drift'],
      severities: () => ['critical'],
      withheld: () => false,
      events: (stack) => ({ bus: events.EventBus.fromEventBusName(stack, 'Other', 'other'), source: 's' }),
      target: () => EventTarget.sageMakerPipeline('arn:aws:sagemaker:eu-central-1:111122223333:pipeline/other'),
      description: () => 'words',
      deadLetters: (stack) => sqs.Queue.fromQueueArn(stack, 'Letters', 'arn:aws:sqs:eu-central-1:111122223333:letters'),
      enabled: () => false,
    };
    const template = (name?: string): string => {
      const stack = new Stack(testApp(), 'Team');
      const base = {
        events: { bus: events.EventBus.fromEventBusName(stack, 'Bus', 'monitoring'), source: '/ml-monitoring/test' },
        target: EventTarget.sageMakerPipeline('arn:aws:sagemaker:eu-central-1:111122223333:pipeline/train'),
      };
      new EventRule(stack, 'Rule', { ...base, ...(name === undefined ? {} : { [name]: VALUES[name]!(stack) }) });
      return JSON.stringify(resourcesOf(stack));
    };

    it('has a value to try for each', () => {
      const named = interfaces().filter(({ name }) => name === 'EventRuleProps' || name === 'EventChoice');
      const props = named.flatMap(({ props }) => props.map(({ name }) => name)).filter((name) => name !== 'statuses');
      expect(Object.keys(VALUES).sort()).toEqual(props.sort());
    });

    it.each(Object.keys(VALUES))('%s', (name) => expect(template(name)).not.toBe(template()));

    it('statuses', () =>
      expect(eventPattern({ source: 's' }, { statuses: ['drifted'] })).toEqual({
        source: ['ml-monitoring'],
        detail: { source: ['s'], data: { status: ['drifted'] } },
      }));
  });
});

it('every type of event can be chosen', () => {
  const types = outgoingEventSchema.options.map(({ shape }) => shape.type.value);
  expect([...types].sort()).toEqual(Object.values(OUTGOING_TYPES).sort());
  expect(() => eventPattern({ source: 's' }, { types })).not.toThrow();
});
