import { ArnFormat, Stack } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { keyStatements } from '../access/statements.ts';

const SERVICE = 'events.amazonaws.com';

/** Queues whose policy lets in every rule of their account already. */
const open = new WeakSet<sqs.IQueue>();

/** ARNs of all rules of the account, on whatever bus. */
export function everyRule(stack: Stack): string {
  return stack.formatArn({
    service: 'events',
    resource: 'rule',
    resourceName: '*',
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
}

/** Lets a bus, and every rule of the account, leave in the queue what they could not deliver. */
export function admitBus(queue: sqs.IQueue, bus: events.IEventBus, stack: Stack): void {
  open.add(queue);
  queue.addToResourcePolicy(
    sending(queue, {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: { 'aws:SourceArn': [bus.eventBusArn, everyRule(stack)] },
    }),
  );
}

/** Lets a rule send to the queue, and use its key for that. Has no effect on a queue that was made elsewhere. */
export function admitRule(queue: sqs.IQueue, rule: events.CfnRule): void {
  if (open.has(queue)) return;
  const [here, there] = [Stack.of(rule), Stack.of(queue)];
  queue.addToResourcePolicy(
    sending(
      queue,
      here === there
        ? { ArnEquals: { 'aws:SourceArn': rule.attrArn } }
        : // The rule names the queue: were it named in turn, each stack would wait for the other.
          { StringEquals: { 'aws:SourceAccount': here.account }, ArnLike: { 'aws:SourceArn': everyRule(here) } },
    ),
  );
  const key = queue.encryptionMasterKey;
  for (const statement of keyStatements(key)) {
    const { Action: actions } = statement.toStatementJson() as { readonly Action: string[] };
    // In the policy of a key, which would otherwise have to name itself.
    key?.addToResourcePolicy(
      new iam.PolicyStatement({ principals: [new iam.ServicePrincipal(SERVICE)], actions, resources: ['*'] }),
    );
  }
}

function sending(queue: sqs.IQueue, conditions: iam.Conditions): iam.PolicyStatement {
  return new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal(SERVICE)],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions,
  });
}
