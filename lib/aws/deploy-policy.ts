import { DEPLOY_ACTIONS } from './deploy-actions.ts';

/** Where, and by which bootstrap. */
export interface DeployPolicyOptions {
  /** What names of stacks begin with: of platforms and of teams that attach to them. @default 'ModelMonitoring-' */
  readonly stackPrefix?: string;
  /** Of the bootstrap. @default 'hnb659fds', that of the CDK */
  readonly qualifier?: string;
  /** ARN of a managed policy without which no role can be made or changed. @default none */
  readonly permissionsBoundary?: string;
  /** @default 'aws' */
  readonly partition?: string;
}

/** One statement of it. */
export interface DeployStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** What somebody who deploys needs, as a document of IAM. */
export interface DeployPolicy {
  /** Of the managed policy: what it is about. */
  readonly name: string;
  readonly document: { readonly Version: '2012-10-17'; readonly Statement: readonly DeployStatement[] };
}

/** Services that the roles of a platform are for. */
export const PASSED_TO = ['chatbot', 'events', 'firehose', 'grafana', 'lambda', 'scheduler'].map(
  (service) => `${service}.amazonaws.com`,
);

/** Actions that make or change what a role may do: with a boundary, only of roles that have it. */
const BOUNDED = [
  'iam:AttachRolePolicy',
  'iam:CreateRole',
  'iam:DeleteRolePolicy',
  'iam:DetachRolePolicy',
  'iam:PutRolePermissionsBoundary',
  'iam:PutRolePolicy',
];
/** Takes the boundary off. */
const UNBOUND = 'iam:DeleteRolePermissionsBoundary';

/** Actions that know no resource, or whose resource has a name by chance. */
const ANYWHERE =
  /^(?:aps|chatbot|ec2|grafana|organizations|sso):|^(?:kms:CreateKey|secretsmanager:GetRandomPassword|lambda:(?:\w+EventSourceMapping|GetFunctionCodeSigningConfig)|cloudwatch:DescribeAlarms|sns:(?:Get|Set)SubscriptionAttributes|sns:Unsubscribe)$|^logs:(?:Describe|.*LogDeliver|PutResourcePolicy)/;

/** Sections of a policy, since a managed policy holds 6,144 characters. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  data: ['athena', 'firehose', 'glue', 'kinesis', 'kms', 's3', 'secretsmanager'],
  functions: ['apigateway', 'ec2', 'events', 'iam', 'lambda', 'scheduler', 'sqs', 'ssm'],
  watching: ['aps', 'chatbot', 'cloudwatch', 'grafana', 'logs', 'organizations', 'sns', 'sso'],
};

/** Where what a service has for a platform lies; names begin with that of the stack. */
function resourcesOf(service: string, { stack, partition }: { stack: string; partition: string }): readonly string[] {
  const arn = (of: string, rest: string): string => `arn:${partition}:${of}:*:*:${rest}`;
  const small = stack.toLowerCase();
  switch (service) {
    case 'apigateway':
      return ['apis', 'apis/*', 'tags/*'].map((path) => `arn:${partition}:apigateway:*::/${path}`);
    case 'athena':
      return [arn('athena', 'workgroup/*')];
    case 'cloudwatch':
      return [
        arn('cloudwatch', 'alarm:*'),
        arn('cloudwatch', 'alarm-mute-rule:*'),
        `arn:${partition}:cloudwatch::*:dashboard/mlmon-*`,
      ];
    case 'events':
      return [`rule/${stack}*`, `event-bus/*`, `archive/*`, `rule/*/${stack}*`].map((rest) => arn('events', rest));
    case 'firehose':
      return [arn('firehose', `deliverystream/${stack}*`)];
    case 'glue':
      // Athena knows small letters and underscores.
      return ['catalog', `database/${small.replaceAll('-', '*')}*`, `table/${small.replaceAll('-', '*')}*`].map(
        (rest) => arn('glue', rest),
      );
    case 'iam':
      return [`arn:${partition}:iam::*:role/${stack}*`, `arn:${partition}:iam::*:policy/${stack}*`];
    case 'kinesis':
      return [arn('kinesis', `stream/${stack}*`)];
    case 'kms':
      return [arn('kms', 'key/*')];
    case 'lambda':
      return [arn('lambda', `function:${stack}*`), arn('lambda', 'event-source-mapping:*')];
    case 'logs':
      return [`log-group:${stack}*`, `log-group:/aws/vendedlogs/*`].map((rest) => arn('logs', rest));
    case 's3':
      return [`arn:${partition}:s3:::${small}*`];
    case 'scheduler':
      return [arn('scheduler', `schedule/*/${stack}*`)];
    case 'secretsmanager':
      // Named after the construct, not the stack.
      return [arn('secretsmanager', 'secret:*')];
    case 'sns':
      return [arn('sns', `${stack}*`)];
    case 'sqs':
      return [arn('sqs', `${stack}*`)];
    case 'ssm':
      return [arn('ssm', 'parameter/model-monitoring/*'), arn('ssm', 'parameter/cdk-bootstrap/*')];
    default:
      return ['*'];
  }
}

