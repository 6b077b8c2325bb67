import { type Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { ProblemError, shown } from '../contracts/problem.ts';
import { KINESIS_WRITE, keyStatements } from './access/statements.ts';
import { acknowledge } from './acknowledge.ts';
import { STREAM_RETENTION } from './defaults.ts';
import { removalOf } from './removal.ts';

/** Shards that are paid by the hour. */
export interface ProvisionedCapacity {
  /** Of which each takes 1 MB or 1,000 records a second. */
  readonly shards: number;
  /** The platform adds shards up to that many while there is more traffic, and takes them away after a quiet day. @default as many as `shards`: none are added */
  readonly maximumShards?: number;
}

/** Who adds shards when there are more events. */
export class StreamCapacity {
  /** The service, within minutes, up to twice the highest traffic of the last 30 days. Costs some 29 $ a month at rest. */
  static onDemand(): StreamCapacity {
    return new StreamCapacity(undefined);
  }

  /** Whoever changes the number, or a function of the platform within bounds. A shard costs some 11 $ a month, half of what the same traffic costs on demand. */
  static provisioned(capacity: ProvisionedCapacity): StreamCapacity {
    const { shards, maximumShards = shards } = capacity;
    for (const [path, count, least] of [
      ['capacity.shards', shards, 1],
      ['capacity.maximumShards', maximumShards, shards],
    ] as const)
      if (![count, least].some((one) => Token.isUnresolved(one)) && (!Number.isInteger(count) || count < least))
        throw new ProblemError([
          {
            code: 'stream-shards',
            path,
            message: 'is no number of shards',
            got: shown(count),
            expected: `a whole number of at least ${least}`,
          },
        ]);
    return new StreamCapacity(capacity);
  }

  /** `undefined`: on demand. */
  readonly provisioned: ProvisionedCapacity | undefined;

  private constructor(provisioned: ProvisionedCapacity | undefined) {
    this.provisioned = provisioned;
  }
}

export interface EventStreamProps {
  /** @default StreamCapacity.onDemand() */
  readonly capacity?: StreamCapacity;
  /** @default the key of Kinesis (alias/aws/kinesis) */
  readonly key?: kms.IKey;
  /** How long what was not profiled can still be. @default STREAM_RETENTION: 7 days */
  readonly retention?: Duration;
  /** @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

/** The event log. */
export class EventStream extends Construct {
  readonly stream: kinesis.IStream;

  constructor(scope: Construct, id: string, props: EventStreamProps = {}) {
    super(scope, id);
    const provisioned = (props.capacity ?? StreamCapacity.onDemand()).provisioned;
    this.stream = new kinesis.Stream(this, 'Resource', {
      ...(provisioned === undefined
        ? { streamMode: kinesis.StreamMode.ON_DEMAND }
        : { streamMode: kinesis.StreamMode.PROVISIONED, shardCount: provisioned.shards }),
      retentionPeriod: props.retention ?? STREAM_RETENTION,
      ...(props.key === undefined
        ? { encryption: kinesis.StreamEncryption.MANAGED }
        : { encryption: kinesis.StreamEncryption.KMS, encryptionKey: props.key }),
      removalPolicy: removalOf('stream', props.removalPolicy ?? RemovalPolicy.RETAIN),
    });
    if (props.key !== undefined)
      acknowledge(this.stream, 'AwsSolutions-KDS3', 'whoever gives a key wants to hold it, and pays for its use');
  }
}

/** What a program needs that writes to the stream itself. It may then send events of any model. */
export function producerStatements(stream: kinesis.IStream, key: kms.IKey | undefined): iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({ actions: [...KINESIS_WRITE], resources: [stream.streamArn] }),
    ...keyStatements(key),
  ];
}
