import { Construct } from 'constructs';
import { CAPTURE_ERROR_PREFIX } from '../contracts/capture.ts';
import { PREFIXES } from '../contracts/object-keys.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import { ObjectTrigger } from './object-trigger.ts';
import type { PlatformContext } from './platform-context.ts';

export interface RedriveProps {
  /** Its bucket must send its events to EventBridge: the store's does; of your own bucket switch them on. */
  readonly platform: PlatformContext;
}

/**
 * Works on what was given up, as soon as it lies in the bucket: batches of the stream that the profiler could not fold, and records that the
 * capture could not convert. Each counts once however often it comes.
 */
export class Redrive extends Construct {
  readonly handler: MonitoringFunction<'redrive'>;
  readonly trigger: ObjectTrigger;

  constructor(scope: Construct, id: string, props: RedriveProps) {
    super(scope, id);
    const { platform } = props;
    this.handler = new MonitoringFunction(this, 'Handler', { name: 'redrive', platform, environment: {} });
    this.trigger = new ObjectTrigger(this, 'Trigger', {
      platform,
      bucket: platform.bucket,
      prefixes: [PREFIXES.onFailure, CAPTURE_ERROR_PREFIX],
      target: this.handler,
    });
  }
}
