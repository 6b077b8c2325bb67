/** What applies to alerting, alarms, metrics and dashboards where a user chose nothing; the comments of the props say the same, and a test compares them. */
import { Duration } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { MetricDetail } from '../../contracts/cloudwatch-metrics.ts';

/** Transitions wait no longer than this for their delivery. */
export const NOTIFIER_EVERY = Duration.minutes(1);
/** Rules and alarms look every minute. */
export const EXPORTER_EVERY = Duration.minutes(1);
/** What an owner looks at first; two metrics a model cost 0.60 $ a month. */
export const METRIC_DETAIL: MetricDetail = 'minimal';
/** Samples are stamped when they are sent; this is room for sending them again. */
export const OUT_OF_ORDER_WINDOW = Duration.hours(1);
/** What Managed Prometheus does by itself. */
export const SERIES_RETENTION = Duration.days(150);
/** Rules that failed, and alerts that could not be sent. */
export const PROMETHEUS_LOG_RETENTION = logs.RetentionDays.ONE_MONTH;
/** The newest that Managed Grafana offers with the plugin of Managed Prometheus; it can be raised, never lowered. */
export const GRAFANA_VERSION = '12.4';
/** Costs a few reads of one object; a Grafana that was down is filled soon after. */
export const GRAFANA_EVERY = Duration.minutes(15);
