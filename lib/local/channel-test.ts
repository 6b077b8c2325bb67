/**
 * A test of the channels of a deployed platform. Secrets and rights are the notifier's, so it makes the test: a transition is put into an outbox
 * of its own, the notifier sends it through every channel in its next round, and what came of it is read from the same object.
 */
import { randomUUID } from 'node:crypto';
import { alertingSchema } from '../contracts/alerting.ts';
import type { Outbox, Transition } from '../contracts/episode.ts';
import { keys, stamp } from '../contracts/object-keys.ts';
import { ProblemError } from '../contracts/problem.ts';
import { encodeJson, readJson } from '../pipeline/json-object.ts';
import { emptyOutbox, entryOf } from '../pipeline/outbox.ts';
import type { Clock, ObjectStore } from '../pipeline/ports.ts';
import { sleep } from '../pipeline/retry.ts';
import { readTeamChannels } from '../pipeline/team-channels.ts';

export interface ChannelTestResult {
  readonly channels: readonly { readonly channel: string; readonly error: string | null }[];
}

export interface ChannelTestOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly transition: Transition;
  /** Milliseconds until those that have not answered count as failed. @default 100000: the notifier runs every minute */
  readonly patienceMs?: number;
  /** Milliseconds between looks. @default 1000 */
  readonly everyMs?: number;
}

/** @throws ProblemError when the platform has no alerting configuration */
export async function testDeployedChannels(options: ChannelTestOptions): Promise<ChannelTestResult> {
  const { store, clock, transition, patienceMs = 100_000, everyMs = 1_000 } = options;
  const names = await channelNames(store);
  if (names.length === 0) return { channels: [] };
  const key = keys.channelTest(`${stamp(clock.now())}-${randomUUID().slice(0, 8)}`);
  const test: Outbox = { ...emptyOutbox(), outbox: [entryOf(transition)] };
  await store.putIfAbsent(key, encodeJson(test));
  for (let waited = 0; ; waited += everyMs) {
    const entry = (await readJson<Outbox>(store, key))?.value.outbox[0];
    const channels = names.map((channel) => {
      if (entry?.delivered[channel] !== undefined) return { channel, error: null };
      return { channel, error: entry?.failed[channel] ?? NO_ANSWER };
    });
    if (channels.every(({ error }) => error !== NO_ANSWER) || waited >= patienceMs) return { channels };
    await sleep(everyMs);
  }
}

const NO_ANSWER =
  'the notifier has not sent it; look at its log and schedule (runbook: notifier-silent), it may still come';

async function channelNames(store: ObjectStore): Promise<readonly string[]> {
  const stored = await readJson<unknown>(store, keys.alerting());
  const parsed = alertingSchema.safeParse(stored?.value);
  if (parsed.success) {
    const { teams } = await readTeamChannels(store);
    return [...parsed.data.channels, ...Object.values(teams).flatMap(({ channels }) => channels)].map(
      ({ name }) => name,
    );
  }
  throw new ProblemError([
    {
      code: 'no-alerting',
      path: keys.alerting(),
      message: stored === null ? 'there is no such object' : 'is not valid',
      expected: 'the store of a deployed platform, with channels that its deployment published',
      fix: 'check the address, or deploy again',
    },
  ]);
}
