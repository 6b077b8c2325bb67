import { Stack, Validations } from 'aws-cdk-lib';
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

/**
 * A right to everything that a pattern names, e.g. `bucket.arnForObjects('packs/*')`. How the report names what another stack made is known
 * only when references between stacks have been made, which is so when constructs are asked to validate themselves.
 */
export function acknowledgeResource(scope: IConstruct, resource: string, reason: string): void {
  const said = new Set<string>();
  scope.node.addValidation({
    validate: () => {
      const finding = `AwsSolutions-IAM5[Resource::${flat(Stack.of(scope).resolve(resource))}]`;
      // An app may be synthesised more than once.
      if (!said.has(finding)) acknowledge(scope, finding, reason);
      said.add(finding);
      return [];
    },
  });
}

/** Rights to all keys under a prefix of the store's bucket. */
export function acknowledgePrefix(
  scope: IConstruct,
  { bucket }: PlatformContext,
  prefix: string,
  reason: string,
): void {
  acknowledgeResource(scope, bucket.arnForObjects(`${prefix}*`), reason);
}

/** As cdk-nag writes what is only known when deployed: by logical ids. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll('${', '<').replaceAll('}', '>');
  const intrinsic = value as {
    readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
    readonly 'Fn::Sub'?: unknown;
    readonly 'Fn::GetAtt'?: readonly [string, string];
    /** Of another stack. */
    readonly 'Fn::ImportValue'?: unknown;
    readonly Ref?: string;
  };
  if (intrinsic['Fn::Join'] !== undefined) return intrinsic['Fn::Join'][1].map(flat).join(intrinsic['Fn::Join'][0]);
  if (intrinsic['Fn::Sub'] !== undefined) return flat(intrinsic['Fn::Sub']);
  if (intrinsic['Fn::GetAtt'] !== undefined) return `<${intrinsic['Fn::GetAtt'].join('.')}>`;
  if (intrinsic['Fn::ImportValue'] !== undefined) return flat(intrinsic['Fn::ImportValue']);
  return intrinsic.Ref === undefined ? JSON.stringify(value) : `<${intrinsic.Ref}>`;
}
