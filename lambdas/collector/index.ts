/** Takes events, labels and KServe's copies of inferences over HTTP, and answers when they are durable on the stream. */
import { randomUUID } from 'node:crypto';
import { EVENT_LIMITS } from '../../lib/contracts/event.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { Collector } from '../../lib/pipeline/collector.ts';
import { collectorQuarantine } from '../../lib/pipeline/collector-quarantine.ts';
import { KServeReader } from '../../lib/pipeline/kserve.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { PublishedBindings } from '../../lib/pipeline/sender-rights.ts';
import { logOf } from '../log.ts';
import { parsePolicyKey } from '../policy-key.ts';
import { bucketStore, streamSink, wallClock } from '../ports.ts';
import { Secrets } from '../secrets.ts';
import { collectorHandler } from './handler.ts';
import { KServeDoor } from './kserve-door.ts';

/** Bindings are believed as long as monitors are. */
const BINDINGS_MS = 60_000;
/** Of a record of the stream its key takes some. */
const KEY_BYTES = 64;

const environment = readEnvironment('collector', process.env);
const clock = wallClock;
const store = bucketStore(environment.MLMON_BUCKET);
const secrets = new Secrets();
const registry = new Registry({ store, clock });
const collector = new Collector({
  log: streamSink(environment.MLMON_STREAM_ARN),
  registry,
  clock,
  quarantine: collectorQuarantine(store),
  recordBytes: EVENT_LIMITS.recordBytes - KEY_BYTES,
  // Copies of this function do not know of each other: a running number would be the same in each.
  partitionKey: randomUUID,
});
const { MLMON_POLICY_KEY_SECRET_ARN: policyKey, MLMON_KSERVE_SECRET_ARN: pathSecret } = environment;

export const handler = collectorHandler({
  collector,
  refresh: async () => {
    const [key] = await Promise.all([
      policyKey === undefined ? null : secrets.text(policyKey).then((text) => parsePolicyKey(text, policyKey)),
      registry.refresh(),
    ]);
    collector.rekey(key);
  },
  auth: environment.MLMON_AUTH,
  bindings: new PublishedBindings({
    store,
    key: environment.MLMON_BINDINGS_KEY ?? keys.bindings(),
    cacheMs: BINDINGS_MS,
    now: () => performance.now(),
  }),
  kserve:
    pathSecret === undefined
      ? null
      : new KServeDoor({ secrets, arn: pathSecret, reader: new KServeReader({ collector, registry, clock }) }),
  environment: environment.MLMON_ENVIRONMENT,
  clock,
  log: logOf('collector'),
});
