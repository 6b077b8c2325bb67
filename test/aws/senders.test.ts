/** Senders that are known by a text: they are bound to their models, and AWS lets those that sign in. */
import { expect, it } from 'vitest';
import { environment } from './environments.ts';
import { resourcesOf } from './template.ts';
import './without-validation.ts';

const ROLE = 'arn:aws:iam::111122223333:role/serving/churn';
const admitted = (input: Parameters<typeof environment>[0]): readonly unknown[] =>
  Object.values(resourcesOf(environment(input).stack))
    .filter(
      ({ Type, Properties }) =>
        Type === 'AWS::Lambda::Permission' && /^arn:aws:iam/.test(String(Properties?.['Principal'])),
    )
    .map(({ Properties }) => Properties);

it('a role may sign requests to the collector, however many of its models are named', () => {
  const found = admitted({
    senders: [
      { principal: ROLE, events: ['churn', 'fraud'], labels: ['churn'] },
      { principal: 'arn:aws:iam::444455556666:role/billing', labels: ['churn'] },
    ],
  });
  expect(found).toHaveLength(4);
  expect(found).toContainEqual(
    expect.objectContaining({
      Action: 'lambda:InvokeFunctionUrl',
      FunctionUrlAuthType: 'AWS_IAM',
      Principal: ROLE,
    }),
  );
  expect(found).toContainEqual(
    expect.objectContaining({ Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true, Principal: ROLE }),
  );
});

it('keys and subjects of tokens are nobody whom AWS knows', () => {
  const senders = [{ principal: 'key-1', events: ['churn'] }];
  expect(admitted({ senders })).toEqual([]);
  expect(admitted({ collector: { access: 'keys', keysSecret: 'monitoring/keys' }, senders })).toEqual([]);
});

it('subjects of tokens stand as they are, whatever characters they have', () => {
  const subject = 'corp\\alice "the" first';
  const { stack } = environment({
    collector: { access: 'jwt', issuer: 'https://issuer.example.com', audience: ['ml'] },
    senders: [{ principal: subject, events: ['churn'] }],
  });
  const [publication] = Object.values(resourcesOf(stack)).filter(
    ({ Type }) => Type === 'Custom::ModelMonitoringPublication',
  );
  expect(JSON.parse(publication?.Properties?.['Bindings'] as string)).toEqual({
    [subject]: { events: ['churn'], labels: [] },
  });
});
