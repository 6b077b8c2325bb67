import { Duration } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { knownAtSynthesis } from './known-at-synthesis.ts';

/** The longest that SQS keeps: somebody must look meanwhile. */
export const DEAD_LETTER_RETENTION = Duration.days(14);

export interface DeadLetterQueueProps {
  /** @default keys of SQS (SSE-SQS) */
  readonly key?: kms.IKey;
}

const encrypted = (key: kms.IKey | undefined): Pick<sqs.QueueProps, 'encryption' | 'encryptionMasterKey'> =>
  key === undefined
    ? { encryption: sqs.QueueEncryption.SQS_MANAGED }
    : { encryption: sqs.QueueEncryption.KMS, encryptionMasterKey: key };

/** Where a part leaves what it gave up. An alarm watches each. */
export class DeadLetterQueue extends Construct {
  readonly queue: sqs.Queue;

  constructor(scope: Construct, id: string, props: DeadLetterQueueProps = {}) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Resource', {
      ...encrypted(props.key),
      enforceSSL: true,
      retentionPeriod: DEAD_LETTER_RETENTION,
    });
    acknowledge(this.queue, 'AwsSolutions-SQS3', 'it is the dead-letter queue');
    acknowledge(this.queue, 'Serverless-SQSRedrivePolicy', 'it is the dead-letter queue');
  }
}

export interface MessageQueueProps extends DeadLetterQueueProps {
  /** Of the function that reads it: a message stays hidden six times as long. */
  readonly functionTimeout: Duration;
  /** Deliveries before a message is given up. @default 5 */
  readonly deliveries?: number;
}

/** Between two functions, with what was given up beside it. */
export class MessageQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetters: DeadLetterQueue;

  constructor(scope: Construct, id: string, props: MessageQueueProps) {
    super(scope, id);
    knownAtSynthesis({ functionTimeout: props.functionTimeout });
    this.deadLetters = new DeadLetterQueue(this, 'DeadLetters', { key: props.key });
    this.queue = new sqs.Queue(this, 'Resource', {
      ...encrypted(props.key),
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * props.functionTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters.queue, maxReceiveCount: props.deliveries ?? 5 },
    });
  }
}
