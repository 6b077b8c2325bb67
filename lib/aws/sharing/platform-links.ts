import { Arn, ArnFormat, CfnRule, Fn, Stack, Token } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct, type IConstruct } from 'constructs';
import { ProblemError, shown } from '../../contracts/problem.ts';

/**
 * What a platform tells the stacks of others, each as a parameter `/model-monitoring/<environment>/<link>` of the Systems Manager. Parameters and
 * not exports: a stack that has taken a value does not keep the platform from changing it, and takes the new one when it is next deployed.
 */
export const LINKS = {
  bucketName: 'bucket-name',
  streamArn: 'stream-arn',
  /** Of the platform's data; names no key where the services' own are used. */
  keyArn: 'key-arn',
  /** Of the topics that alerts go through. */
  topicKeyArn: 'topic-key-arn',
  /** The function that takes publications. */
  publisherArn: 'publisher-arn',
  /** Delivers alerts; a team's channel gives it its rights. */
  notifierRoleArn: 'notifier-role-arn',
  collectorArn: 'collector-arn',
  collectorUrl: 'collector-url',
  /** Where programs hear of what is found; `none` where there is none. */
  eventBusArn: 'event-bus-arn',
  /** What addresses of its dashboards in Grafana begin with; `none` where there is none. */
  dashboardBase: 'dashboard-base',
  /** How senders prove who they are: iam, jwt, keys or path-secret. */
  collectorAccess: 'collector-access',
} as const;
/** What a platform tells stacks of other apps, by parameters. */
export type Link = keyof typeof LINKS;

/** Names of dashboards take no others; the names that are made of it have room for so many. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** @throws ProblemError for a name that something which is called by it cannot have */
export function checkedName(environmentName: string, path: string, tokens: 'taken' | 'refused'): string {
  const isToken = Token.isUnresolved(environmentName);
  if (isToken ? tokens === 'taken' : NAME.test(environmentName)) return environmentName;
  throw new ProblemError([
    {
      code: 'environment-name',
      path,
      message: isToken ? 'is known only when deployed' : 'is no name of an environment',
      got: isToken ? undefined : shown(environmentName),
      expected:
        '1 to 64 letters, digits, hyphens and underscores, known at synthesis: parameters and dashboards are called by it',
    },
  ]);
}

/** Platforms of an app, by their names and where they are deployed. */
const platforms = new WeakMap<IConstruct, Map<string, string>>();

/** @throws ProblemError when another platform of the app has the name, in the same account and region: what is called by it is there once */
function claimName(scope: Construct, environmentName: string): void {
  if (Token.isUnresolved(environmentName)) return;
  const { account, region } = Stack.of(scope);
  const isKnown = !Token.isUnresolved(account) && !Token.isUnresolved(region);
  // Two stacks for whoever deploys may be for two accounts.
  const where = isKnown ? `${account}/${region}` : outermost(scope).node.path;
  const names = platforms.get(scope.node.root) ?? new Map<string, string>();
  platforms.set(scope.node.root, names);
  const name = `${environmentName} ${where}`;
  const platform = scope.node.scope?.node.path ?? scope.node.path;
  const other = names.get(name);
  if (other === undefined) names.set(name, platform);
  else
    throw new ProblemError([
      {
        code: 'environment-name',
        path: `${platform}: environmentName`,
        message: `is that of ${other}, in the same account and region`,
        got: shown(environmentName),
        expected: 'a name of its own: parameters, alarms and dashboards are called by it',
      },
    ]);
}

export function linkName(environmentName: string, link: Link): string {
  return `/model-monitoring/${environmentName}/${LINKS[link]}`;
}

export interface PlatformLinksProps {
  readonly environmentName: string;
  readonly values: Readonly<Record<Link, string>>;
}

/** The parameters of a platform. */
export class PlatformLinks extends Construct {
  constructor(scope: Construct, id: string, props: PlatformLinksProps) {
    super(scope, id);
    checkedName(props.environmentName, 'environmentName', 'taken');
    claimName(this, props.environmentName);
    for (const link of Object.keys(LINKS) as Link[])
      new ssm.StringParameter(this, link.charAt(0).toUpperCase() + link.slice(1), {
        parameterName: linkName(props.environmentName, link),
        simpleName: false,
        stringValue: props.values[link],
        description: 'Where the stacks of teams find the model monitoring',
      });
  }
}

/** The value that a parameter has when the stack of the scope is deployed. */
export function linkedValue(scope: IConstruct, environmentName: string, link: Link): string {
  return ssm.StringParameter.valueForStringParameter(scope, linkName(environmentName, link));
}

/** The stack that is deployed: that around all that it is nested in. */
export function outermost(scope: IConstruct): Stack {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent !== undefined) stack = stack.nestedStackParent;
  return stack;
}

/**
 * A value of a platform of the same app, as a stack may name it: directly where both are deployed as one, else by its parameter. The other stack
 * is deployed after that of the platform.
 * @throws ProblemError where the stack lies in another account or region
 */
export function linkFrom(
  scope: Construct,
  owner: Construct,
  link: Link,
  environmentName: string,
  value: string,
): string {
  const [here, there] = [Stack.of(scope), Stack.of(owner)];
  // Parameters are read before anything is made, what is nested included. A name that is known only when deployed names none of another stack.
  if (outermost(scope) === outermost(owner) || Token.isUnresolved(environmentName)) return value;
  if (here.environment !== there.environment)
    throw new ProblemError([
      {
        code: 'other-environment',
        path: scope.node.path,
        message: 'lies in another account or region than the platform',
        got: environmentText(here),
        expected: environmentText(there),
        fix: 'give both stacks the same env, or publish from there with `mlmon monitor apply` and a role of the platform',
      },
    ]);
  outermost(scope).addStackDependency(outermost(owner));
  return linkedValue(scope, environmentName, link);
}

function environmentText({ account, region }: Stack): string {
  const known = (value: string): string => (Token.isUnresolved(value) ? 'that of whoever deploys' : value);
  return `${known(account)}/${known(region)}`;
}

/** ARN of no key: a policy may name it, and gives nothing by it. */
export function noKeyArn(scope: Construct): string {
  return Arn.format(
    { service: 'kms', resource: 'key', resourceName: 'none', arnFormat: ArnFormat.SLASH_RESOURCE_NAME },
    Stack.of(scope),
  );
}

/** Stands for what a platform does not have. */
export const NONE = 'none';

export interface Expectation {
  /** Of a parameter. */
  readonly value: string;
  /** Absent: anything but `NONE`. */
  readonly expected?: string;
  /** What the deployment fails with. */
  readonly told: string;
}

/** Fails the deployment of the stack, before anything of it is made, where the platform says another thing. */
export function expectLink(scope: Construct, id: string, given: Expectation): void {
  const { value, expected, told } = given;
  if (scope.node.tryFindChild(id) !== undefined) return;
  const assert =
    expected === undefined ? Fn.conditionNot(Fn.conditionEquals(value, NONE)) : Fn.conditionEquals(value, expected);
  new CfnRule(scope, id, { assertions: [{ assert, assertDescription: told }] });
}
