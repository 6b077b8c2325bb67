import { type Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AlertChanges } from '../../alerts/rules.ts';
import { CLOUDWATCH_NAMESPACE, type MetricDetail } from '../../contracts/cloudwatch-metrics.ts';
import { formatProblem } from '../../contracts/problem.ts';
import { guardCardinality } from '../../cost/guard.ts';
import type { PriceChanges } from '../../cost/price-changes.ts';
import { type ModelUsage, modelUsage } from '../../cost/usage.ts';
import { acknowledge } from '../acknowledge.ts';
import { priceTable } from '../environment/prices-file.ts';
import { FunctionSchedule } from '../function-schedule.ts';
import { DeadLetterQueue } from '../message-queue.ts';
import type { Monitor } from '../monitor.ts';
import { MonitoringFunction } from '../monitoring-function.ts';
import type { PlatformContext } from '../platform-context.ts';
import type { Alerting } from './alerting.ts';
import { ModelMetrics } from './model-metrics.ts';
import { Prometheus, type PrometheusWorkspace } from './prometheus.ts';
import { EXPORTER_EVERY, METRIC_DETAIL } from './watching-defaults.ts';

export interface MetricsProps {
  readonly platform: PlatformContext;
  /** Whose topics rules publish to. */
  readonly alerting: Alerting;
  /** CloudWatch metrics of each model: none, two, or six at 0.30 $ a month each. @default METRIC_DETAIL: 'minimal' */
  readonly detail?: MetricDetail;
  /** @default Prometheus.managed() */
  readonly prometheus?: Prometheus;
  /** USD a month that metrics of models may cost, of all that the app brings; synthesis fails above it. @default DEFAULT_METRIC_BUDGET: 1000 */
  readonly metricBudget?: number;
  /** Prices that differ from the table. @default list prices of us-east-1 */
  readonly prices?: PriceChanges;
  /** Takes runs that could not be handed over. @default a queue of its own */
  readonly deadLetters?: sqs.IQueue;
  /** How often state is written. @default EXPORTER_EVERY: a minute */
  readonly every?: Duration;
  /** Changes to alerts by key, for the rules. @default the catalogue as it stands */
  readonly changes?: AlertChanges;
  /** What addresses of runbook entries begin with. @default the file in the package */
  readonly runbook?: string;
}

/** What models and the platform are doing, as metrics: the exporter on its schedule, Prometheus for features, CloudWatch for a few of each model. */
export class Metrics extends Construct {
  readonly exporter: MonitoringFunction<'exporter'>;
  /** Of the schedule and the function; watched by an alarm. */
  readonly deadLetters: sqs.IQueue;
  /** `undefined` without Prometheus. */
  readonly workspace: PrometheusWorkspace | undefined;
  readonly detail: MetricDetail;
  /** The metrics of models, for alarms and dashboards of yours. */
  readonly models: ModelMetrics;
  readonly #watched: ModelUsage[] = [];

  constructor(scope: Construct, id: string, props: MetricsProps) {
    super(scope, id);
    const { platform } = props;
    const prometheus = props.prometheus ?? Prometheus.managed();
    this.detail = props.detail ?? METRIC_DETAIL;
    this.models = new ModelMetrics({ environmentName: platform.environmentName, detail: this.detail });
    this.workspace = prometheus.bind(this, {
      platform,
      alerting: props.alerting,
      changes: props.changes,
      runbook: props.runbook,
    });
    const { region, urlSuffix } = Stack.of(this);
    this.deadLetters = props.deadLetters ?? new DeadLetterQueue(this, 'DeadLetters', { key: platform.key }).queue;
    this.exporter = new MonitoringFunction(this, 'Exporter', {
      name: 'exporter',
      platform,
      environment: {
        MLMON_METRIC_DETAIL: this.detail,
        MLMON_REMOTE_WRITE_URL:
          this.workspace === undefined
            ? undefined
            : `https://aps-workspaces.${region}.${urlSuffix}/workspaces/${this.workspace.workspaceId}/api/v1/remote_write`,
      },
    });
    if (this.workspace !== undefined)
      this.exporter.role.addToPolicy(
        new iam.PolicyStatement({ actions: ['aps:RemoteWrite'], resources: [this.workspace.workspaceArn] }),
      );
    if (this.detail !== 'none') {
      this.exporter.role.addToPolicy(
        new iam.PolicyStatement({
          actions: ['cloudwatch:PutMetricData'],
          resources: ['*'],
          conditions: { StringEquals: { 'cloudwatch:namespace': CLOUDWATCH_NAMESPACE } },
        }),
      );
      acknowledge(
        this.exporter.role,
        'AwsSolutions-IAM5[Resource::*]',
        `cloudwatch:PutMetricData has no resources to name; a condition holds it to the namespace ${CLOUDWATCH_NAMESPACE}. X-Ray has none either`,
      );
    }
    new FunctionSchedule(this, 'Schedule', {
      function: this.exporter,
      every: props.every ?? EXPORTER_EVERY,
      deadLetters: this.deadLetters,
    });
    const prices = priceTable(props.prices);
    this.node.addValidation({
      validate: () =>
        guardCardinality(this.#watched, {
          detail: this.detail,
          prometheus: prometheus.written,
          budget: props.metricBudget,
          prices,
        }).map(formatProblem),
    });
  }

  /** Models whose series are counted. */
  get watched(): readonly ModelUsage[] {
    return this.#watched;
  }

  /** Counts the series of these models towards the budget. */
  watch(monitors: readonly Monitor[]): void {
    for (const { declared, line } of monitors) {
      const { baseline } = line;
      const columns = baseline !== null && 'columns' in baseline ? baseline.columns.length : undefined;
      this.#watched.push(modelUsage(declared, columns));
    }
  }
}
