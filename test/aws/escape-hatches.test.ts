/** What no prop says can be said to the resources themselves: every part is reached from the facade, and every override reaches the template. */
import { CfnResource, Stack } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelMonitoring } from '../../lib/aws/model-monitoring.ts';
import { Network } from '../../lib/aws/network/network.ts';
import { light } from './light.ts';
import { broughtVpc, OPTIONS } from './options.ts';
import { least, newApp } from './subjects.ts';
import './without-validation.ts';

interface Overridden {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

let stack: Stack;
let monitoring: ModelMonitoring;
beforeAll(() => {
  stack = new Stack(newApp(), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
  monitoring = least(stack, {
    network: Network.isolated({ vpc: broughtVpc(stack) }),
    eventBus: OPTIONS.eventBus[0]!(stack),
    grafana: OPTIONS.grafana[0]!(stack),
    access: OPTIONS.access[1]!(stack),
    sageMaker: OPTIONS.sageMaker[0]!(stack),
  });
});

/** Constructs that lead from one to the next by public members. */
function reached(from: IConstruct): ReadonlySet<IConstruct> {
  const found = new Set<IConstruct>();
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (Construct.isConstruct(value)) {
      // What lies beside the platform is not its part.
      if (!value.node.path.startsWith(from.node.path)) return;
      found.add(value);
      // Of the library's own constructs only their main resource is asked for.
      if (CfnResource.isCfnResource(value)) return;
      if (value.node.defaultChild !== undefined) found.add(value.node.defaultChild);
    } else if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
    for (const [name, inner] of Object.entries(value))
      if (name !== 'node' && name !== 'stack' && !name.startsWith('_')) visit(inner);
  };
  visit(from);
  return found;
}

describe('every part of a platform', () => {
  it('is reached by public members of the facade', () => {
    const members = reached(monitoring);
    const hidden = monitoring.node.children
      .filter((part) => !part.node.findAll().some((one) => members.has(one)))
      .map(({ node }) => node.path);
    // Parameters that say where things are: nothing about them is to be chosen.
    expect(hidden).toEqual(['Test/Monitoring/Links']);
  });

  it('leads to the resources that operators want to change', () => {
    const members = reached(monitoring);
    const types = new Set(
      [...members].filter((one) => CfnResource.isCfnResource(one)).map(({ cfnResourceType }) => cfnResourceType),
    );
    for (const type of [
      'AWS::S3::Bucket',
      'AWS::Kinesis::Stream',
      'AWS::KinesisFirehose::DeliveryStream',
      'AWS::Lambda::Function',
      'AWS::Lambda::EventSourceMapping',
      'AWS::IAM::Role',
      'AWS::Logs::LogGroup',
      'AWS::SQS::Queue',
      'AWS::SNS::Topic',
      'AWS::KMS::Key',
      'AWS::SecretsManager::Secret',
      'AWS::Scheduler::Schedule',
      'AWS::CloudWatch::Alarm',
      'AWS::Glue::Table',
      'AWS::ApiGatewayV2::Api',
      'AWS::Events::EventBus',
      'AWS::EC2::VPCEndpoint',
    ])
      expect([type, types.has(type)]).toEqual([type, true]);
  });

  it('takes an override of any of its resources, and brings it to the template', () => {
    const resources = monitoring.node.findAll().filter((one) => CfnResource.isCfnResource(one));
    expect(resources.length).toBeGreaterThan(200);
    const before = light(stack).template.Resources;
    for (const one of resources) {
      one.addPropertyOverride('Said.ByHand', one.logicalId);
      one.addOverride('Metadata.Said', one.node.path);
    }
    const Resources = light(stack).template.Resources as Readonly<Record<string, Overridden>>;
    for (const one of resources) {
      const id = stack.getLogicalId(one);
      expect([id, Resources[id]?.Properties?.['Said'], Resources[id]?.Metadata?.['Said']]).toEqual([
        id,
        { ByHand: id },
        one.node.path,
      ]);
      // And beside it nothing changed.
      expect(Object.keys(Resources[id]?.Properties ?? {}).filter((name) => name !== 'Said')).toEqual(
        Object.keys(before[id]?.Properties ?? {}),
      );
    }
  });
});
