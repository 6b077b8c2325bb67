/** The function that fills a Grafana: it never fails a deployment, tries again, and leaves no token behind. */
import { GrafanaClient } from '@aws-sdk/client-grafana';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CustomResourceEvent } from '../../lambdas/cloud-formation.ts';
import { type GrafanaParts, grafanaHandler } from '../../lambdas/grafana/handler.ts';
import { logOf } from '../../lambdas/log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { GrafanaState } from '../../lib/contracts/grafana.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { grafanaDashboards } from '../../lib/dashboards/grafana.ts';
import { FakeGrafana } from '../adapters/grafana/fake-grafana.ts';
import { FakeWorkspaces } from './fake-workspaces.ts';

const LINES = grafanaDashboards().map(({ key, json }) => JSON.stringify({ key, dashboard: JSON.parse(json) }));
const OWN_TOKEN = 'glsa_ofTheUser_nobodyMustSeeThis';
const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:grafana-AbCdEf';

let grafana: FakeGrafana;
let workspaces: FakeWorkspaces;
let said: string[];
let answers: { Status: string; PhysicalResourceId: string; Data?: Record<string, string> }[];
let store: MemoryStore;

beforeEach(async () => {
  grafana = await FakeGrafana.start();
  workspaces = await FakeWorkspaces.start(grafana);
  said = [];
  answers = [];
  store = new MemoryStore();
});
afterEach(async () => {
  expect(grafana.breaches).toEqual([]);
  const public_ = JSON.stringify([said, answers]);
  for (const key of [...workspaces.keys, OWN_TOKEN]) expect(public_).not.toContain(key);
  // A quarter of an hour at most.
  for (const seconds of workspaces.lifetimes) expect(seconds).toBeLessThanOrEqual(900);
  await grafana.stop();
  await workspaces.stop();
});

function handlerWith(more: Partial<GrafanaParts> = {}) {
  return grafanaHandler({
    store,
    clock: { now: () => Date.now() },
    environment: 'test',
    workspaces: (region) =>
      new GrafanaClient({
        region,
        endpoint: workspaces.url,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        maxAttempts: 1,
      }),
    secret: async () => `${OWN_TOKEN}\n`,
    lines: async function* () {
      yield* LINES;
    },
    put: async (_url, body) => void answers.push(JSON.parse(body)),
    log: logOf('grafana', { write: (line) => said.push(line) }),
    write: (line) => said.push(line),
    // The listener of these tests has no certificate; test/real asks one that has.
    api: { firstWaitMs: 1, fetch: (url, init) => fetch(String(url).replace('https:', 'http:'), init) },
    ...more,
  });
}

const context = (ms = 60_000) => {
  const begun = performance.now();
  return { awsRequestId: `request-${begun}`, getRemainingTimeInMillis: () => ms - (performance.now() - begun) };
};

const SETTINGS = {
  AssetBucket: 'assets',
  AssetKey: 'a.ndjson',
  Owner: '111122223333/eu-central-1/test',
  Title: 'Model monitoring test',
  Prefix: 'mlmon',
  WorkspaceId: 'g-1',
  PrometheusUrl: 'https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1/',
  Region: 'eu-central-1',
};

function event(more: Partial<CustomResourceEvent> = {}, properties: Record<string, unknown> = {}): CustomResourceEvent {
  return {
    RequestType: 'Create',
    ResponseURL: 'https://cloudformation.example/signed',
    StackId: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/s/1',
    RequestId: 'q1',
    LogicalResourceId: 'Grafana',
    ResourceProperties: { ServiceToken: 't', ...SETTINGS, ...properties },
    ...more,
  };
}
const gone = (properties: Record<string, unknown> = {}, id = 'grafana:g-1:mlmon') =>
  event({ RequestType: 'Delete', PhysicalResourceId: id }, properties);

/** Values of the metric, in order. */
const failures = (): unknown[] =>
  said
    .map((line) => (JSON.parse(line) as Record<string, unknown>)['GrafanaFailures'])
    .filter((one) => one !== undefined);
const state = async (): Promise<GrafanaState | null> => {
  const found = await store.get(keys.grafana());
  return found === null ? null : (JSON.parse(new TextDecoder().decode(found.body)) as GrafanaState);
};

