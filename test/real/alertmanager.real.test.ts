/** The alert manager definition in Alertmanager itself: it is valid, routes as it should, and its messages are what the notifier reads. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { renderManagedAlertManager } from '../../lib/alerts/managed-alert-manager.ts';
import { prometheusRuleGroups } from '../../lib/alerts/prometheus.ts';
import type { Transition } from '../../lib/contracts/episode.ts';
import { transitionsOf } from '../../lib/pipeline/alarm-messages.ts';
import { type Listener, listen } from '../adapters/transitions.ts';

const topic = (name: string): string => `arn:aws:sns:eu-west-1:111122223333:${name}`;
const PUBLISHED =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>';

interface Config {
  route: Record<string, unknown>;
  receivers: { sns_configs?: Record<string, unknown>[] }[];
  templates?: string[];
}

const folder = mkdtempSync(join(tmpdir(), 'mlmon-alertmanager-'));
const definition = parse(
  renderManagedAlertManager({
    region: 'eu-west-1',
    topics: { critical: topic('critical'), warning: topic('warning') },
    heartbeatTopic: topic('heartbeat'),
  }),
) as { template_files: { default: string }; alertmanager_config: string };
const file = join(folder, 'alertmanager.yaml');
let sns: Listener;
let alertmanager: ChildProcess;
let address: string;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  sns = await listen({ status: 200, headers: { 'content-type': 'text/xml' }, body: PUBLISHED });
  const config = parse(definition.alertmanager_config) as Config;
  // The service names its templates itself and has its own endpoint; here both are named, and nobody waits.
  const templates = join(folder, 'default.tmpl');
  writeFileSync(templates, definition.template_files.default);
  config.templates = [templates];
  for (const receiver of config.receivers)
    for (const one of receiver.sns_configs ?? []) {
      one['api_url'] = sns.url;
      one['message'] = '{{ template "sns.default.message" . }}';
      one['subject'] = '{{ template "sns.default.subject" . }}';
    }
  Object.assign(config.route, { group_wait: '0s', group_interval: '1s' });
  writeFileSync(file, stringify(config));
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  alertmanager = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore', env: { ...process.env, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' } },
  );
  for (;;) {
    const ready = await fetch(`${address}/-/ready`).catch(() => null);
    if (ready?.ok === true) return;
    if (alertmanager.exitCode !== null) throw new Error('Alertmanager ended');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

afterAll(async () => {
  const ended = once(alertmanager, 'exit');
  alertmanager.kill();
  await ended;
  sns.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What was published so far. */
function published(): { topic: string; subject: string; message: string }[] {
  return sns.got.map(({ body }) => {
    const fields = new URLSearchParams(body);
    return {
      topic: fields.get('TopicArn')?.split(':').at(-1) ?? '',
      subject: fields.get('Subject') ?? '',
      message: fields.get('Message') ?? '',
    };
  });
}

async function until(done: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !done(); ) {
    if (Date.now() > deadline) throw new Error(`still waiting; so far: ${JSON.stringify(published())}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function post(alerts: readonly object[]): Promise<void> {
  const response = await fetch(`${address}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  });
  expect(response.status).toBe(200);
}

const rules = prometheusRuleGroups({
  deployment: 'aws',
  alarmsBy: 'prometheus',
  runbook: 'https://e.org/runbook.md',
}).groups.flatMap((group) => group.rules);
const alertOf = (name: string, labels: Record<string, string> = {}, more: object = {}): object => {
  const rule = rules.find(({ alert }) => alert === name)!;
  return { labels: { alertname: name, ...rule.labels, ...labels }, annotations: rule.annotations, ...more };
};

describe('the definition', () => {
  it('is one that Alertmanager takes', () => {
    const config = join(folder, 'given.yaml');
    writeFileSync(config, definition.alertmanager_config);
    const { status, stdout, stderr } = spawnSync('amtool', ['check-config', config], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  it('publishes what is to be notified to the topic of its severity, in words that the notifier reads', async () => {
    await post([
      alertOf('MlmonWindowsOverdue', { model: 'churn' }),
      alertOf('MlmonWindowsOverdue', { model: 'fraud "x" \\ {{ 1 }}' }),
      alertOf('MlmonQuarantineGrowing'),
      alertOf('MlmonEpisodeOpenCritical', { model: 'churn', signal: 'drift' }),
      alertOf('MlmonWatchdog'),
    ]);
    await until(() =>
      ['critical', 'warning', 'heartbeat'].every((name) => published().some((one) => one.topic === name)),
    );
    // A group interval later everything that would come has come.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const all = published();
    expect(all.map(({ message }) => message).join('')).not.toContain('EpisodeOpen');
    expect(all.find(({ topic: to }) => to === 'critical')!.subject).toBe('[firing] MlmonWindowsOverdue');
    const warning = transitionsOf({
      id: '1',
      subject: null,
      text: all.find(({ topic: to }) => to === 'warning')!.message,
      at: new Date().toISOString(),
    });
    expect(warning).toMatchObject([
      {
        kind: 'opened',
        title: 'MlmonQuarantineGrowing',
        runbook: 'https://e.org/runbook.md#quarantine-growing',
        episode: { severity: 'warning', signal: 'blind', summary: 'Many events on the stream cannot be read' },
      },
    ]);
  });

  it('tells that it is over, of the same episode', async () => {
    const read = (): Transition[] =>
      published()
        .filter(({ message }) => message.includes('MlmonRecordsLost'))
        .flatMap(({ message }) =>
          transitionsOf({ id: '1', subject: null, text: message, at: new Date().toISOString() }),
        );
    const startsAt = new Date(Date.now() - 60_000).toISOString();
    await post([alertOf('MlmonRecordsLost', {}, { startsAt })]);
    await until(() => read().length > 0);
    await post([alertOf('MlmonRecordsLost', {}, { startsAt, endsAt: new Date().toISOString() })]);
    await until(() => read().some(({ kind }) => kind === 'closed'));
    const [opened] = read();
    const closed = read().find(({ kind }) => kind === 'closed');
    expect(closed?.episode.id).toBe(opened?.episode.id);
    expect(opened?.episode.severity).toBe('critical');
  });
});
