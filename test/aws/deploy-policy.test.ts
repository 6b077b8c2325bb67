/**
 * Whoever deploys a platform needs what the committed policies say: enough for every resource of every template, and no more than resources can
 * want. UPDATE_GOLDEN=1 writes them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnResource, Stack } from 'aws-cdk-lib';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEPLOY_ACTIONS } from '../../lib/aws/deploy-actions.ts';
import { type DeployStatement, deployPolicies, PASSED_TO } from '../../lib/aws/deploy-policy.ts';
import { Network } from '../../lib/aws/network/network.ts';
import { REMOVAL } from '../../lib/aws/removal.ts';
import { testApp } from './app.ts';
import { EVERYTHING, environment } from './environments.ts';
import { light } from './light.ts';
import { broughtVpc } from './options.ts';
import { everything, least } from './subjects.ts';
import { list } from './template.ts';
import { WIDE } from './wide.ts';
import './without-validation.ts';

const FOLDER = join(import.meta.dirname, '../../docs/reference/deploy-policies');
const STACK = 'ModelMonitoring-production';

interface Made {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

function madeOf(stack: Stack): readonly Made[] {
  const { Resources } = light(stack).template;
  return Object.entries(Resources).map(([id, { Type, Properties = {} }]) => ({
    id,
    type: Type,
    properties: Properties,
  }));
}

let resources: readonly Made[];
beforeAll(() => {
  const stack = (): Stack => new Stack(testApp(), STACK);
  const isolated = stack();
  least(isolated, { network: Network.isolated({ vpc: broughtVpc(isolated) }) });
  const all = stack();
  everything(all);
  resources = [
    ...[{}, EVERYTHING, WIDE, { data: 'delete' } as const].map(
      (input) => environment({ ...input, stackName: STACK }).stack,
    ),
    isolated,
    all,
  ].flatMap(madeOf);
});

const statements = (): readonly DeployStatement[] => deployPolicies().flatMap(({ document }) => document.Statement);
const matches = (pattern: string, arn: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(arn);

/** Whether an action on this resource is allowed by any statement. */
function allows(action: string, arn: string): boolean {
  return statements().some(
    ({ Action, Resource }) => Action.includes(action) && Resource.some((pattern) => matches(pattern, arn)),
  );
}

