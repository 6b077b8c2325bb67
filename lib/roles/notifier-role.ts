/** Delivers transitions of models to people. */
import { readRoutedChannels } from '../local/channels.ts';
import { Notifier } from '../pipeline/notifier.ts';
import { every } from '../pipeline/timed-parts.ts';
import { type RoleParts, whenFailing } from './role.ts';
import type { Shared } from './shared.ts';

/** The longest that one delivery may take, with its marks, milliseconds: two notifiers at once do not both attempt it. */
const LEASE_MS = 60_000;

/** @throws ProblemError for what is wrong in the file of channels */
export async function notifierRole({ store, clock, config, pace }: Shared): Promise<RoleParts> {
  const routed = await readRoutedChannels(config.channelsFile, store, clock);
  const notifier = new Notifier({ store, clock, ...routed, leaseMs: LEASE_MS });
  return {
    parts: [every('notifier', pace.notify, () => notifier.run())],
    deliveries: notifier,
    notReady: whenFailing('notifier'),
  };
}
