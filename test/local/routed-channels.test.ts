/** Routes and mutes in the file of channels, up to what receivers hear and the page shows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { readRoutedChannels } from '../../lib/local/channels.ts';
import { deliveriesOf } from '../../lib/local/server/alert-views.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { Notifier } from '../../lib/pipeline/notifier.ts';
import { addTransitions, outboxOf, TestClock, transitionFor } from '../pipeline/outbox-data.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'routed-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'channels.yaml');
  await writeFile(path, text);
  return path;
}

it('decide who hears of what; the inbox keeps all of it that is told, and what is muted is shown with the reason', async () => {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      heard.push(`${request.url} ${JSON.parse(body).episode.model}`);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const path = await file(`
channels:
  - { type: webhook, name: night, url: "${url}/night" }
  - { type: webhook, name: day, url: "${url}/day" }
routes:
  - { match: { severity: critical }, channels: [night] }
  - { match: { model: quiet }, channels: [inbox] }
mutes:
  - { match: { model: trial }, reason: an experiment }
  - { match: { model: later }, from: "2000-01-01T00:00:00Z", until: "2000-01-02T00:00:00+01:00", reason: long over }
`);
    const routed = await readRoutedChannels(path, store, clock);
    await addTransitions(store, [
      transitionFor('urgent', 'opened', { severity: 'critical' }),
      transitionFor('quiet'),
      transitionFor('trial', 'opened', { severity: 'critical' }),
      transitionFor('later'),
    ]);
    await new Notifier({ store, clock, ...routed }).run();
    expect(heard.sort()).toEqual(['/day later', '/night later', '/night urgent']);
    const kept: string[] = [];
    for await (const key of listAll(store, 'inbox/')) kept.push(key.split('/')[1] ?? '');
    expect(kept.sort()).toEqual(['later', 'quiet', 'urgent']);
    const [trial] = (await outboxOf(store, 'trial')) ?? [];
    expect(trial === undefined ? [] : deliveriesOf(trial)).toEqual([
      { transition: 'opened', channel: 'everybody', state: 'silenced', detail: 'an experiment' },
    ]);
  } finally {
    server.close();
  }
});

it('are refused where they name nobody or no time, all at once', async () => {
  const path = await file(`
channels:
  - { type: webhook, name: night, url: "http://127.0.0.1:1/night" }
routes:
  - { match: {}, channels: [nigth] }
mutes:
  - { match: {}, until: tomorrow, reason: x }
  - { match: {}, from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z", reason: x }
`);
  const error = await readRoutedChannels(path, new MemoryStore(), new TestClock()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProblemError);
  expect((error as ProblemError).problems.map((one) => [one.path.replace(`${path}: `, ''), one.fix])).toEqual([
    ['routes.0.channels', 'did you mean night?'],
    ['mutes.0.until', undefined],
    ['mutes.1.until', undefined],
  ]);
});

it('are strict in their keys', async () => {
  const path = await file('channels: []\nroutes: [{ match: { modell: a }, channels: [inbox] }]\n');
  const error = await readRoutedChannels(path, new MemoryStore(), new TestClock()).catch((thrown: unknown) => thrown);
  expect((error as ProblemError).problems.map(({ path: at }) => at)).toEqual([`${path}: routes.0.match`]);
});
