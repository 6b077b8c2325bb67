/** The collector as functions have it: on the bucket and the stream of the environment, with monitors and the policy key of the moment. */
import { randomUUID } from 'node:crypto';
import { EVENT_LIMITS } from '../lib/contracts/event.ts';
import { Collector } from '../lib/pipeline/collector.ts';
import { collectorQuarantine } from '../lib/pipeline/collector-quarantine.ts';
import type { EventLog, ObjectStore } from '../lib/pipeline/ports.ts';
import { Registry } from '../lib/pipeline/registry.ts';
import { parsePolicyKey } from './policy-key.ts';
import { bucketStore, streamSink, wallClock } from './ports.ts';
import { Secrets } from './secrets.ts';

/** Of a record of the stream its key takes some. */
const KEY_BYTES = 64;

export interface Collecting {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly collector: Collector;
  readonly secrets: Secrets;
  /** Brings monitors and the policy key up to date, where they are older than they may be. */
  readonly refresh: () => Promise<void>;
}

export function collecting(environment: {
  readonly MLMON_BUCKET: string;
  readonly MLMON_STREAM_ARN: string;
  readonly MLMON_POLICY_KEY_SECRET_ARN?: string | undefined;
}): Collecting {
  const store = bucketStore(environment.MLMON_BUCKET);
  const log: Pick<EventLog, 'append'> = streamSink(environment.MLMON_STREAM_ARN);
  const secrets = new Secrets();
  const registry = new Registry({ store, clock: wallClock, baselines: 'bins' });
  const collector = new Collector({
    log,
    registry,
    clock: wallClock,
    quarantine: collectorQuarantine(store),
    recordBytes: EVENT_LIMITS.recordBytes - KEY_BYTES,
    // Copies of a function do not know of each other: a running number would be the same in each.
    partitionKey: randomUUID,
  });
  const arn = environment.MLMON_POLICY_KEY_SECRET_ARN;
  const refresh = async (): Promise<void> => {
    const [key] = await Promise.all([
      arn === undefined ? null : secrets.text(arn).then((text) => parsePolicyKey(text, arn)),
      registry.refresh(),
    ]);
    collector.rekey(key);
  };
  return { store, registry, collector, secrets, refresh };
}
