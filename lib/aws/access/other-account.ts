/** Senders of other accounts: their roles are given nothing here, so what they use must let them in. */
import { type Stack, Token, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { ProblemError } from '../../contracts/problem.ts';
import type { PlatformContext } from '../platform-context.ts';
import { KINESIS_WRITE } from './statements.ts';

/** The account of a role where it is not that of the stack; `undefined` for one of its own, and where the stack names no account. */
export function otherAccount(role: iam.IRole, stack: Stack): string | undefined {
  const { account } = role.env;
  return Token.isUnresolved(account) || Token.isUnresolved(stack.account) || account === stack.account
    ? undefined
    : account;
}

/** Shown where the key of the stream was made elsewhere, so that it cannot let a producer in from here; acknowledge it when it does. */
export const OTHER_ACCOUNT_KEY = 'ml-monitoring-constructs:other-account-key';

/**
 * Lets a role of another account write to the stream, and use its key for that. Named by a condition and not as the principal: a role that is not
 * there yet would fail the deployment, and one that was made again would be another.
 * @throws ProblemError where the stream or its key cannot let anybody in
 */
export function admitProducer(platform: PlatformContext, role: iam.IRole, account: string): void {
  const { stream, key } = platform;
  const { region, urlSuffix } = stream.stack;
  const shared = {
    principals: [new iam.AccountPrincipal(account)],
    conditions: { ArnEquals: { 'aws:PrincipalArn': role.roleArn } },
  };
  const refused = (path: string, message: string, fix: string): ProblemError =>
    new ProblemError([{ code: 'other-account', path, message, got: account, fix }]);
  if (key === undefined)
    throw refused(
      'grants.produce',
      'is another account, which cannot use the key of Kinesis that the stream is under',
      'give the platform a key of its own (`key`, in an environment `encryption: own-key`), or let the role send to the collector: grants.capture',
    );
  const admitted = stream.addToResourcePolicy(
    new iam.PolicyStatement({ ...shared, actions: [...KINESIS_WRITE], resources: [stream.streamArn] }),
  );
  if (!admitted.statementAdded)
    throw refused(
      'grants.produce',
      'is another account, and the stream was made elsewhere: its policy cannot be changed from here',
      `let the role in where the stream is made: ${KINESIS_WRITE.join(', ')}`,
    );
  const permitted = key.addToResourcePolicy(
    new iam.PolicyStatement({
      ...shared,
      actions: ['kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { ...shared.conditions, StringEquals: { 'kms:ViaService': `kinesis.${region}.${urlSuffix}` } },
    }),
  );
  if (!permitted.statementAdded)
    Validations.of(stream).addWarning(
      OTHER_ACCOUNT_KEY,
      `grants.produce: the key was made elsewhere and must let ${role.roleArn} use kms:GenerateDataKey through Kinesis; acknowledge this when it does`,
    );
}
