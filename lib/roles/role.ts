/** What a role brings into its process. Whoever runs it starts its parts, serves its routes, and ends it in order. */
import type { Route } from '../local/server/router.ts';
import type { Collector } from '../pipeline/collector.ts';
import type { DeliveryCounts } from '../pipeline/outbox-delivery.ts';
import type { Sample } from '../pipeline/ports.ts';
import type { Part, PartState } from '../pipeline/run.ts';

export interface RoleParts {
  readonly parts?: readonly Part[];
  /** Behind the port for events and the page. */
  readonly routes?: readonly Route[];
  readonly collector?: Collector;
  readonly deliveries?: { readonly counts: DeliveryCounts; readonly undeliveredMs: number };
  /** Gauges of its own, as they are now. */
  readonly samples?: () => readonly Sample[];
  /** Why it cannot do its work; `null` when it can. `state`: of a part by its name. */
  readonly notReady?: (state: (part: string) => PartState | null) => string | null;
  /** Beside the wait at the beginning of the end, for what listens by itself: goes on for `waitMs`, ends within `limitMs`. */
  readonly leave?: (times: { readonly waitMs: number; readonly limitMs: number }) => Promise<void>;
  /** The part that cannot go on without what it waits for is told that the end has come: before parts are stopped. */
  readonly drain?: () => Promise<void>;
  /** After everything has stopped. */
  readonly close?: () => Promise<void>;
}

/** For roles whose parts throw when what they work with is away. */
export function whenFailing(...names: readonly string[]): NonNullable<RoleParts['notReady']> {
  return (state) => {
    for (const name of names) {
      const part = state(name);
      if (part !== null && part.failures > 0) return `${name}: ${part.error ?? 'failing'}`;
    }
    return null;
  };
}
