/**
 * What an alert of the catalogue is: a condition in words, with a severity, a runbook entry and one owner, and how it is read in Prometheus and
 * in CloudWatch. Data: renderers make rules, alarms and the runbook of it, so that one name means one thing everywhere.
 */
import type { CloudWatchMetric } from '../contracts/cloudwatch-metrics.ts';
import type { FunctionName } from '../contracts/functions.ts';
import type { Severity, Signal } from '../contracts/result.ts';

/** What a severity asks of whoever receives it. */
export const SEVERITY_MEANING: Readonly<Record<Severity, string>> = {
  critical: 'page: somebody looks at once, at night too',
  warning: 'ticket: somebody looks on the next working day',
  info: 'record: nobody is called, it is there when somebody looks',
};

/**
 * Who tells people of a condition. `episodes`: the notifier, from the outbox of the model's episodes; its renderings here show the state and
 * carry no action, unless a deployment chooses alarms as the notifier. `alarms`: CloudWatch or Prometheus alone, since the condition may be
 * that our own code does not run.
 */
export type ConditionOwner = 'episodes' | 'alarms';

/**
 * What runs: the functions of a deployment on AWS, whose exporter writes state gauges to Managed Prometheus, or parts that each answer
 * `GET /metrics` themselves (one machine, containers).
 */
export type Deployment = 'aws' | 'machines';

export interface AlertThreshold {
  readonly value: number;
  readonly unit: 'count' | 'seconds';
  /** What is compared with it. */
  readonly meaning: string;
}

/** Neither is rendered silently: what is absent says why. */
export interface Absent {
  readonly absent: string;
}

export interface PrometheusReading {
  /** PromQL up to the comparison; the threshold follows `compare`, or stands where the expression says `{threshold}`. */
  readonly value: string;
  readonly compare: '>=' | '>' | '<';
  /** A metric without which nothing is known: its absence is the alert too. Only where missing data are treated as breaching. */
  readonly absent: string | null;
  /** Where its metrics are exported. */
  readonly on: readonly Deployment[];
}

/** Metrics that AWS measures itself; the value of the dimension is known to constructs. */
export type AwsMetric =
  | { readonly aws: 'function-errors'; readonly functions: 'each' }
  | { readonly aws: 'iterator-age'; readonly functions: 'profiler' }
  | { readonly aws: 'dead-letters' };

export interface CloudWatchReading {
  readonly metric: CloudWatchMetric | AwsMetric;
  /** Values of the dimensions besides the environment. */
  readonly severity?: Severity;
  readonly function?: FunctionName;
  /** Seconds of one datapoint. */
  readonly period: number;
  readonly compare: '>=' | '>' | '<';
  /**
   * How the threshold of the rule is written here. `value`: as it stands. `milliseconds`: times 1,000. `silence`: less than one run in so many
   * periods as the threshold has seconds.
   */
  readonly threshold: 'value' | 'milliseconds' | 'silence';
}

export type MissingData = 'breaching' | 'notBreaching' | 'ignore';

export interface AlertRule<K extends string = string> {
  /** Stable: changes are made by it, runbook entries are found by it. */
  readonly key: K;
  /** The name in Prometheus and CloudWatch. */
  readonly name: string;
  /** `null`: it is about any signal, as the series says. */
  readonly signal: Signal | null;
  readonly severity: Severity;
  readonly owner: ConditionOwner;
  /** How long it must hold, as users write durations; `0m` for at once. */
  readonly for: string;
  /** One line, without values. */
  readonly summary: string;
  /** What it means, to whoever is woken. */
  readonly description: string;
  /** `null` where there is nothing to compare with. */
  readonly threshold: AlertThreshold | null;
  readonly missing: { readonly treatment: MissingData; readonly reason: string };
  readonly prometheus: PrometheusReading | Absent;
  readonly cloudwatch: CloudWatchReading | Absent;
  /** What to look at and what to do, most likely cause first: the runbook. */
  readonly look: readonly string[];
  readonly act: readonly string[];
}

export function isAbsent(reading: PrometheusReading | CloudWatchReading | Absent): reading is Absent {
  return Object.hasOwn(reading, 'absent') && Object.keys(reading).length === 1;
}
