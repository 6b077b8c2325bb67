/** Who shows graphs: what each choice makes, what it may do, and what is refused. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Stack, Token } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { addEnvironment } from '../../lib/aws/environment/environment.ts';
import { environmentOf } from '../../lib/aws/environment/environment-file.ts';
import type { EnvironmentInput } from '../../lib/aws/environment/environment-schema.ts';
import { Grafana } from '../../lib/aws/grafana/grafana.ts';
import { GrafanaIdentity } from '../../lib/aws/grafana/grafana-identity.ts';
import { MANAGED_REGIONS, presence } from '../../lib/aws/managed-regions.ts';
import type { ModelMonitoring, ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { Network } from '../../lib/aws/network/network.ts';
import { Prometheus } from '../../lib/aws/watching/prometheus.ts';
import { DASHBOARDS } from '../../lib/contracts/dashboards.ts';
import type { PublishedDashboard } from '../../lib/contracts/grafana.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { config, environment } from './environments.ts';
import { light } from './light.ts';
import { broughtVpc } from './options.ts';
import { least, newApp } from './subjects.ts';
import { allowed, ofType, type Resource, resourcesOf, statementsOf } from './template.ts';
import './without-validation.ts';

const REGION = 'eu-central-1';

function made(
  grafana: Grafana | ((stack: Stack) => Grafana),
  { region = REGION, ...props }: Partial<ModelMonitoringProps> & { readonly region?: string } = {},
): { readonly stack: Stack; readonly monitoring: ModelMonitoring; readonly resources: readonly Resource[] } {
  const stack = new Stack(newApp(), 'Test', { env: { account: '111122223333', region } });
  const monitoring = least(stack, { ...props, grafana: typeof grafana === 'function' ? grafana(stack) : grafana });
  return { stack, monitoring, resources: resourcesOf(stack) };
}

function problemsOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.message;
    throw error;
  }
  return '';
}

const tokenOf = (stack: Stack) => secretsmanager.Secret.fromSecretNameV2(stack, 'Token', 'monitoring/grafana');
const managed = Grafana.managed({ identity: GrafanaIdentity.identityCenter() });
const fillingOf = (resources: readonly Resource[]) => ofType(resources, 'Custom::ModelMonitoringGrafana');
const HANDLER = 'MonitoringGrafanaFillingHandler';
const TOKENS = [
  'grafana:CreateWorkspaceServiceAccount',
  'grafana:CreateWorkspaceServiceAccountToken',
  'grafana:DeleteWorkspaceServiceAccount',
  'grafana:DeleteWorkspaceServiceAccountToken',
  'grafana:DescribeWorkspace',
  'grafana:ListWorkspaceServiceAccountTokens',
  'grafana:ListWorkspaceServiceAccounts',
];
const OWN = [
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  's3:DeleteObject',
  's3:GetObject',
  's3:ListBucket',
  's3:PutObject',
  'sqs:SendMessage',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
];
const READS = [
  'aps:GetLabels',
  'aps:GetMetricMetadata',
  'aps:GetSeries',
  'aps:ListAlerts',
  'aps:ListRules',
  'aps:QueryMetrics',
  'cloudwatch:DescribeAlarmHistory',
  'cloudwatch:DescribeAlarms',
  'cloudwatch:DescribeAlarmsForMetric',
  'cloudwatch:GetMetricData',
  'cloudwatch:GetMetricStatistics',
  'cloudwatch:ListMetrics',
];

/** Texts of warnings, short enough to be shown. */
function warningsOf(stack: Stack): string {
  return stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === 'aws:cdk:warning')
    .map(({ data }) => String(data))
    .join('\n');
}

describe('none', () => {
  it('makes nothing of it, and keeps the dashboards of CloudWatch', () => {
    const { monitoring, resources } = made(Grafana.none());
    expect(monitoring.grafana).toBeUndefined();
    expect(JSON.stringify(resources)).not.toContain('rafana');
    expect(ofType(resources, 'AWS::CloudWatch::Dashboard')).toHaveLength(2);
    expect(monitoring.alarms.absent['grafana-failing']).toBe('grafana does not run');
  });
});

