import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { keys, PREFIXES } from '../../contracts/object-keys.ts';
import { EVENT_PREFIXES } from '../../contracts/retention.ts';
import { keyStatements, objectStatements } from './statements.ts';

const EVENTS = EVENT_PREFIXES.map(({ prefix }) => prefix);

/**
 * What `mlmon erase` does with the bucket of a platform, and nothing else: it writes anew what holds single events, old versions included, keeps
 * its requests and how far it is, and tells the audit log. No function of the platform may do this.
 */
export function eraserStatements(bucket: s3.IBucket, key: kms.IKey | undefined): iam.PolicyStatement[] {
  const versions = EVENTS.map((prefix) => bucket.arnForObjects(`${prefix}*`));
  return [
    ...objectStatements(bucket, {
      // That it is a platform is seen by its monitors.
      read: [...EVENTS, PREFIXES.erasures, PREFIXES.retention, PREFIXES.audit, PREFIXES.monitors],
      write: [...EVENTS, PREFIXES.erasures, PREFIXES.retention, PREFIXES.audit],
      remove: [keys.erasureRequests()],
    }),
    new iam.PolicyStatement({
      actions: ['s3:ListBucketVersions'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': EVENTS.map((prefix) => `${prefix}*`) } },
    }),
    new iam.PolicyStatement({ actions: ['s3:DeleteObjectVersion', 's3:GetObjectVersion'], resources: versions }),
    ...keyStatements(key),
  ];
}
