import { Construct } from 'constructs';
import type { Monitor } from './monitor.ts';
import { Publication, type Publisher } from './publication.ts';

/** The platform that watches the model; a `ModelMonitoring` is one. */
export interface IMonitoringPlatform {
  readonly publisher: Publisher;
}

export interface ModelMonitorProps {
  readonly platform: IMonitoringPlatform;
  readonly monitor: Monitor;
}

/** One model, from the stack of the team that owns it. For many models give the platform its `models`: they take one resource together. */
export class ModelMonitor extends Construct {
  readonly monitor: Monitor;
  readonly publication: Publication;

  constructor(scope: Construct, id: string, props: ModelMonitorProps) {
    super(scope, id);
    this.monitor = props.monitor;
    this.publication = new Publication(this, 'Publication', {
      publisher: props.platform.publisher,
      monitors: [props.monitor],
    });
  }
}
