import type * as kinesis from 'aws-cdk-lib/aws-kinesis';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { PlacedNetwork } from './network/placed-network.ts';

/** What every part of a platform stands on. */
export interface PlatformContext {
  /** Name of the environment: a dimension of metrics, and in names of dashboards and alarms. */
  readonly environmentName: string;
  /** The object store. */
  readonly bucket: s3.IBucket;
  /** Encrypts bucket, stream, queues, topics and logs. @default keys that the services own */
  readonly key?: kms.IKey;
  /** The event log. */
  readonly stream: kinesis.IStream;
  /** Where functions run. @default the network of Lambda */
  readonly network?: PlacedNetwork;
}
