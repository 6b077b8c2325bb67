/** Alerting, channels, alarms, metrics and dashboards, each alone. */
import { Stack, Token, Validations } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RULES } from '../../lib/alerts/rules.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import type { PlatformContext } from '../../lib/aws/platform-context.ts';
import { Alarms } from '../../lib/aws/watching/alarms.ts';
import {
  Alerting,
  type AlertingProps,
  NO_CHANNELS,
  NO_INDEPENDENT_SUBSCRIBER,
  Notifications,
} from '../../lib/aws/watching/alerting.ts';
import { Channel, type IChannel } from '../../lib/aws/watching/channel.ts';
import { Metrics, type MetricsProps } from '../../lib/aws/watching/metrics.ts';
import { ModelMetrics } from '../../lib/aws/watching/model-metrics.ts';
import { Prometheus } from '../../lib/aws/watching/prometheus.ts';
import { alertingSchema } from '../../lib/contracts/alerting.ts';
import { MODEL_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { testApp } from './app.ts';
import { light } from './light.ts';
import type { Resource } from './own-rules.ts';

function newPlatform(): { readonly stack: Stack; readonly platform: PlatformContext } {
  const stack = new Stack(testApp(), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  return {
    stack,
    platform: {
      environmentName: 'test',
      bucket: s3.Bucket.fromBucketName(stack, 'Bucket', 'platform-bucket'),
      stream: kinesis.Stream.fromStreamArn(stack, 'Stream', 'arn:aws:kinesis:eu-central-1:111122223333:stream/events'),
    },
  };
}

type Json = Readonly<Record<string, unknown>>;
function ofType(stack: Stack, type: string): (Resource & { readonly id: string; readonly Properties: Json })[] {
  return Object.entries(light(stack).template.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, resource]) => ({ id, ...resource, Properties: resource.Properties ?? {} }));
}
function allowedTo(stack: Stack, role: string): { readonly actions: readonly string[]; readonly text: string } {
  const policies = ofType(stack, 'AWS::IAM::Policy').filter(({ id }) => id.startsWith(role));
  const statements = policies.flatMap(
    ({ Properties }) => (Properties['PolicyDocument'] as { Statement: Json[] }).Statement,
  );
  return { actions: statements.flatMap(({ Action }) => Action as string | string[]), text: JSON.stringify(statements) };
}
const secretIn = (stack: Stack): secretsmanager.ISecret =>
  secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'slack');
function alertingWith(channels: (stack: Stack) => readonly IChannel[], props: Partial<AlertingProps> = {}) {
  const { stack, platform } = newPlatform();
  return {
    stack,
    platform,
    alerting: new Alerting(stack, 'Alerting', { platform, channels: channels(stack), ...props }),
  };
}
const warnings = (stack: Stack): string[] =>
  stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === 'aws:cdk:warning')
    .map(({ data }) => JSON.stringify(data));
