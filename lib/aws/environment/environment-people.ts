/** Who of other stacks and accounts may do what with an environment: senders, producers, and people with their programs. */
import { CfnOutput, type Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { z } from 'zod';
import { ProblemError } from '../../contracts/problem.ts';
import { OPERATOR_RIGHTS, READER_RIGHTS } from '../access/people-access.ts';
import { acknowledgePrefix } from '../acknowledge.ts';
import type { ModelMonitoring } from '../model-monitoring.ts';

const roleArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'the ARN of a role: arn:aws:iam::<account>:role/<name>');
const assumer = z
  .string()
  .regex(
    /^(?:\d{12}|arn:aws[a-z-]*:iam::\d{12}:(?:role|user|root)\/?[\w+=,.@/-]*)$/,
    'the ARN of a role or user, or the twelve digits of an account',
  );

export const senderSchema = z
  .object({
    principal: z.string().min(1).describe('ARN of a role, id of a key, or subject of a token.'),
    events: z.array(z.string().min(1)).default([]),
    labels: z.array(z.string().min(1)).default([]),
  })
  .strict();

export const producersSchema = z
  .array(roleArn)
  .default([])
  .describe('Roles that may write to the stream itself: events of any model.');

export const peopleSchema = z
  .object({
    operators: z
      .array(assumer)
      .default([])
      .describe('Who may take the role that decides: monitors, baselines, alerts.'),
    readers: z.array(assumer).default([]).describe('Who may take the role that looks.'),
  })
  .strict()
  .default({ operators: [], readers: [] });

export interface EnvironmentPeople {
  /** Twelve digits, where the environment names it. */
  readonly account?: string;
  readonly senders: readonly z.output<typeof senderSchema>[];
  readonly producers: z.output<typeof producersSchema>;
  readonly people: z.output<typeof peopleSchema>;
}

/** @throws ProblemError for producers where the account is not named: it could not be told whose they are */
export function admitPeople(stack: Stack, monitoring: ModelMonitoring, config: EnvironmentPeople): void {
  const { account, senders, producers, people } = config;
  for (const { principal, events, labels } of senders) {
    for (const model of events) monitoring.grants.captureBy(principal, model);
    for (const model of labels) monitoring.grants.labelBy(principal, model);
  }
  if (producers.length > 0 && account === undefined)
    throw new ProblemError([
      {
        code: 'account',
        path: 'account',
        message: 'is not said, so it cannot be told which producers are of another account',
        expected: 'twelve digits',
      },
    ]);
  for (const [i, arn] of producers.entries())
    monitoring.grants.produce(iam.Role.fromRoleArn(stack, `Producer${i}`, arn));
  for (const [id, assumers, grant, { read, write }] of [
    ['OperatorRole', people.operators, (role: iam.IRole) => monitoring.grants.operate(role), OPERATOR_RIGHTS],
    ['ReaderRole', people.readers, (role: iam.IRole) => monitoring.grants.read(role), READER_RIGHTS],
  ] as const) {
    if (assumers.length === 0) continue;
    const role = new iam.Role(stack, id, {
      assumedBy: new iam.CompositePrincipal(...assumers.map(principalOf)),
      description: `${id === 'ReaderRole' ? 'Looks at' : 'Decides for'} the model monitoring`,
    });
    grant(role);
    for (const prefix of new Set([...read, ...write]))
      acknowledgePrefix(role, monitoring.platform, prefix, `people look at all models: keys under ${prefix} name them`);
    new CfnOutput(stack, `${id}Arn`, {
      value: role.roleArn,
      description: id === 'ReaderRole' ? 'For mlmon serve --store' : 'For mlmon monitor, baseline and alert',
    });
  }
}

function principalOf(text: string): iam.PrincipalBase {
  return text.startsWith('arn:') ? new iam.ArnPrincipal(text) : new iam.AccountPrincipal(text);
}
