/** Renders the catalogue as data of CloudWatch alarms: plain objects, of which constructs make alarms. */
import { CLOUDWATCH_DIMENSION, CLOUDWATCH_NAMESPACE, type CloudWatchMetric } from '../contracts/cloudwatch-metrics.ts';
import { FUNCTION_NAMES, type FunctionName } from '../contracts/functions.ts';
import type { Severity } from '../contracts/result.ts';
import { alarmDashboardOf, carriesAction, isRendered, type RenderOptions, runbookOf } from './render-options.ts';
import { type AlertRule, type AwsMetric, type CloudWatchReading, isAbsent } from './rule.ts';
import { type AlertKey, changedRules, pendingSeconds } from './rules.ts';

/** What a dimension holds: a text, or something that only constructs know the name of. */
export type AlarmDimension =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly environment: true }
  /** The name of this function of the deployment. */
  | { readonly name: string; readonly function: FunctionName }
  /** The name of a dead-letter queue: an alarm for each that there is. */
  | { readonly name: string; readonly deadLetterQueue: true };

export type ComparisonOperator = 'GreaterThanOrEqualToThreshold' | 'GreaterThanThreshold' | 'LessThanThreshold';

export interface AlarmData {
  /** Unique among the alarms; the key of the rule, and the function where there is one for each. */
  readonly id: string;
  readonly key: AlertKey;
  readonly name: string;
  readonly severity: Severity;
  /** What it means and where its runbook entry lies. At most 1,024 characters. */
  readonly description: string;
  readonly runbook: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: readonly AlarmDimension[];
  readonly statistic: 'Maximum' | 'Minimum' | 'Sum' | 'Average';
  /** Seconds. */
  readonly period: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: ComparisonOperator;
  readonly treatMissingData: 'breaching' | 'notBreaching' | 'ignore';
  /** Why missing data are treated like this. */
  readonly missingReason: string;
  /** Whether it tells people; else it only shows. */
  readonly actions: boolean;
}

const COMPARISON: Readonly<Record<CloudWatchReading['compare'], ComparisonOperator>> = {
  '>=': 'GreaterThanOrEqualToThreshold',
  '>': 'GreaterThanThreshold',
  '<': 'LessThanThreshold',
};

/** What CloudWatch takes. */
const LONGEST_DESCRIPTION = 1_024;
/** Kept free for a host name, characters. */
const LONGEST_HOST = 253;

export function alarmData(given: Omit<RenderOptions, 'deployment'> = {}): readonly AlarmData[] {
  const options: RenderOptions = { ...given, deployment: 'aws' };
  return changedRules(options.changes)
    .filter((rule) => isRendered(rule, 'cloudwatch', 'aws'))
    .flatMap((rule) => alarmsOf(rule, options));
}

function alarmsOf(rule: AlertRule<AlertKey>, options: RenderOptions): AlarmData[] {
  if (isAbsent(rule.cloudwatch)) throw new RangeError(`${rule.key}: not rendered in CloudWatch`);
  const { metric } = rule.cloudwatch;
  if (!('aws' in metric)) return [alarm(rule, rule.cloudwatch, ownMetric(metric, rule.cloudwatch), options)];
  if (metric.aws !== 'function-errors') return [alarm(rule, rule.cloudwatch, awsMetric(metric), options)];
  return FUNCTION_NAMES.map((name) => {
    const one = alarm(rule, rule.cloudwatch as CloudWatchReading, functionErrors(name), options);
    return { ...one, id: `${rule.key}-${name}`, name: `${rule.name}-${name}` };
  });
}

type Watched = Pick<AlarmData, 'namespace' | 'metric' | 'dimensions' | 'statistic'>;

function alarm(
  rule: AlertRule<AlertKey>,
  reading: CloudWatchReading,
  watched: Watched,
  options: RenderOptions,
): AlarmData {
  const { threshold, periods } = bounds(rule, reading);
  const runbook = runbookOf(rule, options);
  const dashboard = alarmDashboardOf(rule, options);
  // Whoever gets the message of an alarm reads these: SNS tells nothing else of them.
  const end = `\nSeverity: ${rule.severity}${dashboard === null ? '' : `\nDashboard: ${dashboard}`}\nRunbook: ${runbook}`;
  // What an address holds may be known only when deployed.
  const room = LONGEST_DESCRIPTION - end.length - (dashboard === null ? 0 : LONGEST_HOST);
  return {
    id: rule.key,
    key: rule.key,
    name: rule.name,
    severity: rule.severity,
    description: `${`${rule.summary}. ${rule.description}`.slice(0, room)}${end}`,
    runbook,
    ...watched,
    period: reading.period,
    evaluationPeriods: periods,
    datapointsToAlarm: periods,
    threshold,
    comparison: COMPARISON[reading.compare],
    treatMissingData: rule.missing.treatment,
    missingReason: rule.missing.reason,
    actions: carriesAction(rule, 'cloudwatch', options),
  };
}

function bounds(
  rule: AlertRule<AlertKey>,
  { threshold, period }: CloudWatchReading,
): { readonly threshold: number; readonly periods: number } {
  const value = rule.threshold?.value ?? 1;
  const pending = Math.ceil(pendingSeconds(rule) / period);
  if (threshold === 'silence') return { threshold: 1, periods: Math.max(1, Math.ceil(value / period) + pending) };
  return { threshold: threshold === 'milliseconds' ? value * 1_000 : value, periods: Math.max(1, pending) };
}

function ownMetric(metric: CloudWatchMetric, reading: CloudWatchReading): Watched {
  return {
    namespace: CLOUDWATCH_NAMESPACE,
    metric: metric.name,
    statistic: metric.statistic,
    dimensions: metric.dimensions.map((name): AlarmDimension => {
      if (name === CLOUDWATCH_DIMENSION.environment) return { name, environment: true };
      if (name === CLOUDWATCH_DIMENSION.severity && reading.severity !== undefined)
        return { name, text: reading.severity };
      if (name === CLOUDWATCH_DIMENSION.function && reading.function !== undefined)
        return { name, text: reading.function };
      throw new RangeError(`${metric.name}: the rule names no value for its dimension ${name}`);
    }),
  };
}

function functionErrors(name: FunctionName): Watched {
  return {
    namespace: 'AWS/Lambda',
    metric: 'Errors',
    statistic: 'Sum',
    dimensions: [{ name: 'FunctionName', function: name }],
  };
}

function awsMetric({ aws }: AwsMetric): Watched {
  if (aws === 'iterator-age')
    return {
      namespace: 'AWS/Lambda',
      metric: 'IteratorAge',
      statistic: 'Maximum',
      dimensions: [{ name: 'FunctionName', function: 'profiler' }],
    };
  return {
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesVisible',
    statistic: 'Maximum',
    dimensions: [{ name: 'QueueName', deadLetterQueue: true }],
  };
}