function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ProblemError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('Channel', () => {
  const KINDS: readonly (readonly [string, (stack: Stack) => IChannel, Json, RegExp])[] = [
    [
      'slack',
      (stack) => Channel.slack(secretIn(stack)),
      { type: 'slack' },
      /secretsmanager:GetSecretValue.*slack-\?{6}/,
    ],
    [
      'pagerduty',
      (stack) => Channel.pagerDuty(secretIn(stack), { url: 'https://eu.example' }),
      { type: 'pagerduty', url: 'https://eu.example' },
      /GetSecretValue/,
    ],
    ['teams', (stack) => Channel.teams(secretIn(stack)), { type: 'teams' }, /GetSecretValue/],
    ['opsgenie', (stack) => Channel.opsgenie(secretIn(stack)), { type: 'opsgenie' }, /GetSecretValue/],
    ['webhook', (stack) => Channel.webhook(secretIn(stack)), { type: 'webhook' }, /GetSecretValue/],
    ['email', () => Channel.email('ml@example.com'), { type: 'sns', format: 'text' }, /sns:Publish/],
    ['https', () => Channel.https('https://example.com'), { type: 'sns', format: 'json' }, /sns:Publish/],
    [
      'slack-channel',
      () => Channel.slackChannel({ workspace: 'T1', channel: 'C1' }),
      { type: 'sns', format: 'chat' },
      /sns:Publish/,
    ],
    [
      'sqs',
      (stack) => Channel.sqs(new sqs.Queue(stack, 'Queue')),
      { type: 'sqs', hearsAlarms: true },
      /sqs:SendMessage/,
    ],
    [
      'function',
      (stack) =>
        Channel.custom(
          lambda.Function.fromFunctionArn(stack, 'Fn', 'arn:aws:lambda:eu-central-1:111122223333:function:tell'),
        ),
      { type: 'function' },
      /lambda:InvokeFunction.*function:tell/,
    ],
  ];

  it.each(KINDS)(
    '%s is delivered by the notifier, with no more rights than it takes',
    (name, make, delivery, right) => {
      const { stack, alerting } = alertingWith((given) => [make(given)]);
      expect(alerting.configuration.channels).toMatchObject([{ name, ...delivery }]);
      const { actions, text } = allowedTo(stack, 'AlertingNotifierRole');
      expect(text).toMatch(right);
      expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    },
  );

  it.each(KINDS)('%s makes a configuration that the notifier can read', (_, make) => {
    const { stack, alerting } = alertingWith((given) => [make(given)]);
    // What is known only when deployed, as it will be.
    const text = JSON.stringify(stack.resolve(alerting.configuration), (key, value: unknown) =>
      typeof value === 'object' && value !== null && ('Ref' in value || 'Fn::GetAtt' in value || 'Fn::Join' in value)
        ? key === 'queueUrl'
          ? 'https://sqs.example/q'
          : 'arn:aws:deployed'
        : value,
    );
    expect(alertingSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
    expect(stack.resolve(alerting.json)).toBeDefined();
  });

  it('hears of alarms without our code where it can', () => {
    const independent = KINDS.filter(([, make]) => {
      const { stack } = alertingWith((given) => [make(given)]);
      return !warnings(stack).some((one) => one.includes(NO_INDEPENDENT_SUBSCRIBER));
    }).map(([name]) => name);
    expect(independent).toEqual(['email', 'https', 'slack-channel', 'sqs']);
  });

  it('reads a secret under its key', () => {
    const { stack } = alertingWith((given) => {
      const encryptionKey = kms.Key.fromKeyArn(given, 'SecretKey', 'arn:aws:kms:eu-central-1:111122223333:key/k');
      return [Channel.slack(new secretsmanager.Secret(given, 'Own', { encryptionKey }))];
    });
    expect(allowedTo(stack, 'AlertingNotifierRole').text).toContain('"kms:Decrypt"');
  });

  it('lets whoever asks in the chat do no more than look at alarms', () => {
    const { stack } = alertingWith(() => [Channel.slackChannel({ workspace: 'T1', channel: 'C1' })]);
    const [chat] = ofType(stack, 'AWS::Chatbot::SlackChannelConfiguration');
    const [guardrail] = ofType(stack, 'AWS::IAM::ManagedPolicy');
    expect(chat?.Properties['GuardrailPolicies']).toEqual([{ Ref: guardrail?.id }]);
    const actions = (guardrail!.Properties['PolicyDocument'] as { Statement: { Action: string[] }[] }).Statement[0]
      ?.Action;
    expect(actions?.every((action) => /^cloudwatch:(Describe|Get)\w+$/.test(action))).toBe(true);
  });

  it.each([
    ['an address that is none', () => Channel.email('nobody'), 'address: is no e-mail address, got "nobody"'],
    ['an endpoint without TLS', () => Channel.https('http://example.com'), 'url: is no HTTPS address'],
    [
      'a FIFO queue',
      () => Channel.sqs(sqs.Queue.fromQueueArn(new Stack(), 'Q', 'arn:aws:sqs:eu-central-1:111122223333:q.fifo')),
      'queue: topics of alarms cannot deliver to a FIFO queue',
    ],
  ])('refuses %s', (_, run, message) => expect(problemsOf(run).join()).toContain(message));
});

describe('Alerting', () => {
  it('numbers channels of one kind, and keeps ids when another is added', () => {
    const first = alertingWith(() => [Channel.email('a@example.com')]);
    const second = alertingWith((stack) => [
      Channel.slack(secretIn(stack)),
      Channel.email('a@example.com'),
      Channel.email('b@example.com'),
    ]);
    expect(second.alerting.configuration.channels.map(({ name }) => name)).toEqual(['slack', 'email', 'email-2']);
    const ids = (stack: Stack): string[] =>
      Object.keys(light(stack).template.Resources).filter((id) => id.includes('email'));
    expect(ids(second.stack)).toEqual(expect.arrayContaining(ids(first.stack)));
  });

  it('takes one subscriber under several names, which hears of alarms once', () => {
    const { stack, alerting } = alertingWith(() => [
      Channel.email('a@example.com', { name: 'team' }),
      Channel.email('a@example.com', { name: 'everybody' }),
      Channel.https('https://example.com/alerts'),
      Channel.https('https://example.com/alerts'),
    ]);
    expect(alerting.configuration.channels.map(({ name }) => name)).toEqual(['team', 'everybody', 'https', 'https-2']);
    const subscribed = ofType(stack, 'AWS::SNS::Subscription')
      .filter(({ Properties }) => Properties['Protocol'] !== 'lambda')
      .map(({ Properties }) => JSON.stringify([Properties['TopicArn'], Properties['Endpoint']]));
    // Each name has a topic of its own; critical alarms and warnings come once to each subscriber.
    expect(subscribed).toHaveLength(4 + 2 * 2);
    expect(new Set(subscribed).size).toBe(subscribed.length);
  });

  it('lets alarms publish to its topics, by TLS alone, under a key that admits them', () => {
    const { stack } = alertingWith(() => [Channel.email('a@example.com')]);
    const policies = ofType(stack, 'AWS::SNS::TopicPolicy').map(({ Properties }) =>
      JSON.stringify(Properties['PolicyDocument']),
    );
    expect(policies).toHaveLength(4);
    for (const policy of policies) expect(policy).toContain('"aws:SecureTransport":"false"');
    expect(policies.filter((policy) => policy.includes('cloudwatch.amazonaws.com'))).toHaveLength(3);
    for (const { Properties } of ofType(stack, 'AWS::SNS::Topic')) expect(Properties['KmsMasterKeyId']).toBeDefined();
    expect(JSON.stringify(ofType(stack, 'AWS::KMS::Key'))).toContain('cloudwatch.amazonaws.com');
  });

  it('has a dead-letter queue behind every subscription and the schedule', () => {
    const { stack } = alertingWith((given) => [
      Channel.email('a@example.com'),
      Channel.sqs(new sqs.Queue(given, 'Queue')),
    ]);
    const subscriptions = ofType(stack, 'AWS::SNS::Subscription');
    expect(subscriptions.length).toBe(3 + 3 + 2);
    for (const { Properties } of subscriptions) expect(Properties['RedrivePolicy']).toBeDefined();
    expect(JSON.stringify(ofType(stack, 'AWS::Scheduler::Schedule'))).toContain('DeadLetterConfig');
  });

  it('tells the notifier nothing but what its contract names', () => {
    const { stack } = alertingWith((given) => [Channel.slack(secretIn(given))], {});
    const [fn] = ofType(stack, 'AWS::Lambda::Function');
    const variables = (fn!.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
    expect(readEnvironment('notifier', variables as Record<string, string>)).toMatchObject({
      MLMON_BUCKET: 'platform-bucket',
    });
    expect(Object.keys(variables)).toEqual(['MLMON_BUCKET', 'MLMON_STREAM_ARN', 'MLMON_ENVIRONMENT']);
  });

  it('uses topics and a heartbeat that were brought', () => {
    const { stack, alerting } = alertingWith((given) => [Channel.slack(secretIn(given))]);
    const brought = alertingWith((given) => [Channel.slack(secretIn(given))], {
      topics: { critical: sns.Topic.fromTopicArn(stack, 'Pages', 'arn:aws:sns:eu-central-1:111122223333:pages') },
      heartbeat: sns.Topic.fromTopicArn(stack, 'Beat', 'arn:aws:sns:eu-central-1:111122223333:beat'),
    });
    expect(ofType(stack, 'AWS::SNS::Topic')).toHaveLength(3);
    expect(ofType(brought.stack, 'AWS::SNS::Topic')).toHaveLength(2);
    expect(brought.alerting.topics.critical.topicArn).toBe('arn:aws:sns:eu-central-1:111122223333:pages');
    expect(allowedTo(brought.stack, 'AlertingNotifierRole').text).toContain('sns:eu-central-1:111122223333:beat');
    expect(warnings(stack).join()).toContain(NO_INDEPENDENT_SUBSCRIBER);
    expect(warnings(brought.stack).join()).not.toContain(NO_INDEPENDENT_SUBSCRIBER);
    expect(alerting.configuration.notifiedBy).toBe('episodes');
  });

  it('warns where nobody is told, until somebody says why', () => {
    const { stack } = alertingWith(() => []);
    expect(warnings(stack).join()).toContain(NO_CHANNELS);
    const quiet = newPlatform();
    const scope = new Stack(quiet.stack.node.root as never, 'Quiet');
    Validations.of(scope).acknowledge(
      { id: NO_CHANNELS, reason: 'a trial' },
      { id: NO_INDEPENDENT_SUBSCRIBER, reason: 'a trial' },
    );
    new Alerting(scope, 'Alerting', { platform: quiet.platform, channels: [] });
    expect(warnings(scope)).toEqual([]);
  });

  it('says at once all that is wrong with routes and mutes', () => {
    const problems = problemsOf(() =>
      alertingWith((stack) => [Channel.slack(secretIn(stack)), Channel.email('a@b.c', { name: 'slack' })], {
        routes: [{ match: {}, channels: ['slak'] }],
        mutes: [
          { match: {}, from: 'tomorrow', reason: 'x' },
          { match: {}, from: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z', reason: '' },
          // Another time on every machine.
          { match: {}, until: '2026-01-01T00:00', reason: 'x' },
        ],
      }),
    );
    const text = problems.join('\n');
    expect(text).toContain('routes.0.channels: no channel has this name, got "slak"');
    expect(text).toContain('did you mean slack?');
    expect(text).toContain('mutes.0.from: is no time');
    expect(text).toContain('mutes.1.until: does not lie after `from`');
    expect(text).toContain('mutes.1.reason');
    expect(text).toContain('mutes.2.until: is no time');
  });

  it('takes what is known only when deployed', () => {
    const token = (text: string): string => Token.asString({ Ref: text });
    const { stack, alerting } = alertingWith(
      () => [Channel.email(token('Address')), Channel.https(token('Endpoint'))],
      {
        linkBase: token('Link'),
        runbookBase: token('Runbook'),
      },
    );
    const made = JSON.stringify(light(stack).template);
    expect(made).not.toContain('${Token[');
    expect(JSON.stringify(stack.resolve(alerting.configuration))).toContain('{"Ref":"Link"}');
  });
});

describe('Alarms', () => {
  function alarmsWith(
    props: { readonly notifications?: Notifications; readonly changes?: MetricsProps['changes'] } = {},
  ) {
    const { stack, platform, alerting } = alertingWith(() => [Channel.email('a@example.com')]);
    const metrics = new Metrics(stack, 'Metrics', { platform, alerting, prometheus: Prometheus.none() });
    const alarms = new Alarms(stack, 'Alarms', {
      platform,
      topics: alerting.topics,
      functions: [alerting.notifier, metrics.exporter],
      deadLetters: [alerting.deadLetters, metrics.deadLetters],
      ...props,
    });
    return { stack, alarms };
  }
  const byName = (stack: Stack): Record<string, Json> =>
    Object.fromEntries(
      ofType(stack, 'AWS::CloudWatch::Alarm').map(({ Properties }) => [String(Properties['AlarmName']), Properties]),
    );

  it('makes each alarm of the catalogue, or says why not', () => {
    const { alarms } = alarmsWith();
    const keys = new Set([...Object.keys(alarms.alarms), ...Object.keys(alarms.absent)]);
    for (const { key, cloudwatch } of RULES)
      if (!('absent' in cloudwatch))
        expect(
          [...keys].some((id) => id === key || id.startsWith(`${key}-`)),
          key,
        ).toBe(true);
    expect(alarms.absent['labeler-silent']).toBe('labeler does not run');
    expect(alarms.absent['profiler-behind']).toBe('profiler does not run');
    expect(Object.keys(alarms.alarms).filter((id) => id.startsWith('dead-letters'))).toEqual([
      'dead-letters-Alerting-DeadLetters',
      'dead-letters-Metrics-DeadLetters',
    ]);
  });

  it('publishes blindness to the topic of its severity, in alarm and when it is over, and only shows open episodes', () => {
    const alarms = byName(alarmsWith().stack);
    const actions = (name: string): unknown[] => (alarms[name]?.['AlarmActions'] as unknown[] | undefined) ?? [];
    expect(JSON.stringify(actions('MlmonNotifierSilent-test'))).toContain('AlertingTopicsCritical');
    expect(alarms['MlmonNotifierSilent-test']?.['OKActions']).toEqual(actions('MlmonNotifierSilent-test'));
    expect(JSON.stringify(actions('MlmonBatchesGivenUp-test'))).toContain('AlertingTopicsWarning');
    expect(actions('MlmonEpisodeOpenCritical-test')).toEqual([]);
  });

  it('lets alarms tell of open episodes where they are chosen to', () => {
    const alarms = byName(alarmsWith({ notifications: Notifications.fromAlarms() }).stack);
    expect(JSON.stringify(alarms['MlmonEpisodeOpenCritical-test']?.['AlarmActions'])).toContain(
      'AlertingTopicsCritical',
    );
    expect(alarmsWith().alarms.alarms['open-episodes-critical']).toBeDefined();
    const { alerting } = alertingWith(() => [Channel.email('a@example.com')], {
      notifications: Notifications.fromAlarms(),
    });
    expect(alerting.configuration.notifiedBy).toBe('alarms');
  });

  it('is changed by key, and names the nearest where there is none', () => {
    const { stack, alarms } = alarmsWith({
      changes: { 'no-events': { threshold: 99, severity: 'warning' }, 'records-lost': { off: true } },
    });
    const made = byName(stack);
    expect(made['MlmonNoEvents-test']).toMatchObject({ Threshold: 99 });
    expect(JSON.stringify(made['MlmonNoEvents-test']?.['AlarmActions'])).toContain('AlertingTopicsWarning');
    expect(alarms.alarms['records-lost']).toBeUndefined();
    expect(problemsOf(() => alarmsWith({ changes: { 'no-event': { off: true } } as never })).join()).toContain(
      'did you mean no-events?',
    );
  });
});

describe('Metrics', () => {
  function metricsWith(props: Partial<MetricsProps> = {}) {
    const { stack, platform, alerting } = alertingWith(() => [Channel.email('a@example.com')]);
    return { stack, alerting, metrics: new Metrics(stack, 'Metrics', { platform, alerting, ...props }) };
  }
  const variables = (stack: Stack): Json =>
    (
      ofType(stack, 'AWS::Lambda::Function').find(({ id }) => id.startsWith('Metrics'))!.Properties['Environment'] as {
        Variables: Json;
      }
    ).Variables;

  it('writes to one workspace, with its rules and an alert manager that publishes to the topics', () => {
    const { stack } = metricsWith();
    const [workspace] = ofType(stack, 'AWS::APS::Workspace');
    const [rules] = ofType(stack, 'AWS::APS::RuleGroupsNamespace');
    expect(rules?.Properties['Workspace']).toEqual({ 'Fn::GetAtt': [workspace?.id, 'Arn'] });
    const groups = parse(String(rules?.Properties['Data'])) as { groups: { rules: { alert: string }[] }[] };
    expect(groups.groups.flatMap((group) => group.rules).map(({ alert }) => alert)).toContain(
      'MlmonEpisodeOpenCritical',
    );
    const definition = JSON.stringify(workspace?.Properties['AlertManagerDefinition']);
    for (const severity of ['Critical', 'Warning', 'Info']) expect(definition).toContain(`AlertingTopics${severity}`);
    expect(workspace?.Properties['WorkspaceConfiguration']).toEqual({
      RetentionPeriodInDays: 150,
      OutOfOrderTimeWindowInSeconds: 3_600,
    });
    const policies = JSON.stringify(ofType(stack, 'AWS::SNS::TopicPolicy'));
    expect(policies).toContain('aps.amazonaws.com');
    expect(policies).toContain(`"aws:SourceArn":{"Fn::GetAtt":["${workspace?.id}","Arn"]}`);
    const { text } = allowedTo(stack, 'MetricsExporterRole');
    expect(text).toContain(
      `"Action":"aps:RemoteWrite","Effect":"Allow","Resource":{"Fn::GetAtt":["${workspace?.id}","Arn"]}`,
    );
    expect(JSON.stringify(variables(stack)['MLMON_REMOTE_WRITE_URL'])).toMatch(
      /aps-workspaces\.eu-central-1\..*remote_write/,
    );
  });

  it('puts data into our namespace alone, and at the detail none nowhere', () => {
    const put = (props: Partial<MetricsProps>): string =>
      allowedTo(metricsWith(props).stack, 'MetricsExporterRole').text;
    expect(put({})).toContain(
      '"Action":"cloudwatch:PutMetricData","Condition":{"StringEquals":{"cloudwatch:namespace":"MLMonitoring"}}',
    );
    expect(put({ detail: 'none' })).not.toContain('PutMetricData');
  });

  it('uses a workspace of yours, with or without rules, or none', () => {
    const existing = metricsWith({ prometheus: Prometheus.existing({ workspaceId: 'ws-1' }) });
    expect(ofType(existing.stack, 'AWS::APS::Workspace')).toEqual([]);
    expect(ofType(existing.stack, 'AWS::APS::RuleGroupsNamespace')).toHaveLength(1);
    expect(allowedTo(existing.stack, 'MetricsExporterRole').text).toContain('workspace/ws-1');
    const bare = metricsWith({ prometheus: Prometheus.existing({ workspaceId: 'ws-1', rules: false }) });
    expect(ofType(bare.stack, 'AWS::APS::RuleGroupsNamespace')).toEqual([]);
    const none = metricsWith({ prometheus: Prometheus.none() });
    expect(variables(none.stack)).not.toHaveProperty('MLMON_REMOTE_WRITE_URL');
    expect(allowedTo(none.stack, 'MetricsExporterRole').text).not.toContain('aps:');
  });

  it('stops synthesis when metrics of models would cost more than their budget, with the price', () => {
    const wide = Monitor.of({
      model: 'wide',
      features: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, { type: 'numeric' as const }])),
    });
    const { stack, metrics } = metricsWith({ metricBudget: 1 });
    expect(light(stack).problems).toEqual([]);
    metrics.watch([wide, Monitor.of({ model: 'small', features: { a: { type: 'numeric' } } })]);
    expect(light(stack).problems.join()).toMatch(
      /metricBudget: metrics of models would cost \$\d+ a month.*expected at most \$1 a month.*most series has wide: 500 columns/,
    );
  });
});

