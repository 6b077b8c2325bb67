import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { GrafanaSettings } from '../../contracts/grafana.ts';
import type { PrometheusWorkspace } from '../watching/prometheus.ts';

/** A Grafana that is filled, as the function is told of it. */
export interface GrafanaTarget {
  readonly settings: Pick<
    GrafanaSettings,
    'WorkspaceId' | 'WorkspaceRegion' | 'Url' | 'TokenSecretArn' | 'AssumeRoleArn'
  >;
  /** What the function must be allowed. */
  readonly statements: readonly iam.PolicyStatement[];
  /** Where people look. */
  readonly url: string;
}

/** Tokens for the API of a workspace: for as long as one run. */
export function tokenStatements(scope: Construct, workspaceId: string, region?: string): iam.PolicyStatement[] {
  const resource = Stack.of(scope).formatArn({
    service: 'grafana',
    ...(region === undefined ? {} : { region }),
    resource: '/workspaces',
    resourceName: workspaceId,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  return [
    new iam.PolicyStatement({
      actions: [
        'grafana:CreateWorkspaceServiceAccount',
        'grafana:CreateWorkspaceServiceAccountToken',
        'grafana:DeleteWorkspaceServiceAccount',
        'grafana:DeleteWorkspaceServiceAccountToken',
        'grafana:DescribeWorkspace',
        'grafana:ListWorkspaceServiceAccountTokens',
        'grafana:ListWorkspaceServiceAccounts',
      ],
      resources: [resource],
    }),
  ];
}

/** What data sources ask: series and rules of one workspace, and the metrics and alarms of CloudWatch, which have no resources to name. */
export function readerStatements(prometheus: PrometheusWorkspace): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      actions: [
        'aps:GetLabels',
        'aps:GetMetricMetadata',
        'aps:GetSeries',
        'aps:ListAlerts',
        'aps:ListRules',
        'aps:QueryMetrics',
      ],
      resources: [prometheus.workspaceArn],
    }),
    new iam.PolicyStatement({
      actions: [
        'cloudwatch:DescribeAlarmHistory',
        'cloudwatch:DescribeAlarms',
        'cloudwatch:DescribeAlarmsForMetric',
        'cloudwatch:GetMetricData',
        'cloudwatch:GetMetricStatistics',
        'cloudwatch:ListMetrics',
      ],
      resources: ['*'],
    }),
  ];
}

/** Why the last of them are for all resources. */
export const READER_REASON =
  'metrics and alarms of CloudWatch are read by what they are called in a question, so that there are no resources to name';
