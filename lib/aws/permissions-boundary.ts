import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/** The library's own function that empties a bucket which goes with its stack; one a stack, beside the constructs that asked for it. */
const BUCKET_EMPTIER = 'Custom::S3AutoDeleteObjectsCustomResourceProvider';

/** Puts the boundary on every role below, and on that of the bucket emptier of the stack. */
export function limitRoles(scope: IConstruct, boundary: iam.IManagedPolicy): void {
  const emptier = Stack.of(scope).node.tryFindChild(BUCKET_EMPTIER);
  for (const one of emptier === undefined ? [scope] : [scope, emptier]) iam.PermissionsBoundary.of(one).apply(boundary);
}
