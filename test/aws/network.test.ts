/** Functions in a VPC: every service that they call can be reached, also where there is no way out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { StreamCapacity } from '../../lib/aws/event-stream.ts';
import type { ModelMonitoring, ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { MonitoringFunction } from '../../lib/aws/monitoring-function.ts';
import { Network } from '../../lib/aws/network/network.ts';
import { type ReachedService, reachedBy, SERVICE_ENDPOINTS } from '../../lib/aws/network/reached-services.ts';
import { Channel } from '../../lib/aws/watching/channel.ts';
import { FUNCTION_NAMES } from '../../lib/contracts/functions.ts';
import { light } from './light.ts';
import { nag } from './nag.ts';
import { broughtVpc, OPTIONS } from './options.ts';
import { least, newApp } from './subjects.ts';
import { list, type Resource, type Statement, statementsOf } from './template.ts';
import './without-validation.ts';

const ROOT = join(import.meta.dirname, '../..');
const ARN = 'eu-central-1:111122223333';

/** A client of the SDK → the service whose actions it does. */
const CLIENTS: Readonly<Record<string, ReachedService>> = {
  athena: 'athena',
  cloudwatch: 'cloudwatch',
  eventbridge: 'events',
  grafana: 'grafana',
  kinesis: 'kinesis',
  lambda: 'lambda',
  s3: 's3',
  'secrets-manager': 'secretsmanager',
  sns: 'sns',
  sqs: 'sqs',
  ssm: 'ssm',
};

function made(props: (stack: Stack) => Partial<ModelMonitoringProps>): {
  readonly stack: Stack;
  readonly resources: readonly Resource[];
  readonly monitoring: ModelMonitoring;
  readonly services: readonly string[] | undefined;
} {
  const stack = new Stack(newApp(), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  const monitoring = least(stack, props(stack));
  const { template, problems } = light(stack);
  expect(problems).toEqual([]);
  const resources = Object.entries(template.Resources).map(
    ([id, resource]) => ({ ...resource, id }) as unknown as Resource,
  );
  return { stack, resources, monitoring, services: monitoring.endpoints?.services };
}
const ofType = (resources: readonly Resource[], type: string): readonly Resource[] =>
  resources.filter(({ Type }) => Type === type);
const endpointsIn = (resources: readonly Resource[]): string[] =>
  ofType(resources, 'AWS::EC2::VPCEndpoint').map(({ Properties }) => JSON.stringify(Properties.ServiceName));

/** Reaches whatever a platform can reach without a way out. */
const much = (stack: Stack): Partial<ModelMonitoringProps> => ({
  channels: [
    Channel.email('ml@example.com'),
    Channel.sqs(sqs.Queue.fromQueueArn(stack, 'Queue', `arn:aws:sqs:${ARN}:alerts`)),
    Channel.custom(lambda.Function.fromFunctionArn(stack, 'Tell', `arn:aws:lambda:${ARN}:function:tell`)),
  ],
  heartbeat: sns.Topic.fromTopicArn(stack, 'Beat', `arn:aws:sns:${ARN}:beat`),
  capacity: StreamCapacity.provisioned({ shards: 2, maximumShards: 4 }),
  grafana: OPTIONS.grafana[0]!(stack),
  eventBus: OPTIONS.eventBus[0]!(stack),
  metricDetail: 'summary',
  sageMaker: OPTIONS.sageMaker[0]!(stack),
  access: OPTIONS.access[1]!(stack),
});

/** Actions of the role of a function. */
function allowedTo(stack: Stack, { role }: MonitoringFunction): readonly string[] {
  const { document } = role.node.findChild('DefaultPolicy') as iam.Policy;
  const { Statement } = stack.resolve(document.toJSON()) as { Statement: readonly Statement[] };
  return Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => list(Action));
}

