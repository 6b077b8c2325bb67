/** Senders and people of other accounts: what lets them in, and what cannot. */
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { OTHER_ACCOUNT_KEY } from '../../lib/aws/access/other-account.ts';
import { EncryptionKey } from '../../lib/aws/encryption-key.ts';
import { ModelMonitoring, type ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { testApp } from './app.ts';
import { environment } from './environments.ts';
import { nag } from './nag.ts';
import { least } from './subjects.ts';
import { allowed, list, ofType, resourcesOf, type Statement } from './template.ts';
import './without-validation.ts';

const OWN = '111122223333';
const OTHER = '444455556666';
const THEIRS = `arn:aws:iam::${OTHER}:role/scoring`;
const env = { account: OWN, region: 'eu-central-1' };

function platform(props: (stack: Stack) => Partial<ModelMonitoringProps> = () => ({})) {
  const stack = new Stack(testApp(), 'Platform', { env });
  return { stack, monitoring: least(stack, props(stack)), theirs: iam.Role.fromRoleArn(stack, 'Theirs', THEIRS) };
}

const doors = (stack: Stack) =>
  ofType(resourcesOf(stack), 'AWS::Lambda::Permission')
    .filter(({ Properties }) => /:role\//.test(Properties.Principal))
    .map(({ Properties: { Principal, Action, FunctionUrlAuthType, InvokedViaFunctionUrl } }) => [
      Principal,
      Action,
      FunctionUrlAuthType ?? InvokedViaFunctionUrl,
    ]);

const BY_URL = [
  [THEIRS, 'lambda:InvokeFunctionUrl', 'AWS_IAM'],
  [THEIRS, 'lambda:InvokeFunction', true],
];

describe('a role of another account', () => {
  it('that sends to the collector is let in by its ARN, once, and bound by its ARN', () => {
    const { stack, monitoring, theirs } = platform();
    monitoring.grants.capture(theirs, '*');
    monitoring.grants.label(theirs, '*');
    expect(doors(stack)).toEqual(BY_URL);
    const [publication] = ofType(resourcesOf(stack), 'Custom::ModelMonitoringPublication');
    expect(JSON.parse(publication?.Properties.Bindings)).toEqual({ [THEIRS]: { events: ['*'], labels: ['*'] } });
  });

  it('is let in by the stack of a team too', () => {
    const stack = new Stack(testApp(), 'Team', { env });
    const { grants } = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'test');
    grants.capture(iam.Role.fromRoleArn(stack, 'Theirs', THEIRS), 'churn');
    expect(doors(stack)).toEqual(BY_URL);
  });

  it('that writes to the stream is let in by its policy and by the key, and by nothing wider', () => {
    const { stack, monitoring, theirs } = platform((one) => ({ key: new EncryptionKey(one, 'Key').key }));
    monitoring.grants.produce(theirs);
    const resources = resourcesOf(stack);
    const account = { AWS: `arn:aws:iam::${OTHER}:root` };
    const flat = (value: unknown): string =>
      JSON.stringify(value).replace(
        /\{"Fn::Join":\["",\["arn:",\{"Ref":"AWS::Partition"\},"([^"]*)"\]\]\}/g,
        '"arn:aws$1"',
      );
    const [policy] = ofType(resources, 'AWS::Kinesis::ResourcePolicy');
    const statement = list<Statement>(policy?.Properties.ResourcePolicy.Statement)[0]!;
    expect(JSON.parse(flat(statement))).toMatchObject({
      Effect: 'Allow',
      Principal: account,
      Action: ['kinesis:DescribeStreamSummary', 'kinesis:PutRecord', 'kinesis:PutRecords'],
      Condition: { ArnEquals: { 'aws:PrincipalArn': THEIRS } },
    });
    expect(statement.Resource).toEqual(policy?.Properties.ResourceArn);
    const ofKey = ofType(resources, 'AWS::KMS::Key')
      .flatMap(({ Properties }) => list<Statement>(Properties.KeyPolicy.Statement))
      .map((one) => JSON.parse(flat(one)) as Statement)
      .filter((one) => JSON.stringify(one.Principal) === JSON.stringify(account));
    expect(ofKey).toEqual([
      expect.objectContaining({
        Action: 'kms:GenerateDataKey',
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': THEIRS },
          StringEquals: { 'kms:ViaService': expect.anything() },
        },
      }),
    ]);
  });

  it.each([
    ['under the key of Kinesis', () => ({}), /cannot use the key of Kinesis .*encryption: own-key/],
    [
      'that was made elsewhere',
      (stack: Stack) => ({
        key: new EncryptionKey(stack, 'Key').key,
        stream: {
          stream: kinesis.Stream.fromStreamArn(stack, 'Brought', `arn:aws:kinesis:eu-central-1:${OWN}:stream/events`),
          startingPosition: lambda.StartingPosition.LATEST,
        },
      }),
      /the stream was made elsewhere/,
    ],
  ] as const)('is refused by a stream %s, with what to do', (_, props, told) => {
    const { monitoring, theirs } = platform(props);
    expect(() => monitoring.grants.produce(theirs)).toThrow(told);
  });

  it('is warned of where the key was made elsewhere', () => {
    const { stack, monitoring, theirs } = platform((one) => ({
      key: kms.Key.fromKeyArn(one, 'Brought', `arn:aws:kms:eu-central-1:${OWN}:key/k`),
    }));
    monitoring.grants.produce(theirs);
    const told = stack.node.findAll().flatMap(({ node }) => node.metadata.map(({ data }) => String(data)));
    expect(told.join('\n')).toContain(OTHER_ACCOUNT_KEY);
  });

  it('of the same account gets policies of its own, and no door', () => {
    const { stack, monitoring } = platform();
    const own = iam.Role.fromRoleArn(stack, 'Own', `arn:aws:iam::${OWN}:role/scoring`);
    monitoring.grants.capture(own, '*');
    monitoring.grants.produce(own);
    expect(doors(stack)).toEqual([]);
    expect(ofType(resourcesOf(stack), 'AWS::Kinesis::ResourcePolicy')).toEqual([]);
    expect(allowed(resourcesOf(stack), 'Own')).toContain('kinesis:PutRecords');
  });
});

describe('an environment', () => {
  it('lets producers of its own and of another account write to the stream', () => {
    const producers = [THEIRS, `arn:aws:iam::${OWN}:role/own`];
    const { stack } = environment({ account: OWN, region: 'eu-central-1', encryption: 'own-key', producers });
    expect(ofType(resourcesOf(stack), 'AWS::Kinesis::ResourcePolicy')).toHaveLength(1);
    expect(allowed(resourcesOf(stack), 'Producer1')).toContain('kinesis:PutRecords');
    expect(() => environment({ producers })).toThrow(/account: is not said/);
  });

  it('has a role for those who decide and one for those who look', () => {
    const { stack } = environment({ people: { operators: [THEIRS], readers: [OWN] } });
    const resources = resourcesOf(stack);
    const trusted = (id: string): string =>
      JSON.stringify(resources.find((one) => one.id.startsWith(id))?.Properties.AssumeRolePolicyDocument);
    expect(trusted('OperatorRole')).toContain(THEIRS);
    expect(trusted('ReaderRole')).toContain(OWN);
    expect(allowed(resources, 'OperatorRole')).toEqual(['s3:GetObject', 's3:ListBucket', 's3:PutObject']);
    expect(allowed(resources, 'ReaderRole')).toEqual(['s3:GetObject', 's3:ListBucket']);
    expect(nag(stack).findings.filter(({ where }) => /OperatorRole|ReaderRole/.test(where))).toEqual([]);
    expect(() => environment({ people: { operators: ['ann'] } })).toThrow(/the ARN of a role or user/);
  });

  it('has neither where nobody is named', () => {
    const { stack } = environment();
    expect(resourcesOf(stack).filter(({ id }) => /^(Operator|Reader)Role/.test(id))).toEqual([]);
  });
});
