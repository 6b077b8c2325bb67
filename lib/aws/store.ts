import { type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type AgeClass, RETENTION } from '../contracts/retention.ts';
import { tidyBucketEmptier } from './bucket-emptier.ts';
import {
  ACCESS_LOG_RETENTION,
  FAILED_RETENTION,
  NONCURRENT_RETENTION,
  QUERY_RESULT_RETENTION,
  STALE_RETENTION,
  UNFINISHED_UPLOAD_RETENTION,
} from './defaults.ts';
import { removalOf } from './removal.ts';

export interface StoreProps {
  /** @default keys of S3 (SSE-S3) */
  readonly key?: kms.IKey;
  /** How long captured events are kept; labels must arrive within it. @default for ever */
  readonly captureRetention?: Duration;
  /** How long what failed (quarantine, given-up batches, what could not be captured) waits for a redrive. @default FAILED_RETENTION: 14 days */
  readonly failedRetention?: Duration;
  /** `DESTROY` empties and deletes the buckets with the stack. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * The object store: one bucket that holds everything, and one for its access logs. Versioned, closed to the public, TLS only; what is only
 * of use for some days goes by itself.
 */
export class Store extends Construct {
  readonly bucket: s3.IBucket;
  readonly accessLogs: s3.IBucket;

  constructor(scope: Construct, id: string, props: StoreProps = {}) {
    super(scope, id);
    const removalPolicy = removalOf('store', props.removalPolicy ?? RemovalPolicy.RETAIN);
    const shared = {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy,
      autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
    } as const;
    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...shared,
      // Delivery of access logs takes no other encryption.
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ id: 'access-logs', expiration: ACCESS_LOG_RETENTION }],
    });
    const bucket = new s3.Bucket(this, 'Bucket', {
      ...shared,
      versioned: true,
      ...(props.key === undefined
        ? { encryption: s3.BucketEncryption.S3_MANAGED }
        : { encryption: s3.BucketEncryption.KMS, encryptionKey: props.key, bucketKeyEnabled: true }),
      lifecycleRules: lifeCycles(props),
    });
    this.bucket = bucket;
    this.accessLogs = accessLogs;
    this.node.defaultChild = bucket;

    // Said here and not by props of the library, which would do it one way or another by feature flags.
    const resource = bucket.node.defaultChild as s3.CfnBucket;
    resource.loggingConfiguration = { destinationBucketName: accessLogs.bucketName };
    // Given-up batches start their redrive by these events.
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    accessLogs.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('logging.s3.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [accessLogs.arnForObjects('*')],
        conditions: {
          ArnLike: { 'aws:SourceArn': bucket.bucketArn },
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
        },
      }),
    );
    tidyBucketEmptier(this);
    for (const { policy } of [bucket, accessLogs])
      policy?.applyRemovalPolicy(removalOf('storePolicy', props.removalPolicy ?? RemovalPolicy.RETAIN));
  }
}

/** A rule for each prefix that goes by age (`RETENTION`), and one for what is no longer current under any. */
function lifeCycles(props: StoreProps): s3.LifecycleRule[] {
  const ages: Readonly<Record<AgeClass, Duration | undefined>> = {
    events: props.captureRetention,
    failed: props.failedRetention ?? FAILED_RETENTION,
    answers: QUERY_RESULT_RETENTION,
    stale: STALE_RETENTION,
  };
  return [
    ...RETENTION.flatMap(({ prefix, goes }) => {
      const expiration = goes.by === 'age' ? ages[goes.class] : undefined;
      const id = prefix.replaceAll('/', '-').replace(/-$/, '');
      return expiration === undefined ? [] : [{ id, prefix, expiration }];
    }),
    {
      id: 'non-current-versions',
      noncurrentVersionExpiration: NONCURRENT_RETENTION,
      abortIncompleteMultipartUploadAfter: UNFINISHED_UPLOAD_RETENTION,
    },
  ];
}