describe('the policies of whoever deploys', () => {
  it('know every type that a platform is made of', () => {
    const types = new Set(resources.map(({ type }) => type));
    expect(types.size).toBeGreaterThan(35);
    expect([...types].filter((type) => DEPLOY_ACTIONS[type] === undefined)).toEqual([]);
  });

  it('know every type of which it is said what becomes of it', () => {
    const types = REMOVAL.flatMap((row) => row.types);
    expect(types.filter((type) => DEPLOY_ACTIONS[type] === undefined)).toEqual([]);
  });

  it('allow every action that any of them takes, somewhere', () => {
    const allowed = new Set(statements().flatMap(({ Action }) => Action));
    for (const [type, actions] of Object.entries(DEPLOY_ACTIONS))
      expect([type, actions.filter((action) => !allowed.has(action))]).toEqual([type, []]);
  });

  it('allow nothing else, and no action by a pattern', () => {
    const wanted = new Set(Object.values(DEPLOY_ACTIONS).flat());
    for (const { Action } of statements())
      expect(Action.filter((action) => !wanted.has(action) || action.includes('*'))).toEqual([]);
  });

  it('reach what CloudFormation names after the stack, and what templates name', () => {
    const account = '111122223333';
    const at = (service: string, rest: string): string => `arn:aws:${service}:eu-central-1:${account}:${rest}`;
    /** As CloudFormation names what has no name: stack, logical id and chance, shortened where a name is. */
    const generated = (id: string): string => `${STACK.slice(0, 24)}-${id.slice(0, 20)}-A1B2C3D4E5F6`;
    const said = ({ properties }: Made, key: string): string | undefined =>
      typeof properties[key] === 'string' ? (properties[key] as string) : undefined;
    const arns: Readonly<Record<string, (made: Made) => readonly [action: string, arn: string]>> = {
      'AWS::S3::Bucket': ({ id }) => ['s3:CreateBucket', `arn:aws:s3:::${generated(id).toLowerCase()}`],
      'AWS::Kinesis::Stream': ({ id }) => ['kinesis:CreateStream', at('kinesis', `stream/${generated(id)}`)],
      'AWS::IAM::Role': ({ id }) => ['iam:CreateRole', `arn:aws:iam::${account}:role/${generated(id)}`],
      'AWS::IAM::ManagedPolicy': ({ id }) => ['iam:CreatePolicy', `arn:aws:iam::${account}:policy/${generated(id)}`],
      'AWS::Lambda::Function': ({ id }) => ['lambda:CreateFunction', at('lambda', `function:${generated(id)}`)],
      'AWS::SQS::Queue': ({ id }) => ['sqs:CreateQueue', at('sqs', generated(id))],
      'AWS::SNS::Topic': ({ id }) => ['sns:CreateTopic', at('sns', generated(id))],
      'AWS::Events::Rule': ({ id }) => ['events:PutRule', at('events', `rule/${generated(id)}`)],
      'AWS::Scheduler::Schedule': ({ id }) => [
        'scheduler:CreateSchedule',
        at('scheduler', `schedule/default/${generated(id)}`),
      ],
      'AWS::KinesisFirehose::DeliveryStream': ({ id }) => [
        'firehose:CreateDeliveryStream',
        at('firehose', `deliverystream/${generated(id)}`),
      ],
      'AWS::Logs::LogGroup': (made) => [
        'logs:CreateLogGroup',
        at('logs', `log-group:${said(made, 'LogGroupName') ?? generated(made.id)}`),
      ],
      'AWS::SecretsManager::Secret': ({ id }) => [
        'secretsmanager:CreateSecret',
        at('secretsmanager', `secret:${id}-A1B2C3-d4e5f6`),
      ],
      'AWS::SSM::Parameter': (made) => ['ssm:PutParameter', at('ssm', `parameter${said(made, 'Name')}`)],
      'AWS::CloudWatch::Alarm': (made) => [
        'cloudwatch:PutMetricAlarm',
        at('cloudwatch', `alarm:${said(made, 'AlarmName') ?? generated(made.id)}`),
      ],
      'AWS::CloudWatch::Dashboard': (made) => [
        'cloudwatch:PutDashboard',
        `arn:aws:cloudwatch::${account}:dashboard/${said(made, 'DashboardName')}`,
      ],
      'AWS::Glue::Database': ({ properties }) => [
        'glue:CreateDatabase',
        at('glue', `database/${(properties['DatabaseInput'] as { Name: string }).Name}`),
      ],
      'AWS::Glue::Table': ({ properties }) => [
        'glue:CreateTable',
        at('glue', `table/${String(properties['DatabaseName'])}/capture`),
      ],
      'AWS::Athena::WorkGroup': (made) => ['athena:CreateWorkGroup', at('athena', `workgroup/${said(made, 'Name')}`)],
    };
    const looked = resources.filter(({ type }) => type in arns);
    expect(new Set(looked.map(({ type }) => type)).size).toBeGreaterThan(14);
    const refused = looked
      .map((made) => [made.id, ...arns[made.type]!(made)] as const)
      .filter(([, action, arn]) => !allows(action, arn));
    expect(refused).toEqual([]);
    // Of others it must not be so.
    for (const [action, arn] of [
      ['iam:CreateRole', `arn:aws:iam::${account}:role/Admin`],
      ['lambda:UpdateFunctionCode', at('lambda', 'function:payments')],
      ['kinesis:DeleteStream', at('kinesis', 'stream/orders')],
      ['s3:DeleteBucket', 'arn:aws:s3:::payments'],
    ] as const)
      expect([action, arn, allows(action, arn)]).toEqual([action, arn, false]);
  });

  it('pass roles to the services that the roles are for, and to no others', () => {
    const principals = new Set<string>(
      resources
        .filter(({ type }) => type === 'AWS::IAM::Role')
        .flatMap(({ properties }) => {
          const { Statement } = properties['AssumeRolePolicyDocument'] as {
            Statement: readonly { Principal: { Service?: string | readonly string[] } }[];
          };
          return Statement.flatMap(({ Principal }) => list(Principal.Service));
        }),
    );
    expect([...principals].filter((one) => !PASSED_TO.includes(one))).toEqual([]);
    const passing = statements().filter(({ Action }) => Action.includes('iam:PassRole'));
    expect(passing).toHaveLength(1);
    expect(passing[0]?.Condition).toEqual({ StringEquals: { 'iam:PassedToService': PASSED_TO } });
  });

  it('make no role without the boundary, and take it off none, where one is asked for', () => {
    const boundary = 'arn:aws:iam::111122223333:policy/workloads';
    const bounded = deployPolicies({ permissionsBoundary: boundary }).flatMap(({ document }) => document.Statement);
    const with_ = (action: string): readonly DeployStatement[] =>
      bounded.filter(({ Action }) => Action.includes(action));
    for (const action of [
      'iam:CreateRole',
      'iam:PutRolePolicy',
      'iam:AttachRolePolicy',
      'iam:PutRolePermissionsBoundary',
    ])
      expect(with_(action).map(({ Condition }) => Condition)).toEqual([
        { StringEquals: { 'iam:PermissionsBoundary': boundary } },
      ]);
    expect(with_('iam:DeleteRolePermissionsBoundary')).toEqual([]);
  });

  it('fit into managed policies', () => {
    for (const { name, document } of deployPolicies({
      permissionsBoundary: 'arn:aws-us-gov:iam::111122223333:policy/a-name-of-some-length',
      partition: 'aws-us-gov',
    }))
      expect([name, JSON.stringify(document).length < 6_144]).toEqual([name, true]);
  });

  it('are the files that are in the reference', () => {
    const texts = Object.fromEntries(
      deployPolicies().map(({ name, document }) => [`${name}.json`, `${JSON.stringify(document, null, 2)}\n`]),
    );
    if (process.env['UPDATE_GOLDEN'] !== undefined) {
      mkdirSync(FOLDER, { recursive: true });
      for (const [name, text] of Object.entries(texts)) writeFileSync(join(FOLDER, name), text);
    }
    expect(
      Object.fromEntries(
        readdirSync(FOLDER)
          .filter((name) => name.endsWith('.json'))
          .map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]),
      ),
    ).toEqual(texts);
  });
});

describe('what CfnResource knows', () => {
  it('is every resource of a stack, so that none escaped the look', () => {
    const stack = new Stack(testApp(), STACK);
    least(stack);
    expect(stack.node.findAll().filter((one) => CfnResource.isCfnResource(one))).toHaveLength(madeOf(stack).length);
  });
});
