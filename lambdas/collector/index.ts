/** Takes events, labels and KServe's copies of inferences over HTTP, and answers when they are durable on the stream. */
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { KServeReader } from '../../lib/pipeline/kserve.ts';
import { PublishedBindings } from '../../lib/pipeline/sender-rights.ts';
import { collecting } from '../collecting.ts';
import { logOf } from '../log.ts';
import { wallClock } from '../ports.ts';
import { collectorHandler } from './handler.ts';
import { KServeDoor } from './kserve-door.ts';

/** Bindings are believed as long as monitors are. */
const BINDINGS_MS = 60_000;

const environment = readEnvironment('collector', process.env);
const { store, registry, collector, secrets, refresh } = collecting(environment);
const { MLMON_KSERVE_SECRET_ARN: pathSecret } = environment;

export const handler = collectorHandler({
  collector,
  refresh,
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
      : new KServeDoor({
          secrets,
          arn: pathSecret,
          reader: new KServeReader({ collector, registry, clock: wallClock }),
        }),
  environment: environment.MLMON_ENVIRONMENT,
  clock: wallClock,
  log: logOf('collector'),
});
