/** What an organisation lays down: a boundary for every role, a bootstrap of its own, a network, and partitions other than `aws`. */
import { Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { EnvironmentInput } from '../../lib/aws/environment/environment-schema.ts';
import { RECOMMENDED, testApp } from './app.ts';
import { environment } from './environments.ts';
import { light } from './light.ts';
import { OPTIONS } from './options.ts';
import { least } from './subjects.ts';
import { ofType, type Resource, statementsOf } from './template.ts';
import './without-validation.ts';

/** Without synthesis of the whole app. */
const resourcesOf = (stack: Stack): readonly Resource[] =>
  Object.entries(light(stack).template.Resources).map(([id, resource]) => ({ ...resource, id }) as unknown as Resource);

const messageOf = (input: EnvironmentInput): string => {
  try {
    environment(input);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('a permissions boundary', () => {
  const boundaries = (stack: Stack): unknown[] =>
    ofType(resourcesOf(stack), 'AWS::IAM::Role').map(({ id, Properties }) => [
      id,
      JSON.stringify(Properties.PermissionsBoundary)?.includes('policy/workloads'),
    ]);

  it.each<[string, EnvironmentInput]>([
    ['a name', { permissionsBoundary: 'workloads' }],
    ['an ARN', { permissionsBoundary: 'arn:aws:iam::111122223333:policy/workloads' }],
    ["the function that empties buckets, which is the library's", { permissionsBoundary: 'workloads', data: 'delete' }],
  ])('is on every role of an environment: %s', (_, input) => {
    const found = boundaries(environment(input).stack);
    expect(found.length).toBeGreaterThan(15);
    expect(found).toEqual(found.map((entry) => [(entry as [string])[0], true]));
  });

  it('is on every role of the constructs, and of what they make beside themselves', () => {
    const stack = new Stack(testApp(), 'Stack');
    least(stack, {
      permissionsBoundary: OPTIONS.permissionsBoundary[0]!(stack),
      removalPolicy: OPTIONS.removalPolicy[0]!(stack),
    });
    const found = boundaries(stack);
    expect(found.some((entry) => /CustomS3AutoDelete/.test((entry as [string])[0]))).toBe(true);
    expect(found).toEqual(found.map((entry) => [(entry as [string])[0], true]));
  });

  it('that is no policy is refused', () => {
    expect(messageOf({ permissionsBoundary: 'arn:aws:iam::1:role/x' })).toMatch(/permissionsBoundary: is not valid/);
  });
});

describe('a bootstrap of its own', () => {
  it('is the one that files go to, that the publisher reads, and whose roles deploy', () => {
    const app = testApp({ context: RECOMMENDED });
    const { stack } = environment({ bootstrapQualifier: 'acme', account: '111122223333', region: 'eu-west-1' }, app);
    const text = JSON.stringify(resourcesOf(stack));
    expect(text).toContain('cdk-acme-assets-111122223333-eu-west-1');
    expect(text).not.toContain('hnb659fds');
    const artifact = app.synth().getStackByName(stack.stackName);
    expect(artifact.assumeRoleArn).toContain('cdk-acme-deploy-role');
    expect(artifact.cloudFormationExecutionRoleArn).toContain('cdk-acme-cfn-exec-role');
  });
});

describe('a network in a file', () => {
  const subnets = ['a', 'b'].map((zone, i) => ({
    id: `subnet-0000000${i}`,
    availabilityZone: `eu-central-1${zone}`,
    routeTable: `rtb-0000000${i}`,
  }));

  it('holds every function, with endpoints in its subnets', () => {
    const { stack } = environment({ network: { vpc: 'vpc-00000001', subnets } });
    const resources = resourcesOf(stack);
    for (const { Properties } of ofType(resources, 'AWS::Lambda::Function'))
      expect(Properties.VpcConfig.SubnetIds).toEqual(['subnet-00000000', 'subnet-00000001']);
    const endpoints = ofType(resources, 'AWS::EC2::VPCEndpoint');
    expect(endpoints.length).toBeGreaterThan(4);
    for (const { Properties } of endpoints)
      expect(Properties.RouteTableIds ?? Properties.SubnetIds).toEqual(
        Properties.VpcEndpointType === 'Gateway'
          ? ['rtb-00000000', 'rtb-00000001']
          : ['subnet-00000000', 'subnet-00000001'],
      );
  });

  it('with a way out, and groups of its own, makes nothing', () => {
    const { stack } = environment({
      network: {
        vpc: 'vpc-00000001',
        subnets: [{ id: 'subnet-00000001', availabilityZone: 'a' }],
        securityGroups: ['sg-00000001'],
        internet: true,
      },
      alerting: { channels: [{ type: 'slack', secret: 's' }] },
    });
    const resources = resourcesOf(stack);
    expect(resources.filter(({ Type }) => Type.startsWith('AWS::EC2::'))).toEqual([]);
    const [one] = ofType(resources, 'AWS::Lambda::Function');
    expect(one?.Properties.VpcConfig.SecurityGroupIds).toEqual(['sg-00000001']);
  });

  it('needs a route table where a gateway is made', () => {
    expect(
      messageOf({ network: { vpc: 'vpc-00000001', subnets: [{ id: 'subnet-00000001', availabilityZone: 'a' }] } }),
    ).toMatch(/network\.subnets\.0\.routeTable: is missing, .*; expected rtb-…; say it, or `present: \[s3\]`/);
  });

  it('tells a wrong id and an unknown service', () => {
    const message = messageOf({ network: { vpc: 'x', subnets: [], present: ['s4' as 's3'] } });
    expect(message).toMatch(/network\.vpc: is not valid, got "x"; expected vpc- and 8 or 17 hexadecimal digits/);
    expect(message).toMatch(/network\.present\.0/);
    expect(message).toMatch(/network\.subnets/);
  });
});

describe('what exists already, in a file', () => {
  const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000';
  const STREAM = 'arn:aws:kinesis:eu-central-1:111122223333:stream/left-behind';

  it('is used, and not made again', () => {
    const { stack, monitoring } = environment({
      encryption: 'own-key',
      existing: {
        bucket: 'left-behind',
        stream: { arn: STREAM, from: 'beginning', retention: '7d' },
        key: KEY,
        policyKey: 'left-behind',
      },
    });
    const resources = resourcesOf(stack);
    for (const type of ['AWS::S3::Bucket', 'AWS::Kinesis::Stream', 'AWS::KMS::Key', 'AWS::SecretsManager::Secret'])
      expect([type, ofType(resources, type)]).toEqual([type, []]);
    expect([monitoring.store, monitoring.eventStream]).toEqual([undefined, undefined]);
    const [source] = ofType(resources, 'AWS::Lambda::EventSourceMapping').filter(
      ({ Properties }) => Properties.EventSourceArn === STREAM,
    );
    expect(source?.Properties.StartingPosition).toBe('TRIM_HORIZON');
    expect(JSON.stringify(statementsOf(ofType(resources, 'AWS::IAM::Policy')))).toContain(KEY);
  });

  it('is never deleted with the stack', () => {
    const { stack } = environment({ data: 'delete', existing: { bucket: 'left-behind' } });
    expect(ofType(resourcesOf(stack), 'Custom::S3AutoDeleteObjects')).toEqual([]);
  });

  it('that is not what it is said to be is refused', () => {
    const message = messageOf({ existing: { key: STREAM, stream: { arn: KEY, from: 'beginning' } } });
    expect(message).toMatch(/existing\.key: is not valid/);
    expect(message).toMatch(/existing\.stream\.arn: is not valid/);
  });
});

describe('another partition', () => {
  it.each([
    ['cn-north-1', 'aws-cn'],
    ['us-gov-west-1', 'aws-us-gov'],
  ])('%s: no ARN names another', (region, partition) => {
    const { stack } = environment({
      encryption: 'own-key',
      account: '111122223333',
      region,
      // There is no Managed Prometheus in China.
      metrics: { prometheus: partition === 'aws-cn' ? 'none' : 'managed' },
    });
    const text = JSON.stringify(resourcesOf(stack));
    const named = new Set([...text.matchAll(/arn:(aws[a-z-]*):/g)].map(([, name]) => name));
    expect([...named].filter((name) => name !== partition)).toEqual([]);
    if (partition === 'aws-cn') expect(text).not.toMatch(/\.amazonaws\.com\/workspaces/);
  });
});
