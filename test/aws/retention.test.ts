/** The bucket of a platform lets objects go as the table of retention says, and nothing else. */
import { Duration, Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { Store, type StoreProps } from '../../lib/aws/store.ts';
import { AGES, RETENTION } from '../../lib/contracts/retention.ts';
import { testApp } from './app.ts';
import { ofType, resourcesOf } from './template.ts';

interface Rule {
  readonly Prefix?: string;
  readonly ExpirationInDays?: number;
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number };
}

function rulesOf(props: StoreProps): readonly Rule[] {
  const stack = new Stack(testApp(), 'S');
  new Store(stack, 'Store', props);
  const [bucket] = ofType(resourcesOf(stack), 'AWS::S3::Bucket').filter(
    ({ Properties }) => Properties.VersioningConfiguration !== undefined,
  );
  return bucket?.Properties.LifecycleConfiguration.Rules as Rule[];
}

const days = (ms: number | null): number => (ms ?? 0) / 86_400_000;

describe('lifecycle rules', () => {
  it('are those of every prefix that goes by age; events stay unless they are told to go', () => {
    const expected = RETENTION.flatMap(({ prefix, goes }) =>
      goes.by === 'age' && goes.class !== 'events' ? [[prefix, days(AGES[goes.class].ms)]] : [],
    );
    const rules = rulesOf({});
    expect(
      rules.flatMap(({ Prefix, ExpirationInDays }) => (Prefix === undefined ? [] : [[Prefix, ExpirationInDays]])),
    ).toEqual(expected);
    expect(rules.filter(({ Prefix }) => Prefix === undefined)).toMatchObject([
      { NoncurrentVersionExpiration: { NoncurrentDays: 30 } },
    ]);
  });

  it('let events go, and what was redriven of them, after the retention that is chosen', () => {
    const rules = rulesOf({ captureRetention: Duration.days(400), failedRetention: Duration.days(3) });
    const of = (prefix: string) => rules.find(({ Prefix }) => Prefix === prefix)?.ExpirationInDays;
    for (const { prefix, goes } of RETENTION)
      if (goes.by === 'age')
        expect([prefix, of(prefix)]).toEqual([prefix, { events: 400, failed: 3, answers: 7, stale: 90 }[goes.class]]);
  });
});
