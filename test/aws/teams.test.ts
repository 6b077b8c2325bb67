/** Stacks of teams on a platform of another app or stack: found by parameters, told by channels of their own. */
import { type App, Lazy, NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { ModelMonitor } from '../../lib/aws/model-monitor.ts';
import { ModelMonitoring } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import type { EnvironmentReference } from '../../lib/aws/sharing/imported-platform.ts';
import { LINKS, type Link, linkName } from '../../lib/aws/sharing/platform-links.ts';
import { Channel, type IChannel } from '../../lib/aws/watching/channel.ts';
import type { Delivery } from '../../lib/contracts/alerting.ts';
import { RECOMMENDED, testApp } from './app.ts';
import { nag } from './nag.ts';
import { least } from './subjects.ts';
import { list, ofType, resourcesOf, statementsOf } from './template.ts';
import './without-validation.ts';

const PUBLICATION = 'Custom::ModelMonitoringPublication';
const churn = (): Monitor => Monitor.of({ model: 'churn', features: { age: { type: 'numeric' } } });
const role = (stack: Stack): iam.Role =>
  new iam.Role(stack, 'Sender', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
const secret = (stack: Stack) => secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'team/slack');

/** Names of the parameters that a stack takes. */
function taken(stack: Stack): string[] {
  const { Parameters = {} } = Template.fromStack(stack).toJSON() as {
    Parameters?: Record<string, { Type: string; Default?: string }>;
  };
  return Object.values(Parameters)
    .map(({ Type, Default = '' }) => ({ Type, Default }))
    .filter(({ Default }) => Default.startsWith('/model-monitoring/'))
    .map(({ Type, Default }) => {
      expect(Type).toBe('AWS::SSM::Parameter::Value<String>');
      return Default;
    })
    .sort();
}

function attached(
  channels: (stack: Stack) => readonly IChannel[],
  { app = testApp(), id = 'Team', stackName }: { app?: App; id?: string; stackName?: string } = {},
): Stack {
  const stack = new Stack(app, id, { stackName });
  const platform = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
  new ModelMonitor(stack, 'Churn', { platform, monitor: churn(), channels: channels(stack) });
  return stack;
}

/** As the notifier reads them; what is only known when deployed by its logical id. */
function deliveries(stack: Stack): readonly Delivery[] {
  const [publication] = ofType(resourcesOf(stack), PUBLICATION);
  const given = publication?.Properties.Channels as string | { 'Fn::Join': [string, unknown[]] };
  const text =
    typeof given === 'string'
      ? given
      : given['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'deployed')).join('');
  return JSON.parse(text) as Delivery[];
}

describe('a platform', () => {
  it('is found by parameters of its name, one for each link, with what each part is called by', () => {
    const stack = new Stack(testApp(), 'Platform');
    const monitoring = least(stack, { environmentName: 'test' });
    const parameters = ofType(resourcesOf(stack), 'AWS::SSM::Parameter');
    expect(parameters.map(({ Properties }) => Properties.Name).sort()).toEqual(
      (Object.keys(LINKS) as Link[]).map((link) => linkName('test', link)).sort(),
    );
    const value = (link: Link): unknown =>
      parameters.find(({ Properties }) => Properties.Name === linkName('test', link))?.Properties.Value;
    expect(value('publisherArn')).toEqual(stack.resolve(monitoring.publisher.handler.function.functionArn));
    expect(value('notifierRoleArn')).toEqual(stack.resolve(monitoring.alerting.notifier.role.roleArn));
    expect(value('bucketName')).toEqual(stack.resolve(monitoring.platform.bucket.bucketName));
    expect(value('collectorAccess')).toBe('iam');
    // Without a key the parameter names one that cannot be.
    expect(JSON.stringify(value('keyArn'))).toMatch(/key\/none/);
  });

  it.each(['', 'my environment', 'prod.eu', 'e'.repeat(65)])(
    'is not called %j: what is called by it could not be made',
    (environmentName) => {
      expect(() => least(new Stack(testApp(), 'Platform'), { environmentName })).toThrow(
        /^environmentName: is no name of an environment, got ".*; expected 1 to 64 letters, digits, hyphens and underscores/,
      );
    },
  );

  it('has a name of its own in its account and region, as far as that is known', () => {
    const app = testApp();
    const env = { account: '111122223333', region: 'eu-central-1' };
    least(new Stack(app, 'First', { env }));
    expect(() => least(new Stack(app, 'Second', { env }))).toThrow(
      'Second/Monitoring: environmentName: is that of First/Monitoring, in the same account and region, got "production"',
    );
    least(new Stack(app, 'Third', { env }), { environmentName: 'staging' });
    least(new Stack(app, 'Fourth', { env: { ...env, region: 'eu-west-1' } }));
    // Each may be deployed to an account of its own.
    least(new Stack(app, 'Fifth'));
    const sixth = new Stack(app, 'Sixth');
    least(sixth);
    expect(() => least(new NestedStack(sixth, 'Inner'))).toThrow(/is that of Sixth\/Monitoring/);
  });
});

describe('a team in an app of its own', () => {
  it('takes what it uses by parameters, looks nothing up and makes one resource', () => {
    const app = testApp();
    const stack = attached(() => [], { app });
    expect(resourcesOf(stack).map(({ Type }) => Type)).toEqual([PUBLICATION]);
    expect(taken(stack)).toEqual([linkName('test', 'publisherArn')]);
    expect(app.synth().manifest.missing ?? []).toEqual([]);
  });

  it('grants as the app of the platform does', () => {
    const stack = new Stack(testApp(), 'Team');
    const { grants } = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
    const sender = role(stack);
    grants.capture(sender, 'churn');
    grants.label(sender, 'churn');
    grants.produce(sender);
    grants.captureBy('subject', 'churn');
    const resources = resourcesOf(stack);
    expect(
      statementsOf(resources).flatMap(({ id, statement }) => (id.startsWith('SenderDefault') ? statement.Action : [])),
    ).toEqual([
      'lambda:InvokeFunctionUrl',
      'lambda:InvokeFunction',
      ...['kinesis:DescribeStreamSummary', 'kinesis:PutRecord', 'kinesis:PutRecords'],
      ...['kms:Decrypt', 'kms:GenerateDataKey'],
    ]);
    const publications = ofType(resources, PUBLICATION);
    expect(publications).toHaveLength(1);
    const bindings = JSON.stringify(publications[0]?.Properties.Bindings);
    expect(bindings).toContain('\\"events\\":[\\"churn\\"],\\"labels\\":[\\"churn\\"]');
    expect(bindings).toContain('\\"subject\\":{\\"events\\":[\\"churn\\"],\\"labels\\":[]}');
    // The deployment fails where roles could be granted in vain.
    const { Rules } = Template.fromStack(stack).toJSON() as { Rules: Record<string, { Assertions: unknown[] }> };
    expect(JSON.stringify(Object.values(Rules))).toContain('takes no signed requests');
  });

  it('takes no parameter for what it does not grant', () => {
    const stack = new Stack(testApp(), 'Team');
    const { grants } = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
    grants.capture(role(stack), 'churn');
    const asked = ['collectorAccess', 'collectorArn', 'publisherArn'] as const;
    expect(taken(stack)).toEqual(asked.map((link) => linkName('test', link)));
  });

  it('grants to roles of other stacks of its app by parameters of theirs', () => {
    const app = testApp();
    const stack = new Stack(app, 'Team');
    const { grants } = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
    const other = new Stack(app, 'Service');
    grants.produce(role(other));
    expect(taken(stack)).toEqual([]);
    expect(taken(other)).toEqual(['keyArn', 'streamArn'].map((link) => linkName('test', link as Link)));
    expect(JSON.stringify(Template.fromStack(other).toJSON())).not.toMatch(/ImportValue|GetStackOutput/);
    expect(other.dependencies).toEqual([]);
  });

  it.each([undefined, 'summary'] as const)('reads the metrics of the platform, detail %s', (metricDetail) => {
    const app = testApp();
    const made = least(new Stack(app, 'Platform'), { environmentName: 'test', metricDetail });
    const stack = new Stack(app, 'Team');
    const reference: EnvironmentReference = { name: 'test', metricDetail };
    const found = ModelMonitoring.fromEnvironment(stack, 'Monitoring', reference);
    const shown = (metrics: ModelMonitoring['metrics']): unknown =>
      stack.resolve([
        metrics.openEpisodes('churn').toMetricConfig(),
        metrics.platform('runs', { function: 'notifier' }),
      ]);
    expect(shown(found.metrics)).toEqual(shown(made.metrics));
    const detailed = (metrics: ModelMonitoring['metrics']) => () => metrics.latencyP99('churn');
    if (metricDetail === undefined) expect(detailed(found.metrics)).toThrow(/is not published/);
    else expect(detailed(found.metrics)).not.toThrow();
  });

  it.each([
    ['my environment', /name: is no name of an environment, got "my environment"/],
    [Lazy.string({ produce: () => 'test' }), /name: is known only when deployed/],
  ])('cannot find a platform by what is no name', (name, told) => {
    const stack = new Stack(testApp(), 'Team');
    expect(() => ModelMonitoring.fromEnvironment(stack, 'Monitoring', name)).toThrow(told);
    const other = new Stack(testApp(), 'Platform');
    expect(() => least(other, { environmentName: 'my environment' })).toThrow(/environmentName: is no name/);
  });

  it('is named by its stack, so that apps with the same ids do not take each other for the same', () => {
    const owner = (stack: Stack): unknown => ofType(resourcesOf(stack), PUBLICATION)[0]?.Properties.Owner;
    const [one, other] = ['payments', 'logistics'].map((stackName) =>
      attached((stack) => [Channel.slack(secret(stack))], { stackName }),
    );
    expect([owner(one!), owner(other!)]).toEqual([
      'payments:Team/Churn/Publication',
      'logistics:Team/Churn/Publication',
    ]);
    const policy = (stack: Stack): unknown => ofType(resourcesOf(stack), 'AWS::IAM::Policy')[0]?.Properties.PolicyName;
    expect(policy(one!)).toMatch(/^payments-[0-9a-f]{12}$/);
    expect(policy(one!)).not.toBe(policy(other!));
  });
});

/** One of each kind. */
const KINDS: Readonly<Record<string, (stack: Stack) => IChannel>> = {
  slack: (stack) => Channel.slack(secret(stack)),
  pagerduty: (stack) => Channel.pagerDuty(secret(stack)),
  email: () => Channel.email('team@example.com'),
  https: () => Channel.https('https://example.com'),
  'slack-channel': () => Channel.slackChannel({ workspace: 'T0', channel: 'C0' }),
  sqs: (stack) => Channel.sqs(new sqs.Queue(stack, 'Queue')),
  function: (stack) =>
    Channel.custom(
      lambda.Function.fromFunctionArn(stack, 'Tell', stack.formatArn({ service: 'lambda', resource: 'function:tell' })),
    ),
};

describe('channels of a team', () => {
  it.each(Object.keys(KINDS))('%s is named by the model, and the notifier may use it before it is told', (kind) => {
    const stack = attached((one) => [KINDS[kind]!(one)]);
    const resources = resourcesOf(stack);
    expect(deliveries(stack).map(({ name }) => name)).toEqual([`churn-${kind}`]);
    const policies = ofType(resources, 'AWS::IAM::Policy');
    const given = policies.filter(({ id }) => id.includes('Notifier'));
    expect(given).toHaveLength(1);
    expect(JSON.stringify(given[0]?.Properties.Roles)).toMatch(/notifierrolearn/);
    const [publication] = ofType(resources, PUBLICATION);
    expect(list(publication?.DependsOn)).toContain(given[0]?.id);
    // What the platform's alarms are published to is not the team's.
    const topics = ofType(resources, 'AWS::SNS::Topic');
    for (const { Properties } of ofType(resources, 'AWS::SNS::Subscription'))
      expect(topics.map(({ id }) => ({ Ref: id }))).toContainEqual(Properties.TopicArn);
  });

  it('that are subscribers of topics have them under the key of the platform, and a queue for what is lost', () => {
    const stack = attached(() => [Channel.email('team@example.com')]);
    const resources = resourcesOf(stack);
    expect(JSON.stringify(ofType(resources, 'AWS::SNS::Topic')[0]?.Properties.KmsMasterKeyId)).toMatch(/topickeyarn/);
    expect(ofType(resources, 'AWS::SQS::Queue')).toHaveLength(1);
    expect(ofType(resourcesOf(attached((one) => [KINDS['slack']!(one)])), 'AWS::SQS::Queue')).toEqual([]);
  });

  it('of a model with a long name have names that fit, and differ', () => {
    const stack = new Stack(testApp(), 'Team');
    const platform = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
    const model = 'a'.repeat(63);
    new ModelMonitor(stack, 'Long', {
      platform,
      monitor: Monitor.of({ model, features: { age: { type: 'numeric' } } }),
      channels: [Channel.email('a@example.com'), Channel.email('b@example.com'), Channel.slack(secret(stack))],
    });
    const names = deliveries(stack).map(({ name }) => name);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]{1,40}$/);
  });
});

