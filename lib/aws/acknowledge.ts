import { type CfnElement, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { PlatformContext } from './platform-context.ts';

/**
 * States why a finding of cdk-nag about a construct of ours is as it should be. Always a single finding, next to what causes it; the whole
 * list stands in a test.
 * @param finding as the report names it: `AwsSolutions-IAM5[Resource::*]`
 */
export function acknowledge(scope: IConstruct, finding: string, reason: string): void {
  const pack = finding.startsWith('AwsSolutions-') ? 'AwsSolutions' : 'Serverless';
  Validations.of(scope).acknowledge({ id: `${pack}::${finding}`, reason });
}

/** Rights to all keys under a prefix of the store's bucket. */
export function acknowledgePrefix(
  scope: IConstruct,
  { bucket }: PlatformContext,
  prefix: string,
  reason: string,
): void {
  const child = bucket.node.defaultChild as CfnElement | undefined;
  // As cdk-nag writes what a right is to: by logical ids where there are some.
  const arn = child === undefined ? bucket.arnForObjects('') : `<${Stack.of(child).getLogicalId(child)}.Arn>/`;
  acknowledge(scope, `AwsSolutions-IAM5[Resource::${arn}${prefix}*]`, reason);
}
