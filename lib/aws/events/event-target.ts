import { Stack } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as stepfunctions from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ProblemError, shown } from '../../contracts/problem.ts';
import { admitRule } from './rule-queue.ts';

/** What a target is given, and what it needs of a rule. */
export interface BoundTarget {
  readonly arn: string;
  /** With which EventBridge starts it; absent where its own policy admits the rule. */
  readonly role?: iam.IRole;
  readonly sageMakerPipelineParameters?: events.CfnRule.SageMakerPipelineParametersProperty;
  /** Called with the rule, for policies that name it. */
  readonly admit?: (rule: events.CfnRule) => void;
}

/** What an event starts. Each gets the exact rights to it. */
export class EventTarget {
  /**
   * An execution of a SageMaker pipeline. Values of parameters may be taken from the event: `$.detail.data.model`.
   * @param pipelineArn `arn:aws:sagemaker:<region>:<account>:pipeline/<name>`
   */
  static sageMakerPipeline(pipelineArn: string, parameters: Readonly<Record<string, string>> = {}): EventTarget {
    return new EventTarget((scope) => ({
      arn: pipelineArn,
      role: roleFor(scope, 'Starts a pipeline of SageMaker', [
        new iam.PolicyStatement({ actions: ['sagemaker:StartPipelineExecution'], resources: [pipelineArn] }),
      ]),
      sageMakerPipelineParameters: {
        pipelineParameterList: Object.entries(parameters).map(([name, value]) => ({ name, value })),
      },
    }));
  }

  /** An execution of a state machine; its input is the entry of the bus. */
  static stateMachine(machine: stepfunctions.IStateMachine): EventTarget {
    return new EventTarget((scope) => ({
      arn: machine.stateMachineArn,
      role: roleFor(scope, 'Starts a state machine', [
        new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [machine.stateMachineArn] }),
      ]),
    }));
  }

  /** A function of yours. */
  static function(target: lambda.IFunction): EventTarget {
    return new EventTarget((scope) => ({
      arn: target.functionArn,
      admit: ({ attrArn: sourceArn }) => {
        new lambda.CfnPermission(scope, 'Permission', {
          action: 'lambda:InvokeFunction',
          functionName: target.functionArn,
          principal: 'events.amazonaws.com',
          sourceArn,
        });
      },
    }));
  }

  /** A standard queue. One that was made elsewhere must let EventBridge send, and so must its key. */
  static queue(queue: sqs.IQueue): EventTarget {
    if (queue.fifo)
      throw new ProblemError([
        {
          code: 'fifo-queue',
          path: 'queue',
          message: 'events have no order, so there is no message group to give',
          got: shown(queue.node.path),
          expected: 'a standard queue; the id of an event tells repeats',
        },
      ]);
    return new EventTarget(() => ({ arn: queue.queueArn, admit: (rule) => admitRule(queue, rule) }));
  }

  /** Another bus: of another account, its policy must admit this one. */
  static bus(bus: events.IEventBus): EventTarget {
    return new EventTarget((scope) => ({
      arn: bus.eventBusArn,
      role: roleFor(scope, 'Passes events on to another bus', [
        new iam.PolicyStatement({ actions: ['events:PutEvents'], resources: [bus.eventBusArn] }),
      ]),
    }));
  }

  readonly #bind: (scope: Construct) => BoundTarget;

  private constructor(bind: (scope: Construct) => BoundTarget) {
    this.#bind = bind;
  }

  bind(scope: Construct): BoundTarget {
    return this.#bind(scope);
  }
}

function roleFor(scope: Construct, description: string, statements: readonly iam.PolicyStatement[]): iam.Role {
  const role = new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('events.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
    description,
  });
  for (const statement of statements) role.addToPolicy(statement);
  return role;
}