describe('what is made in the stack of a team', () => {
  it('has no finding that is ours', () => {
    for (const [kind, make] of Object.entries(KINDS)) {
      const { findings } = nag(attached((one) => [make(one)]));
      expect([kind, findings.filter(({ where }) => where.startsWith('Team/Churn'))]).toEqual([kind, []]);
    }
  });
});

describe('alarms of a team', () => {
  const alarms = (stack: Stack) => ({
    topics: { warning: sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-central-1:111122223333:team') },
  });
  const descriptions = (stack: Stack): string[] =>
    ofType(resourcesOf(stack), 'AWS::CloudWatch::Alarm').map(({ Properties }) =>
      JSON.stringify(Properties.AlarmDescription),
    );

  it('link to the dashboards of a platform of another app, where the deployment finds that it has some', () => {
    const stack = new Stack(testApp(), 'Team');
    const platform = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
    new ModelMonitor(stack, 'Churn', { platform, monitor: churn(), alarms: alarms(stack) });
    expect(taken(stack)).toContain(linkName('test', 'dashboardBase'));
    const { Conditions = {} } = Template.fromStack(stack).toJSON() as { Conditions?: Record<string, unknown> };
    const [[name, condition]] = Object.entries(Conditions) as [[string, unknown]];
    expect(JSON.stringify(condition)).toMatch(
      /^\{"Fn::Not":\[\{"Fn::Equals":\[\{"Ref":"\w+dashboardbase\w+"\},"none"\]\}\]\}$/,
    );
    const texts = descriptions(stack);
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts)
      expect(text).toMatch(
        new RegExp(
          `"Fn::If":\\["${name}",\\{"Fn::Join":.*Dashboard: .*-model/model\\?var-instance=test&var-model=churn&.*""\\]`,
        ),
      );
  });

  it.each([Grafana.none(), Grafana.existing({ workspaceId: 'g-1234' })])(
    'take no parameter of a platform of the same app without a Grafana',
    (grafana) => {
      const app = testApp();
      const platform = least(new Stack(app, 'Platform'), { environmentName: 'test', grafana });
      const team = new Stack(app, 'Team');
      new ModelMonitor(team, 'Churn', { platform, monitor: churn(), alarms: alarms(team) });
      const isShown = platform.grafana !== undefined;
      expect(taken(team).includes(linkName('test', 'dashboardBase'))).toBe(isShown);
      for (const text of descriptions(team)) expect(text.includes('Dashboard: ')).toBe(isShown);
    },
  );
});

