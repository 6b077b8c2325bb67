/** A template without synthesis: for tests that look at many stacks. Validations of constructs run, those of whole apps do not. */
import { Aspects, type Stack } from 'aws-cdk-lib';
import type { CloudFormationTemplate } from './own-rules.ts';

export interface Light {
  readonly template: CloudFormationTemplate;
  /** What constructs say against themselves. */
  readonly problems: readonly string[];
}

export function light(stack: Stack): Light {
  const constructs = stack.node.findAll();
  for (const one of constructs)
    for (const aspect of Aspects.of(one).all) for (const below of one.node.findAll()) aspect.visit(below);
  return {
    template: stack.resolve(
      (stack as unknown as { _toCloudFormation(): unknown })._toCloudFormation(),
    ) as CloudFormationTemplate,
    problems: constructs.flatMap((one) => one.node.validate()),
  };
}
