/** The profiler of pushed batches on AWS, as the function on the stream and the redrive use it. */
import { Grains } from '../lib/pipeline/grains.ts';
import { PackReader } from '../lib/pipeline/pack-reader.ts';
import type { Clock, EventLog, ObjectStore } from '../lib/pipeline/ports.ts';
import { PushedProfiler } from '../lib/pipeline/pushed-profiler.ts';
import { Registry } from '../lib/pipeline/registry.ts';
import { retryingStore } from '../lib/pipeline/retry.ts';

/** Attempts of a call that failed in passing, besides those of the client. */
const ATTEMPTS = 3;

export interface PushedProfilerParts {
  readonly log: Pick<EventLog, 'identity' | 'read'>;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

export function pushedProfiler({ log, store: inner, clock }: PushedProfilerParts): PushedProfiler {
  const store = retryingStore(inner, { attempts: ATTEMPTS });
  const registry = new Registry({ store, clock, baselines: 'bins' });
  // A cursor that is full is relieved here: nobody else may come in time.
  const grains = new Grains({ store, clock, registry, reader: new PackReader(store) });
  return new PushedProfiler({ log, store, clock, registry, relieve: (key) => grains.relieve(key) });
}
