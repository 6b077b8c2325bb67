/** The configuration of Alertmanager, judged by its own tool: it is valid, and each alert goes where it should. And Alertmanager itself, told of episodes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { AlertmanagerChannel } from '../../lib/adapters/alertmanager/alertmanager-channel.ts';
import { type AlertmanagerFileOptions, renderAlertmanager } from '../../lib/alerts/alertmanager.ts';
import { alertmanagerConfig, prometheusRule } from '../../lib/alerts/alertmanager-config.ts';
import { prometheusRuleGroups } from '../../lib/alerts/prometheus.ts';
import { closing, type Listener, listen, transitionOf } from '../adapters/transitions.ts';
import { SCHEMAS, tool } from './kubernetes/tools.ts';
import { endAll, eventually, freePort, Program } from './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlmon-routes-'));
const file = join(folder, 'alertmanager.yaml');
const secret = (name: string, value = 'https://example.org/hook'): string => {
  const path = join(folder, name);
  writeFileSync(path, value);
  return path;
};
let bin: string;
let hook: Listener;
let url: string;

beforeAll(async () => {
  const built = spawnSync('bash', [resolve(import.meta.dirname, '../../scripts/alertmanager.sh')], {
    encoding: 'utf8',
  });
  expect(built.stderr.replaceAll(/^(?:building|go: downloading).*$/gm, '').trim()).toBe('');
  bin = built.stdout.trim();
  hook = await listen({ status: 200 });
  const options: AlertmanagerFileOptions = {
    receivers: [
      { type: 'slack', name: 'room', url: secret('slack') },
      { type: 'pagerduty', name: 'pager', routingKey: secret('pagerduty', '0'.repeat(32)) },
      { type: 'teams', name: 'team', url: secret('teams') },
      { type: 'opsgenie', name: 'ops', key: secret('opsgenie', 'key') },
      { type: 'webhook', name: 'hook', url: secret('hook', `${hook.url}/hook`) },
    ],
    routes: [
      { match: { owner: 'team-hook' }, receivers: ['hook'] },
      { match: { severity: 'critical' }, receivers: ['pager', 'room'] },
      { match: { severity: 'warning', signal: 'drift' }, receivers: ['team'] },
      { match: { severity: 'info' }, receivers: [] },
    ],
    heartbeat: { url: secret('heartbeat', `${hook.url}/heartbeat`) },
  };
  writeFileSync(file, renderAlertmanager(options));
}, 900_000);
afterAll(() => {
  endAll();
  hook?.close();
  rmSync(folder, { recursive: true, force: true });
});

function amtool(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(join(bin, 'amtool'), args, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

const labelsOf = (name: string): Readonly<Record<string, string>> => {
  const rule = prometheusRuleGroups({ deployment: 'machines' })
    .groups.flatMap(({ rules }) => rules)
    .find(({ alert }) => alert === name)!;
  return { alertname: name, ...rule.labels };
};

describe('the configuration', () => {
  it('is one that Alertmanager takes, and the committed one too', () => {
    for (const one of [file, resolve(import.meta.dirname, '../../dashboards/prometheus/alertmanager.yaml')]) {
      const { status, output } = amtool('check-config', one);
      expect(output).toContain('SUCCESS');
      expect(status).toBe(0);
    }
  });

  it.each([
    ['a critical alert of the platform', labelsOf('MlmonNoEvents'), 'mlmon-pager-and-room'],
    ['a warning of the platform, which no route names', labelsOf('MlmonArchiverBehind'), 'mlmon-all'],
    ['the watchdog', labelsOf('MlmonWatchdog'), 'mlmon-heartbeat'],
    ['what episodes tell, shown by a rule', { ...labelsOf('MlmonEpisodeOpenCritical'), model: 'a' }, 'mlmon-nobody'],
    [
      'drift of a model, posted by the notifier',
      { alertname: 'MlmonDrift', signal: 'drift', severity: 'warning', model: 'a', owner: 'team-b', notify: 'true' },
      'mlmon-team',
    ],
    [
      'anything of a team that has its own',
      {
        alertname: 'MlmonBlind',
        signal: 'blind',
        severity: 'critical',
        model: 'a',
        owner: 'team-hook',
        notify: 'true',
      },
      'mlmon-hook',
    ],
    [
      'what is for the record',
      { alertname: 'MlmonVolume', signal: 'volume', severity: 'info', model: 'a', owner: 'team-b', notify: 'true' },
      'mlmon-nobody',
    ],
    ['what is not ours', { alertname: 'KubePodCrashLooping', severity: 'critical' }, 'mlmon-nobody'],
  ])('%s goes where it should', (_what, labels, receiver) => {
    const { status, output } = amtool(
      ...['config', 'routes', 'test', `--config.file=${file}`, `--verify.receivers=${receiver}`],
      ...Object.entries(labels).map(([name, value]) => `${name}=${value}`),
    );
    expect(output.trim()).toBe(receiver);
    expect(status).toBe(0);
  });
});

describe('objects of Prometheus Operator', () => {
  it('are valid by the schemas of their kinds, with every receiver there is', () => {
    const tools = spawnSync('bash', [resolve(import.meta.dirname, '../../scripts/kubernetes-tools.sh')], {
      encoding: 'utf8',
    });
    expect(tools.status, tools.stderr).toBe(0);
    const at = (key: string) => ({ name: 'receivers', key });
    const metadata = { name: 'mlmon', namespace: 'monitoring' };
    const objects = [
      prometheusRule(metadata, { dashboards: 'https://grafana.example.org', parts: ['collector'] }),
      alertmanagerConfig(metadata, {
        receivers: [
          { type: 'slack', name: 'room', url: at('slack'), channel: '#models' },
          {
            type: 'pagerduty',
            name: 'pager',
            routingKey: at('pager'),
            url: 'https://events.eu.pagerduty.com/v2/enqueue',
          },
          { type: 'teams', name: 'team', url: at('teams') },
          { type: 'opsgenie', name: 'ops', key: at('ops'), url: 'https://api.eu.opsgenie.com' },
          { type: 'webhook', name: 'hook', url: at('hook') },
        ],
        routes: [{ match: { severity: 'critical', owner: 'team-a' }, receivers: ['pager', 'room'] }],
        heartbeat: { url: at('heartbeat') },
      }),
    ];
    const conform = (all: readonly unknown[]) =>
      tool(
        'kubeconform',
        ['-strict', '-schema-location', `${SCHEMAS}/{{.ResourceKind}}{{.KindSuffix}}.json`, '-'],
        all.map((one) => stringify(one, { aliasDuplicateObjects: false })).join('---\n'),
      );
    expect(conform(objects)).toMatchObject({ code: 0, out: '' });
    const spoilt = stringify(objects[1]).replace('msteamsv2Configs', 'teamsConfigs');
    expect(conform([parse(spoilt)]).code).toBe(1);
  }, 1_500_000);
});

describe('Alertmanager itself', () => {
  interface Told {
    readonly status: string;
    readonly alerts: readonly {
      readonly status: string;
      readonly labels: Record<string, string>;
      readonly startsAt: string;
    }[];
  }
  interface Shown {
    readonly labels: Readonly<Record<string, string>>;
    readonly endsAt: string;
    readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
  }
  const told = (): Told[] =>
    hook.got.filter(({ path }) => path === '/hook').map(({ body }) => JSON.parse(body) as Told);
  const shown = async (): Promise<Shown[]> => (await (await fetch(`${url}/api/v2/alerts`)).json()) as Shown[];
  const owner = 'team-hook';

  beforeAll(async () => {
    // Nobody waits here.
    const config = parse(renderAlertmanagerFile()) as { route: Record<string, unknown> };
    Object.assign(config.route, { group_wait: '0s', group_interval: '1s' });
    writeFileSync(join(folder, 'quick.yaml'), stringify(config));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    new Program(join(bin, 'alertmanager'), [
      `--config.file=${join(folder, 'quick.yaml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ]);
    await eventually(
      async () => (await fetch(`${url}/-/ready`)).ok,
      (ready) => ready,
    );
  });

  it('is told of an episode, keeps it while it is stated again, and tells that it is over', async () => {
    const channel = new AlertmanagerChannel({ urls: [url], dashboards: 'https://grafana.example.org' });
    const opened = transitionOf({}, { owner });
    await channel.deliver(opened);
    await eventually(
      async () => told(),
      (all) => all.some(({ status }) => status === 'firing'),
    );
    const [before] = await shown();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await channel.restate([opened]);
    const [after, ...others] = await shown();
    expect(others).toEqual([]);
    expect(Date.parse(after!.endsAt)).toBeGreaterThan(Date.parse(before!.endsAt));
    await channel.deliver({ ...closing(), episode: { ...closing().episode, owner } });
    const all = await eventually(
      async () => told(),
      (messages) => messages.some(({ status }) => status === 'resolved'),
    );
    const [first] = all;
    const last = all.at(-1)!;
    expect(first!.alerts[0]?.labels).toMatchObject({ alertname: 'MlmonDrift', model: 'm', severity: 'warning', owner });
    expect(last.alerts[0]?.labels).toEqual(first!.alerts[0]?.labels);
    expect(last.alerts[0]?.startsAt).toBe(first!.alerts[0]?.startsAt);
    // Stated again is not told again.
    expect(all.filter(({ status }) => status === 'firing')).toHaveLength(1);
  });

  it('keeps what follows from blindness quiet, and nothing else', async () => {
    const channel = new AlertmanagerChannel({ urls: [url] });
    await channel.restate([
      transitionOf({}, { id: 'b1', model: 'unseen', signal: 'blind', severity: 'critical', owner }),
      transitionOf({}, { id: 'b2', model: 'unseen', owner }),
      transitionOf({}, { id: 'b3', model: 'seen', owner }),
      transitionOf({}, { id: 'b4', model: 'worse', signal: 'performance', severity: 'critical', owner }),
      transitionOf({}, { id: 'b5', model: 'worse', owner }),
    ]);
    const states = await eventually(
      async () =>
        Object.fromEntries(
          (await shown()).map(({ labels, status }) => [`${labels['model']} ${labels['signal']}`, status.state]),
        ),
      (found) => Object.values(found).filter((state) => state === 'suppressed').length >= 2,
    );
    expect(states).toMatchObject({
      'unseen blind': 'active',
      'unseen drift': 'suppressed',
      'seen drift': 'active',
      'worse performance': 'active',
      'worse drift': 'suppressed',
    });
    await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ labels: labelsOf('MlmonNoEvents') }]),
    });
    await eventually(shown, (all) =>
      all.filter(({ labels }) => labels['model'] !== undefined).every(({ status }) => status.state === 'suppressed'),
    );
  });
});

function renderAlertmanagerFile(): string {
  return renderAlertmanager({
    receivers: [{ type: 'webhook', name: 'hook', url: join(folder, 'hook') }],
  });
}
