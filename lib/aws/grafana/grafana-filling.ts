import { CustomResource, type Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { dashboardBase, GRAFANA_PREFIX, type ShownIn } from '../../contracts/dashboards.ts';
import type { GrafanaProperties, PublishedDashboard } from '../../contracts/grafana.ts';
import { grafanaDashboards } from '../../dashboards/grafana.ts';
import { FunctionSchedule } from '../function-schedule.ts';
import { linesAsset } from '../lines-asset.ts';
import { MonitoringFunction } from '../monitoring-function.ts';
import type { PlatformContext } from '../platform-context.ts';
import type { PrometheusWorkspace } from '../watching/prometheus.ts';
import { GRAFANA_EVERY } from '../watching/watching-defaults.ts';
import type { GrafanaTarget } from './grafana-target.ts';

export interface GrafanaFillingProps {
  readonly platform: PlatformContext;
  /** Which Grafana. */
  readonly target: GrafanaTarget;
  /** What its dashboards show. */
  readonly prometheus: PrometheusWorkspace;
  /** Begins the uids of dashboards, data sources and folder. @default 'mlmon' */
  readonly prefix?: string;
  /** Takes runs that could not be handed over. */
  readonly deadLetters: sqs.IQueue;
  /** How often what failed is tried again. @default GRAFANA_EVERY: 15 minutes */
  readonly every?: Duration;
}

/**
 * Dashboards and data sources in a Grafana: a custom resource puts them there at each deployment that changes them, by a function that also tries
 * again on a schedule. It never fails a deployment; the alarm `grafana-failing` tells.
 */
export class GrafanaFilling extends Construct {
  readonly handler: MonitoringFunction<'grafana'>;
  readonly schedule: FunctionSchedule;
  /** Where people look. */
  readonly url: string;
  /** Where its dashboards are. */
  readonly shownIn: ShownIn;

  constructor(scope: Construct, id: string, props: GrafanaFillingProps) {
    super(scope, id);
    const { platform, target, prometheus } = props;
    const { account, partition, region, urlSuffix } = Stack.of(this);
    this.url = target.url;
    this.shownIn = { base: dashboardBase(target.url, props.prefix), instance: platform.environmentName };
    this.handler = new MonitoringFunction(this, 'Handler', { name: 'grafana', platform, environment: {} });
    const lines = grafanaDashboards().map(({ key, json }) =>
      JSON.stringify({ key, dashboard: JSON.parse(json) } as PublishedDashboard),
    );
    const { bucketName, objectKey } = linesAsset(this, 'dashboards', lines);
    for (const statement of [
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [`arn:${partition}:s3:::${bucketName}/${objectKey}`],
      }),
      ...target.statements,
    ])
      this.handler.role.addToPolicy(statement);
    this.schedule = new FunctionSchedule(this, 'Schedule', {
      function: this.handler,
      every: props.every ?? GRAFANA_EVERY,
      deadLetters: props.deadLetters,
    });
    const properties: Omit<GrafanaProperties, 'ServiceToken'> = {
      ...target.settings,
      AssetBucket: bucketName,
      AssetKey: objectKey,
      Owner: `${account}/${region}/${platform.environmentName}`,
      Title: `Model monitoring ${platform.environmentName}`,
      Prefix: props.prefix ?? GRAFANA_PREFIX,
      PrometheusUrl: `https://aps-workspaces.${region}.${urlSuffix}/workspaces/${prometheus.workspaceId}/`,
      Region: region,
    };
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::ModelMonitoringGrafana',
      serviceToken: this.handler.function.functionArn,
      properties: { ...properties },
    });
    // Its rights must be there at the first run, and still at the last.
    resource.node.addDependency(this.handler.role);
  }
}