describe('a managed workspace', () => {
  const { resources, monitoring, stack } = made(managed);

  it('has an identity provider, and a role that may read and nothing else', () => {
    const [workspace] = ofType(resources, 'AWS::Grafana::Workspace');
    expect(workspace!.Properties).toMatchObject({
      AccountAccessType: 'CURRENT_ACCOUNT',
      AuthenticationProviders: ['AWS_SSO'],
      PermissionType: 'CUSTOMER_MANAGED',
      GrafanaVersion: '12.4',
      Name: 'mlmon-production',
    });
    expect(allowed(resources, 'MonitoringGrafanaWorkspaceRole')).toEqual(READS);
    const [series, rest] = statementsOf(
      ofType(resources, 'AWS::IAM::Policy').filter(({ id }) => id.startsWith('MonitoringGrafanaWorkspaceRole')),
    ).map(({ statement }) => JSON.stringify(statement.Resource));
    expect(series).toMatch(/GetAtt.*MonitoringMetricsWorkspace.*Arn/);
    expect(rest).toBe('"*"');
    const trust = ofType(resources, 'AWS::IAM::Role').find(({ id }) => id.startsWith('MonitoringGrafanaWorkspaceRole'));
    expect(JSON.stringify(trust!.Properties.AssumeRolePolicyDocument)).toMatch(
      /aws:SourceAccount":"111122223333.*aws:SourceArn.*:\/workspaces\/\*.*grafana\.amazonaws\.com/,
    );
  });

  it('is filled with the six dashboards, by a function that may make tokens of this workspace alone', () => {
    const [filling] = fillingOf(resources);
    expect(filling!.Properties).toMatchObject({
      WorkspaceId: { 'Fn::GetAtt': [expect.stringMatching(/^MonitoringGrafanaWorkspace/), 'Id'] },
      Owner: `111122223333/${REGION}/production`,
      Prefix: 'mlmon',
      Region: REGION,
      PrometheusUrl: { 'Fn::Join': ['', expect.arrayContaining([expect.stringContaining('https://aps-workspaces.')])] },
    });
    expect(filling!.DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/HandlerRoleDefaultPolicy/)]));
    expect(allowed(resources, HANDLER)).toEqual([...OWN, ...TOKENS].sort());
    const tokens = statementsOf(resources).filter(({ statement }) =>
      JSON.stringify(statement.Action).includes('ServiceAccountToken'),
    );
    expect(JSON.stringify(tokens.map(({ statement }) => statement.Resource))).toMatch(
      /:grafana:eu-central-1:111122223333:\/workspaces\/.*MonitoringGrafanaWorkspace/,
    );
    const { outdir } = stack.node.root as unknown as { readonly outdir: string };
    const lines = readFileSync(
      join(outdir, `dashboards.${String(filling!.Properties.AssetKey).replace('.ndjson', '')}.ndjson`),
      'utf8',
    )
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PublishedDashboard);
    expect(lines.map(({ key }) => key)).toEqual(DASHBOARDS);
  });

  it('tells of a failure by an alarm on the tries, of which one is made every quarter of an hour', () => {
    expect(Object.keys(monitoring.alarms.alarms)).toEqual(
      expect.arrayContaining(['grafana-failing', 'function-failing-grafana']),
    );
    const alarm = ofType(resources, 'AWS::CloudWatch::Alarm').find(
      ({ Properties }) => Properties.MetricName === 'GrafanaFailures',
    );
    expect(alarm!.Properties).toMatchObject({
      Dimensions: [
        { Name: 'Environment', Value: 'production' },
        { Name: 'Function', Value: 'grafana' },
      ],
      Period: 900,
      TreatMissingData: 'ignore',
    });
    expect(
      ofType(resources, 'AWS::Scheduler::Schedule').find(({ id }) => id.startsWith('MonitoringGrafana'))!.Properties
        .ScheduleExpression,
    ).toBe('rate(15 minutes)');
  });

  it('lets people in by SAML', () => {
    const identity = GrafanaIdentity.saml({
      metadataUrl: 'https://idp.example.com/metadata',
      roleAttribute: 'groups',
      adminRoles: ['ml-platform'],
      editorRoles: ['ml'],
    });
    const [workspace] = ofType(
      made(Grafana.managed({ identity, version: '13.0' })).resources,
      'AWS::Grafana::Workspace',
    );
    expect(workspace!.Properties).toMatchObject({
      AuthenticationProviders: ['SAML'],
      GrafanaVersion: '13.0',
      SamlConfiguration: {
        IdpMetadata: { Url: 'https://idp.example.com/metadata' },
        AssertionAttributes: { Role: 'groups' },
        RoleValues: { Admin: ['ml-platform'], Editor: ['ml'] },
      },
    });
    const xml = Grafana.managed({ identity: GrafanaIdentity.saml({ metadataXml: '<x/>' }) });
    expect(ofType(made(xml).resources, 'AWS::Grafana::Workspace')[0]!.Properties.SamlConfiguration).toMatchObject({
      IdpMetadata: { Xml: '<x/>' },
      AssertionAttributes: { Role: 'role' },
    });
    expect(problemsOf(() => GrafanaIdentity.saml({}))).toMatch(/no metadata/);
    expect(problemsOf(() => GrafanaIdentity.saml({ metadataUrl: 'https://a', metadataXml: '<x/>' }))).toMatch(/twice/);
  });
});

