import { type Duration, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as aps from 'aws-cdk-lib/aws-aps';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { renderManagedAlertManager } from '../../alerts/managed-alert-manager.ts';
import { renderPrometheusRules } from '../../alerts/prometheus.ts';
import type { AlertChanges } from '../../alerts/rules.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { SEVERITIES } from '../../contracts/result.ts';
import { MANAGED_REGIONS, presence } from '../managed-regions.ts';
import type { PlatformContext } from '../platform-context.ts';
import type { Alerting } from './alerting.ts';
import { OUT_OF_ORDER_WINDOW, PROMETHEUS_LOG_RETENTION, SERIES_RETENTION } from './watching-defaults.ts';

/** What a choice of Prometheus is bound to. */
export interface PrometheusContext {
  readonly platform: PlatformContext;
  /** Rules that go to people are published to its topics. */
  readonly alerting: Alerting;
  readonly changes?: AlertChanges;
  readonly runbook?: string;
}

/** A workspace that samples are written to. */
export interface PrometheusWorkspace {
  readonly workspaceArn: string;
  readonly workspaceId: string;
}

/** Of a workspace that the platform makes. */
export interface ManagedPrometheusOptions {
  /** How long series are kept, at most 1,095 days. @default SERIES_RETENTION: 150 days */
  readonly retention?: Duration;
  /** How late a sample may come. @default OUT_OF_ORDER_WINDOW: an hour */
  readonly outOfOrderWindow?: Duration;
  /** @default PROMETHEUS_LOG_RETENTION: a month */
  readonly logRetention?: logs.RetentionDays;
}

/** Which workspace of yours. */
export interface ExistingPrometheusOptions {
  /** `ws-…`, in the region of the stack. */
  readonly workspaceId: string;
  /** Adds our rule groups to it. Its alert manager definition stays yours. @default true */
  readonly rules?: boolean;
}

/** Where the statistics of features go, for graphs and rules. */
export class Prometheus {
  /** A workspace of Amazon Managed Service for Prometheus, with our rules and an alert manager that publishes to our topics. */
  static managed(options: ManagedPrometheusOptions = {}): Prometheus {
    return new Prometheus((scope, context) => {
      const made = new ManagedPrometheus(scope, 'Workspace', { ...options, ...context });
      return { workspaceArn: made.workspace.attrArn, workspaceId: made.workspace.attrWorkspaceId };
    }, true);
  }

  /** A workspace of yours. */
  static existing(options: ExistingPrometheusOptions): Prometheus {
    return new Prometheus((scope, context) => {
      const workspaceArn = Stack.of(scope).formatArn({
        service: 'aps',
        resource: 'workspace',
        resourceName: options.workspaceId,
      });
      if (options.rules !== false) ruleGroups(scope, workspaceArn, context);
      return { workspaceArn, workspaceId: options.workspaceId };
    }, true);
  }

  /** None: statistics of features are in the results and on no graph. */
  static none(): Prometheus {
    return new Prometheus(() => undefined, false);
  }

  /** Whether samples are written, and paid for. */
  readonly written: boolean;
  readonly #bind: (scope: Construct, context: PrometheusContext) => PrometheusWorkspace | undefined;

  private constructor(
    bind: (scope: Construct, context: PrometheusContext) => PrometheusWorkspace | undefined,
    written: boolean,
  ) {
    this.#bind = bind;
    this.written = written;
  }

  bind(scope: Construct, context: PrometheusContext): PrometheusWorkspace | undefined {
    return this.#bind(scope, context);
  }
}

export interface ManagedPrometheusProps extends ManagedPrometheusOptions, PrometheusContext {}

/** A workspace, its rules and its alert manager. */
export class ManagedPrometheus extends Construct {
  readonly workspace: aps.CfnWorkspace;

  constructor(scope: Construct, id: string, props: ManagedPrometheusProps) {
    super(scope, id);
    const { platform, alerting } = props;
    refuseRegion(Stack.of(this).region);
    // The service writes only to groups below this name.
    const log = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/vendedlogs/prometheus/${Stack.of(this).stackName}/${this.node.addr.slice(-8)}`,
      retention: props.logRetention ?? PROMETHEUS_LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(platform.key === undefined ? {} : { encryptionKey: platform.key }),
    });
    this.workspace = new aps.CfnWorkspace(this, 'Resource', {
      alias: `mlmon-${platform.environmentName}`,
      ...(platform.key === undefined ? {} : { kmsKeyArn: platform.key.keyArn }),
      // Whether there is a Grafana is known after this.
      alertManagerDefinition: Lazy.string({
        produce: () =>
          renderManagedAlertManager({
            region: Stack.of(this).region,
            topics: Object.fromEntries(SEVERITIES.map((severity) => [severity, alerting.topics[severity].topicArn])),
            ...(alerting.heartbeat === undefined ? {} : { heartbeatTopic: alerting.heartbeat.topicArn }),
            dashboards: alerting.shownIn !== undefined,
          }),
      }),
      loggingConfiguration: { logGroupArn: log.logGroupArn },
      workspaceConfiguration: {
        retentionPeriodInDays: (props.retention ?? SERIES_RETENTION).toDays(),
        outOfOrderTimeWindowInSeconds: (props.outOfOrderWindow ?? OUT_OF_ORDER_WINDOW).toSeconds(),
      },
    });
    alerting.admitPrometheus(this.workspace.attrArn);
    ruleGroups(this, this.workspace.attrArn, props);
  }
}

function ruleGroups(scope: Construct, workspaceArn: string, context: PrometheusContext): void {
  const { alerting, changes, runbook } = context;
  new aps.CfnRuleGroupsNamespace(scope, 'Rules', {
    name: 'mlmon',
    workspace: workspaceArn,
    data: Lazy.string({
      produce: () =>
        renderPrometheusRules({
          deployment: 'aws',
          changes,
          notifier: alerting.notifications.by,
          runbook,
          shownIn: alerting.shownIn,
        }),
    }),
  });
}

/** One that is newer than the table is tried. */
function refuseRegion(region: string): void {
  if (presence('prometheus', region) !== 'absent') return;
  throw new ProblemError([
    {
      code: 'prometheus-region',
      path: 'prometheus',
      message: 'Amazon Managed Service for Prometheus is not in this region',
      got: region,
      expected: [...MANAGED_REGIONS.prometheus].join(', '),
      fix: 'take Prometheus.none(): results, alerts and the metrics of CloudWatch work without it',
    },
  ]);
}
