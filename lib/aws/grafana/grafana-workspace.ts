import { Stack } from 'aws-cdk-lib';
import * as grafana from 'aws-cdk-lib/aws-grafana';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { PlatformContext } from '../platform-context.ts';
import type { PrometheusWorkspace } from '../watching/prometheus.ts';
import { GRAFANA_VERSION } from '../watching/watching-defaults.ts';
import type { GrafanaIdentity } from './grafana-identity.ts';
import { READER_REASON, readerStatements } from './grafana-target.ts';

export interface GrafanaWorkspaceProps {
  readonly platform: PlatformContext;
  /** Whose series it may read. */
  readonly prometheus: PrometheusWorkspace;
  /** Who may sign in. */
  readonly identity: GrafanaIdentity;
  /** It can be raised later, never lowered. @default GRAFANA_VERSION: '12.4' */
  readonly version?: string;
}

/** A workspace of Amazon Managed Grafana, with a role that may read the platform's series and the metrics of CloudWatch, and nothing else. */
export class GrafanaWorkspace extends Construct {
  readonly workspace: grafana.CfnWorkspace;
  /** Its data sources ask with it; give it rights to add others. */
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: GrafanaWorkspaceProps) {
    super(scope, id);
    const { environmentName } = props.platform;
    const { account, partition, region } = Stack.of(this);
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('grafana.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          // Its id is not known before it is made, with this role.
          StringLike: { 'aws:SourceArn': `arn:${partition}:grafana:${region}:${account}:/workspaces/*` },
        },
      }),
      description: `Grafana of the model monitoring of ${environmentName}`,
    });
    for (const statement of readerStatements(props.prometheus)) this.role.addToPolicy(statement);
    acknowledge(this.role, 'AwsSolutions-IAM5[Resource::*]', READER_REASON);
    this.workspace = new grafana.CfnWorkspace(this, 'Resource', {
      ...props.identity.part,
      accountAccessType: 'CURRENT_ACCOUNT',
      // What CloudFormation makes must bring its own role.
      permissionType: 'CUSTOMER_MANAGED',
      roleArn: this.role.roleArn,
      name: `mlmon-${environmentName}`,
      description: `Model monitoring: ${environmentName}`,
      grafanaVersion: props.version ?? GRAFANA_VERSION,
    });
  }
}