describe('a workspace of yours', () => {
  const role = (stack: Stack) => iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::111122223333:role/grafana');

  it('is filled wherever it is, and its role is let read where it is given', () => {
    const { resources } = made((stack) =>
      Grafana.existing({ workspaceId: 'g-1234', region: 'eu-west-1', role: role(stack), prefix: 'staging' }),
    );
    expect(ofType(resources, 'AWS::Grafana::Workspace')).toEqual([]);
    expect(fillingOf(resources)[0]!.Properties).toMatchObject({
      WorkspaceId: 'g-1234',
      WorkspaceRegion: 'eu-west-1',
      Region: REGION,
      Prefix: 'staging',
    });
    expect(allowed(resources, HANDLER)).toEqual([...OWN, ...TOKENS].sort());
    expect(JSON.stringify(statementsOf(resources))).toContain(':grafana:eu-west-1:111122223333:/workspaces/g-1234');
    expect(allowed(resources, 'Role')).toEqual(READS);
  });

  it('warns of a role that cannot be changed', () => {
    const { stack } = made((inner) =>
      Grafana.existing({
        workspaceId: 'g-1234',
        role: iam.Role.fromRoleArn(inner, 'Role', 'arn:aws:iam::999988887777:role/grafana'),
      }),
    );
    expect(warningsOf(stack)).toContain('cannot be changed');
  });
});

describe('a Grafana that is run elsewhere', () => {
  it('is filled with a token of a secret, and may assume a role that reads', () => {
    const { resources, monitoring } = made((stack) =>
      Grafana.selfRun({
        url: 'https://grafana.example.com/sub',
        token: tokenOf(stack),
        reader: new iam.ArnPrincipal('arn:aws:iam::111122223333:role/grafana-pods'),
      }),
    );
    expect(monitoring.grafana?.url).toBe('https://grafana.example.com/sub');
    expect(fillingOf(resources)[0]!.Properties).toMatchObject({
      Url: 'https://grafana.example.com/sub',
      AssumeRoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^MonitoringGrafanaReader/), 'Arn'] },
    });
    expect(JSON.stringify(fillingOf(resources)[0]!.Properties.TokenSecretArn)).toContain('secret:monitoring/grafana');
    expect(allowed(resources, HANDLER)).toEqual([...OWN, 'secretsmanager:GetSecretValue'].sort());
    expect(allowed(resources, 'MonitoringGrafanaReader')).toEqual(READS);
  });

  it.each(['http://grafana.example.com', 'grafana.example.com', 'https://me:word@grafana.example.com'])(
    'is refused at %s, without repeating a password',
    (url) => {
      const said = problemsOf(() => made((stack) => Grafana.selfRun({ url, token: tokenOf(stack) })));
      expect(said).toMatch(/grafana\.url/);
      expect(said).not.toContain('word@');
    },
  );

  it('cannot be reached out of a network without a way out', () => {
    const said = problemsOf(() =>
      made((stack) => Grafana.selfRun({ url: 'https://grafana.example.com', token: tokenOf(stack) }), {
        network: Network.isolated({ vpc: vpcOf() }),
      }),
    );
    expect(said).toMatch(/no way to the internet/);
  });
});

/** In a stack of its own, since the network is chosen before there is one. */
function vpcOf(): ec2.IVpc {
  return broughtVpc(new Stack(newApp(), 'Vpc', { env: { account: '111122223333', region: REGION } }));
}

