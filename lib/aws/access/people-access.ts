/** What people and their programs may do with the bucket of a platform: `mlmon … --platform s3://…` and `mlmon serve --store s3://…`. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { PREFIXES } from '../../contracts/object-keys.ts';
import type { FunctionRights } from './function-rights.ts';
import { keyStatements, objectStatements } from './statements.ts';

type ObjectRights = Pick<FunctionRights, 'read' | 'write' | 'remove'>;

/** The page: models, windows, features, alerts and health. No event is read by it, but what lies in quarantine is counted and shown. */
export const READER_RIGHTS: ObjectRights = {
  read: [
    PREFIXES.monitors,
    PREFIXES.baselines,
    PREFIXES.learning,
    PREFIXES.results,
    PREFIXES.profiles,
    PREFIXES.packs,
    PREFIXES.cursors,
    PREFIXES.episodes,
    PREFIXES.quarantine,
  ],
  write: [],
  remove: [],
};

/** The page, and what people decide: monitors, baselines, what is acknowledged and silenced, tests of channels. Each change is audited. */
export const OPERATOR_RIGHTS: ObjectRights = {
  read: [
    ...READER_RIGHTS.read,
    // Who tests channels waits for all of them.
    PREFIXES.configuration,
    PREFIXES.channelTests,
    // A model that a deployment owns is changed there.
    PREFIXES.publications,
    PREFIXES.audit,
  ],
  write: [PREFIXES.monitors, PREFIXES.baselines, PREFIXES.episodes, PREFIXES.channelTests, PREFIXES.audit],
  remove: [],
};

export function readerStatements(bucket: s3.IBucket, key: kms.IKey | undefined): iam.PolicyStatement[] {
  return [
    ...objectStatements(bucket, READER_RIGHTS),
    ...(key === undefined ? [] : [new iam.PolicyStatement({ actions: ['kms:Decrypt'], resources: [key.keyArn] })]),
  ];
}

export function operatorStatements(bucket: s3.IBucket, key: kms.IKey | undefined): iam.PolicyStatement[] {
  return [...objectStatements(bucket, OPERATOR_RIGHTS), ...keyStatements(key)];
}
