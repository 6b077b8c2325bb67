/** What the package offers to cdk8s apps: `import … from 'ml-monitoring-constructs/kubernetes'`. Covered by semantic versioning. */
export type { Mute, Route } from '../contracts/alerting.ts';
export { ProblemError } from '../contracts/problem.ts';
export { Archiver } from './archiver.ts';
export {
  type AlertmanagerOptions,
  Channel,
  type ChannelOptions,
  type RegionalChannelOptions,
  type WebhookOptions,
} from './channel.ts';
export type { ModelMonitoringChartProps } from './chart-props.ts';
export { Collector, type CollectorProps } from './collector.ts';
export {
  type ContainerResources,
  DEFAULT_IMAGE,
  DEFAULT_NAME,
  DEFAULT_NAMESPACE,
  DEFAULT_PARTITIONS,
  DEFAULT_RESOURCES,
  DEFAULT_TOKENS,
  PARTS,
  type Part,
} from './defaults.ts';
export { Evaluator } from './evaluator.ts';
export { Grafana } from './grafana.ts';
export type { Limits } from './hardened-pod.ts';
export { addPayloadLogger, type PayloadLoggerOptions } from './kserve.ts';
export { Labeler } from './labeler.ts';
export { type KafkaOptions, type KafkaSasl, type KafkaTls, Log } from './log.ts';
export { ModelMonitoringChart } from './model-monitoring-chart.ts';
export { Monitor } from './monitor.ts';
export { Notifier } from './notifier.ts';
export { Page } from './page.ts';
export type { PartProps } from './part.ts';
export { Peer, type PodPeerOptions } from './peer.ts';
export { Platform, type PlatformProps } from './platform.ts';
export { Profiler, type ProfilerProps } from './profiler.ts';
export { Scaling } from './scaling.ts';
export type { SecretKey } from './secret-key.ts';
export {
  addSidecar,
  SIDECAR_LABEL,
  type SidecarProps,
  type SidecarResult,
  sidecarPatch,
  withSidecar,
} from './sidecar.ts';
export { type S3Options, Store } from './store.ts';
export { StrimziKafka, type StrimziKafkaProps } from './strimzi.ts';
export { type FileOptions, type OperatorOptions, type RuleOptions, Watching } from './watching.ts';
