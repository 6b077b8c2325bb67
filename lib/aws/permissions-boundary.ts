import * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { bucketEmptier } from './bucket-emptier.ts';

/** Puts the boundary on every role below, and on that of the bucket emptier of the stack. */
export function limitRoles(scope: IConstruct, boundary: iam.IManagedPolicy): void {
  const emptier = bucketEmptier(scope);
  for (const one of emptier === undefined ? [scope] : [scope, emptier]) iam.PermissionsBoundary.of(one).apply(boundary);
}