describe('links of alerts', () => {
  const churn = Monitor.of({ model: 'churn', features: { age: { type: 'numeric' } } });
  const topics = (stack: Stack) => ({
    warning: sns.Topic.fromTopicArn(stack, 'Team', `arn:aws:sns:${REGION}:111122223333:t`),
  });

  /** What is only known when deployed by its logical id and attribute. */
  const flat = (value: unknown): string =>
    typeof value === 'string'
      ? value
      : (value as { readonly 'Fn::Join': readonly [string, readonly unknown[]] })['Fn::Join'][1]
          .map((part) =>
            typeof part === 'string'
              ? part
              : `<${Object.values(part as Record<string, unknown>)
                  .flat()
                  .join('.')}>`,
          )
          .join('');

  function linksOf(grafana: Grafana | ((stack: Stack) => Grafana)) {
    const stack = new Stack(newApp(), 'Test', { env: { account: '111122223333', region: REGION } });
    least(stack, {
      grafana: typeof grafana === 'function' ? grafana(stack) : grafana,
      models: [churn],
      modelAlarms: { churn: { topics: topics(stack) } },
    });
    // Refuses what depends on itself.
    const resources = resourcesOf(stack);
    const [publication] = ofType(resources, 'Custom::ModelMonitoringPublication');
    const description = (name: string): string =>
      flat(
        ofType(resources, 'AWS::CloudWatch::Alarm').find(({ Properties }) =>
          String(Properties.AlarmName).startsWith(`${name}-`),
        )!.Properties.AlarmDescription,
      );
    return {
      alerting: JSON.parse(flat(publication!.Properties.Alerting)) as { readonly dashboardBase?: string },
      rules: flat(ofType(resources, 'AWS::APS::RuleGroupsNamespace')[0]!.Properties.Data),
      template: flat(ofType(resources, 'AWS::APS::Workspace')[0]!.Properties.AlertManagerDefinition),
      ofModel: description('MlmonModelEpisodeOpen'),
      ofPlatform: description('MlmonNoEvents'),
      parameter: ofType(resources, 'AWS::SSM::Parameter').find(({ Properties }) =>
        String(Properties.Name).endsWith('/dashboard-base'),
      )!.Properties.Value as unknown,
    };
  }

  it.each([
    ['managed', managed, /^https:\/\/<MonitoringGrafanaWorkspace\w+\.Endpoint>\/d\/mlmon$/],
    [
      'existing',
      Grafana.existing({ workspaceId: 'g-1234', prefix: 'staging' }),
      /^https:\/\/g-1234\.grafana-workspace\.eu-central-1\.<AWS::URLSuffix>\/d\/staging$/,
    ],
    [
      'self-run',
      (stack: Stack) => Grafana.selfRun({ url: 'https://grafana.example.com/sub/', token: tokenOf(stack) }),
      /^https:\/\/grafana\.example\.com\/sub\/d\/mlmon$/,
    ],
  ] as const)('lead into a Grafana that is %s, from everything that tells people', (_, grafana, expected) => {
    const { alerting, rules, template, ofModel, ofPlatform, parameter } = linksOf(grafana);
    const base = alerting.dashboardBase ?? '';
    expect(base).toMatch(expected);
    expect(flat(parameter)).toBe(base);
    expect(rules).toContain(
      `dashboard_url: ${base}-model/model?var-instance=production&var-model={{ $labels.model }}&from=now-7d&to=now`,
    );
    expect(template).toContain('"dashboard_url":"{{ $a.Annotations.dashboard_url }}"');
    expect(ofModel).toContain(
      `\nDashboard: ${base}-model/model?var-instance=production&var-model=churn&from=now-7d&to=now`,
    );
    expect(ofPlatform).toMatch(
      /\nDashboard: https:.*-pipeline\/pipeline\?var-instance=production&from=now-6h&to=now\nRunbook: docs\/runbook\.md#no-events$/,
    );
  });

  it('lead nowhere else than before where there is none', () => {
    const { parameter, alerting, ...texts } = linksOf(Grafana.none());
    expect(parameter).toBe('none');
    expect(alerting).not.toHaveProperty('dashboardBase');
    for (const text of Object.values(texts)) expect(text).not.toMatch(/dashboard_url|Dashboard:/);
  });
});