describe('a deployment', () => {
  it('fills the workspace, remembers that, and leaves no token', async () => {
    await handlerWith()(event(), context());
    expect(answers).toEqual([
      expect.objectContaining({
        Status: 'SUCCESS',
        PhysicalResourceId: 'grafana:g-1:mlmon',
        Data: { IsThere: 'true', Dashboards: '6' },
      }),
    ]);
    expect(grafana.dashboards.size).toBe(6);
    expect(workspaces.tokens).toEqual([]);
    expect([...workspaces.accounts.values()].map(({ name }) => name)).toEqual(['mlmon-mlmon']);
    expect(await state()).toMatchObject({ isThere: true, resource: 'grafana:g-1:mlmon' });
    expect(JSON.stringify(await state())).not.toContain('ServiceToken');
    expect(failures()).toEqual([0]);
  });

  it('uses one service account for ever: each would be billed', async () => {
    for (let i = 0; i < 3; i++) await handlerWith()(event({ RequestType: 'Update' }), context());
    expect(workspaces.accounts.size).toBe(1);
    expect(workspaces.keys).toHaveLength(3);
  });

  it.each([
    ['Grafana refuses', () => grafana.fail({ path: /./, times: 99, status: 500, body: '{}' })],
    ['Grafana hangs', () => grafana.fail({ path: /./, times: 99 })],
    ['the token is not taken', () => grafana.fail({ path: /./, times: 99, status: 401, body: '{}' })],
    ['the workspace is being made', () => void (workspaces.status = 'CREATING')],
    ['the workspace is gone', () => void (workspaces.isThere = false)],
    ['the API of the service is broken', () => void (workspaces.broken = /serviceaccounts/)],
  ])('succeeds where %s, with an alarm; the schedule mends it', async (_, begin) => {
    begin();
    const handler = handlerWith({
      api: {
        firstWaitMs: 1,
        attempts: 2,
        attemptMs: 100,
        fetch: (url, init) => fetch(String(url).replace('https:', 'http:'), init),
      },
    });
    await handler(event(), context());
    expect(answers).toEqual([
      expect.objectContaining({ Status: 'SUCCESS', Data: { IsThere: 'false', Dashboards: '0' } }),
    ]);
    expect(workspaces.tokens).toEqual([]);
    expect(await state()).toMatchObject({ isThere: false });
    await handler({}, context());
    expect(failures()).toEqual([1, 1]);
    expect(said.join('')).toContain('not in Grafana');

    grafana.faults.length = 0;
    const mending = handlerWith();
    Object.assign(workspaces, { status: 'ACTIVE', isThere: true, broken: null });
    await mending({}, context());
    expect(failures()).toEqual([1, 1, 0]);
    expect(grafana.dashboards.size).toBe(6);
    expect(await state()).toMatchObject({ isThere: true });
    const before = workspaces.calls.length;
    await mending({}, context());
    // Where all is there nothing is asked: the account would count as a user who was there.
    expect(workspaces.calls.length).toBe(before);
    expect(failures()).toEqual([1, 1, 0, 0]);
  });

  it('ends in time where Grafana does not answer, deletes the token and answers', async () => {
    grafana.fail({ path: /./, times: 99 });
    const begun = context(2_000);
    await handlerWith()(event(), begun);
    expect(begun.getRemainingTimeInMillis()).toBeGreaterThan(0);
    expect(answers[0]?.Status).toBe('SUCCESS');
    expect(workspaces.tokens).toEqual([]);
  });

  it('tells where a token could not be deleted, and removes those that ended', async () => {
    workspaces.broken = /^DELETE/;
    await handlerWith()(event(), context());
    expect(said.join('')).toContain('it ends by itself');
    expect(answers[0]?.Data).toEqual({ IsThere: 'true', Dashboards: '6' });
    expect(workspaces.tokens).toHaveLength(1);
    workspaces.broken = null;
    await handlerWith()(event({ RequestType: 'Update' }), context());
    // It is valid still: it may be of a run beside this one.
    expect(workspaces.tokens).toHaveLength(1);
    await handlerWith({ clock: { now: () => Date.now() + 901_000 } })(event({ RequestType: 'Update' }), context());
    expect(workspaces.tokens).toEqual([]);
  });

  it('fills a Grafana that is run by others, with their token', async () => {
    grafana.tokens.add(OWN_TOKEN);
    const properties = {
      WorkspaceId: undefined,
      Url: grafana.url.replace('http:', 'https:'),
      TokenSecretArn: SECRET_ARN,
    };
    await handlerWith()(event({}, properties), context());
    expect(answers[0]).toMatchObject({
      Data: { IsThere: 'true' },
      PhysicalResourceId: expect.stringMatching(/^grafana:https:/),
    });
    expect(workspaces.calls).toEqual([]);
    await handlerWith()(gone(properties, answers[0]!.PhysicalResourceId), context());
    expect(grafana.dashboards.size).toBe(0);
    expect(grafana.tokens.has(OWN_TOKEN)).toBe(true);
  });

  it('never sends a token where anybody listens', async () => {
    const properties = { WorkspaceId: undefined, Url: 'http://grafana.example.com', TokenSecretArn: SECRET_ARN };
    await handlerWith()(event({}, properties), context());
    expect(answers[0]?.Data).toEqual({ IsThere: 'false', Dashboards: '0' });
    expect(said.join('')).toContain('expected https');
  });

  it('puts there what was asked for last, however runs overlap', async () => {
    const handler = handlerWith();
    await handler(event(), context());
    await store.delete(keys.grafana());
    workspaces.status = 'CREATING';
    await handler(event(), context());
    workspaces.status = 'ACTIVE';
    // While the schedule puts the former there, a deployment asks for another.
    let isFirst = true;
    const slow = handlerWith({
      lines: async function* () {
        if (isFirst) {
          isFirst = false;
          await handler(event({ RequestType: 'Update' }, { Title: 'Newer' }), context());
        }
        yield* LINES;
      },
    });
    await slow({}, context());
    expect(grafana.folders.get('mlmon')?.title).toBe('Newer');
    expect(await state()).toMatchObject({ isThere: true, settings: { Title: 'Newer' } });
    expect(failures().at(-1)).toBe(0);
  });
});

