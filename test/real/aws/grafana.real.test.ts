/**
 * A platform that makes a workspace of Managed Grafana and fills it, on an emulated AWS with the plain CDK command line: a Grafana that is down
 * fails no deployment, rings an alarm and is filled later; a stack that goes takes away what it put there.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { EnvironmentInput } from '../../../lib/aws/environment/environment-schema.ts';
import type { Alerting } from '../../../lib/contracts/alerting.ts';
import type { GrafanaState } from '../../../lib/contracts/grafana.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { FakeGrafana } from '../../adapters/grafana/fake-grafana.ts';
import { makeCertificates } from '../kafka/certificates.ts';
import { endAll } from '../programs.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { Emulator } from './emulator.ts';
import { refused } from './recorded-policies.ts';

const START = Date.UTC(2001, 1, 10, 6);
const MINUTE = 60_000;

let folder: string;
let emulator: Emulator;
let grafana: FakeGrafana;
let clients: Clients;
let out: Outputs;

interface Workspaces {
  readonly accounts: readonly string[];
  readonly tokens: readonly string[];
  readonly made: number;
  readonly lifetimes: readonly number[];
}

async function workspaces(behind?: { readonly address: string; readonly authority: string }): Promise<Workspaces> {
  const answer = await fetch(`${emulator.endpoint}/_emulator_grafana`, {
    method: 'POST',
    body: behind === undefined ? '' : JSON.stringify(behind),
  });
  return (await answer.json()) as Workspaces;
}

async function cdk(command: string, ...more: string[]): Promise<void> {
  const {
    code,
    out: said,
    err,
  } = await emulator.cdk([
    ...[command, '-c', `environments=${join(folder, 'environments')}`, '-c', 'environment=graphs'],
    ...['--output', join(folder, 'cdk.out'), ...more],
  ]);
  if (code !== 0) throw new Error(`ended with ${code}:\n${said}\n${err}`);
}

async function deploy(chosen: EnvironmentInput['grafana']): Promise<void> {
  const environment: EnvironmentInput = { data: 'delete', grafana: chosen, alerting: { silent: 'a test' } };
  await writeFile(join(folder, 'environments/graphs.yaml'), stringify(environment));
  const outputs = join(folder, 'outputs.json');
  await cdk('deploy', '--all', '--require-approval', 'never', '--outputs-file', outputs);
  out = (await readOutputs(outputs))['ModelMonitoring-graphs'] ?? {};
}

const wanted = () => clients.json<GrafanaState>(out['BucketName'] ?? '', keys.grafana());
const told = () => clients.json<Alerting>(out['BucketName'] ?? '', keys.alerting());
const alarm = async () =>
  Object.entries((await emulator.state()).alarms).find(([name]) => name.startsWith('MlmonGrafanaFailing'))?.[1];
/** Alarms are looked at; no schedule has this name. */
const looked = () => emulator.tick('none of them');
const uids = (prefix: string) => [...grafana.dashboards.keys()].filter((uid) => uid.startsWith(prefix));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graphs-'));
  await mkdir(join(folder, 'environments'));
  const certificates = await makeCertificates(folder);
  [emulator, grafana] = await Promise.all([
    Emulator.start(),
    FakeGrafana.start({
      key: await readFile(certificates.keyFile, 'utf8'),
      cert: await readFile(certificates.certificateFile, 'utf8'),
    }),
  ]);
  for (let i = 1; i <= 50; i++) grafana.tokens.add(`glsa_${i}_ofTheEmulator`);
  clients = new Clients(emulator);
  await workspaces({ address: new URL(grafana.url).host, authority: certificates.caFile });
});
afterAll(async () => {
  clients?.destroy();
  await grafana?.stop();
  await emulator?.stop({ judged: false });
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('a platform with a Grafana', () => {
  it('makes a workspace and fills it, with a token that is gone afterwards', async () => {
    await emulator.clock(START);
    await emulator.alarms(false);
    // Where there is no app: none is synthesised for it.
    expect((await emulator.cdk(['bootstrap', 'aws://000000000000/us-east-1'], folder)).code).toBe(0);
    await deploy({ type: 'managed', identity: 'identity-center' });
    expect(uids('mlmon-')).toHaveLength(6);
    expect([...grafana.sources.keys()].sort()).toEqual(['mlmon-cloudwatch', 'mlmon-prometheus']);
    expect(out['GrafanaUrl']).toMatch(/^https:/);
    // What messages of the notifier link to.
    expect((await told()).dashboardBase).toBe(`${out['GrafanaUrl']}/d/mlmon`);
    expect(await wanted()).toMatchObject({ isThere: true, settings: { Owner: '000000000000/us-east-1/graphs' } });
    const { accounts, tokens, made, lifetimes } = await workspaces();
    expect({ accounts, tokens, made }).toEqual({ accounts: ['mlmon-mlmon'], tokens: [], made: 1 });
    for (const seconds of lifetimes) expect(seconds).toBeLessThanOrEqual(900);
  });

  it('is deployed though its Grafana is down, which rings an alarm', async () => {
    grafana.fail({ path: /./, times: 1_000, status: 503, body: '{"message":"no database"}' });
    // Another workspace: what was put into the first cannot be taken away either, and it goes all the same.
    await deploy({ type: 'existing', workspace: 'g-0123456789', prefix: 'second' });
    expect(await wanted()).toMatchObject({ isThere: false, settings: { Prefix: 'second' } });
    expect((await told()).dashboardBase).toBe(
      'https://g-0123456789.grafana-workspace.us-east-1.amazonaws.com/d/second',
    );
    await emulator.alarms(true);
    await looked();
    expect(await alarm()).toBe('ALARM');
    expect((await workspaces()).tokens).toEqual([]);
  });

  it('fills it when it is there again', async () => {
    await emulator.clock(START + 16 * MINUTE);
    await emulator.tick('Grafana');
    expect(await alarm()).toBe('ALARM');
    grafana.faults.length = 0;
    await emulator.clock(START + 32 * MINUTE);
    await emulator.tick('Grafana');
    expect(uids('second-')).toHaveLength(6);
    expect(await wanted()).toMatchObject({ isThere: true });
    await looked();
    expect(await alarm()).toBe('OK');
    // Where all is in place nobody signs in.
    const { made } = await workspaces();
    await emulator.clock(START + 48 * MINUTE);
    await emulator.tick('Grafana');
    expect((await workspaces()).made).toBe(made);
  });

  it('takes away what it put there when it goes', async () => {
    await emulator.alarms(false);
    await cdk('destroy', '--all', '--force');
    expect(uids('second-')).toEqual([]);
    expect([...grafana.sources.keys()].filter((uid) => uid.startsWith('second'))).toEqual([]);
    expect((await workspaces()).tokens).toEqual([]);
    expect(grafana.breaches).toEqual([]);
    expect(JSON.stringify(await emulator.state())).not.toContain('glsa_');
  });

  it('asked AWS for nothing that it is not allowed', async () => {
    // The first workspace was asked once more when another had taken its place: it goes with what is in it.
    const gone = /^MonitoringGrafanaFillingHandler: grafana:\w+ on \S+\/workspaces\/g-(?!0123456789)/;
    expect(refused(await emulator.calls()).filter((one) => !gone.test(one))).toEqual([]);
  });
});
