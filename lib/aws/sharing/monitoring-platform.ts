import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { ShownIn } from '../../contracts/dashboards.ts';
import type { Grants } from '../access/grants.ts';
import type { ICollector } from '../collector.ts';
import type { IPlatformEvents } from '../events/platform-events.ts';
import type { PlatformContext } from '../platform-context.ts';
import type { IPublisher } from '../publication.ts';
import type { ModelMetrics } from '../watching/model-metrics.ts';

/** The platform that watches the model: a `ModelMonitoring`, or one of another app (`ModelMonitoring.fromEnvironment`). */
export interface IMonitoringPlatform {
  readonly publisher: IPublisher;
  readonly metrics: ModelMetrics;
  /** Of what delivers alerts, as the stack of the scope may name it. */
  notifierRoleArn(scope: Construct): string;
  /**
   * Text for people about where its dashboards are, as the stack of the scope may name it; empty where it has no Grafana, which may be known only
   * when deployed.
   */
  ifShown(scope: Construct, text: (shownIn: ShownIn) => string): string;
  /** Encrypts topics of alerts, as the stack of the scope may name it. */
  topicKey(scope: Construct): kms.IKey;
}

/** What a platform is to those who use it, made here or elsewhere. */
export interface IModelMonitoring extends IMonitoringPlatform {
  readonly platform: PlatformContext;
  readonly collector: ICollector;
  readonly grants: Grants;
  /** Where rules can be made; `undefined` where it is known that there is no bus. */
  readonly eventBus: IPlatformEvents | undefined;
}