describe('ModelMetrics', () => {
  const metrics = new ModelMetrics({ environmentName: 'test', detail: 'summary' });

  it('has a method for each metric of a model, by the names of the contract', () => {
    for (const [key, { name, statistic }] of Object.entries(MODEL_CLOUDWATCH_METRIC)) {
      const metric = metrics[key as keyof typeof MODEL_CLOUDWATCH_METRIC]('churn');
      expect(metric.toMetricConfig().metricStat).toMatchObject({
        namespace: 'MLMonitoring',
        metricName: name,
        statistic,
        dimensions: [
          { name: 'Environment', value: 'test' },
          { name: 'Model', value: 'churn' },
        ],
      });
    }
  });

  it('refuses what nobody publishes', () => {
    const minimal = new ModelMetrics({ environmentName: 'test', detail: 'minimal' });
    expect(minimal.driftedFeatures('churn').metricName).toBe('DriftedFeatures');
    expect(problemsOf(() => minimal.windowRows('churn')).join()).toContain(
      'metrics.windowRows: is not published at the detail minimal',
    );
    expect(
      problemsOf(() => new ModelMetrics({ environmentName: 'test', detail: 'none' }).openEpisodes('churn')),
    ).toHaveLength(1);
  });

  it('reads metrics of the platform, with exactly their dimensions', () => {
    expect(metrics.platform('openEpisodes', { severity: 'critical' }).dimensions).toEqual({
      Environment: 'test',
      Severity: 'critical',
    });
    expect(metrics.platform('runs', { function: 'notifier' }).dimensions).toEqual({
      Environment: 'test',
      Function: 'notifier',
    });
    expect(problemsOf(() => metrics.platform('runs')).join()).toContain('runs.function: is missing');
    expect(problemsOf(() => metrics.platform('models', { severity: 'info' })).join()).toContain(
      'models.severity: is no dimension',
    );
  });
});
