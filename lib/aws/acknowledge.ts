import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * States why a finding of cdk-nag about a construct of ours is as it should be. Always a single finding, next to what causes it; the whole
 * list stands in a test.
 * @param finding as the report names it: `AwsSolutions-IAM5[Resource::*]`
 */
export function acknowledge(scope: IConstruct, finding: string, reason: string): void {
  const pack = finding.startsWith('AwsSolutions-') ? 'AwsSolutions' : 'Serverless';
  Validations.of(scope).acknowledge({ id: `${pack}::${finding}`, reason });
}
