/** The roles of people may do what the page and the commands do with the bucket, each call of it, and nothing beyond. */
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  OPERATOR_RIGHTS,
  operatorStatements,
  READER_RIGHTS,
  readerStatements,
} from '../../lib/aws/access/people-access.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { serveDeployed } from '../../lib/local/deployed-platform.ts';
import { Tokens } from '../../lib/local/server/tokens.ts';
import { changeJson, encodeJson } from '../../lib/pipeline/json-object.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { publish } from '../../lib/pipeline/publication.ts';
import { addTransitions, transitionFor } from '../pipeline/outbox-data.ts';
import { baselineOf, finish, generate, HOUR, monitorOf, Platform, T0, World, wire } from '../pipeline/simulation.ts';

const BUCKET = 'arn:aws:s3:::platform';
const TOKEN = 'a-token-of-this-test-only-0123456789';

interface Call {
  readonly action: string;
  readonly key: string;
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: { readonly StringLike: { readonly 's3:prefix': readonly string[] } };
}

const list = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value);
const matches = (pattern: string, text: string): boolean =>
  pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text;

function given(make: (bucket: s3.IBucket, key: kms.IKey | undefined) => iam.PolicyStatement[]): Statement[] {
  const stack = new Stack(new App(), 'S');
  const bucket = s3.Bucket.fromBucketArn(stack, 'B', BUCKET);
  const key = kms.Key.fromKeyArn(stack, 'K', 'arn:aws:kms:eu-central-1:111122223333:key/k');
  const document = new iam.PolicyDocument({ statements: make(bucket, key) });
  return (stack.resolve(document) as { Statement: Statement[] }).Statement;
}

function allows({ Action, Resource, Condition }: Statement, { action, key }: Call): boolean {
  if (!list(Action).includes(action)) return false;
  if (Condition !== undefined) return Condition.StringLike['s3:prefix'].some((prefix) => matches(prefix, key));
  return list(Resource).some((resource) => matches(resource, `${BUCKET}/${key}`));
}

function recorded(inner: ObjectStore, calls: Call[]): ObjectStore {
  const called = <T>(action: string, key: string, answer: T): T => {
    calls.push({ action: `s3:${action}`, key });
    return answer;
  };
  return {
    get: (key) => called('GetObject', key, inner.get(key)),
    getRange: (key, start, end) => called('GetObject', key, inner.getRange(key, start, end)),
    list: (prefix, options) => called('ListBucket', prefix, inner.list(prefix, options)),
    putIfAbsent: (key, body) => called('PutObject', key, inner.putIfAbsent(key, body)),
    putIfUnchanged: (key, body, etag) => called('PutObject', key, inner.putIfUnchanged(key, body, etag)),
    delete: (key) => called('DeleteObject', key, inner.delete(key)),
  };
}

/** Events that were judged, some that could not be read, one model of a deployment, one without a baseline, one alert. */
async function platform(): Promise<World> {
  const world = new World();
  await world.declare('m');
  await world.declare('learns', { baseline: false, monitor: monitorOf('learns', { baseline: { learn: '1d' } }) });
  const running = new Platform(world);
  for (const [i, event] of generate(7).entries()) world.append('p0', [wire(event, i), 'no event'], event.appendTime);
  await finish(world, running, T0 + 12 * HOUR);
  // Counts of the newest hours are not closed yet.
  const late = new Platform(world, { closeAfterMs: 1_000 * HOUR });
  const newest = T0 + 70 * HOUR;
  const one = { partition: 0, appendTime: newest, time: newest, model: 'm', version: '1', amount: 1, kind: 'a' };
  world.append('p0', [wire(one, 9_999)], newest);
  await late.settle();
  world.clock.set(newest + 3 * HOUR);
  await late.settle();
  const { features, window } = monitorOf('owned');
  await publish(world.publisher, {
    owner: 'Team/Owned/Publication',
    lines: async function* () {
      yield JSON.stringify({ monitor: { model: 'owned', features, window }, baseline: null });
    },
  });
  await addTransitions(world.store, [transitionFor('m')]);
  await changeJson<{ episodes: unknown[] }>(world.store, keys.episodes('m'), (state) =>
    state === null ? null : { ...state, episodes: [transitionFor('m').episode] },
  );
  await world.store.putIfAbsent(
    keys.alerting(),
    encodeJson({ schema: 'mlmon.alerting/v1', channels: [{ type: 'sqs', name: 'q', queueUrl: 'https://q' }] }),
  );
  return world;
}

let world: World;
const reading: Call[] = [];
const deciding: Call[] = [];
const answers = new Map<string, number>();
let refused = '';

