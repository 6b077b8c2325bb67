import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { SEVERITIES, type Severity } from '../../contracts/result.ts';

export interface AlertTopicsProps {
  /** Encrypts what is published; alarms are let in. */
  readonly key: kms.IKey;
  /** Topics of yours: they must let CloudWatch publish, and so must their keys. @default a topic for each severity */
  readonly topics?: { readonly [S in Severity]?: sns.ITopic };
}

/** A topic for each severity, where alarms are published. */
export class AlertTopics extends Construct {
  readonly topics: Readonly<Record<Severity, sns.ITopic>>;
  readonly #key: kms.IKey;

  constructor(scope: Construct, id: string, props: AlertTopicsProps) {
    super(scope, id);
    this.#key = props.key;
    this.topics = Object.fromEntries(
      SEVERITIES.map((severity) => {
        const given = props.topics?.[severity];
        if (given !== undefined) return [severity, given];
        const topic = this.newTopic(this, `${severity.charAt(0).toUpperCase()}${severity.slice(1)}`);
        admitAlarmsTo(topic);
        return [severity, topic];
      }),
    ) as Record<Severity, sns.ITopic>;
  }

  /** One more, encrypted and TLS only like these. */
  newTopic(scope: Construct, id: string): sns.Topic {
    return new sns.Topic(scope, id, { masterKey: this.#key, enforceSSL: true });
  }

  /** Lets the alert manager of a workspace publish. */
  admitPrometheus(workspaceArn: string): void {
    for (const severity of SEVERITIES)
      this.topics[severity].addToResourcePolicy(
        publishing(this.topics[severity], 'aps.amazonaws.com', { ArnEquals: { 'aws:SourceArn': workspaceArn } }),
      );
  }
}

const admitted = new WeakSet<sns.ITopic>();

/** Lets alarms of the account publish. Has no effect on a topic that was made elsewhere: its own policy must say so. */
export function admitAlarmsTo(topic: sns.ITopic): void {
  // Once, however many alarms there are: a policy has an end.
  if (admitted.has(topic)) return;
  admitted.add(topic);
  const alarms = Stack.of(topic).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  topic.addToResourcePolicy(publishing(topic, 'cloudwatch.amazonaws.com', { ArnLike: { 'aws:SourceArn': alarms } }));
}

function publishing(topic: sns.ITopic, service: string, source: iam.Conditions): iam.PolicyStatement {
  return new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal(service)],
    actions: service === 'aps.amazonaws.com' ? ['sns:Publish', 'sns:GetTopicAttributes'] : ['sns:Publish'],
    resources: [topic.topicArn],
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(topic).account }, ...source },
  });
}

/**
 * Lets alarms and the alert manager use a key for the topics: under the key of SNS itself they could not publish. Has no effect on a key that
 * was made elsewhere: it must hold this statement already.
 */
export function admitAlarms(key: kms.IKey): void {
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'AlarmsToTopics',
      principals: ['cloudwatch', 'aps', 'sns'].map((service) => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      // No condition on the source: not every service names one when it uses a key for a topic, and an alarm that cannot be published is
      // silent. Who may publish is said by the policies of the topics.
      resources: ['*'],
    }),
  );
}
