/** What the package offers to CDK apps: `import … from 'ml-monitoring-constructs/aws'`. Covered by semantic versioning. */

export type { ModelAlarmChange, ModelAlarmChanges, ModelAlarmKey } from '../alerts/model-alarms.ts';
export type { AlertChange, AlertChanges, AlertKey } from '../alerts/rules.ts';
export type { Mute, Route } from '../contracts/alerting.ts';
export type { MaintenanceInput } from '../contracts/maintenance.ts';
export type { MonitorInput } from '../contracts/monitor.ts';
export type { OutgoingType } from '../contracts/outgoing-events.ts';
export { type Problem, ProblemError } from '../contracts/problem.ts';
export type { Severity } from '../contracts/result.ts';
export { Alarms, type AlarmsProps } from './alarms.ts';
export {
  Alerting,
  type AlertingProps,
  NO_CHANNELS,
  NO_INDEPENDENT_SUBSCRIBER,
  Notifications,
} from './alerting.ts';
export { Bindings } from './bindings.ts';
export { BorrowedRole, type BorrowedRoleProps } from './borrowed-role.ts';
export { Capture, type CaptureProps } from './capture.ts';
export { CaptureFormat } from './capture-format.ts';
export { CaptureTables, type CaptureTablesProps } from './capture-tables.ts';
export {
  type BoundChannel,
  Channel,
  type ChannelContext,
  type ChannelOptions,
  type IChannel,
  type IStatementHolder,
  type RegionalChannelOptions,
  type SlackChannelOptions,
} from './channel.ts';
export { Cleaner, type CleanerProps } from './cleaner.ts';
export { Collector, type CollectorProps, type ICollector } from './collector.ts';
export { CollectorAccess, type JwtAccess } from './collector-access.ts';
export { CostReport, type CostReportProps } from './cost-report.ts';
export { Dashboards, type DashboardsProps } from './dashboards.ts';
export { type DeployPolicy, type DeployPolicyOptions, type DeployStatement, deployPolicies } from './deploy-policy.ts';
export { EncryptionKey, type EncryptionKeyProps, permitServices } from './encryption-key.ts';
export { addEnvironment, type Environment } from './environment.ts';
export { environmentOf, parseEnvironment, readEnvironment } from './environment-file.ts';
export {
  type EnvironmentChannel,
  type EnvironmentConfig,
  type EnvironmentInput,
  environmentSchema,
} from './environment-schema.ts';
export { Evaluator, type EvaluatorProps } from './evaluator.ts';
export {
  type CarriedEvents,
  EventBus,
  type EventBusOptions,
  type EventBusProps,
} from './event-bus.ts';
export { type EventChoice, eventPattern } from './event-pattern.ts';
export { EventRule, type EventRuleProps } from './event-rule.ts';
export { EventStream, type EventStreamProps, type ProvisionedCapacity, StreamCapacity } from './event-stream.ts';
export { type BoundTarget, EventTarget } from './event-target.ts';
export { FunctionSchedule, type FunctionScheduleProps } from './function-schedule.ts';
export {
  type ExistingGrafanaOptions,
  GRAFANA_ROLE_UNCHANGED,
  Grafana,
  type GrafanaContext,
  type ManagedGrafanaOptions,
  type SelfRunGrafanaOptions,
  UNKNOWN_REGION,
} from './grafana.ts';
export { GrafanaFilling, type GrafanaFillingProps } from './grafana-filling.ts';
export { GrafanaIdentity, type SamlOptions } from './grafana-identity.ts';
export type { GrafanaTarget } from './grafana-target.ts';
export { GrafanaWorkspace, type GrafanaWorkspaceProps } from './grafana-workspace.ts';
export { Grants, type GrantsProps, UNKNOWN_MODEL } from './grants.ts';
export { HttpDoor, type HttpDoorProps } from './http-door.ts';
export { type EnvironmentReference, ImportedPlatform } from './imported-platform.ts';
export { Labeler, type LabelerProps } from './labeler.ts';
export { DeadLetterQueue, type DeadLetterQueueProps, MessageQueue, type MessageQueueProps } from './message-queue.ts';
export { Metrics, type MetricsProps } from './metrics.ts';
export { ModelAlarms, type ModelAlarmsOptions, type ModelAlarmsProps } from './model-alarms.ts';
export { ModelMetrics, type ModelMetricsProps, type PlatformMetricOptions } from './model-metrics.ts';
export { ModelMonitor, type ModelMonitorProps } from './model-monitor.ts';
export { type BroughtStream, ModelMonitoring, type ModelMonitoringProps } from './model-monitoring.ts';
export { Monitor, STORED_BASELINE } from './monitor.ts';
export { MonitoringFunction, type MonitoringFunctionProps, type OwnEnvironment } from './monitoring-function.ts';
export type { IModelMonitoring, IMonitoringPlatform } from './monitoring-platform.ts';
export { type IsolatedNetworkOptions, Network, type NetworkOptions } from './network.ts';
export { ObjectTrigger, type ObjectTriggerProps } from './object-trigger.ts';
export { OTHER_ACCOUNT_KEY } from './other-account.ts';
export type { PlacedFunction, PlacedNetwork, VpcConnection } from './placed-network.ts';
export type { PlatformContext } from './platform-context.ts';
export type { IPlatformEvents } from './platform-events.ts';
export { LINKS, type Link, PlatformLinks, type PlatformLinksProps } from './platform-links.ts';
export { PolicyKey, type PolicyKeyProps } from './policy-key.ts';
export { readPrices } from './prices-file.ts';
export { Profiler, type ProfilerProps } from './profiler.ts';
export {
  type ExistingPrometheusOptions,
  type ManagedPrometheusOptions,
  Prometheus,
  type PrometheusContext,
  type PrometheusWorkspace,
} from './prometheus.ts';
export {
  EVENTS_OF_A_MODEL,
  type IPublisher,
  Publication,
  type PublicationProps,
  Publisher,
  type PublisherProps,
} from './publication.ts';
export type { ReachedService } from './reached-services.ts';
export { Redrive, type RedriveProps } from './redrive.ts';
export { type CapturedEndpoints, SageMakerCapture, type SageMakerCaptureProps } from './sagemaker-capture.ts';
export { Store, type StoreProps } from './store.ts';
export { StreamScaler, type StreamScalerProps } from './stream-scaler.ts';
export { TeamChannels, type TeamChannelsProps } from './team-channels.ts';
export { VpcEndpoints, type VpcEndpointsProps } from './vpc-endpoints.ts';
