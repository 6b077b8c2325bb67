import type * as events from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';

/** Where rules are made: the bus of a platform, wherever it was made. */
export interface IPlatformEvents {
  readonly bus: events.IEventBus;
  /** ARN of the bus, as the stack of the scope may name it. @default that which the bus says itself */
  busArn?(scope: Construct): string;
  /** `source` within the events: tells platforms apart that share a bus. */
  readonly source: string;
}
