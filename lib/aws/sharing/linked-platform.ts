import { Names, Stack, Token } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import type { PlatformContext } from '../platform-context.ts';
import { type Link, linkedValue, outermost } from './platform-links.ts';

/** Those whose every value is a parameter, which is taken when it is asked for. */
const byParameters = new WeakSet<PlatformContext>();

/** What is not asked for takes no parameter of the stack. */
export function linkedContext(scope: Construct, environmentName: string): PlatformContext {
  const made = <T extends Construct>(id: string, make: () => unknown): T =>
    (scope.node.tryFindChild(id) ?? make()) as unknown as T;
  const value = (link: Link): string => linkedValue(scope, environmentName, link);
  const context: PlatformContext = {
    environmentName,
    get bucket() {
      return made<s3.IBucket & Construct>('Bucket', () =>
        s3.Bucket.fromBucketName(scope, 'Bucket', value('bucketName')),
      );
    },
    get stream() {
      return made<kinesis.IStream & Construct>('Stream', () =>
        kinesis.Stream.fromStreamArn(scope, 'Stream', value('streamArn')),
      );
    },
    get key() {
      return made<kms.IKey & Construct>('Key', () => kms.Key.fromKeyArn(scope, 'Key', value('keyArn')));
    },
  };
  byParameters.add(context);
  return context;
}

/** What a grant names, as the stack of a role may name it. */
export interface SeenContext extends Pick<PlatformContext, 'bucket' | 'stream' | 'key'> {
  /** Absent: as the stack of the platform names it. */
  readonly collectorArn: string | undefined;
}

/**
 * A platform, seen from the stack of a role: by parameters where that is another one of the same account and region, which is then deployed after
 * it. What was brought to the platform from elsewhere is named as it is. What is not read takes no parameter.
 */
export function platformSeenFrom(role: IConstruct, owner: IConstruct, platform: PlatformContext): SeenContext {
  const [here, there] = [outermost(role), outermost(owner)];
  const { environmentName } = platform;
  const isNamed = here === there || here.environment !== there.environment || Token.isUnresolved(environmentName);
  const stack = Stack.of(role);
  const links = (): Construct => {
    const id = `ModelMonitoringLinks${Names.nodeUniqueId(owner.node)}`;
    // A platform of another app is there.
    if (!byParameters.has(platform)) here.addStackDependency(there);
    return (stack.node.tryFindChild(id) ?? new Construct(stack, id)) as Construct;
  };
  const seen = <K extends 'bucket' | 'stream' | 'key'>(name: K): PlatformContext[K] => {
    if (isNamed) return platform[name];
    if (!byParameters.has(platform)) {
      const own = platform[name];
      if (own === undefined || outermost(own) !== there) return own;
    }
    return linkedContext(links(), environmentName)[name];
  };
  return {
    get bucket() {
      return seen('bucket');
    },
    get stream() {
      return seen('stream');
    },
    get key() {
      return seen('key');
    },
    get collectorArn() {
      return isNamed ? undefined : linkedValue(links(), environmentName, 'collectorArn');
    },
  };
}
