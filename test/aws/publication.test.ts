/** Monitors travel as data: one file, one resource, however many they are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { describe, expect, it } from 'vitest';
import { CollectorAccess } from '../../lib/aws/access/collector-access.ts';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { ModelMonitor } from '../../lib/aws/model-monitor.ts';
import { ModelMonitoring, type ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import type { PublishedLine } from '../../lib/contracts/publication.ts';
import { RECOMMENDED, testApp } from './app.ts';
import { ofType, resourcesOf, statementsOf } from './template.ts';
import './without-validation.ts';

const PUBLICATION = 'Custom::ModelMonitoringPublication';
const monitors = (...models: string[]): Monitor[] =>
  models.map((model) => Monitor.of({ model, features: { a: { type: 'numeric' } } }));

function platform(app: App, props: Partial<ModelMonitoringProps> = {}): { stack: Stack; monitoring: ModelMonitoring } {
  const stack = new Stack(app, 'Platform');
  return {
    stack,
    monitoring: new ModelMonitoring(stack, 'Monitoring', { grafana: Grafana.none(), channels: [], ...props }),
  };
}

function published(app: App): PublishedLine[][] {
  return readdirSync(app.outdir)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(app.outdir, name), 'utf8'))
    .map((text) =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as PublishedLine),
    );
}

describe('a publication', () => {
  it('is one file of monitors in the order of their names', () => {
    const app = testApp();
    const { stack } = platform(app, { models: monitors('b', 'c', 'a') });
    const [resource] = ofType(resourcesOf(stack), PUBLICATION);
    expect(published(app).map((lines) => lines.map(({ monitor }) => monitor['model']))).toEqual([['a', 'b', 'c']]);
    expect(resource?.Properties).toMatchObject({ Owner: 'Platform/Monitoring/Publication' });
    expect(resource?.Properties.AssetKey).toMatch(/^[0-9a-f]{64}\.ndjson$/);
    expect(JSON.parse(JSON.stringify(resource?.Properties.Alerting))).toBeDefined();
    const order = new App({ context: app.node.getAllContext() });
    platform(order, { models: monitors('a', 'b', 'c') });
    order.synth();
    expect(published(order)).toEqual(published(app));
  });

  it('of 1,000 models takes as many resources as one, under the limits of a stack', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `model-${String(i).padStart(4, '0')}`);
    const one = platform(testApp(), { models: monitors('model') });
    const thousand = platform(testApp(), { models: monitors(...many), metricBudget: 1e9 });
    const template = Template.fromStack(thousand.stack).toJSON() as { Resources: object };
    expect(Object.keys(template.Resources).length).toBe(resourcesOf(one.stack).length);
    expect(Object.keys(template.Resources).length).toBeLessThan(500);
    expect(JSON.stringify(template, null, 1).length).toBeLessThan(1_000_000);
  });

  it('refuses a model twice, also from another stack', () => {
    const app = testApp();
    const { monitoring } = platform(app, { models: monitors('a') });
    expect(() => platform(testApp(), { models: monitors('a', 'a') })).toThrow(/a: the model has a monitor already/);
    expect(
      () => new ModelMonitor(new Stack(app, 'Team'), 'A', { platform: monitoring, monitor: monitors('a')[0]! }),
    ).toThrow(/Team\/A\/Publication: a: the model has a monitor already, in Platform\/Monitoring\/Publication/);
  });
});

describe('a monitor of another stack', () => {
  it.each(['without flags', 'with all flags'])('is a resource there, published by the platform (%s)', (flags) => {
    const app = testApp({ context: flags === 'with all flags' ? RECOMMENDED : {} });
    const { stack, monitoring } = platform(app);
    const team = new Stack(app, 'Team');
    new ModelMonitor(team, 'Churn', { platform: monitoring, monitor: monitors('churn')[0]! });
    const resources = resourcesOf(team);
    expect(resources.map(({ Type }) => Type)).toEqual([PUBLICATION]);
    expect(resources[0]?.Properties).toMatchObject({ Owner: 'Team/Churn/Publication' });
    expect(resources[0]?.Properties.Alerting).toBeUndefined();
    expect(team.dependencies.map(({ node }) => node.id)).toEqual(
      flags === 'with all flags' ? expect.anything() : ['Platform'],
    );
    expect(stack.dependencies).toEqual([]);
    expect([...monitoring.models]).toEqual(['churn']);
  });
});

describe('grants', () => {
  const role = (stack: Stack): iam.Role =>
    new iam.Role(stack, 'Sender', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  const bindings = (stack: Stack): unknown =>
    ofType(resourcesOf(stack), PUBLICATION).map(({ Properties }) => JSON.stringify(Properties.Bindings));

  it('bind a role to its models, and let it call the Function URL alone', () => {
    const { stack, monitoring } = platform(testApp(), { models: monitors('churn', 'late') });
    const sender = role(stack);
    monitoring.grants.capture(sender, 'churn');
    monitoring.grants.capture(sender, 'late');
    monitoring.grants.label(sender, 'churn');
    expect(bindings(stack)).toEqual([
      JSON.stringify({
        'Fn::Join': [
          '',
          [
            '{"',
            { 'Fn::GetAtt': [stack.getLogicalId(sender.node.defaultChild as iam.CfnRole), 'Arn'] },
            '":{"events":["churn","late"],"labels":["churn"]}}',
          ],
        ],
      }),
    ]);
    const given = statementsOf(resourcesOf(stack)).filter(({ id }) => id.startsWith('SenderDefaultPolicy'));
    expect(given.map(({ statement }) => [statement.Action, statement.Condition])).toEqual([
      ['lambda:InvokeFunctionUrl', { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } }],
      ['lambda:InvokeFunction', { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }],
    ]);
  });

  it('of a role in another stack are published from there, so that neither waits for the other', () => {
    const app = testApp();
    const { stack, monitoring } = platform(app, { models: monitors('churn') });
    const service = new Stack(app, 'Service');
    const sender = role(service);
    monitoring.grants.capture(sender, 'churn');
    monitoring.grants.label(sender, 'churn');
    expect(bindings(stack)).toEqual([undefined]);
    expect(bindings(service)).toEqual([expect.stringContaining('events')]);
    expect(service.dependencies).toEqual([stack]);
    expect(stack.dependencies).toEqual([]);
  });

  it('let a role write to the stream of its own', () => {
    const { stack, monitoring } = platform(testApp());
    monitoring.grants.produce(role(stack));
    const [given] = statementsOf(resourcesOf(stack)).filter(({ id }) => id.startsWith('SenderDefaultPolicy'));
    expect(given?.statement.Action).toEqual([
      'kinesis:DescribeStreamSummary',
      'kinesis:PutRecord',
      'kinesis:PutRecords',
    ]);
  });

  it('bind subjects and keys where nothing is signed, and say so', () => {
    const access = CollectorAccess.jwt({ issuer: 'https://issuer.example.com', audience: ['monitoring'] });
    const { stack, monitoring } = platform(testApp(), { models: monitors('churn'), access });
    expect(() => monitoring.grants.capture(role(stack), 'churn')).toThrow(
      /collector.access: takes no signed requests, got jwt.*grants.captureBy/,
    );
    monitoring.grants.captureBy('scoring-service', 'churn');
    expect(bindings(stack)).toEqual([JSON.stringify('{"scoring-service":{"events":["churn"],"labels":[]}}')]);
  });

  it('warn of events that a job must take out, and of nothing else that a monitor keeps', () => {
    const kept = (model: string, retention: object): Monitor =>
      Monitor.of({ model, features: { a: { type: 'numeric' } }, retention });
    const { monitoring } = platform(testApp(), {
      models: [kept('a', { events: '90d' }), kept('b', { profiles: '90d', results: '90d' }), ...monitors('c')],
    });
    const { metadata } = monitoring.publication.node;
    const warnings = metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => String(data));
    expect(warnings).toEqual([expect.stringMatching(/^retention\.events of a: applied by `mlmon erase --again`/)]);
  });

  it('warn of a model that nobody declares', () => {
    const { stack, monitoring } = platform(testApp(), { models: monitors('churn') });
    monitoring.grants.captureBy('key', 'chrun');
    const warnings = monitoring.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => data);
    expect(JSON.stringify(warnings)).toMatch(/no monitor of this app declares the model chrun/);
    Template.fromStack(stack).hasResourceProperties(PUBLICATION, { Bindings: Match.stringLikeRegexp('chrun') });
  });
});
