import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, decide, grantsOf, type PolicyDocument, type PolicyStatement } from './policy-evaluator.ts';

const BUCKET = 'arn:aws:s3:::data';
const allow = (more: Partial<PolicyStatement> = {}): PolicyDocument => ({
  Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: `${BUCKET}/packs/*`, ...more },
});
const get = (key: string) => ({ action: 's3:GetObject', resource: `${BUCKET}/${key}`, context: {} });

describe('decide', () => {
  it.each([
    ['packs/a/b', 'allowed'],
    ['packs/', 'allowed'],
    ['packs', 'not allowed'],
    ['packsX/a', 'not allowed'],
    ['profiles/a', 'not allowed'],
  ])('of an object under %s: %s', (key, decision) => {
    expect(decide([allow()], get(key))).toBe(decision);
  });

  it('allows nothing without a policy', () => {
    expect(decide([], get('packs/a'))).toBe('not allowed');
  });

  it('knows actions whatever their case, and resources by theirs', () => {
    expect(decide([allow({ Action: 'S3:getobject' })], get('packs/a'))).toBe('allowed');
    expect(decide([allow({ Resource: `${BUCKET}/PACKS/*` })], get('packs/a'))).toBe('not allowed');
  });

  it('takes every character but * and ? as it is', () => {
    expect(decide([allow({ Resource: `${BUCKET}/pac.s/*` })], get('packs/a'))).toBe('not allowed');
    expect(decide([allow({ Resource: `${BUCKET}/pac?s/*` })], get('packs/a'))).toBe('allowed');
  });

  it('listens to a denial first', () => {
    const denial: PolicyDocument = { Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }] };
    expect(decide([allow(), denial], get('packs/a'))).toBe('explicitly denied');
  });

  it('takes a condition only of a request that has its key', () => {
    const listing = allow({
      Action: 's3:ListBucket',
      Resource: BUCKET,
      Condition: { StringLike: { 's3:prefix': ['packs/*', 'profiles/*'] } },
    });
    const ask = (context: Record<string, string>) =>
      decide([listing], { action: 's3:ListBucket', resource: BUCKET, context });
    expect([ask({ 's3:prefix': 'profiles/x' }), ask({ 's3:prefix': '' }), ask({})]).toEqual([
      'allowed',
      'not allowed',
      'not allowed',
    ]);
  });

  it('denies old ciphers by their number, and nothing where none is told', () => {
    const old: PolicyDocument = {
      Statement: {
        ...{ Effect: 'Deny', Action: 's3:*', Resource: '*' },
        Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } },
      },
    };
    const ask = (context: Record<string, string>) => decide([allow(), old], { ...get('packs/a'), context });
    expect([ask({ 's3:TlsVersion': '1.1' }), ask({ 's3:TlsVersion': '1.2' }), ask({})]).toEqual([
      'explicitly denied',
      'allowed',
      'allowed',
    ]);
  });

  it('refuses to judge what it does not know', () => {
    const odd = allow({ Condition: { DateGreaterThan: { 'aws:CurrentTime': '2026-01-01' } } });
    expect(() => decide([odd], get('packs/a'))).toThrow(/DateGreaterThan/);
    expect(() => decide([allow({ Resource: `${BUCKET}/\${aws:username}` })], get('packs/a'))).toThrow(/variables/);
    const other = { Statement: { Effect: 'Allow', NotAction: 's3:*', Resource: '*' } } as unknown as PolicyDocument;
    expect(() => decide([other], get('packs/a'))).toThrow(/NotAction/);
  });

  it('allows what one of its grants covers, and nothing else', () => {
    const name = fc.constantFrom('a', 'b', '*', 'a*', '?');
    const statement = fc.record({
      Effect: fc.constant('Allow' as const),
      Action: fc.array(
        name.map((one) => `s:${one}`),
        { minLength: 1, maxLength: 3 },
      ),
      Resource: fc.array(name, { minLength: 1, maxLength: 3 }),
    });
    const text = fc.constantFrom('a', 'b', 'aa', 'ab', 'c');
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 3 }), text, text, (statements, action, resource) => {
        const documents = [{ Statement: statements }];
        const request = { action: `s:${action}`, resource, context: {} };
        const covered = grantsOf(documents).some((grant) => covers(grant, request));
        expect(decide(documents, request) === 'allowed').toBe(covered);
      }),
    );
  });
});
