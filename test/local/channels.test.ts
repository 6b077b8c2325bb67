import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { readChannels } from '../../lib/local/channels.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'channels-'));
  for (const name of ['slack', 'pagerduty', 'teams', 'opsgenie', 'hook'])
    await writeFile(join(folder, name), `https://e.org/${name}\n`);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(text: string) {
  const file = join(folder, 'channels.yaml');
  await writeFile(file, text);
  return readChannels(file, new MemoryStore());
}

it('makes a channel of every type, the inbox first', async () => {
  const channels = await read(`
channels:
  - { type: slack, urlFile: slack }
  - { type: pagerduty, routingKeyFile: pagerduty }
  - { type: teams, urlFile: teams, name: room }
  - { type: opsgenie, keyFile: opsgenie }
  - { type: webhook, urlFile: hook }
`);
  expect(channels.map(({ name }) => name)).toEqual(['inbox', 'slack', 'pagerduty', 'room', 'opsgenie', 'webhook']);
});

it('names every problem at once, and no secret', async () => {
  const error = await read(
    'channels: [ { type: teams, urlFile: missing }, { type: slack, urlFile: slack }, { type: slack, urlFile: slack } ]',
  ).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(ProblemError);
  expect((error as ProblemError).problems.map(({ message }) => message)).toEqual([
    'cannot be read',
    'two channels have one name',
  ]);
  expect((error as Error).message).not.toContain('e.org');
});

it('refuses secrets that hold nothing, or no address where one is needed, and shows none', async () => {
  await writeFile(join(folder, 'routing'), 'R0123456789');
  await writeFile(join(folder, 'blank'), ' \n');
  const error = await read(`
channels:
  - { type: slack, urlFile: routing }
  - { type: webhook, urlFile: blank, secretFile: blank }
  - { type: pagerduty, routingKeyFile: blank }
`).catch((failure: unknown) => failure);
  expect((error as ProblemError).problems.map(({ message }) => message)).toEqual([
    'holds no address',
    'is empty',
    'is empty',
    'is empty',
  ]);
  expect((error as Error).message).toContain('routing: holds no address; expected an address: https://…');
  expect((error as Error).message).not.toContain('R0123456789');
});

it('makes a channel of Alertmanager, with secrets from files', async () => {
  const channels = await read(`
channels:
  - type: alertmanager
    urls: [http://127.0.0.1:9093]
    username: mlmon
    passwordFile: hook
    dashboards: https://grafana.example.org
    labels: { cluster: west }
  - { type: webhook, urlFile: hook }
`);
  expect(channels.map(({ name, keepsState }) => [name, keepsState ?? false])).toEqual([
    ['inbox', false],
    ['alertmanager', true],
    ['webhook', false],
  ]);
});

it('does not let people be told twice', async () => {
  const error = await read(
    'channels: [ { type: alertmanager, urls: ["http://127.0.0.1:9093"], username: half }, { type: slack, urlFile: slack } ]',
  ).catch((failure: unknown) => failure);
  expect((error as ProblemError).problems.map(({ message }) => message)).toEqual([
    'people would be told twice, by Alertmanager and by another channel',
    'half of a name and its password',
  ]);
});