beforeAll(async () => {
  world = await platform();
  const clock = { now: () => world.clock.now() };
  const tokens = Tokens.parse(`local read,admin ${TOKEN}`, 'tokens');
  const options = { host: '127.0.0.1', port: 0, tokens, clock };
  const page = await serveDeployed({ ...options, store: recorded(world.store, reading), serves: 'page' });
  const commands = await serveDeployed({
    ...options,
    store: recorded(world.store, deciding),
    serves: 'commands',
    channelTest: { patienceMs: 1, everyMs: 1 },
  });
  const ask = async (url: string, method: string, path: string, body?: object): Promise<string> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    answers.set(`${method} ${path}`, response.status);
    return response.text();
  };
  const { windows } = JSON.parse(await ask(page.url, 'GET', '/api/models/m/windows')) as {
    windows: { start: string }[];
  };
  for (const start of windows.map((one) => one.start).slice(-3))
    await ask(page.url, 'GET', `/api/models/m/features/amount?start=${start}`);
  for (const path of [
    '/api/models',
    '/api/models/m',
    '/api/models/learns',
    `/api/models/m/features/amount?start=${windows[0]?.start}`,
    '/api/alerts',
    '/api/health',
  ])
    await ask(page.url, 'GET', path);
  const by = 'ann';
  const { features, window } = monitorOf('new');
  await ask(commands.url, 'PUT', '/api/monitors/new', { monitor: { model: 'new', features, window }, by });
  await ask(commands.url, 'GET', '/api/models');
  await ask(commands.url, 'POST', '/api/models/m/baselines', {
    baseline: { ...baselineOf('m', '2'), rows: 1 },
    version: '2',
    approve: false,
    by,
  });
  await ask(commands.url, 'POST', '/api/models/m/baselines/1/approve', { version: '2', by });
  await ask(commands.url, 'POST', '/api/silences', { model: 'm', signal: null, for: '4h', reason: 'known', by });
  await ask(commands.url, 'POST', '/api/alerts/m-e1/acknowledge', { note: 'seen', by });
  await ask(commands.url, 'POST', '/api/alerts/test', {});
  await ask(commands.url, 'DELETE', '/api/monitors/new', { by });
  const changed = { model: 'owned', owner: 'others', features, window };
  refused = await ask(commands.url, 'PUT', '/api/monitors/owned', { monitor: changed, by });
  await ask(commands.url, 'DELETE', '/api/monitors/owned', { by });
  await Promise.all([page.stop(), commands.stop()]);
});

describe('roles of people', () => {
  it('were tried with everything that the page and the commands do', () => {
    const wrong = [...answers].filter(([path, status]) => status >= 400 && !path.endsWith('/monitors/owned'));
    expect(wrong).toEqual([]);
  });

  it.each([
    ['reader', readerStatements, reading],
    ['operator', operatorStatements, deciding],
    // Whoever operates looks at the page too.
    ['operator', operatorStatements, reading],
  ] as const)('of a %s cover every call', (_, make, calls) => {
    const statements = given(make);
    const missing = calls.filter((call) => !statements.some((statement) => allows(statement, call)));
    expect([...new Set(missing.map(({ action, key }) => `${action} ${key}`))]).toEqual([]);
  });

  it('name nothing that is not used', () => {
    const used = (calls: readonly Call[], prefix: string, actions: readonly string[]): boolean =>
      calls.some(({ action, key }) => actions.includes(action) && key.startsWith(prefix));
    const READ = ['s3:GetObject', 's3:ListBucket'];
    expect(READER_RIGHTS.read.filter((prefix) => !used(reading, prefix, READ))).toEqual([]);
    expect(OPERATOR_RIGHTS.read.filter((prefix) => !used([...reading, ...deciding], prefix, READ))).toEqual([]);
    expect(OPERATOR_RIGHTS.write.filter((prefix) => !used(deciding, prefix, ['s3:PutObject']))).toEqual([]);
  });

  it('let a reader change nothing, and nobody delete', () => {
    const actions = (statements: readonly Statement[]): string[] =>
      [...new Set(statements.flatMap(({ Action }) => list(Action)))].sort();
    expect(actions(given(readerStatements))).toEqual(['kms:Decrypt', 's3:GetObject', 's3:ListBucket']);
    expect(actions(given(operatorStatements))).toEqual([
      ...['kms:Decrypt', 'kms:GenerateDataKey'],
      ...['s3:GetObject', 's3:ListBucket', 's3:PutObject'],
    ]);
  });
});

describe('a model that a deployment owns', () => {
  it('is changed and removed there alone', async () => {
    expect(refused).toMatch(/a deployment owns the monitor of this model/);
    expect(refused).toContain('Team/Owned/Publication');
    expect([answers.get('PUT /api/monitors/owned'), answers.get('DELETE /api/monitors/owned')]).toEqual([400, 400]);
    expect(await world.store.list(keys.monitors('owned'))).toEqual([keys.monitor('owned', 1)]);
  });
});