describe('what is refused', () => {
  it('is a Grafana without anything to show', () => {
    expect(problemsOf(() => made(managed, { prometheus: Prometheus.none() }))).toMatch(
      /nothing to show.*Grafana\.none/,
    );
  });

  it('is a region without Managed Grafana, with the ways that there are; one that is newer than the table is warned of', () => {
    expect(problemsOf(() => made(managed, { region: 'eu-west-3' }))).toMatch(/eu-west-3.*eu-west-1.*Grafana\.existing/);
    expect(problemsOf(() => made(Grafana.existing({ workspaceId: 'g-1', region: 'cn-north-1' })))).toMatch(
      /cn-north-1/,
    );
    const elsewhere = made(Grafana.existing({ workspaceId: 'g-1', region: 'eu-west-1' }), { region: 'eu-west-3' });
    expect(fillingOf(elsewhere.resources)).toHaveLength(1);
    const { stack } = made(managed, { region: 'eu-west-9' });
    expect(warningsOf(stack)).toContain('newer than this release');
  });

  it('is a region without Managed Prometheus', () => {
    expect(problemsOf(() => made(Grafana.none(), { region: 'cn-north-1' }))).toMatch(/Managed Service for Prometheus/);
    expect(problemsOf(() => made(Grafana.none(), { region: 'cn-north-1', prometheus: Prometheus.none() }))).toBe('');
  });

  it('is a prefix that is none', () => {
    expect(problemsOf(() => Grafana.existing({ workspaceId: 'g-1', prefix: 'a b' }))).toMatch(/grafana\.prefix/);
    expect(problemsOf(() => Grafana.existing({ workspaceId: 'g-1', prefix: 'a'.repeat(29) }))).toMatch(/28/);
  });

  it('is no token of the CDK', () => {
    const text = (name: string): string => Token.asString({ Ref: name });
    for (const grafana of [
      () => Grafana.existing({ workspaceId: text('Id'), region: text('Region'), prefix: text('Prefix') }),
      (stack: Stack) => Grafana.selfRun({ url: text('Url'), token: tokenOf(stack), prefix: text('Prefix') }),
      () =>
        Grafana.managed({ identity: GrafanaIdentity.saml({ metadataUrl: text('Meta') }), version: text('Version') }),
    ]) {
      const { stack } = made(grafana);
      const { template, problems } = light(stack);
      expect(problems).toEqual([]);
      expect(JSON.stringify(template)).not.toMatch(/\$\{Token\[|TOKEN\.\d/);
    }
    expect(presence('grafana', text('Region'))).toBe('unknown');
  });

  it('is known of every region in the table once', () => {
    for (const region of MANAGED_REGIONS.grafana) expect(MANAGED_REGIONS.prometheus.has(region)).toBe(true);
  });
});

describe('the file of an environment', () => {
  const CHOICES: Readonly<Record<string, NonNullable<EnvironmentInput['grafana']>>> = {
    managed: { type: 'managed', identity: 'identity-center' },
    saml: {
      type: 'managed',
      version: '12.4',
      identity: { saml: 'https://idp.example.com/metadata', adminRoles: ['a'], editorRoles: ['b'], roleAttribute: 'r' },
    },
    existing: {
      type: 'existing',
      workspace: 'g-0123456789',
      region: 'eu-west-1',
      role: 'arn:aws:iam::111122223333:role/grafana',
      prefix: 'staging',
    },
    'self-run': {
      type: 'self-run',
      url: 'https://grafana.example.com',
      tokenSecret: 'monitoring/grafana',
      reader: 'arn:aws:iam::111122223333:role/pods',
    },
  };

  it.each(Object.keys(CHOICES))('chooses %s', (name) => {
    const { stack } = environment({ region: REGION, account: '111122223333', grafana: CHOICES[name]! });
    const resources = resourcesOf(stack);
    expect(fillingOf(resources)).toHaveLength(1);
    expect(ofType(resources, 'AWS::Grafana::Workspace')).toHaveLength(CHOICES[name]!.type === 'managed' ? 1 : 0);
  });

  it.each([
    { type: 'managed' },
    { type: 'existing' },
    { type: 'existing', workspace: 'x' },
    { type: 'self-run', url: 'http://x.example.com', tokenSecret: 'a' },
    { type: 'grafana' },
  ])('refuses %j', (grafana) => {
    expect(problemsOf(() => config({ grafana } as unknown as EnvironmentInput))).toMatch(/grafana/);
  });

  it.each([
    ['as it is', undefined],
    ['with Managed Grafana', CHOICES['managed']],
    ['with none', { type: 'none' } as const],
  ])('of production is a stack %s', (_, grafana) => {
    const folder = resolve(import.meta.dirname, '../../environments');
    const production = environmentOf(folder, 'production');
    const app = newApp();
    const { stack } = addEnvironment(app, { ...production, ...(grafana === undefined ? {} : { grafana }) });
    const { problems } = light(stack);
    expect(problems).toEqual([]);
  });
});
