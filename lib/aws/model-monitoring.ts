import { type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { AlertChanges } from '../alerts/rules.ts';
import type { Mute, Route } from '../contracts/alerting.ts';
import type { MetricDetail } from '../contracts/cloudwatch-metrics.ts';
import type { ShownIn } from '../contracts/dashboards.ts';
import type { MaintenanceInput } from '../contracts/maintenance.ts';
import type { PriceChanges } from '../cost/price-changes.ts';
import type { Traffic } from '../cost/usage.ts';
import { Bindings } from './access/bindings.ts';
import type { CollectorAccess } from './access/collector-access.ts';
import { Grants } from './access/grants.ts';
import { Capture } from './capture.ts';
import { CaptureFormat } from './capture-format.ts';
import { Cleaner } from './cleaner.ts';
import { Collector } from './collector.ts';
import { CostReport } from './cost-report.ts';
import { BROUGHT_STREAM_RETENTION, ENVIRONMENT_NAME, FAILED_RETENTION, STREAM_RETENTION } from './defaults.ts';
import { permitServices } from './encryption-key.ts';
import { Evaluator } from './evaluator.ts';
import { EventStream, StreamCapacity } from './event-stream.ts';
import { EventBus, type EventBusOptions } from './events/event-bus.ts';
import { FunctionSchedule } from './function-schedule.ts';
import type { Grafana } from './grafana/grafana.ts';
import type { GrafanaFilling } from './grafana/grafana-filling.ts';
import { knownAtSynthesis } from './known-at-synthesis.ts';
import { Labeler } from './labeler.ts';
import { DeadLetterQueue } from './message-queue.ts';
import type { Monitor } from './monitor.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { Network } from './network/network.ts';
import type { VpcConnection } from './network/placed-network.ts';
import { limitRoles } from './permissions-boundary.ts';
import type { PlatformContext } from './platform-context.ts';
import { PolicyKey } from './policy-key.ts';
import { Profiler } from './profiler.ts';
import { Publication, Publisher } from './publication.ts';
import { Redrive } from './redrive.ts';
import { removalOf } from './removal.ts';
import { type CapturedEndpoints, SageMakerCapture } from './sagemaker-capture.ts';
import { type EnvironmentReference, ImportedPlatform } from './sharing/imported-platform.ts';
import type { IModelMonitoring } from './sharing/monitoring-platform.ts';
import { checkedName, linkFrom, NONE, noKeyArn, PlatformLinks } from './sharing/platform-links.ts';
import { Store } from './store.ts';
import { StreamScaler } from './stream-scaler.ts';
import { Alarms } from './watching/alarms.ts';
import { Alerting, type AlertingProps, type Notifications } from './watching/alerting.ts';
import type { IChannel } from './watching/channel.ts';
import { Dashboards } from './watching/dashboards.ts';
import { Metrics } from './watching/metrics.ts';
import { alarmsOfModels, type ModelAlarms, type ModelAlarmsOptions } from './watching/model-alarms.ts';
import type { ModelMetrics } from './watching/model-metrics.ts';
import type { Prometheus } from './watching/prometheus.ts';

/** A stream that exists already. */
export interface BroughtStream {
  readonly stream: kinesis.IStream;
  /** Whether what it holds already is to be counted: `TRIM_HORIZON` all of it, `LATEST` none. */
  readonly startingPosition: lambda.StartingPosition;
  /** Seconds since 1970, for `AT_TIMESTAMP`. @default none */
  readonly startingPositionTimestamp?: number;
  /** How long it keeps records. @default BROUGHT_STREAM_RETENTION: 365 days */
  readonly retention?: Duration;
}

export interface ModelMonitoringProps {
  /** Who shows graphs of features: a choice that must be made, since a managed workspace needs an identity provider and seats. */
  readonly grafana: Grafana;
  /** Where alerts are delivered. An empty list is possible, and warned of. */
  readonly channels: readonly IChannel[];
  /** What is watched; more can come from other stacks (`ModelMonitor`) and from `mlmon monitor apply`. @default none yet */
  readonly models?: readonly Monitor[];
  /** A dimension of all metrics, and in names of parameters, alarms and dashboards. @default ENVIRONMENT_NAME: production */
  readonly environmentName?: string;
  /** How senders of events prove who they are. @default CollectorAccess.iam() */
  readonly access?: CollectorAccess;
  /** Path segments that let KServe's logger in. @default none: KServe has no way in */
  readonly kserveSecret?: secretsmanager.ISecret;
  /** Hashes the fields that monitors tell to: `{ "version": "1", "key": "<64 hexadecimal digits>" }`. @default a secret with a random key, for 0.40 $ a month */
  readonly policyKey?: secretsmanager.ISecret;
  /** Endpoints whose captured files are events. @default none */
  readonly sageMaker?: CapturedEndpoints;
  /** Of the platform's own stream. @default StreamCapacity.onDemand() */
  readonly capacity?: StreamCapacity;
  /** Instead of a stream of its own. @default a stream of its own */
  readonly stream?: BroughtStream;
  /** Instead of a bucket of its own: versioned, with its events sent to EventBridge. @default a bucket of its own */
  readonly bucket?: s3.IBucket;
  /** Encrypts everything; one that was made elsewhere must let logs, events and topics use it (`permitServices`). @default keys that the services own */
  readonly key?: kms.IKey;
  /** How captured events lie in the bucket. @default CaptureFormat.parquet() */
  readonly captureFormat?: CaptureFormat;
  /** Longest that events are held back before they are written. @default CAPTURE_BUFFER: 5 minutes */
  readonly captureBuffer?: Duration;
  /** How long captured events are kept in the platform's own bucket. @default for ever */
  readonly captureRetention?: Duration;
  /** Longest that Lambda gathers records before the profiler is called. @default PROFILER_BATCH_WINDOW: 60 seconds */
  readonly batchWindow?: Duration;
  /** What links of alerts begin with, where somebody runs a page for them. @default none: they link to dashboards in Grafana, if there is one */
  readonly linkBase?: string;
  /** What addresses of runbook entries begin with. @default messages name the entry alone */
  readonly runbookBase?: string;
  /** Which channels an owner, a model, a signal or a severity goes to. @default every channel gets everything */
  readonly routes?: readonly Route[];
  /** What is recorded and shown and sent to nobody, for a time or always. @default nothing */
  readonly mutes?: readonly Mute[];
  /** Windows in which everything is recorded and nobody is told, alarms included; what is still so afterwards is told then. @default none */
  readonly maintenance?: readonly MaintenanceInput[];
  /** CloudWatch alarms of models on topics of their teams, by the model; of its own `models`. @default none: the platform's alerts tell of them */
  readonly modelAlarms?: Readonly<Record<string, ModelAlarmsOptions>>;
  /** Who tells people of drift, quality and performance. @default Notifications.fromEpisodes() */
  readonly notifications?: Notifications;
  /** Topics of yours for alarms. @default a topic for each severity */
  readonly topics?: AlertingProps['topics'];
  /** Tells programs of episodes, results and baselines, so that they can start something. @default none: people alone are told */
  readonly eventBus?: EventBusOptions;
  /** Gets a message while delivery works. @default none: an alarm watches the notifier */
  readonly heartbeat?: sns.ITopic;
  /** CloudWatch metrics of each model. @default METRIC_DETAIL: 'minimal' */
  readonly metricDetail?: MetricDetail;
  /** Where the series of features go. @default Prometheus.managed() */
  readonly prometheus?: Prometheus;
  /** USD a month that metrics of models may cost, of all that the app brings; synthesis fails above it. @default DEFAULT_METRIC_BUDGET: 1000 */
  readonly metricBudget?: number;
  /** What comes in a month: synthesis tells what the platform costs then, by part. @default none: the metrics of models alone are reckoned */
  readonly traffic?: Traffic;
  /** Prices of another region, or yours, where they differ. @default list prices of us-east-1 */
  readonly prices?: PriceChanges;
  /** USD a month that the whole platform may cost with this traffic; synthesis fails above it. @default none */
  readonly budget?: number;
  /** Changes to alerts by key: threshold, severity, how long, or off. @default the catalogue as it stands */
  readonly alerts?: AlertChanges;
  /** Where functions run. @default the network of Lambda, which reaches everything */
  readonly network?: Network;
  /** The most that any role may do, whatever its policies say. @default none */
  readonly permissionsBoundary?: iam.IManagedPolicy;
  /** What becomes of bucket and stream when the stack goes; `DESTROY` deletes all data with them. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * The platform: from an event to an alert. It only wires; every part is a construct of its own that can be used alone, and reached here for
 * whatever its props do not say.
 */
export class ModelMonitoring extends Construct implements IModelMonitoring {
  /**
   * The platform of another app in the same account and region, for a team's own stack: by the parameters that it publishes, with nothing looked
   * up at synthesis.
   * @param environment its name, or more that this stack must know of it
   */
  static fromEnvironment(scope: Construct, id: string, environment: string | EnvironmentReference): IModelMonitoring {
    return new ImportedPlatform(scope, id, typeof environment === 'string' ? { name: environment } : environment);
  }

  readonly platform: PlatformContext;
  /** Absent where a bucket was brought. */
  readonly store: Store | undefined;
  /** Absent where a stream was brought. */
  readonly eventStream: EventStream | undefined;
  /** With a stream of its own whose shards are provisioned within bounds. */
  readonly streamScaler: StreamScaler | undefined;
  readonly capture: Capture;
  readonly collector: Collector;
  /** Where endpoints were given. */
  readonly sageMakerCapture: SageMakerCapture | undefined;
  readonly profiler: Profiler;
  readonly redrive: Redrive;
  readonly evaluator: Evaluator;
  readonly labeler: Labeler;
  readonly cleaner: Cleaner;
  readonly alerting: Alerting;
  /** Where one was asked for. */
  readonly eventBus: EventBus | undefined;
  /** What is exported, and where to. */
  readonly metricExport: Metrics;
  readonly alarms: Alarms;
  /** Those that were asked for, by the model. */
  readonly modelAlarms: Readonly<Record<string, ModelAlarms>>;
  readonly dashboards: Dashboards;
  /** What is put into a Grafana; `undefined` without one. */
  readonly grafana: GrafanaFilling | undefined;
  readonly publisher: Publisher;
  readonly publication: Publication;
  readonly policyKey: secretsmanager.ISecret;
  /** In a network without a way out. */
  readonly endpoints: VpcConnection | undefined;
  /** Runs of schedules that could not be handed over. */
  readonly deadLetters: DeadLetterQueue;
  readonly grants: Grants;
  /** Money a month, where the traffic is told. */
  readonly costs: CostReport;
  /** Metrics of models, for alarms and dashboards of yours. */
  readonly metrics: ModelMetrics;
  /** Models that have monitors, of all stacks of the app so far. */
  get models(): ReadonlySet<string> {
    return this.publisher.models;
  }

  constructor(scope: Construct, id: string, props: ModelMonitoringProps) {
    super(scope, id);
    const { key, linkBase } = props;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    knownAtSynthesis(reckonedWith(props));
    const environmentName = checkedName(props.environmentName ?? ENVIRONMENT_NAME, 'environmentName', 'taken');
    if (key !== undefined) permitServices(key);
    this.store =
      props.bucket === undefined
        ? new Store(this, 'Store', { key, removalPolicy, captureRetention: props.captureRetention })
        : undefined;
    this.eventStream =
      props.stream === undefined
        ? new EventStream(this, 'Stream', { key, removalPolicy, capacity: props.capacity })
        : undefined;
    const platform: PlatformContext = {
      environmentName,
      bucket: props.bucket ?? this.store!.bucket,
      stream: props.stream?.stream ?? this.eventStream!.stream,
      ...(key === undefined ? {} : { key }),
      ...(props.network === undefined ? {} : { network: props.network.bind(this) }),
    };
    this.platform = platform;
    this.policyKey = props.policyKey ?? new PolicyKey(this, 'PolicyKey', { key, removalPolicy }).secret;
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { key });
    const deadLetters = this.deadLetters.queue;
    this.capture = new Capture(this, 'Capture', {
      platform,
      format: props.captureFormat,
      buffer: props.captureBuffer,
    });
    this.collector = new Collector(this, 'Collector', {
      platform,
      access: props.access,
      kserveSecret: props.kserveSecret,
      policyKey: this.policyKey,
    });
    this.sageMakerCapture =
      props.sageMaker === undefined
        ? undefined
        : new SageMakerCapture(this, 'SageMaker', { ...props.sageMaker, platform, policyKey: this.policyKey });
    this.profiler = new Profiler(this, 'Profiler', {
      platform,
      // All that was ever written to a stream of its own is to be counted.
      startingPosition: props.stream?.startingPosition ?? lambda.StartingPosition.TRIM_HORIZON,
      startingPositionTimestamp: props.stream?.startingPositionTimestamp,
      batchWindow: props.batchWindow,
    });
    const { shards, maximumShards } = props.capacity?.provisioned ?? {};
    this.streamScaler =
      this.eventStream === undefined || shards === undefined || maximumShards === undefined
        ? undefined
        : new StreamScaler(this, 'StreamScaler', { platform, minimumShards: shards, maximumShards, deadLetters });
    this.redrive = new Redrive(this, 'Redrive', { platform });
    this.evaluator = new Evaluator(this, 'Evaluator', { platform, deadLetters, linkBase });
    this.labeler = new Labeler(this, 'Labeler', { platform, capture: this.capture, deadLetters, linkBase });
    const streamRetention =
      props.stream === undefined ? STREAM_RETENTION : (props.stream.retention ?? BROUGHT_STREAM_RETENTION);
    this.cleaner = new Cleaner(this, 'Cleaner', {
      platform,
      deadLetters,
      retention: streamRetention.plus(FAILED_RETENTION),
    });
    this.eventBus =
      props.eventBus === undefined ? undefined : new EventBus(this, 'EventBus', { ...props.eventBus, platform });
    this.alerting = new Alerting(this, 'Alerting', {
      platform,
      channels: props.channels,
      programs: this.eventBus?.channel === undefined ? [] : [this.eventBus.channel],
      routes: props.routes,
      mutes: props.mutes,
      maintenance: props.maintenance,
      notifications: props.notifications,
      topics: props.topics,
      heartbeat: props.heartbeat,
      linkBase,
      runbookBase: props.runbookBase,
    });
    this.metricExport = new Metrics(this, 'Metrics', {
      platform,
      alerting: this.alerting,
      detail: props.metricDetail,
      prometheus: props.prometheus,
      metricBudget: props.metricBudget,
      prices: props.prices,
      deadLetters,
      changes: props.alerts,
      runbook: props.runbookBase,
    });
    this.metrics = this.metricExport.models;
    this.grafana = props.grafana.bind(this, 'Grafana', {
      platform,
      prometheus: this.metricExport.workspace,
      deadLetters,
    });
    if (this.grafana !== undefined) this.alerting.linkTo(this.grafana.shownIn);
    this.publisher = new Publisher(this, 'Publisher', {
      platform,
      policyKey: this.policyKey,
      onMonitors: (monitors) => this.metricExport.watch(monitors),
    });
    const bindings = new Bindings();
    this.publication = new Publication(this, 'Publication', {
      publisher: this.publisher,
      monitors: props.models ?? [],
      alerting: this.alerting.json,
      bindings,
      removalPolicy: removalOf('publication', removalPolicy),
    });
    // First comes the function that understands what is published, and the bus that tells of baselines of the first deployment too.
    this.publication.node.addDependency(
      this.alerting.notifier,
      ...(this.eventBus === undefined ? [] : [this.eventBus]),
    );
    const parts = this.node.findAll();
    const functions = parts.filter((part) => part instanceof MonitoringFunction);
    const letters = parts.filter((part) => part instanceof DeadLetterQueue).map(({ queue }) => queue);
    this.endpoints = platform.network?.connect(functions);
    if (props.permissionsBoundary !== undefined) limitRoles(this, props.permissionsBoundary);
    this.alarms = new Alarms(this, 'Alarms', {
      platform,
      topics: this.alerting.topics,
      functions,
      deadLetters: letters,
      notifications: props.notifications,
      maintenance: props.maintenance,
      changes: props.alerts,
      runbook: props.runbookBase,
      shownIn: this.alerting.shownIn,
    });
    this.modelAlarms = alarmsOfModels(this, {
      ...{ chosen: props.modelAlarms, monitors: props.models, runbook: props.runbookBase },
      platform: this,
    });
    // Nothing runs and no alarm rings before what it needs is published: a first deployment would begin with failures.
    for (const part of [this.alarms, ...parts.filter((one) => one instanceof FunctionSchedule)])
      part.node.addDependency(this.publication);
    this.dashboards = new Dashboards(this, 'Dashboards', {
      platform,
      detail: this.metricExport.detail,
      functions,
      queues: letters,
      alarms: Object.values(this.alarms.alarms),
    });
    this.grants = new Grants(this, {
      platform,
      collector: this.collector,
      publisher: this.publisher,
      bindings,
    });
    this.costs = new CostReport(this, 'Costs', {
      platform,
      of: this,
      metrics: this.metricExport,
      traffic: props.traffic,
      prices: props.prices,
      budget: props.budget,
      capacity: this.eventStream === undefined ? undefined : (props.capacity ?? StreamCapacity.onDemand()),
      streamRetention,
      captureFormat: (props.captureFormat ?? CaptureFormat.parquet()).converts ? 'parquet' : 'json-lines',
      captureRetention: props.captureRetention,
    });
    new PlatformLinks(this, 'Links', {
      environmentName: platform.environmentName,
      values: {
        bucketName: platform.bucket.bucketName,
        streamArn: platform.stream.streamArn,
        keyArn: key?.keyArn ?? noKeyArn(this),
        topicKeyArn: this.alerting.key.keyArn,
        publisherArn: this.publisher.handler.function.functionArn,
        notifierRoleArn: this.alerting.notifier.role.roleArn,
        eventBusArn: this.eventBus?.bus.eventBusArn ?? NONE,
        dashboardBase: this.alerting.shownIn?.base ?? NONE,
        collectorArn: this.collector.handler.function.functionArn,
        collectorUrl: this.collector.url,
        collectorAccess: this.collector.access.auth,
      },
    });
  }

  notifierRoleArn(scope: Construct): string {
    const { roleArn } = this.alerting.notifier.role;
    return linkFrom(scope, this, 'notifierRoleArn', this.platform.environmentName, roleArn);
  }

  ifShown(scope: Construct, text: (shownIn: ShownIn) => string): string {
    const { shownIn } = this.alerting;
    if (shownIn === undefined) return '';
    const base = linkFrom(scope, this, 'dashboardBase', this.platform.environmentName, shownIn.base);
    return text({ ...shownIn, base });
  }

  topicKey(scope: Construct): kms.IKey {
    const { key } = this.alerting;
    if (Stack.of(scope) === Stack.of(this)) return key;
    const present = scope.node.tryFindChild('TopicKey');
    if (present !== undefined) return present as unknown as kms.IKey;
    const arn = linkFrom(scope, this, 'topicKeyArn', this.platform.environmentName, key.keyArn);
    return kms.Key.fromKeyArn(scope, 'TopicKey', arn);
  }
}

/** What other values follow from at synthesis, by its path. */
function reckonedWith(props: ModelMonitoringProps): Readonly<Record<string, Duration | number | undefined>> {
  const thresholds = Object.entries(props.alerts ?? {}).map(([rule, { threshold }]) => [`alerts.${rule}`, threshold]);
  return {
    'stream.retention': props.stream?.retention,
    metricBudget: props.metricBudget,
    budget: props.budget,
    ...Object.fromEntries(thresholds.filter(([, value]) => typeof value === 'number')),
  };
}
