/**
 * Stands beside a model server: takes copies of its inferences (through its proxy, from KServe's logger, from the app), keeps them on disk, and
 * sends them to the collector. Nothing that happens to the spool or the collector reaches the model's own path.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { cannotListen } from '../contracts/cannot-listen.ts';
import { noun } from '../contracts/noun.ts';
import type { SidecarConfig } from '../contracts/roles.ts';
import type { Clock, Sample } from '../pipeline/ports.ts';
import { CollectorClient } from './collector-client.ts';
import { Delivery } from './delivery.ts';
import { Intake } from './intake.ts';
import { Ledger } from './ledger.ts';
import { PayloadReader, type WatchedModel } from './payload-reader.ts';
import { ModelProxy } from './proxy.ts';
import { Receiver } from './receiver.ts';
import { sidecarSamples } from './samples.ts';
import { type Note, Spool } from './spool.ts';

export interface SidecarOptions {
  readonly config: SidecarConfig;
  /** Where the app and KServe's logger post. */
  readonly http: { readonly host: string; readonly port: number; readonly names: readonly string[] };
  readonly models: readonly WatchedModel[];
  /** Whether the bearer of a token may send events; `null`: whoever reaches the port may. */
  readonly authorize: ((token: string | null) => boolean) | null;
  readonly clock: Clock;
  readonly note: Note;
  /** Of deliveries: a test makes them quick. */
  readonly waits?: { readonly firstWaitMs?: number; readonly longestWaitMs?: number; readonly lingerMs?: number };
}

export interface Sidecar {
  readonly httpPort: number;
  /** `null`: nothing is proxied. */
  readonly proxyPort: number | null;
  readonly ledger: Ledger;
  /** Taken and not settled. */
  readonly waiting: number;
  samples(): Sample[];
  /** What is wrong at the moment. No reason to be unready: the model's path is open all the same. */
  problems(): string[];
  /**
   * Goes on as before for `waitMs`, until nobody sends requests here any more, then takes no more connections, lets what is under way end,
   * sends what it can and keeps the rest on disk. Ends after `limitMs` in all. Readiness must have been withdrawn before.
   */
  drain(times: { readonly waitMs: number; readonly limitMs: number }): Promise<void>;
}

const CLOSING_MS = 1_000;
const LOOK_MS = 50;

/** @throws ProblemError when a port cannot be listened on; a spool that cannot be used is a problem and no error */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { config, http, models, authorize, clock, note } = options;
  const ledger = new Ledger();
  const { folder = null, diskBytes, memoryBytes, durability } = config.spool;
  const spool = await Spool.open({ folder, diskBytes, memoryBytes, durability, clock, ledger, note });
  const intake = new Intake(spool, ledger, clock);
  let proxy: ModelProxy | null = null;
  let receiver: Receiver;
  try {
    if (config.proxy !== undefined) {
      const { host, port } = config.proxy;
      const refused = (error: unknown): never => {
        throw cannotListen(error, { host, port }, { host: 'sidecar.proxy.host', port: 'sidecar.proxy.port' });
      };
      proxy = await ModelProxy.listen(proxyOptions(config.proxy, spool, intake, clock)).catch(refused);
    }
    receiver = await Receiver.listen({ ...http, authorize, intake, memory: spool.memory }).catch((error: unknown) => {
      throw cannotListen(error, http, { host: 'http.host', port: 'http.port' });
    });
  } catch (error) {
    await proxy?.drain(0);
    await spool.close();
    throw error;
  }
  const client = new CollectorClient(config.collector);
  const delivery = new Delivery({
    spool,
    ledger,
    note,
    reader: new PayloadReader({
      models,
      clock,
      model: config.proxy?.model ?? null,
      version: config.proxy?.version ?? null,
    }),
    post: (contentType, body) => client.post(contentType, body),
    source: '/mlmon/sidecar',
    ...options.waits,
  });
  const measured = { ledger, spool, intake, delivery, receiver, proxy, diskLimit: folder === null ? null : diskBytes };
  return {
    httpPort: receiver.port,
    proxyPort: proxy?.port ?? null,
    ledger,
    get waiting() {
      return spool.records;
    },
    samples: () => sidecarSamples(measured),
    problems: () => [
      ...(spool.failure === null ? [] : [`the spool is in memory alone: ${spool.failure}`]),
      ...(delivery.failure === null ? [] : [delivery.failure]),
      ...(intake.keep < 1 ? [`${Math.round(spool.fill * 100)} % of the spool is full: events are sampled`] : []),
    ],
    async drain({ waitMs, limitMs }) {
      const ends = performance.now() + limitMs;
      const left = (): number => Math.max(0, ends - performance.now() - CLOSING_MS);
      await sleep(Math.min(waitMs, left()));
      await Promise.all([proxy?.drain(left()), receiver.close(left())]);
      while (spool.records > 0 && (delivery.failure === null || !spool.isDurable) && left() > 0) await sleep(LOOK_MS);
      const stopped = delivery.stop();
      // What is still under way has had its time.
      client.close();
      await stopped;
      // A disk that hangs must not keep the process.
      await Promise.race([spool.close(), sleep(CLOSING_MS)]);
      const { unsettled } = ledger;
      if (unsettled > 0)
        note(
          'warn',
          `${unsettled} ${noun(unsettled, 'event was', 'events were')} not sent; ${spool.isDurable ? `the next start sends ${noun(unsettled, 'it', 'them')}` : noun(unsettled, 'it is lost', 'they are lost')}`,
        );
    },
  };
}

function proxyOptions(
  { host, port, upstream, idHeader, paths, copyBytes }: NonNullable<SidecarConfig['proxy']>,
  spool: Spool,
  intake: Intake,
  clock: Clock,
): Parameters<typeof ModelProxy.listen>[0] {
  const colon = upstream.lastIndexOf(':');
  return {
    host,
    port,
    upstream: { host: upstream.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(upstream.slice(colon + 1)) },
    rules: { paths: paths.map((pattern) => new RegExp(pattern)), idHeader: idHeader.toLowerCase(), copyBytes },
    budget: spool.memory,
    clock,
    sink: intake,
  };
}
