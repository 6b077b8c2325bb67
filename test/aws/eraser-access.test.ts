/** The role that erases may do what erasing does, each call of it, and nothing beyond. */
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { eraserStatements } from '../../lib/aws/access/eraser-access.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { Eraser } from '../../lib/pipeline/eraser.ts';
import { applyEventRetention } from '../../lib/pipeline/event-retention.ts';
import type { ObjectStore, ObjectVersions } from '../../lib/pipeline/ports.ts';
import { VersionedStore } from '../pipeline/versioned-store.ts';
import { testApp } from './app.ts';

const AT = Date.parse('2001-02-01T10:20:00Z');
const BUCKET = 'arn:aws:s3:::platform';
const line = (id: string): Uint8Array => new TextEncoder().encode(`{"id":"${id}","type":"label","model":"m"}\n`);

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: { readonly StringLike: { readonly 's3:prefix': readonly string[] } };
}

const list = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value);
const matches = (pattern: string, text: string): boolean =>
  pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text;

function statements(): Statement[] {
  const stack = new Stack(testApp(), 'S');
  const bucket = s3.Bucket.fromBucketArn(stack, 'B', BUCKET);
  const key = kms.Key.fromKeyArn(stack, 'K', 'arn:aws:kms:eu-central-1:111122223333:key/k');
  const document = new iam.PolicyDocument({ statements: eraserStatements(bucket, key) });
  return (stack.resolve(document) as { Statement: Statement[] }).Statement;
}

describe('the right to erase', () => {
  it('covers every call of a request, of its rounds and of its end, and each statement is needed', async () => {
    const calls: { readonly action: string; readonly key: string }[] = [];
    const versioned = new VersionedStore();
    const called = <T>(action: string, key: string, answer: T): T => {
      calls.push({ action: `s3:${action}`, key });
      return answer;
    };
    const { store: inner, versions: old } = versioned;
    const store: ObjectStore = {
      get: (key) => called('GetObject', key, inner.get(key)),
      getRange: (key, start, end) => called('GetObject', key, inner.getRange(key, start, end)),
      list: (prefix, options) => called('ListBucket', prefix, inner.list(prefix, options)),
      putIfAbsent: (key, body) => called('PutObject', key, inner.putIfAbsent(key, body)),
      putIfUnchanged: (key, body, etag) => called('PutObject', key, inner.putIfUnchanged(key, body, etag)),
      delete: (key) => called('DeleteObject', key, inner.delete(key)),
    };
    const versions: ObjectVersions = {
      list: (prefix) => called('ListBucketVersions', prefix, old.list(prefix)),
      get: (key, version) => called('GetObjectVersion', key, old.get(key, version)),
      delete: (key, version) => called('DeleteObjectVersion', key, old.delete(key, version)),
    };
    for (const key of [keys.redriven(AT, 'a'), `${keys.captureHour(AT)}lines.json`])
      await inner.putIfAbsent(key, line('1'));
    let now = AT;
    const clock = { now: () => now };
    const eraser = new Eraser({
      store,
      versions,
      clock,
      audit: new AuditLog({ store, clock }),
      rewriter: () => Promise.reject(new Error('nothing is Parquet here')),
    });
    await store.list(keys.monitors(), { limit: 1 });
    const report = await eraser.erase({ model: 'm', ids: ['1'], by: 'b', rememberMs: 1_000 });
    expect(report).toMatchObject({ problems: [], remembered: 1 });
    now += 2_000;
    expect(await eraser.again()).toMatchObject({ remembered: 0 });
    await inner.putIfAbsent(
      keys.monitor('m', 1),
      new TextEncoder().encode('{"monitor":{"model":"m","retention":{"events":"20d"}}}'),
    );
    await inner.putIfAbsent(keys.redriven(AT, 'c'), line('2'));
    now += 40 * 86_400_000;
    const rewriter = () => Promise.reject(new Error('nothing is Parquet here'));
    expect(await applyEventRetention({ store, clock, audit: new AuditLog({ store, clock }), rewriter })).toEqual({
      m: 1,
    });

    const given = statements();
    const allows = ({ Action, Resource, Condition }: Statement, { action, key }: (typeof calls)[number]): boolean => {
      if (!list(Action).includes(action)) return false;
      if (Condition !== undefined) return Condition.StringLike['s3:prefix'].some((prefix) => matches(prefix, key));
      return list(Resource).some((resource) => matches(resource, `${BUCKET}/${key}`));
    };
    expect(calls.filter((call) => !given.some((one) => allows(one, call)))).toEqual([]);
    expect(
      given.filter(
        (one) =>
          !list(one.Action).some((action) => action.startsWith('kms:')) && !calls.some((call) => allows(one, call)),
      ),
    ).toEqual([]);
    expect(given.filter(({ Action }) => list(Action).some((action) => action.includes('*')))).toEqual([]);
  });

  it('reaches nothing that the platform computes or decides', () => {
    const writes = statements().filter(({ Action }) => list(Action).some((action) => /Put|Delete/.test(action)));
    for (const prefix of ['profiles/', 'results/', 'monitors/', 'baselines/', 'cursors/', 'packs/', 'configuration/'])
      expect(
        writes.filter(({ Resource }) => list(Resource).some((one) => matches(one, `${BUCKET}/${prefix}x`))),
      ).toEqual([]);
  });
});
