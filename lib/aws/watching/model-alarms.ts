import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import {
  MODEL_ALARM_KEYS,
  type ModelAlarm,
  type ModelAlarmChanges,
  missingDataOf,
  modelAlarmDashboard,
  modelAlarms,
} from '../../alerts/model-alarms.ts';
import { nearest, type Problem, ProblemError } from '../../contracts/problem.ts';
import { SEVERITIES, type Severity } from '../../contracts/result.ts';
import type { Monitor } from '../monitor.ts';
import type { IMonitoringPlatform } from '../sharing/monitoring-platform.ts';
import { AlarmMutes } from './alarm-mutes.ts';
import { COMPARISON, MISSING } from './alarms.ts';
import { admitAlarmsTo } from './alert-topics.ts';
import type { ModelMetrics } from './model-metrics.ts';

/** Who is told of one model, and of what. */
export interface ModelAlarmsOptions {
  /** Where each severity is published; one that has none is shown and told to nobody. Topics of other apps must let CloudWatch publish, and so must keys of topics. */
  readonly topics: { readonly [S in Severity]?: sns.ITopic };
  /** Changes by key: threshold, severity, or off. @default as the monitor says */
  readonly changes?: ModelAlarmChanges;
  /** What addresses of runbook entries begin with. @default the file in the package */
  readonly runbook?: string;
}

export interface ModelAlarmsProps extends ModelAlarmsOptions {
  readonly monitor: Monitor;
  /** Of its platform. */
  readonly metrics: ModelMetrics;
  /** Its platform, whose dashboards they link to. @default none: they link to no dashboard */
  readonly platform?: IMonitoringPlatform;
}

/**
 * CloudWatch alarms of one model, on topics of its team: whoever carries the model hears of it without any function of the platform. They are
 * told beside the platform's alerts; maintenance windows of the monitor hold for them too.
 */
export class ModelAlarms extends Construct {
  /** By their key. */
  readonly alarms: Readonly<Record<string, cloudwatch.Alarm>>;
  /** Without an alarm here, and why. */
  readonly absent: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: ModelAlarmsProps) {
    super(scope, id);
    const { declared } = props.monitor;
    const problems = problemsOf(props, declared.model);
    if (problems.length > 0) throw new ProblemError(problems);
    const alarms: Record<string, cloudwatch.Alarm> = {};
    const absent: Record<string, string> = {};
    for (const data of modelAlarms(declared, props.changes)) {
      if (props.metrics.has(data.metric)) alarms[data.key] = this.#alarm(data, props);
      else absent[data.key] = `the platform publishes no ${data.metric} of models: raise the detail of its metrics`;
    }
    this.alarms = alarms;
    this.absent = absent;
    if (Object.keys(alarms).length === 0)
      throw new ProblemError([
        {
          code: 'no-metrics',
          path: `${declared.model}: alarms`,
          message: 'none can be made: the platform publishes no metrics of models, or all are off',
          expected: 'a metricDetail of minimal or summary',
          fix: 'raise the detail, or leave the alarms out',
        },
      ]);
    const maintenance = declared.alerts.maintenance ?? [];
    if (maintenance.length > 0) new AlarmMutes(this, 'Maintenance', { alarms: Object.values(alarms), maintenance });
  }

  #alarm(
    data: ModelAlarm,
    { metrics, monitor, topics, platform, runbook = 'docs/runbook.md' }: ModelAlarmsProps,
  ): cloudwatch.Alarm {
    const { model, owner } = monitor.declared;
    const dashboard = platform?.ifShown(this, (shownIn) => `\nDashboard: ${modelAlarmDashboard(data, model, shownIn)}`);
    const alarm = new cloudwatch.Alarm(this, data.key, {
      alarmName: `${data.name}-${model}-${metrics.environmentName}`,
      alarmDescription: `${model} of ${owner}: ${data.description}\nSeverity: ${data.severity}${dashboard ?? ''}\nRunbook: ${runbook}#${data.runbook}`,
      // A label would make it an alarm on an expression.
      metric: metrics[data.metric](model, { period: Duration.minutes(1), label: undefined }),
      threshold: data.threshold,
      evaluationPeriods: data.minutes,
      datapointsToAlarm: data.minutes,
      comparisonOperator: COMPARISON[data.compare],
      treatMissingData: MISSING[missingDataOf(data)],
    });
    const topic = topics[data.severity];
    if (topic !== undefined) {
      admitAlarmsTo(topic);
      const action = new SnsAction(topic);
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
    return alarm;
  }
}

function problemsOf({ topics, changes = {} }: ModelAlarmsProps, model: string): Problem[] {
  const problems: Problem[] = [];
  const known: readonly string[] = MODEL_ALARM_KEYS;
  for (const key of Object.keys(changes))
    if (!known.includes(key)) {
      const near = nearest(key, known);
      problems.push({
        code: 'unknown-alarm',
        path: `${model}: alarms.changes.${key}`,
        message: 'a model has no such alarm',
        expected: `one of ${known.join(', ')}`,
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      });
    }
  if (SEVERITIES.every((severity) => topics[severity] === undefined))
    problems.push({
      code: 'no-topics',
      path: `${model}: alarms.topics`,
      message: 'names none, so nobody would be told',
      expected: 'a topic for a severity at least',
    });
  return problems;
}

/** Those of several models of a platform. @throws ProblemError naming every model that is none of them */
export function alarmsOfModels(
  scope: Construct,
  given: {
    readonly chosen: Readonly<Record<string, ModelAlarmsOptions>> | undefined;
    readonly monitors: readonly Monitor[] | undefined;
    readonly runbook: string | undefined;
    readonly platform: IMonitoringPlatform;
  },
): Readonly<Record<string, ModelAlarms>> {
  const { chosen = {}, monitors = [], runbook, platform } = given;
  const known = monitors.map(({ model }) => model);
  const problems: Problem[] = [];
  const made: Record<string, ModelAlarms> = {};
  for (const [model, options] of Object.entries(chosen)) {
    const monitor = monitors.find((one) => one.model === model);
    const near = nearest(model, known);
    if (monitor !== undefined)
      made[model] = new ModelAlarms(scope, `ModelAlarms-${model}`, {
        ...{ runbook, ...options, monitor, platform },
        metrics: platform.metrics,
      });
    else
      problems.push({
        code: 'unknown-model',
        path: `modelAlarms.${model}`,
        message: 'is none of the models',
        expected: known.length === 0 ? 'models with monitors here' : `one of ${known.join(', ')}`,
        fix: near === undefined ? 'give a ModelMonitor of another stack its own alarms' : `did you mean ${near}?`,
      });
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return made;
}
