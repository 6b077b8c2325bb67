import { CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import { LOG_RETENTION } from './defaults.ts';

/** The library's own function that empties a bucket which goes with its stack; one a stack, beside the constructs that asked for it. */
export function bucketEmptier(scope: IConstruct): IConstruct | undefined {
  return Stack.of(scope).node.tryFindChild('Custom::S3AutoDeleteObjectsCustomResourceProvider');
}

/** Its logs go with the stack too. By itself it would leave a log group behind that nobody deletes and that never expires. */
export function tidyBucketEmptier(scope: IConstruct): void {
  const emptier = bucketEmptier(scope);
  const handler = emptier?.node.tryFindChild('Handler');
  if (emptier === undefined || !CfnResource.isCfnResource(handler) || emptier.node.tryFindChild('Logs') !== undefined)
    return;
  const group = new logs.LogGroup(emptier as Construct, 'Logs', {
    retention: LOG_RETENTION,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  handler.addPropertyOverride('LoggingConfig', { LogGroup: group.logGroupName });
}
