import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type AlarmData, type AlarmDimension, alarmData } from '../../alerts/cloudwatch.ts';
import type { AlertChanges } from '../../alerts/rules.ts';
import { CLOUDWATCH_DIMENSION } from '../../contracts/cloudwatch-metrics.ts';
import type { ShownIn } from '../../contracts/dashboards.ts';
import type { FunctionName } from '../../contracts/functions.ts';
import type { MaintenanceInput } from '../../contracts/maintenance.ts';
import type { Severity } from '../../contracts/result.ts';
import type { MonitoringFunction } from '../monitoring-function.ts';
import type { PlatformContext } from '../platform-context.ts';
import { AlarmMutes } from './alarm-mutes.ts';
import { Notifications } from './alerting.ts';

export interface AlarmsProps {
  readonly platform: PlatformContext;
  /** Where alarms are published, by severity: those of an `Alerting`. */
  readonly topics: Readonly<Record<Severity, sns.ITopic>>;
  /** The functions that run. What only a function that does not run could tell has no alarm. */
  readonly functions: readonly MonitoringFunction[];
  /** Dead-letter queues: an alarm for each. */
  readonly deadLetters: readonly sqs.IQueue[];
  /** Who tells of open episodes. @default Notifications.fromEpisodes(): alarms on them show, and carry no action */
  readonly notifications?: Notifications;
  /** Changes by key: threshold, severity, how long, or off. @default the catalogue as it stands */
  readonly changes?: AlertChanges;
  /** What addresses of runbook entries begin with. @default the file in the package */
  readonly runbook?: string;
  /** Where dashboards show what they are about. @default none: they link to no dashboard */
  readonly shownIn?: ShownIn;
  /** Windows in which they tell nobody; those that still ring afterwards are told then. @default none */
  readonly maintenance?: readonly MaintenanceInput[];
}

/** The CloudWatch alarms of a platform, from the catalogue of alerts. */
export class Alarms extends Construct {
  /** By the id of the catalogue: its key, and the function or queue where there is one for each. */
  readonly alarms: Readonly<Record<string, cloudwatch.Alarm>>;
  /** Of the catalogue, without an alarm here, and why. */
  readonly absent: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const alarms: Record<string, cloudwatch.Alarm> = {};
    const absent: Record<string, string> = {};
    const functions = new Map<string, MonitoringFunction>(props.functions.map((one) => [one.functionName, one]));
    const catalogue = alarmData({
      changes: props.changes,
      notifier: (props.notifications ?? Notifications.fromEpisodes()).by,
      runbook: props.runbook,
      shownIn: props.shownIn,
    });
    for (const data of catalogue) {
      const missing = neededFunction(data);
      if (missing !== undefined && !functions.has(missing)) {
        absent[data.id] = `${missing} does not run`;
        continue;
      }
      if (data.dimensions.some((dimension) => 'deadLetterQueue' in dimension)) {
        if (props.deadLetters.length === 0) absent[data.id] = 'there is no dead-letter queue';
        for (const queue of props.deadLetters) {
          const name = nameOf(queue, this);
          alarms[`${data.id}-${name}`] = this.#alarm(
            { ...data, id: `${data.id}-${name}`, name: `${data.name}-${name}` },
            props,
            { functions, queue },
          );
        }
        continue;
      }
      alarms[data.id] = this.#alarm(data, props, { functions });
    }
    this.alarms = alarms;
    this.absent = absent;
    const { maintenance = [] } = props;
    const told = Object.values(alarms);
    if (maintenance.length > 0 && told.length > 0) new AlarmMutes(this, 'Maintenance', { alarms: told, maintenance });
  }

  #alarm(
    data: AlarmData,
    { platform, topics }: AlarmsProps,
    known: { readonly functions: ReadonlyMap<string, MonitoringFunction>; readonly queue?: sqs.IQueue },
  ): cloudwatch.Alarm {
    const value = (dimension: AlarmDimension): string => {
      if ('text' in dimension) return dimension.text;
      if ('environment' in dimension) return platform.environmentName;
      if ('function' in dimension) return known.functions.get(dimension.function)!.function.functionName;
      return known.queue!.queueName;
    };
    const alarm = new cloudwatch.Alarm(this, data.id, {
      alarmName: `${data.name}-${platform.environmentName}`,
      alarmDescription: data.description,
      metric: new cloudwatch.Metric({
        namespace: data.namespace,
        metricName: data.metric,
        dimensionsMap: Object.fromEntries(data.dimensions.map((dimension) => [dimension.name, value(dimension)])),
        statistic: data.statistic,
        period: Duration.seconds(data.period),
      }),
      threshold: data.threshold,
      evaluationPeriods: data.evaluationPeriods,
      datapointsToAlarm: data.datapointsToAlarm,
      comparisonOperator: OPERATOR[data.comparison],
      treatMissingData: MISSING[data.treatMissingData],
    });
    if (data.actions) {
      const action = new SnsAction(topics[data.severity]);
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
    return alarm;
  }
}

const OPERATOR: Readonly<Record<AlarmData['comparison'], cloudwatch.ComparisonOperator>> = {
  GreaterThanOrEqualToThreshold: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  GreaterThanThreshold: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
  LessThanThreshold: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
};

export const COMPARISON = {
  '>=': OPERATOR.GreaterThanOrEqualToThreshold,
  '>': OPERATOR.GreaterThanThreshold,
  '<': OPERATOR.LessThanThreshold,
} as const;

export const MISSING: Readonly<Record<AlarmData['treatMissingData'], cloudwatch.TreatMissingData>> = {
  breaching: cloudwatch.TreatMissingData.BREACHING,
  notBreaching: cloudwatch.TreatMissingData.NOT_BREACHING,
  ignore: cloudwatch.TreatMissingData.IGNORE,
};

/** Named after where a queue stands beside the alarms, so that another one changes nothing. */
function nameOf(queue: sqs.IQueue, alarms: Construct): string {
  const around = alarms.node.path.split('/');
  const path = queue.node.path.split('/');
  const shared = path.findIndex((part, i) => part !== around[i]);
  return path
    .slice(Math.max(0, shared))
    .filter((part) => part !== 'Resource')
    .join('-');
}

/** Without this function the metric has no data, ever. */
function neededFunction({ dimensions }: AlarmData): FunctionName | undefined {
  for (const dimension of dimensions) {
    if ('function' in dimension) return dimension.function;
    if ('text' in dimension && dimension.name === CLOUDWATCH_DIMENSION.function) return dimension.text as FunctionName;
  }
  return undefined;
}
