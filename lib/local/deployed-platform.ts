/**
 * A server over the objects of a deployed platform: the page and the answers of one machine, of what its functions wrote. For commands it also
 * changes what people may change; the page is for reading alone.
 */
import { isDeepStrictEqual } from 'node:util';
import { runbookAnchor } from '../alerts/catalogue.ts';
import { renderRunbook } from '../alerts/runbook.ts';
import type { Episode } from '../contracts/episode.ts';
import { type PublishedMonitor, parseMonitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import { ProblemError } from '../contracts/problem.ts';
import { AuditLog } from '../pipeline/audit.ts';
import { PackReader } from '../pipeline/pack-reader.ts';
import type { Clock, ObjectStore } from '../pipeline/ports.ts';
import { ownerOf } from '../pipeline/publication-record.ts';
import { readAll } from '../pipeline/publisher.ts';
import { readQuarantine } from '../pipeline/quarantine.ts';
import { Registry } from '../pipeline/registry.ts';
import { PlatformActions, testTransition } from './actions.ts';
import { type ChannelTestOptions, testDeployedChannels } from './channel-test.ts';
import { deployedHealth } from './deployed-health.ts';
import { loadPage } from './page/load.ts';
import { remembered } from './platform-health.ts';
import { wallClock } from './replay-clock.ts';
import { apiRoutes } from './server/api-routes.ts';
import { type Actions, changeRoutes } from './server/change-routes.ts';
import { HttpServer } from './server/http-server.ts';
import { openApiDocument } from './server/open-api.ts';
import { pageRoutes } from './server/page-routes.ts';
import { ReadModel } from './server/read-model.ts';
import type { Tokens } from './server/tokens.ts';
import { WindowColumns } from './server/window-columns.ts';

export interface DeployedOptions {
  readonly store: ObjectStore;
  readonly host: string;
  readonly port: number;
  readonly names?: readonly string[];
  readonly tokens: Tokens | null;
  /** `page`: people look at it, nothing changes. `commands`: no page, and changes. */
  readonly serves: 'page' | 'commands';
  readonly clock?: Clock;
  readonly channelTest?: Pick<ChannelTestOptions, 'patienceMs' | 'everyMs'>;
  readonly onFailure?: (what: string, error: unknown) => void;
}

export interface DeployedServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Milliseconds for which a list of a bucket, its health and its quarantine are believed: each costs calls. */
const LISTS_MS = 10_000;
const HEALTH_MS = 15_000;
const QUARANTINE_MS = 60_000;

export async function serveDeployed(options: DeployedOptions): Promise<DeployedServer> {
  const { store, host, port, names, tokens, serves, clock = wallClock, onFailure } = options;
  const registry = new Registry({ store, clock });
  await registry.refresh();
  let url = `http://${host}:${port}`;
  const read = new ReadModel({
    store,
    clock,
    registry,
    links: {
      runbook: ({ model, signal }: Episode) =>
        registry.monitorAt(model, clock.now())?.monitor.alerts.runbook ?? `${url}/runbook${runbookAnchor(signal)}`,
      page: ({ model }: Episode) => `${url}/#/models/${encodeURIComponent(model)}`,
    },
    health: remembered(HEALTH_MS, () => deployedHealth(store, registry)),
    columns: new WindowColumns({ store, registry, reader: new PackReader(store) }),
    quarantine: remembered(QUARANTINE_MS, () => readQuarantine(store, { now: clock.now() })),
    // One command asks once; the page asks all the time.
    cacheMs: serves === 'page' ? LISTS_MS : 0,
  });
  const server = new HttpServer({
    host,
    port,
    names,
    tokens,
    collector: null,
    routes: [
      ...apiRoutes(read),
      ...(serves === 'commands' ? changeRoutes(deployedActions(options, registry, clock), read) : []),
      ...pageRoutes({
        page: serves === 'page' ? await loadPage() : null,
        runbook: renderRunbook(),
        openApi: openApiDocument(),
      }),
    ],
    onFailure: (error, what) => onFailure?.(what, error),
  });
  url = await server.listen();
  return { url, stop: () => server.close(100) };
}

function deployedActions({ store, channelTest }: DeployedOptions, registry: Registry, clock: Clock): Actions {
  const actions = new PlatformActions({
    store,
    clock,
    registry,
    audit: new AuditLog({ store, clock }),
    channels: [],
    // The key is a secret of the platform's functions: what needs it is refused here.
    policyKey: null,
    baselineFromCapture: () => {
      throw new ProblemError([
        {
          code: 'not-here',
          path: 'baseline make',
          message: 'reads captured events, which lie in the bucket of the platform',
          fix: 'make it from data with `mlmon profile`, then publish it with `mlmon monitor apply … --baseline FILE`',
        },
      ]);
    },
  });
  return {
    acknowledge: (id, decided) => actions.acknowledge(id, decided),
    silence: (input) => actions.silence(input),
    testChannels: () =>
      testDeployedChannels({
        store,
        clock,
        transition: testTransition(new Date(clock.now()).toISOString()),
        ...channelTest,
      }),
    applyMonitor: async (model, input, by) => {
      await refuseOwned(store, model, input);
      return actions.applyMonitor(model, input, by);
    },
    removeMonitor: async (model, by) => {
      await refuseOwned(store, model, null);
      return actions.removeMonitor(model, by);
    },
    makeBaseline: (model, range) => actions.makeBaseline(model, range),
    publishBaseline: (model, input) => actions.publishBaseline(model, input),
    approveBaseline: (model, decided) => actions.approveBaseline(model, decided),
    rollbackBaseline: (model, decided) => actions.rollbackBaseline(model, decided),
  };
}

/**
 * A model that a deployment brought is changed and removed by that deployment: what people changed here would be undone by the next one, or never
 * seen by it. The same monitor again changes nothing, and may come with a new baseline.
 */
async function refuseOwned(store: ObjectStore, model: string, input: unknown): Promise<void> {
  const owner = await ownerOf(store, model);
  if (owner === null) return;
  if (input !== null) {
    const { monitor } = parseMonitor(input);
    const last = (await readAll<PublishedMonitor>(store, keys.monitors(model))).at(-1);
    if (monitor !== null && last?.removed === false && isDeepStrictEqual(last.monitor, monitor)) return;
  }
  throw new ProblemError([
    {
      code: 'claimed',
      path: model,
      message: 'a deployment owns the monitor of this model',
      got: owner,
      fix: 'change it there and deploy, or take it out there first; its data stay',
    },
  ]);
}
