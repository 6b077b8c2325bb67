/** Takes events and labels over HTTP, and KServe's copies of inferences. */
import { kserveRoutes } from '../local/server/kserve-routes.ts';
import type { Tokens } from '../local/server/tokens.ts';
import { Collector } from '../pipeline/collector.ts';
import { collectorQuarantine } from '../pipeline/collector-quarantine.ts';
import { KServeReader } from '../pipeline/kserve.ts';
import type { RoleParts } from './role.ts';
import type { Shared } from './shared.ts';

const CHECK_EVERY = 1_000;

export function collectorRole({ log, store, registry, clock, policyKey }: Shared, tokens: Tokens | null): RoleParts {
  const collector = new Collector({ log, registry, clock, quarantine: collectorQuarantine(store), policyKey });
  const reader = new KServeReader({ collector, registry, clock });
  /** Failures that were over when the log was last seen to answer. */
  let overcome = 0;
  return {
    collector,
    routes: kserveRoutes({ collector, reader, tokens }),
    parts: [
      {
        // Nobody sends to a collector that is not ready, so it finds out by itself that it can work again.
        name: 'collector',
        step: async () => {
          const { deliveryFailures } = collector.counters;
          if (collector.failure !== null && deliveryFailures > overcome) {
            await log.partitions();
            overcome = deliveryFailures;
          }
          return { waitMs: CHECK_EVERY };
        },
      },
    ],
    notReady: () =>
      collector.failure !== null && collector.counters.deliveryFailures > overcome
        ? `events cannot be made durable: ${collector.failure}`
        : null,
    drain: () => collector.drain(),
  };
}
