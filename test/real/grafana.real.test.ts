/**
 * The function that fills a Grafana as it is deployed: its bundle in a process of its own, on the runtime of Lambda, against a listener with TLS
 * that checks every call. It trusts one authority, sends its token to nobody else, and prints it nowhere.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keys } from '../../lib/contracts/object-keys.ts';
import { grafanaDashboards } from '../../lib/dashboards/grafana.ts';
import { buildFunctions } from '../../scripts/build-functions.ts';
import { FakeGrafana } from '../adapters/grafana/fake-grafana.ts';
import { BundleProcess, nodeOf } from '../lambdas/bundle-process.ts';
import { BUCKET, type FakeAws, startFakeAws } from '../lambdas/fake-aws.ts';
import { FakeWorkspaces } from '../lambdas/fake-workspaces.ts';
import { type Certificates, makeCertificates } from './kafka/certificates.ts';

/** What functions run on (lib/aws/defaults.ts). */
const RUNTIME = 24;
const SECRET_ARN = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:grafana-AbCdEf';
const OWN_TOKEN = 'glsa_ofTheUser_nobodyMustSeeThis';

let folder: string;
let node: string;
let trusted: Certificates;
let foreign: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grafana-'));
  const other = await mkdtemp(join(folder, 'other-'));
  [node, trusted, foreign] = await Promise.all([
    nodeOf(RUNTIME),
    makeCertificates(folder),
    makeCertificates(other),
    buildFunctions(join(folder, 'functions'), ['grafana']),
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let aws: FakeAws;
let grafana: FakeGrafana;
let workspaces: FakeWorkspaces;
let cloudFormation: { readonly url: string; readonly answers: string[]; close(): void };
let running: BundleProcess;

const tls = async ({ keyFile, certificateFile }: Certificates) => ({
  key: await readFile(keyFile, 'utf8'),
  cert: await readFile(certificateFile, 'utf8'),
});

async function answersOf(): Promise<typeof cloudFormation> {
  const answers: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      answers.push(text);
      response.end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/signed`;
  return { url, answers, close: () => void server.close().closeAllConnections() };
}

beforeEach(async () => {
  [aws, grafana, cloudFormation] = await Promise.all([
    startFakeAws(),
    FakeGrafana.start(await tls(trusted)),
    answersOf(),
  ]);
  workspaces = await FakeWorkspaces.start(grafana);
  const lines = grafanaDashboards().map(({ key, json }) => JSON.stringify({ key, dashboard: JSON.parse(json) }));
  aws.objects.set('assets/a.ndjson', Buffer.from(lines.map((line) => `${line}\n`).join('')));
  aws.secrets.set(SECRET_ARN, OWN_TOKEN);
  running = await start();
});
afterEach(async () => {
  await running.close();
  expect(grafana.breaches).toEqual([]);
  const seen = [...running.said, ...cloudFormation.answers, ...(await stored())].join('\n');
  for (const key of [...workspaces.keys, OWN_TOKEN]) expect(seen).not.toContain(key);
  for (const seconds of workspaces.lifetimes) expect(seconds).toBeLessThanOrEqual(900);
  cloudFormation.close();
  await Promise.all([aws.close(), grafana.stop(), workspaces.stop()]);
});

function start(): Promise<BundleProcess> {
  return BundleProcess.start('grafana', {
    node,
    folder: join(folder, 'functions'),
    env: {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ENDPOINT_URL_GRAFANA: workspaces.url,
      NODE_EXTRA_CA_CERTS: trusted.caFile,
      LOG_LEVEL: 'debug',
      MLMON_BUCKET: BUCKET,
      MLMON_STREAM_ARN: 'arn:aws:kinesis:us-east-1:111122223333:stream/events',
      MLMON_ENVIRONMENT: 'test',
    },
  });
}

/** Everything that was written to the bucket. */
async function stored(): Promise<string[]> {
  const found = await aws.store.list('');
  return Promise.all(found.map(async (key) => Buffer.from((await aws.store.get(key))?.body ?? []).toString()));
}

const event = (RequestType: string, more: Record<string, unknown> = {}, properties: Record<string, unknown> = {}) => ({
  RequestType,
  ResponseURL: cloudFormation.url,
  StackId: 'arn:aws:cloudformation:us-east-1:111122223333:stack/s/1',
  RequestId: 'q1',
  LogicalResourceId: 'Grafana',
  ResourceProperties: {
    ServiceToken: 't',
    AssetBucket: 'assets',
    AssetKey: 'a.ndjson',
    Owner: '111122223333/us-east-1/test',
    Title: 'Model monitoring test',
    Prefix: 'mlmon',
    WorkspaceId: 'g-1',
    PrometheusUrl: 'https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-1/',
    Region: 'us-east-1',
    ...properties,
  },
  ...more,
});
const answered = () => cloudFormation.answers.map((text) => JSON.parse(text) as { Status: string; Data?: unknown });
const failures = () =>
  running.said
    .map((line) => (JSON.parse(line) as Record<string, unknown>)['GrafanaFailures'])
    .filter((value) => value !== undefined);
const invoke = (what: unknown, timeoutMs = 60_000) => running.invoke(what, Date.now(), timeoutMs);

describe('over TLS, on the runtime of Lambda', () => {
  it('fills a workspace in exactly these calls, with one token, and takes everything away again', async () => {
    await invoke(event('Create'));
    expect(answered()).toMatchObject([{ Status: 'SUCCESS', Data: { IsThere: 'true', Dashboards: '6' } }]);
    const key = 'mlmon-[a-z]+';
    expect(grafana.calls.map(({ method, path }) => `${method} ${path.replace(/(?<=uid\/)mlmon-[a-z]+/, key)}`)).toEqual(
      [
        ...Array.from({ length: 6 }, () => `GET /api/dashboards/uid/${key}`),
        'GET /api/plugins/grafana-amazonprometheus-datasource/settings',
        `GET /api/datasources/uid/${key}`,
        'POST /api/datasources',
        `GET /api/datasources/uid/${key}`,
        'POST /api/datasources',
        'GET /api/folders/mlmon',
        'POST /api/folders',
        ...Array.from({ length: 6 }, () => 'POST /api/dashboards/db'),
        `GET /api/search?type=dash-db&tag=${encodeURIComponent('mlmon-platform:111122223333/us-east-1/test')}&limit=1000&page=1`,
        `GET /api/datasources/uid/${key}/health`,
      ],
    );
    expect(workspaces.calls).toEqual([
      'GET /workspaces/g-1',
      'GET /workspaces/g-1/serviceaccounts',
      'POST /workspaces/g-1/serviceaccounts',
      'GET /workspaces/g-1/serviceaccounts/1/tokens',
      'POST /workspaces/g-1/serviceaccounts/1/tokens',
      'DELETE /workspaces/g-1/serviceaccounts/1/tokens/1',
    ]);
    expect(workspaces.tokens).toEqual([]);
    expect(await aws.store.list('')).toEqual([keys.grafana()]);

    await invoke(event('Update', { PhysicalResourceId: 'grafana:g-1:mlmon' }));
    expect(grafana.dashboards.size).toBe(6);
    await invoke(event('Delete', { PhysicalResourceId: 'grafana:g-1:mlmon' }));
    expect(answered().map(({ Status }) => Status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    expect([grafana.dashboards.size, grafana.sources.size, grafana.folders.size, workspaces.accounts.size]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await aws.store.list('')).toEqual([]);
    expect(failures()).toEqual([0, 0]);
  });

  it('rides out what passes, and answers, alarms and tries again after what stays', async () => {
    grafana.fail({ path: /plugins/, times: 1, status: 500, body: '{"message":"busy"}' });
    grafana.fail({ path: /api\/datasources$/, times: 1, status: 502, takesEffect: true });
    grafana.fail({ path: /dashboards\/db/, times: 1, status: 412, body: '{"message":"changed by someone else"}' });
    await invoke(event('Create'));
    expect(answered()).toMatchObject([{ Status: 'SUCCESS', Data: { IsThere: 'true' } }]);

    grafana.fail({ path: /./, times: 99, status: 401, body: '{"message":"Unauthorized"}' });
    await invoke(event('Update', { PhysicalResourceId: 'grafana:g-1:mlmon' }));
    await invoke({});
    expect(answered()[1]).toMatchObject({ Status: 'SUCCESS', Data: { IsThere: 'false' } });
    expect(failures()).toEqual([0, 1, 1]);
    expect(running.said.join('\n')).toContain('401, Unauthorized');
    expect(workspaces.tokens).toEqual([]);
    grafana.faults.length = 0;
    await invoke({});
    expect(failures()).toEqual([0, 1, 1, 0]);
  });

  it('answers and deletes its token in time where Grafana accepts and says nothing', async () => {
    grafana.fail({ path: /./, times: 99 });
    const { ms } = await invoke(event('Create'), 8_000);
    expect(ms).toBeLessThan(8_000);
    expect(answered()).toMatchObject([{ Status: 'SUCCESS', Data: { IsThere: 'false' } }]);
    expect(workspaces.tokens).toEqual([]);
  });

  it('sends no token to a listener with a certificate of nobody it trusts', async () => {
    const impostor = await FakeGrafana.start(await tls(foreign));
    const properties = { WorkspaceId: undefined, Url: impostor.url, TokenSecretArn: SECRET_ARN };
    await invoke(event('Create', {}, properties));
    expect(answered()).toMatchObject([{ Status: 'SUCCESS', Data: { IsThere: 'false' } }]);
    expect(impostor.calls).toEqual([]);
    expect(running.said.join('\n')).toMatch(/certificate|CERT/);
    await impostor.stop();
  });

  it('fills a Grafana that others run, with the token of their secret', async () => {
    grafana.tokens.add(OWN_TOKEN);
    const properties = { WorkspaceId: undefined, Url: grafana.url, TokenSecretArn: SECRET_ARN };
    await invoke(event('Create', {}, properties));
    expect(answered()).toMatchObject([{ Status: 'SUCCESS', Data: { IsThere: 'true' } }]);
    expect(workspaces.calls).toEqual([]);
    expect(grafana.sources.get('mlmon-prometheus')).toMatchObject({ jsonData: { sigV4AuthType: 'default' } });
  });

  it('lets a stack go whose workspace is gone', async () => {
    await invoke(event('Create'));
    workspaces.isThere = false;
    await invoke(event('Delete', { PhysicalResourceId: 'grafana:g-1:mlmon' }));
    expect(answered().at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });
});
