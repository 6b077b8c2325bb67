/** The authorizer as it is deployed, and the secrets behind it. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthorizerAnswer, AuthorizerEvent } from '../../lambdas/authorizer/handler.ts';
import { identify, parseKeys } from '../../lambdas/authorizer/known-keys.ts';
import { validSegments } from '../../lambdas/collector/kserve-door.ts';
import { logOf } from '../../lambdas/log.ts';
import { parsePolicyKey } from '../../lambdas/policy-key.ts';
import { SECRET_LIFETIME_MS, Secrets } from '../../lambdas/secrets.ts';
import { type Bundles, bundlesOf, environmentOf } from './bundle.ts';
import { BUCKET, type FakeAws, startFakeAws } from './fake-aws.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:keys';
const KEY = 'k'.repeat(40);
const NEXT = 'n'.repeat(40);
const digest = (key: string): string => createHash('sha256').update(key).digest('hex');

describe('the authorizer', () => {
  let bundles: Bundles;
  let aws: FakeAws;
  let handler: (event: AuthorizerEvent) => Promise<AuthorizerAnswer>;
  beforeAll(async () => {
    bundles = await bundlesOf('authorizer');
    aws = await startFakeAws();
    aws.secrets.set(ARN, JSON.stringify({ scoring: digest(KEY), other: [digest('o'.repeat(40)), digest(NEXT)] }));
    handler = await bundles.load('authorizer', { ...environmentOf(aws, BUCKET), MLMON_KEYS_SECRET_ARN: ARN });
  });
  afterAll(async () => {
    await aws.close();
    await bundles.remove();
  });
  const ask = (authorization?: string) =>
    handler({ headers: authorization === undefined ? {} : { authorization }, requestContext: { requestId: 'r' } });

  it('lets known keys through with their ids, both that are valid while one is changed', async () => {
    expect(await ask(`Bearer scoring.${KEY}`)).toEqual({ isAuthorized: true, context: { key: 'scoring' } });
    expect(await ask(`bearer other.${'o'.repeat(40)}`)).toMatchObject({ context: { key: 'other' } });
    expect(await ask(`Bearer other.${NEXT}`)).toMatchObject({ isAuthorized: true });
  });

  it('lets nobody else through', async () => {
    for (const authorization of [
      undefined,
      '',
      'Bearer ',
      KEY,
      `Bearer ${KEY}`,
      `Basic scoring.${KEY}`,
      `Bearer scoring.${NEXT}`,
      `Bearer nobody.${KEY}`,
      `Bearer scoring.${digest(KEY)}`,
      `Bearer scoring.${KEY.slice(1)}x`,
      `Bearer __proto__.${KEY}`,
      `Bearer scoring.${'k'.repeat(10_000)}`,
    ])
      expect(await ask(authorization)).toEqual({ isAuthorized: false, context: { key: '' } });
    expect(aws.calls.filter((call) => call === 'GetSecretValue').length).toBe(1);
  });
});

describe('secrets', () => {
  const clock = { at: 0 };
  const rig = (fetch: () => Promise<string>) => new Secrets({ fetch, now: () => clock.at });

  it('are read once for many, again when they are half as old as they may be, and serve to their end while there is no answer', async () => {
    let calls = 0;
    let fails = false;
    const secrets = rig(async () => {
      calls++;
      if (fails) throw new Error('throttled');
      return `v${calls}`;
    });
    expect(await Promise.all([secrets.text('a'), secrets.text('a')])).toEqual(['v1', 'v1']);
    clock.at += SECRET_LIFETIME_MS / 2 - 1;
    expect(await secrets.text('a')).toBe('v1');
    clock.at += 1;
    expect(await secrets.text('a')).toBe('v2');
    fails = true;
    clock.at += SECRET_LIFETIME_MS - 1;
    expect(await secrets.text('a')).toBe('v2');
    clock.at += 1;
    await expect(secrets.text('a')).rejects.toThrow('throttled');
  });

  it('are read again sooner for a key that was not found, no oftener than asked', async () => {
    let calls = 0;
    const secrets = rig(async () => `v${++calls}`);
    await secrets.text('a');
    clock.at += 5_000;
    expect(await secrets.text('a', { notOlderThanMs: 10_000 })).toBe('v1');
    clock.at += 5_000;
    expect(await secrets.text('a', { notOlderThanMs: 10_000 })).toBe('v2');
  });

  it('that are not what they must be are named, never quoted', () => {
    const wrong = 'Ada-secret-value';
    for (const parse of [
      () => parseKeys(wrong, ARN),
      () => parseKeys(JSON.stringify({ scoring: wrong }), ARN),
      () => parseKeys(JSON.stringify({ 'a b': digest(KEY) }), ARN),
      () => parsePolicyKey(JSON.stringify({ version: '1', key: wrong }), ARN),
      () => parsePolicyKey(wrong, ARN),
      () => validSegments(wrong, ARN),
      () => validSegments(JSON.stringify({ current: KEY, previous: wrong }), ARN),
      () => validSegments('{', ARN),
    ]) {
      let message = '';
      try {
        parse();
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toContain(ARN);
      expect(message).not.toContain(wrong);
    }
    expect(validSegments(KEY, ARN)).toEqual([KEY]);
    expect(identify(parseKeys('{}', ARN), `Bearer a.${KEY}`)).toBeNull();
  });
});

describe('a log', () => {
  it('writes what its level asks for, as one line each, cut to a length', () => {
    const lines: string[] = [];
    const log = logOf('collector', { level: 'warn', write: (line) => lines.push(line), now: () => 0 }).for('r-1');
    log.info('left out');
    log.warn('kept\nwhole', { count: 3, absent: undefined, level: 'not overwritten', long: 'x'.repeat(1_000) });
    expect(lines.length).toBe(1);
    expect(lines[0]!.endsWith('\n') && !lines[0]!.slice(0, -1).includes('\n')).toBe(true);
    expect(JSON.parse(lines[0]!)).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      function: 'collector',
      requestId: 'r-1',
      message: 'kept\nwhole',
      count: 3,
      long: `${'x'.repeat(497)}...`,
    });
  });
});
