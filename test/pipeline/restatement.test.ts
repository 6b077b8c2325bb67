import { beforeEach, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { EpisodeState, OutboxEntry, Transition } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { Notifier } from '../../lib/pipeline/notifier.ts';
import type { AlertChannel } from '../../lib/pipeline/ports.ts';
import { Restatement } from '../../lib/pipeline/restatement.ts';
import { transitionOf } from '../adapters/transitions.ts';

let store: MemoryStore;
let now: number;
let told: string[][];
let broken: boolean;
const clock = { now: () => Date.parse('2001-03-02T02:00:00Z') };
const wall = { now: () => now };
const channel: AlertChannel = {
  name: 'state',
  records: true,
  keepsState: true,
  restateEveryMs: 60_000,
  deliver: async () => undefined,
  restate: async (open) => {
    if (broken) throw new Error('away');
    told.push(open.map(({ episode, kind, runbook }) => `${episode.id} ${kind} ${runbook}`));
  },
};

beforeEach(() => {
  store = new MemoryStore();
  now = 1_000_000;
  told = [];
  broken = false;
});

const entry = (transition: Transition, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  transition,
  delivered: {},
  attempts: {},
  failed: {},
  channels: ['state'],
  ...more,
});

async function given(model: string, more: Partial<EpisodeState>): Promise<void> {
  const state: EpisodeState = {
    schema: 'mlmon.episodes/v1',
    model,
    appliedThrough: {},
    episodes: [],
    acknowledged: {},
    silences: [],
    outbox: [],
    ...more,
  };
  await store.putIfAbsent(keys.episodes(model), encodeJson(state));
}

const restatement = (channels: readonly AlertChannel[] = [channel]): Restatement =>
  new Restatement({ store, clock, wall, channels });
const opened = transitionOf();

it('tells what is open and not what is closed, and again when its time has come', async () => {
  const { episode } = opened;
  await given('m', {
    episodes: [episode, { ...episode, id: 'e0', closed: '2001-03-01T00:00:00.000Z' }],
    outbox: [entry(opened)],
  });
  const one = restatement();
  await one.round();
  await one.round();
  expect(told).toEqual([['e1 opened https://example.org/runbook#drift']]);
  now += 60_000;
  await one.round();
  expect(told).toHaveLength(2);
});

it('tells that nothing is open, so that its receiver could notice a change', async () => {
  await restatement().round();
  expect(told).toEqual([[]]);
});

it('tells an episode whose opening is no longer in its outbox', async () => {
  await given('m', { episodes: [opened.episode] });
  await restatement().round();
  expect(told).toEqual([['e1 opened ']]);
});

it('tells what was given up, and nothing that goes elsewhere or is not decided on', async () => {
  await given('a', { episodes: [opened.episode], outbox: [entry(opened, { failed: { state: 'refused' } })] });
  await given('b', { episodes: [opened.episode], outbox: [entry(opened, { channels: ['slack'] })] });
  await given('c', { episodes: [opened.episode], outbox: [entry(opened, { channels: undefined })] });
  await restatement().round();
  expect(told[0]).toHaveLength(1);
});

it('leaves out what is silenced, while it is', async () => {
  const silence = { id: 's', model: 'm', signal: null, by: 'x', reason: 'y', from: '2001-03-01T00:00:00Z' };
  await given('m', { episodes: [opened.episode], silences: [{ ...silence, until: '2001-03-03T00:00:00Z' }] });
  await given('n', { episodes: [opened.episode], silences: [{ ...silence, until: '2001-03-02T00:00:00Z' }] });
  await restatement().round();
  expect(told[0]).toHaveLength(1);
});

it('comes back soon after a failure, long before what was told has ended', async () => {
  await given('m', { episodes: [opened.episode] });
  const one = restatement();
  broken = true;
  expect(await one.round()).toBe(0);
  broken = false;
  expect(await one.round()).toBe(0);
  now += 15_000;
  expect(await one.round()).toBe(1);
});

it('reads nothing where no channel forgets', async () => {
  const { restate: _, ...plain } = channel;
  const reads: string[] = [];
  const watched = Object.assign(Object.create(store) as MemoryStore, {
    list: async (prefix: string) => {
      reads.push(prefix);
      return [];
    },
  });
  await new Restatement({ store: watched, clock, wall, channels: [plain] }).round();
  expect(reads).toEqual([]);
});

it('is part of every round of the notifier, and a failure is counted as an attempt to be made again', async () => {
  await given('m', { episodes: [opened.episode], outbox: [entry(opened)] });
  const notifier = new Notifier({ store, clock, wall, channels: [channel] });
  await notifier.run();
  expect(told).toHaveLength(1);
  broken = true;
  now += 60_000;
  await notifier.run();
  expect(notifier.counts.retried).toBe(1);
});