/**
 * Managed policies that together let CloudFormation deploy, change and remove platforms, and nothing besides: for `cdk bootstrap
 * --cloudformation-execution-policies`.
 */
export function deployPolicies(options: DeployPolicyOptions = {}): readonly DeployPolicy[] {
  const stack = options.stackPrefix ?? 'ModelMonitoring-';
  const partition = options.partition ?? 'aws';
  const all = [...new Set(Object.values(DEPLOY_ACTIONS).flat())].sort();
  return Object.entries(SECTIONS).map(([name, services]) => ({
    name: `${name}-of-model-monitoring`,
    document: {
      Version: '2012-10-17',
      Statement: [
        ...services.flatMap((service) =>
          statementsOf(
            service,
            all.filter((action) => action.startsWith(`${service}:`)),
            resourcesOf(service, { stack, partition }),
            options,
          ),
        ),
        ...anywhere(all.filter((action) => services.includes(action.split(':')[0]!) && ANYWHERE.test(action))),
        ...(name === 'data' ? [assets(partition, options.qualifier ?? 'hnb659fds')] : []),
      ],
    },
  }));
}

function statementsOf(
  service: string,
  actions: readonly string[],
  resources: readonly string[],
  { permissionsBoundary: boundary }: DeployPolicyOptions,
): DeployStatement[] {
  const here = actions.filter((action) => !ANYWHERE.test(action) && !/^s3:GetObject/.test(action));
  const statement = (
    sid: string,
    of: readonly string[],
    more: Partial<DeployStatement> = {},
  ): readonly DeployStatement[] =>
    of.length === 0 ? [] : [{ Sid: sid, Effect: 'Allow', Action: of, Resource: resources, ...more }];
  if (service !== 'iam') return [...statement(sidOf(service), here)];
  const linked = ['iam:CreateServiceLinkedRole'];
  const limited = boundary === undefined ? [] : BOUNDED;
  const never = boundary === undefined ? [] : [UNBOUND];
  return [
    ...statement(
      'Iam',
      here.filter((action) => ![...limited, ...never, ...linked, 'iam:PassRole'].includes(action)),
    ),
    ...statement('IamBounded', limited, {
      Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary ?? '' } },
    }),
    ...statement('IamPass', ['iam:PassRole'], { Condition: { StringEquals: { 'iam:PassedToService': PASSED_TO } } }),
    ...statement('IamLinked', linked, {
      Resource: ['*'],
      Condition: { StringEquals: { 'iam:AWSServiceName': 'grafana.amazonaws.com' } },
    }),
  ];
}

function anywhere(actions: readonly string[]): readonly DeployStatement[] {
  return actions.length === 0 ? [] : [{ Sid: 'Anywhere', Effect: 'Allow', Action: actions, Resource: ['*'] }];
}

/** Bundles of functions lie where `cdk deploy` put them. */
function assets(partition: string, qualifier: string): DeployStatement {
  return {
    Sid: 'Assets',
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:GetObjectVersion'],
    Resource: [`arn:${partition}:s3:::cdk-${qualifier}-assets-*/*`],
  };
}

const sidOf = (service: string): string => `${service.charAt(0).toUpperCase()}${service.slice(1)}`;