describe('a team in the app of the platform', () => {
  it.each([{}, RECOMMENDED])('is tied to it by parameters alone', (flags) => {
    const app = testApp({ context: flags });
    const platformStack = new Stack(app, 'Platform');
    const platform = least(platformStack, { environmentName: 'test' });
    const team = new Stack(app, 'Team');
    new ModelMonitor(team, 'Churn', { platform, monitor: churn(), channels: [Channel.email('team@example.com')] });
    const one = role(team);
    for (const right of ['capture', 'label'] as const) platform.grants[right](one, 'churn');
    for (const right of ['produce', 'read', 'operate', 'erase'] as const) platform.grants[right](one);
    const { Outputs = {} } = Template.fromStack(platformStack).toJSON() as { Outputs?: object };
    expect(Outputs).toEqual({});
    expect(JSON.stringify(Template.fromStack(team).toJSON())).not.toMatch(/ImportValue|GetStackOutput/);
    // The key is that of the services: there is none to name.
    expect(taken(team)).toEqual(
      (['bucketName', 'collectorArn', 'notifierRoleArn', 'publisherArn', 'streamArn', 'topicKeyArn'] as const).map(
        (link) => linkName('test', link),
      ),
    );
    expect(team.dependencies.map(({ node }) => node.id)).toEqual(['Platform']);
    expect(platformStack.dependencies).toEqual([]);
  });

  it('may be the one that brought the bucket, and does not wait for what it needs not', () => {
    const app = testApp();
    const team = new Stack(app, 'Team');
    const bucket = new s3.Bucket(team, 'Bucket', { versioned: true, eventBridgeEnabled: true });
    const platformStack = new Stack(app, 'Platform');
    const platform = least(platformStack, { environmentName: 'test', bucket });
    platform.grants.read(role(team));
    expect(taken(team)).toEqual([]);
    expect(platformStack.dependencies).toEqual([team]);
  });

  it('cannot lie in another region: the parameters are not there', () => {
    const app = testApp();
    const platform = least(new Stack(app, 'Platform', { env: { account: '111122223333', region: 'eu-west-1' } }));
    const team = new Stack(app, 'Team', { env: { account: '111122223333', region: 'us-east-1' } });
    expect(() => new ModelMonitor(team, 'Churn', { platform, monitor: churn() })).toThrow(
      /lies in another account or region than the platform, got 111122223333\/us-east-1; expected 111122223333\/eu-west-1/,
    );
  });

  it('is told where it would lie, when one of the two is for whoever deploys', () => {
    const app = testApp();
    const platform = least(new Stack(app, 'Platform'));
    const team = new Stack(app, 'Team', { env: { account: '111122223333', region: 'us-east-1' } });
    expect(() => new ModelMonitor(team, 'Churn', { platform, monitor: churn() })).toThrow(
      /got 111122223333\/us-east-1; expected that of whoever deploys\/that of whoever deploys; give both stacks the same env/,
    );
  });

  it.each(['the platform', 'the team'])('may be deployed with it as one, where %s lies in a nested stack', (nested) => {
    const stack = new Stack(testApp(), 'All');
    const inner = new NestedStack(stack, 'Inner');
    const [platformStack, team] = nested === 'the platform' ? [inner, stack] : [stack, inner];
    const platform = least(platformStack, { environmentName: 'test' });
    new ModelMonitor(team, 'Churn', { platform, monitor: churn(), channels: [Channel.email('team@example.com')] });
    platform.grants.capture(role(team), 'churn');
    // The parameters are not there yet when a stack that makes them is deployed for the first time.
    expect([...taken(stack), ...taken(inner)]).toEqual([]);
    const tokens = ofType(resourcesOf(team), PUBLICATION).map(({ Properties }) =>
      JSON.stringify(Properties.ServiceToken),
    );
    expect(tokens).toHaveLength(2);
    for (const token of tokens) expect(token).toMatch(/PublisherHandler/);
  });
});
