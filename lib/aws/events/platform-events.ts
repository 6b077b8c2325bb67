import type * as events from 'aws-cdk-lib/aws-events';

/** Where rules are made: the bus of a platform, wherever it was made. */
export interface IPlatformEvents {
  readonly bus: events.IEventBus;
  /** `source` within the events: tells platforms apart that share a bus. */
  readonly source: string;
}