describe('a stack that goes', () => {
  it('takes dashboards, data sources, folder, account and memory with it', async () => {
    await handlerWith()(event(), context());
    await handlerWith()(gone(), context());
    expect(answers.map(({ Status }) => Status)).toEqual(['SUCCESS', 'SUCCESS']);
    expect([grafana.dashboards.size, grafana.sources.size, grafana.folders.size, workspaces.accounts.size]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await state()).toBeNull();
  });

  it.each([
    ['the workspace is gone', () => void (workspaces.isThere = false), 'no such workspace'],
    [
      'Grafana is broken',
      () => grafana.fail({ path: /./, times: 99, status: 500, body: '{}' }),
      'not all could be removed',
    ],
    ['the service is broken', () => void (workspaces.broken = /./), 'not all could be removed'],
  ])('goes where %s', async (_, begin, words) => {
    await handlerWith()(event(), context());
    begin();
    await handlerWith()(gone(), context());
    expect(answers.at(-1)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'grafana:g-1:mlmon' });
    expect(said.join('')).toContain(words);
    expect(await state()).toBeNull();
    expect(workspaces.tokens).toEqual([]);
  });

  it('that never came to be has nothing to remove', async () => {
    await handlerWith()(gone({}, 'rolled-back'), context());
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(workspaces.calls).toEqual([]);
  });

  it('leaves what took its place: another prefix is another resource', async () => {
    await handlerWith()(event(), context());
    await handlerWith()(event({ RequestType: 'Update' }, { Prefix: 'eu' }), context());
    expect(answers[1]?.PhysicalResourceId).toBe('grafana:g-1:eu');
    await handlerWith()(gone(), context());
    expect([...grafana.dashboards.keys()].filter((uid) => uid.startsWith('eu-'))).toHaveLength(6);
    expect(grafana.dashboards.size).toBe(6);
    expect(await state()).toMatchObject({ resource: 'grafana:g-1:eu', isThere: true });
  });
});
