import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { removalOf } from './removal.ts';

export interface EncryptionKeyProps {
  /** @default RemovalPolicy.RETAIN: what it encrypted stays readable */
  readonly removalPolicy?: RemovalPolicy;
}

/** A key of the platform's own for whoever must hold it; everything works without one, under the keys of the services. */
export class EncryptionKey extends Construct {
  readonly key: kms.IKey;

  constructor(scope: Construct, id: string, props: EncryptionKeyProps = {}) {
    super(scope, id);
    this.key = new kms.Key(this, 'Resource', {
      description: 'Model monitoring',
      enableKeyRotation: true,
      removalPolicy: removalOf('key', props.removalPolicy ?? RemovalPolicy.RETAIN),
    });
  }
}

/**
 * Lets the services that keep or carry the platform's data use a key: logs, events and topics; alarms are let in by the alerting. A key that another stack or account
 * made cannot be changed from here: give it these statements there.
 */
export function permitServices(key: kms.IKey): void {
  const { account, partition, region } = Stack.of(key);
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'LogGroups',
      principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
      },
    }),
  );
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'MessagesOfServices',
      principals: ['events', 'sns'].map((service) => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      // No condition on the source: EventBridge and CloudWatch need not name one when they use a key for a queue or a topic, and what they
      // cannot write is lost in silence. Who may send is said by the policies of queues and topics.
      resources: ['*'],
    }),
  );
}
