import { RemovalPolicy } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { removalOf } from './removal.ts';

export interface PolicyKeyProps {
  /** @default the key of Secrets Manager */
  readonly key?: kms.IKey;
  /** `DESTROY` deletes it with the stack: only where what was hashed goes too. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * Hashes the fields that a monitor tells to: 32 random bytes that Secrets Manager makes when deployed, as version 1. Kept as long as what was
 * hashed, since without it new hashes cannot be compared with old ones.
 */
export class PolicyKey extends Construct {
  readonly secret: secretsmanager.ISecret;

  constructor(scope: Construct, id: string, props: PolicyKeyProps = {}) {
    super(scope, id);
    const secret = new secretsmanager.Secret(this, 'Resource', {
      description: 'Hashes fields of monitored events',
      removalPolicy: removalOf('policyKey', props.removalPolicy ?? RemovalPolicy.RETAIN),
      generateSecretString: {
        secretStringTemplate: '{"version":"1"}',
        generateStringKey: 'key',
        passwordLength: 64,
        // What is left are hexadecimal digits.
        excludeCharacters: 'ghijklmnopqrstuvwxyz',
        excludeUppercase: true,
        excludePunctuation: true,
        includeSpace: false,
        requireEachIncludedType: false,
      },
    });
    // By its resource: the way of the library would allow wildcard actions in the policy of the key.
    if (props.key !== undefined) (secret.node.defaultChild as secretsmanager.CfnSecret).kmsKeyId = props.key.keyArn;
    this.secret = secret;
    acknowledge(
      secret,
      'AwsSolutions-SMG4',
      'a new key makes every hashed category a new one: it is changed by hand, with new baselines (docs/how-to)',
    );
  }
}
