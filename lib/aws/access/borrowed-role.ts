import { createHash } from 'node:crypto';
import { Arn, Lazy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import type { IStatementHolder } from '../watching/channel.ts';

export interface BorrowedRoleProps {
  /** Of a role that another stack made, in the same account. */
  readonly roleArn: string;
}

/**
 * Gives a role of another stack rights to what this stack makes, by a policy that stays with this stack and goes with it: the other stack is not
 * changed, and does not depend on this one. Whoever deploys needs `iam:PutRolePolicy` on that role.
 */
export class BorrowedRole extends Construct implements IStatementHolder {
  readonly #statements: iam.PolicyStatement[] = [];
  readonly #roleArn: string;
  #policy: iam.CfnPolicy | undefined;

  constructor(scope: Construct, id: string, props: BorrowedRoleProps) {
    super(scope, id);
    this.#roleArn = props.roleArn;
  }

  /** The policy, where anything was given: what uses the rights is made after it. */
  get policy(): IConstruct | undefined {
    return this.#policy;
  }

  addToPolicy(statement: iam.PolicyStatement): void {
    this.#statements.push(statement);
    const { stackName } = Stack.of(this);
    // Policies of all stacks are on one role, so the name tells them apart, whatever apps call their constructs.
    const digest = createHash('sha256').update(`${stackName}:${this.node.path}`).digest('hex').slice(0, 12);
    this.#policy ??= new iam.CfnPolicy(this, 'Policy', {
      policyName: `${stackName.slice(0, 100)}-${digest}`,
      roles: [Arn.extractResourceName(this.#roleArn, 'role')],
      policyDocument: Lazy.any({
        produce: () => new iam.PolicyDocument({ statements: this.#statements, minimize: true }),
      }),
    });
  }
}