/** Of the SDK, by the name of the function, whatever they are for. */
async function clients(): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = readdirSync(join(ROOT, 'lambdas'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const { metafile } = await build({
    entryPoints: names.map((name) => join(ROOT, 'lambdas', name, 'index.ts')),
    bundle: true,
    write: false,
    metafile: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    outdir: ROOT,
    absWorkingDir: ROOT,
    logLevel: 'silent',
  });
  return new Map(
    Object.values(metafile.outputs).map(({ entryPoint = '', imports }) => [
      entryPoint.split('/')[1] ?? '',
      [...new Set(imports.flatMap(({ path }) => /^@aws-sdk\/client-(.+)$/.exec(path)?.[1] ?? []))],
    ]),
  );
}

describe('a network without a way out', () => {
  let whole: ReturnType<typeof made>;
  /** Function → clients that its code imports. */
  let clientsOf: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    clientsOf = await clients();
    whole = made((stack) => ({ ...much(stack), network: Network.isolated({ vpc: broughtVpc(stack) }) }));
  });

  it('holds every function, in its subnets, with nothing let in', () => {
    const functions = ofType(whole.resources, 'AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(10);
    for (const { id, Properties } of functions)
      expect([id, Properties.VpcConfig?.SubnetIds]).toEqual([id, ['subnet-00000001', 'subnet-00000002']]);
    const [group] = ofType(whole.resources, 'AWS::EC2::SecurityGroup').filter(({ id }) => id.includes('Functions'));
    expect(group?.Properties.SecurityGroupIngress).toBeUndefined();
    expect(group?.Properties.SecurityGroupEgress).toEqual([expect.objectContaining({ FromPort: 443, ToPort: 443 })]);
  });

  it('has an endpoint for every service that a function is allowed to call', () => {
    const functions = new Set(
      ofType(whole.resources, 'AWS::Lambda::Function').map(({ Properties }) => Properties.Role['Fn::GetAtt'][0]),
    );
    const policies = ofType(whole.resources, 'AWS::IAM::Policy').filter(({ Properties }) =>
      Properties.Roles.some(({ Ref }: { Ref: string }) => functions.has(Ref)),
    );
    expect(policies.length).toBe(functions.size);
    const endpoints = endpointsIn(whole.resources).join();
    for (const { id, statement } of statementsOf(policies).filter(({ statement: { Effect } }) => Effect === 'Allow')) {
      const { services, unknown } = reachedBy(list(statement.Action));
      expect([id, unknown]).toEqual([id, []]);
      for (const service of services)
        for (const name of service === 's3' ? ['.s3'] : SERVICE_ENDPOINTS[service].map(({ shortName }) => shortName))
          expect(endpoints, `${id}: ${service}`).toContain(name);
    }
  });

  it('has one for every client that the code of a function makes', () => {
    const clients = new Set([...clientsOf.values()].flat());
    expect(clients.size).toBeGreaterThan(6);
    expect([...clients].filter((client) => !(client in CLIENTS))).toEqual([]);
    expect(
      [...clients].map((client) => CLIENTS[client]!).filter((service) => !whole.services?.includes(service)),
    ).toEqual([]);
  });

  it('reaches from each function what the how-to says', () => {
    const told = readFileSync(join(ROOT, 'docs/how-to/bring-your-own.md'), 'utf8');
    const rows = [...told.matchAll(/^\| `([a-z-]+)` \| ([a-z, ]+) \|$/gm)].map(([, name, services]) => [
      name,
      services,
    ]);
    const found = new Map(
      whole.monitoring.node
        .findAll()
        .filter((one) => one instanceof MonitoringFunction)
        .map((one) => {
          // What it is allowed and makes a client of; Prometheus is written to without one.
          const { services } = reachedBy(allowedTo(whole.stack, one));
          const called = [...(clientsOf.get(one.functionName) ?? []).map((client) => CLIENTS[client]), 'aps'];
          return [one.functionName, services.filter((service) => called.includes(service) && service !== 's3')];
        }),
    );
    expect([...found.keys()].sort()).toEqual([...FUNCTION_NAMES].sort());
    expect(rows).toEqual(
      FUNCTION_NAMES.map((name) => [name, found.get(name)?.join(', ') ?? ''] as const).filter(
        ([, services]) => services !== '',
      ),
    );
  });

  it('lets the functions into the endpoints, on one port, and nobody else', () => {
    const ingress = ofType(whole.resources, 'AWS::EC2::SecurityGroupIngress');
    expect(ingress.map(({ Properties }) => [Properties.FromPort, Properties.ToPort, Properties.CidrIp])).toEqual([
      [443, 443, undefined],
    ]);
    for (const { Properties } of ofType(whole.resources, 'AWS::EC2::VPCEndpoint'))
      if (Properties.VpcEndpointType === 'Interface') expect(Properties.PrivateDnsEnabled).toBe(true);
  });

  it('is there before a deployment calls a function', () => {
    const { publisher, endpoints } = whole.monitoring;
    expect(publisher.handler.function.node.dependencies).toContain(endpoints);
  });

  it('gives Lambda the right to make interfaces, and denies it to the code', () => {
    const statements = statementsOf(ofType(whole.resources, 'AWS::IAM::Policy')).filter(({ statement }) =>
      list(statement.Action).includes('ec2:CreateNetworkInterface'),
    );
    const count = ofType(whole.resources, 'AWS::Lambda::Function').length;
    expect(statements.filter(({ statement }) => statement.Effect === 'Allow')).toHaveLength(count);
    const denied = statements.filter(({ statement }) => statement.Effect === 'Deny');
    expect(denied).toHaveLength(count);
    for (const { statement } of denied)
      expect(statement.Condition).toEqual({ Null: { 'lambda:SourceFunctionArn': 'false' } });
  });

  it('has no finding', () => {
    expect(nag(whole.stack).findings.filter(({ where }) => where.startsWith('Test/Monitoring'))).toEqual([]);
  });

  it('has no endpoint that nothing needs, and none that is there already', () => {
    const small = made((stack) => ({
      network: Network.isolated({ vpc: broughtVpc(stack), present: ['s3', 'sqs'] }),
      prometheus: OPTIONS.prometheus[0]!(stack),
    }));
    const names = endpointsIn(small.resources).join();
    expect(names).toContain('.kinesis-streams');
    for (const absent of ['.s3', '.sqs', '.lambda', '.aps-workspaces', '.ssm']) expect(names).not.toContain(absent);
    expect(small.services).toContain('sqs');
  });

  it('takes groups of yours, and lets each of them into the endpoints', () => {
    const { resources } = made((stack) => ({
      network: Network.isolated({
        vpc: broughtVpc(stack),
        securityGroups: ['sg-00000001', 'sg-00000002'].map((id) =>
          ec2.SecurityGroup.fromSecurityGroupId(stack, id, id),
        ),
      }),
    }));
    expect(
      ofType(resources, 'AWS::EC2::SecurityGroupIngress').map(({ Properties }) => Properties.SourceSecurityGroupId),
    ).toEqual(['sg-00000001', 'sg-00000002']);
    expect(ofType(resources, 'AWS::EC2::SecurityGroup')).toHaveLength(1);
  });

  it('refuses a receiver that is reached by the internet alone, and says what to take', () => {
    expect(() =>
      made((stack) => ({
        channels: OPTIONS.channels[0]!(stack),
        network: Network.isolated({ vpc: broughtVpc(stack) }),
      })),
    ).toThrow(
      /channels: slack: is delivered by a function that has no way to the internet, got slack; expected .*Channel\.slackChannel.*; take one of these, or Network\.withInternet/,
    );
  });

  it('makes a VPC of the same app work too', () => {
    const { resources } = made((stack) => ({
      network: Network.isolated({
        vpc: new ec2.Vpc(stack, 'Vpc', {
          natGateways: 0,
          subnetConfiguration: [{ name: 'in', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
          restrictDefaultSecurityGroup: false,
        }),
      }),
    }));
    const [gateway] = ofType(resources, 'AWS::EC2::VPCEndpoint').filter(
      ({ Properties }) => Properties.VpcEndpointType === 'Gateway',
    );
    expect(gateway?.Properties.RouteTableIds.length).toBeGreaterThan(1);
  });
});

describe('a network with a way out', () => {
  it('makes no endpoints, and takes every receiver', () => {
    const { resources, services } = made((stack) => ({
      channels: OPTIONS.channels[0]!(stack),
      network: OPTIONS.network[0]!(stack),
    }));
    expect(services).toBeUndefined();
    expect(ofType(resources, 'AWS::EC2::VPCEndpoint')).toEqual([]);
    for (const { Properties } of ofType(resources, 'AWS::Lambda::Function'))
      expect(Properties.VpcConfig.SubnetIds).toEqual(['subnet-00000001', 'subnet-00000002']);
  });
});
