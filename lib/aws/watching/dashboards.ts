import { Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { MetricDetail } from '../../contracts/cloudwatch-metrics.ts';
import { type CloudWatchNames, cloudWatchBody } from '../../dashboards/cloudwatch.ts';
import { modelsDashboard } from '../../dashboards/models.ts';
import type { DashboardDefinition } from '../../dashboards/panel.ts';
import { PLATFORM_DASHBOARD } from '../../dashboards/platform.ts';
import type { MonitoringFunction } from '../monitoring-function.ts';
import type { PlatformContext } from '../platform-context.ts';

export interface DashboardsProps {
  readonly platform: PlatformContext;
  /** What is published of each model; without any there is no dashboard of models. */
  readonly detail: MetricDetail;
  /** The functions that run. */
  readonly functions: readonly MonitoringFunction[];
  /** Queues whose messages are shown, with their dead letters. */
  readonly queues: readonly sqs.IQueue[];
  /** Their state is shown. */
  readonly alarms: readonly cloudwatch.IAlarm[];
}

/** CloudWatch dashboards: the platform, and the models, whose number does not change their size. */
export class Dashboards extends Construct {
  readonly platform: cloudwatch.CfnDashboard;
  /** `undefined` where no metric of models is published. */
  readonly models: cloudwatch.CfnDashboard | undefined;

  constructor(scope: Construct, id: string, props: DashboardsProps) {
    super(scope, id);
    const { platform } = props;
    const names: CloudWatchNames = {
      environmentName: platform.environmentName,
      region: Stack.of(this).region,
      functions: Object.fromEntries(props.functions.map((one) => [one.functionName, one.function.functionName])),
      streamName: platform.stream.streamName,
      queues: props.queues.map((queue) => ({ label: labelOf(queue), queueName: queue.queueName })),
      alarmArns: props.alarms.map(({ alarmArn }) => alarmArn),
    };
    this.platform = this.#dashboard('Platform', PLATFORM_DASHBOARD, names);
    const models = modelsDashboard(props.detail);
    this.models = models === null ? undefined : this.#dashboard('Models', models, names);
  }

  #dashboard(id: string, definition: DashboardDefinition, names: CloudWatchNames): cloudwatch.CfnDashboard {
    return new cloudwatch.CfnDashboard(this, id, {
      dashboardName: `mlmon-${names.environmentName}-${definition.key}`,
      dashboardBody: Stack.of(this).toJsonString(cloudWatchBody(definition, names)),
    });
  }
}

/** The last part of its path that says something. */
function labelOf(queue: sqs.IQueue): string {
  const parts = queue.node.path.split('/').filter((part) => part !== 'Resource');
  return parts.slice(-2).join(' ');
}
