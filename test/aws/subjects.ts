/** The apps that are checked as a whole: every environment file and example, and one with everything chosen that can be chosen. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type App, Duration, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { CollectorAccess } from '../../lib/aws/access/collector-access.ts';
import { EncryptionKey } from '../../lib/aws/encryption-key.ts';
import { addEnvironment } from '../../lib/aws/environment/environment.ts';
import { environmentOf } from '../../lib/aws/environment/environment-file.ts';
import { EventStream } from '../../lib/aws/event-stream.ts';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { GrafanaIdentity } from '../../lib/aws/grafana/grafana-identity.ts';
import { ModelMonitoring, type ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { Store } from '../../lib/aws/store.ts';
import { Notifications } from '../../lib/aws/watching/alerting.ts';
import { Channel } from '../../lib/aws/watching/channel.ts';
import { RECOMMENDED, testApp } from './app.ts';
import { config } from './environments.ts';
import { WIDE } from './wide.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Findings of the rules of CloudFormation stop synthesis. */
export const STRICT = '@aws-cdk/core:validateAgainstDefaultRules';

export function newApp(flags: Readonly<Record<string, unknown>> = RECOMMENDED): App {
  return testApp({ context: { ...flags, [STRICT]: true } });
}

export interface Subject {
  readonly name: string;
  make(app: App): void;
}

const environments = readdirSync(join(ROOT, 'environments'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace(/\.yaml$/, ''));

export const SUBJECTS: readonly Subject[] = [
  ...environments.map((name) => ({
    name: `environment ${name}`,
    make: (app: App) => {
      addEnvironment(app, environmentOf(join(ROOT, 'environments'), name));
    },
  })),
  {
    name: 'the least that can be said',
    make: (app) => {
      least(new Stack(app, 'Least'));
    },
  },
  {
    name: 'a bucket, a stream and a key of another stack',
    make: (app) => {
      const other = new Stack(app, 'Other');
      const key = new EncryptionKey(other, 'Key').key;
      least(new Stack(app, 'Brought'), {
        key,
        bucket: new Store(other, 'Store', { key }).bucket,
        stream: {
          stream: new EventStream(other, 'Stream', { key }).stream,
          startingPosition: lambda.StartingPosition.LATEST,
        },
      });
    },
  },
  {
    name: 'an environment with a network, a bus, and people of other accounts',
    make: (app) => {
      addEnvironment(app, config(WIDE));
    },
  },
  {
    name: 'everything that can be chosen',
    make: (app) => {
      everything(new Stack(app, 'Everything'));
    },
  },
];

export function least(stack: Stack, props: Partial<ModelMonitoringProps> = {}): ModelMonitoring {
  return new ModelMonitoring(stack, 'Monitoring', {
    grafana: Grafana.none(),
    channels: [Channel.email('ml@example.com')],
    ...props,
  } as ModelMonitoringProps);
}

export function everything(stack: Stack): ModelMonitoring {
  const secret = (name: string) => secretsmanager.Secret.fromSecretNameV2(stack, name, `monitoring/${name}`);
  const whole = secretsmanager.Secret.fromSecretCompleteArn(
    stack,
    'Whole',
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:monitoring/hook-AbCdEf',
  );
  // What a user makes is the user's: its findings are not ours, so it is made to have none.
  const queue = sqs.Queue.fromQueueArn(stack, 'Queue', stack.formatArn({ service: 'sqs', resource: 'alerts' }));
  const custom = lambda.Function.fromFunctionArn(
    stack,
    'Custom',
    stack.formatArn({ service: 'lambda', resource: 'function', resourceName: 'tell', arnFormat: undefined }),
  );
  return least(stack, {
    environmentName: 'all',
    grafana: Grafana.managed({ identity: GrafanaIdentity.identityCenter() }),
    channels: [
      Channel.slack(secret('slack')),
      Channel.pagerDuty(secret('pagerduty'), { url: 'https://events.eu.pagerduty.com/v2/enqueue' }),
      Channel.teams(secret('teams')),
      Channel.opsgenie(secret('opsgenie')),
      Channel.webhook(whole, { name: 'hook' }),
      Channel.email('ml@example.com'),
      Channel.https('https://example.com/alerts'),
      Channel.slackChannel({ workspace: 'T012', channel: 'C012' }),
      Channel.sqs(queue),
      Channel.custom(custom),
    ],
    models: [Monitor.of({ model: 'churn', features: { age: { type: 'numeric' } } })],
    routes: [{ match: { severity: 'critical' }, channels: ['pagerduty'] }],
    mutes: [{ match: { model: 'churn', signal: 'latency' }, reason: 'known' }],
    maintenance: [{ from: '2026-12-24T18:00:00Z', until: '2026-12-26T06:00:00Z', reason: 'nobody is in' }],
    modelAlarms: {
      churn: {
        topics: {
          critical: sns.Topic.fromTopicArn(stack, 'Team', stack.formatArn({ service: 'sns', resource: 'team' })),
        },
      },
    },
    notifications: Notifications.fromAlarms(),
    heartbeat: sns.Topic.fromTopicArn(stack, 'Heartbeat', stack.formatArn({ service: 'sns', resource: 'heartbeat' })),
    access: CollectorAccess.keys(secret('keys')),
    kserveSecret: secret('kserve'),
    policyKey: secret('policy'),
    key: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
    eventBus: { archive: Duration.days(30) },
    metricDetail: 'summary',
    alerts: { 'no-events': { threshold: 7_200 }, 'cleaner-silent': { off: true } },
    linkBase: 'https://ml.example.com',
    runbookBase: 'https://ml.example.com/runbook',
  });
}
