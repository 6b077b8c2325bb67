import { Construct } from 'constructs';
import type { Monitor } from './monitor.ts';
import { Publication } from './publication.ts';
import type { IMonitoringPlatform } from './sharing/monitoring-platform.ts';
import { TeamChannels } from './sharing/team-channels.ts';
import type { IChannel } from './watching/channel.ts';
import { ModelAlarms, type ModelAlarmsOptions } from './watching/model-alarms.ts';

export interface ModelMonitorProps {
  /** A `ModelMonitoring`, or one of another app: `ModelMonitoring.fromEnvironment`. */
  readonly platform: IMonitoringPlatform;
  readonly monitor: Monitor;
  /**
   * Where alerts of this model are delivered, instead of the platform's channels; those that a route of the platform names for it hear of it
   * besides. @default the channels of the platform
   */
  readonly channels?: readonly IChannel[];
  /** CloudWatch alarms of this model on topics of yours. @default none: the platform's alerts tell of it */
  readonly alarms?: ModelAlarmsOptions;
}

/** One model, from the stack of the team that owns it. For many models give the platform its `models`: they take one resource together. */
export class ModelMonitor extends Construct {
  readonly monitor: Monitor;
  /** Those of its own, if it has any. */
  readonly channels: TeamChannels | undefined;
  readonly publication: Publication;
  /** Where they were asked for. */
  readonly alarms: ModelAlarms | undefined;

  constructor(scope: Construct, id: string, props: ModelMonitorProps) {
    super(scope, id);
    this.monitor = props.monitor;
    const { platform, channels = [] } = props;
    this.channels =
      channels.length === 0
        ? undefined
        : new TeamChannels(this, 'Channels', { platform, model: props.monitor.model, channels });
    this.publication = new Publication(this, 'Publication', {
      publisher: props.platform.publisher,
      monitors: [props.monitor],
      channels: this.channels?.json,
    });
    // The notifier is not to be told of a channel before it may use it.
    if (this.channels?.policy !== undefined) this.publication.node.addDependency(this.channels.policy);
    this.alarms =
      props.alarms === undefined
        ? undefined
        : new ModelAlarms(this, 'Alarms', {
            ...props.alarms,
            monitor: props.monitor,
            metrics: platform.metrics,
            platform,
          });
  }
}
