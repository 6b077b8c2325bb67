/** What the package offers to CDK apps: `import … from 'ml-monitoring-constructs/aws'`. Covered by semantic versioning. */

export type { ModelAlarmChange, ModelAlarmChanges, ModelAlarmKey } from '../alerts/model-alarms.ts';
export type { AlertChange, AlertChanges, AlertKey } from '../alerts/rules.ts';
export type { Mute, Route } from '../contracts/alerting.ts';
export type { MaintenanceInput } from '../contracts/maintenance.ts';
export type { MonitorInput } from '../contracts/monitor.ts';
export type { OutgoingType } from '../contracts/outgoing-events.ts';
export { type Problem, ProblemError } from '../contracts/problem.ts';
export type { Severity } from '../contracts/result.ts';
export { Bindings } from './access/bindings.ts';
export { BorrowedRole, type BorrowedRoleProps } from './access/borrowed-role.ts';
export { CollectorAccess, type JwtAccess } from './access/collector-access.ts';
export { Grants, type GrantsProps, UNKNOWN_MODEL } from './access/grants.ts';
export { OTHER_ACCOUNT_KEY } from './access/other-account.ts';
export { Capture, type CaptureProps } from './capture.ts';
export { CaptureFormat } from './capture-format.ts';
export { CaptureTables, type CaptureTablesProps } from './capture-tables.ts';
export { Cleaner, type CleanerProps } from './cleaner.ts';
export { Collector, type CollectorProps, type ICollector } from './collector.ts';
export { CostReport, type CostReportProps } from './cost-report.ts';
export { type DeployPolicy, type DeployPolicyOptions, type DeployStatement, deployPolicies } from './deploy-policy.ts';
export { EncryptionKey, type EncryptionKeyProps, permitServices } from './encryption-key.ts';
export { addEnvironment, type Environment } from './environment/environment.ts';
export { environmentOf, parseEnvironment, readEnvironment } from './environment/environment-file.ts';
export {
  type EnvironmentChannel,
  type EnvironmentConfig,
  type EnvironmentInput,
  environmentSchema,
} from './environment/environment-schema.ts';
export { readPrices } from './environment/prices-file.ts';
export { Evaluator, type EvaluatorProps } from './evaluator.ts';
export { EventStream, type EventStreamProps, type ProvisionedCapacity, StreamCapacity } from './event-stream.ts';
export {
  type CarriedEvents,
  EventBus,
  type EventBusOptions,
  type EventBusProps,
} from './events/event-bus.ts';
export { type EventChoice, eventPattern } from './events/event-pattern.ts';
export { EventRule, type EventRuleProps } from './events/event-rule.ts';
export { type BoundTarget, EventTarget } from './events/event-target.ts';
export type { IPlatformEvents } from './events/platform-events.ts';
export { FunctionSchedule, type FunctionScheduleProps } from './function-schedule.ts';
export {
  type ExistingGrafanaOptions,
  GRAFANA_ROLE_UNCHANGED,
  Grafana,
  type GrafanaContext,
  type ManagedGrafanaOptions,
  type SelfRunGrafanaOptions,
  UNKNOWN_REGION,
} from './grafana/grafana.ts';
export { GrafanaFilling, type GrafanaFillingProps } from './grafana/grafana-filling.ts';
export { GrafanaIdentity, type SamlOptions } from './grafana/grafana-identity.ts';
export type { GrafanaTarget } from './grafana/grafana-target.ts';
export { GrafanaWorkspace, type GrafanaWorkspaceProps } from './grafana/grafana-workspace.ts';
export { HttpDoor, type HttpDoorProps } from './http-door.ts';
export { Labeler, type LabelerProps } from './labeler.ts';
export { DeadLetterQueue, type DeadLetterQueueProps, MessageQueue, type MessageQueueProps } from './message-queue.ts';
export { ModelMonitor, type ModelMonitorProps } from './model-monitor.ts';
export { type BroughtStream, ModelMonitoring, type ModelMonitoringProps } from './model-monitoring.ts';
export { Monitor, STORED_BASELINE } from './monitor.ts';
export { MonitoringFunction, type MonitoringFunctionProps, type OwnEnvironment } from './monitoring-function.ts';
export { type IsolatedNetworkOptions, Network, type NetworkOptions } from './network/network.ts';
export type { PlacedFunction, PlacedNetwork, VpcConnection } from './network/placed-network.ts';
export type { ReachedService } from './network/reached-services.ts';
export { VpcEndpoints, type VpcEndpointsProps } from './network/vpc-endpoints.ts';
export { ObjectTrigger, type ObjectTriggerProps } from './object-trigger.ts';
export type { PlatformContext } from './platform-context.ts';
export { PolicyKey, type PolicyKeyProps } from './policy-key.ts';
export { Profiler, type ProfilerProps } from './profiler.ts';
export {
  EVENTS_OF_A_MODEL,
  type IPublisher,
  Publication,
  type PublicationProps,
  Publisher,
  type PublisherProps,
} from './publication.ts';
export { Redrive, type RedriveProps } from './redrive.ts';
export { type CapturedEndpoints, SageMakerCapture, type SageMakerCaptureProps } from './sagemaker-capture.ts';
export { type EnvironmentReference, ImportedPlatform } from './sharing/imported-platform.ts';
export type { IModelMonitoring, IMonitoringPlatform } from './sharing/monitoring-platform.ts';
export { LINKS, type Link, PlatformLinks, type PlatformLinksProps } from './sharing/platform-links.ts';
export { TeamChannels, type TeamChannelsProps } from './sharing/team-channels.ts';
export { Store, type StoreProps } from './store.ts';
export { StreamScaler, type StreamScalerProps } from './stream-scaler.ts';
export { Alarms, type AlarmsProps } from './watching/alarms.ts';
export {
  Alerting,
  type AlertingProps,
  NO_CHANNELS,
  NO_INDEPENDENT_SUBSCRIBER,
  Notifications,
} from './watching/alerting.ts';
export {
  type BoundChannel,
  Channel,
  type ChannelContext,
  type ChannelOptions,
  type IChannel,
  type IStatementHolder,
  type RegionalChannelOptions,
  type SlackChannelOptions,
} from './watching/channel.ts';
export { Dashboards, type DashboardsProps } from './watching/dashboards.ts';
export { Metrics, type MetricsProps } from './watching/metrics.ts';
export { ModelAlarms, type ModelAlarmsOptions, type ModelAlarmsProps } from './watching/model-alarms.ts';
export { ModelMetrics, type ModelMetricsProps, type PlatformMetricOptions } from './watching/model-metrics.ts';
export {
  type ExistingPrometheusOptions,
  type ManagedPrometheusOptions,
  Prometheus,
  type PrometheusContext,
  type PrometheusWorkspace,
} from './watching/prometheus.ts';
