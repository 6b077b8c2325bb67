/** A template without synthesis: for tests that look at many stacks. Validations of constructs run, those of whole apps do not. */
import type { Stack } from 'aws-cdk-lib';
import type { CloudFormationTemplate } from './own-rules.ts';

export interface Light {
  readonly template: CloudFormationTemplate;
  /** What constructs say against themselves. */
  readonly problems: readonly string[];
}

export function light(stack: Stack): Light {
  const constructs = stack.node.findAll();
  return {
    template: stack.resolve(
      (stack as unknown as { _toCloudFormation(): unknown })._toCloudFormation(),
    ) as CloudFormationTemplate,
    problems: constructs.flatMap((one) => one.node.validate()),
  };
}
