/**
 * Any set of roles in one process: from its start, which waits for what is away, to its end, which refuses nobody and leaves nothing undone.
 *
 * On the way out readiness fails first, so that nobody new is sent here; for a while all goes on as before; then the listener closes, what was
 * taken is made durable, the parts end with the step they are at, and partitions go to others.
 */
import { setMaxListeners } from 'node:events';
import { PrometheusSink } from '../adapters/prometheus/prometheus-sink.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { Role, RunConfig } from '../contracts/roles.ts';
import { remembered } from '../local/platform-health.ts';
import { wallClock } from '../local/replay-clock.ts';
import { HttpServer } from '../local/server/http-server.ts';
import { operationRoutes } from '../local/server/operation-routes.ts';
import { Tokens, tokensFor } from '../local/server/tokens.ts';
import type { Collector } from '../pipeline/collector.ts';
import { Exporter } from '../pipeline/exporter.ts';
import { learningView } from '../pipeline/learning-view.ts';
import { PlatformStatus } from '../pipeline/platform-status.ts';
import type { Registry } from '../pipeline/registry.ts';
import { sleep } from '../pipeline/retry.ts';
import { type Part, type PartState, type Running, runParts } from '../pipeline/run.ts';
import { every } from '../pipeline/timed-parts.ts';
import { collectorRole } from './collector-role.ts';
import { ON_THE_LOG } from './config.ts';
import { labelerRole } from './labeler-role.ts';
import { notifierRole } from './notifier-role.ts';
import { openLog } from './open-log.ts';
import { type OpenedStore, openStore } from './open-store.ts';
import type { OpenedLog } from './opened-log.ts';
import { pageRole } from './page-role.ts';
import { HASHING, readPolicyKey } from './policy-key.ts';
import type { RoleParts } from './role.ts';
import { Shared } from './shared.ts';
import { sidecarRole } from './sidecar-role.ts';
import { archiverRole, evaluatorRole, profilerRole } from './stream-roles.ts';

export interface RolesOptions {
  readonly config: RunConfig;
  readonly roles: readonly Role[];
  /** Its abort begins the end. */
  readonly signal: AbortSignal;
  /** One line for the log of whoever runs it. */
  readonly say: (text: string) => void;
}

/** Waits between attempts to reach what is away at the start, milliseconds. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const HEALTH_MS = 1_000;
/** Of the time there is at the end, milliseconds: for what comes after the listener is closed. */
const AFTER_CLOSING = 5_000;

/**
 * Runs until the signal aborts and everything has ended. Resolves false when that took longer than `drain.limitMs`: the process should then end
 * as it is.
 * @throws ProblemError for what is wrong in the configuration, and in the files that it names
 */
export async function runRoles(options: RolesOptions): Promise<boolean> {
  const { config, signal, say } = options;
  let notReady: () => string | null = () => 'it is starting';
  const ending = new AbortController();
  // Each part waits for it.
  setMaxListeners(64, ending.signal);
  const end: { late: boolean; timer: NodeJS.Timeout | null } = { late: false, timer: null };
  const limit = new Promise<void>((resolve) => {
    const begin = (): void => {
      say(`draining: not ready from now on, listening for ${config.drain.waitMs} ms more`);
      end.timer = setTimeout(() => {
        end.late = true;
        resolve();
      }, config.drain.limitMs);
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true });
  });

  const sink = new PrometheusSink();
  let refreshMetrics: () => Promise<void> = async () => undefined;
  const operations = new HttpServer({
    ...config.operations,
    chosenBy: { host: 'operations.host', port: 'operations.port' },
    collector: null,
    tokens: null,
    routes: operationRoutes({
      metrics: async () => {
        await refreshMetrics();
        return sink.render();
      },
      notReady: () => (signal.aborted ? 'it is draining' : notReady()),
    }),
    onFailure: (error, what) => say(`${what}: ${messageOf(error)}`),
  });
  say(`operations: ${await operations.listen()}`);
  try {
    const work = workUntilEnd(options, {
      sink,
      ending,
      onReady: (reason) => {
        notReady = reason;
      },
      onMetrics: (refresh) => {
        refreshMetrics = refresh;
      },
    });
    await Promise.race([work, limit]);
    if (end.late) {
      work.catch(() => undefined);
      say(`not ended within ${config.drain.limitMs} ms: what is under way is left to whoever comes next`);
    }
  } finally {
    if (end.timer !== null) clearTimeout(end.timer);
    await operations.close(100);
  }
  return !end.late;
}

interface Hooks {
  readonly sink: PrometheusSink;
  readonly ending: AbortController;
  readonly onReady: (notReady: () => string | null) => void;
  readonly onMetrics: (refresh: () => Promise<void>) => void;
}

async function workUntilEnd(
  { config, roles, signal, say }: RolesOptions,
  { sink, ending, onReady, onMetrics }: Hooks,
): Promise<void> {
  const closing: (() => Promise<unknown> | undefined)[] = [];
  try {
    const waiting = { signal, say };
    const isServed = roles.some((role) => role === 'collector' || role === 'page' || role === 'sidecar');
    const tokens = isServed ? await tokensFor(config.http.host, config.http.tokenFile) : null;
    // In a cluster each has the files and the ways out that its roles need, and no others.
    const policyKey = roles.some((role) => HASHING.includes(role)) ? await readPolicyKey(config.policyKeyFile) : null;
    let store: OpenedStore | null = null;
    if (config.store !== undefined) {
      const where = config.store;
      store = await reached('store', () => openStore(where), waiting);
      if (store === null) return;
    }
    let log: OpenedLog | null = null;
    closing.push(async () => {
      await log?.close();
      store?.close();
    });
    if (config.log !== undefined && roles.some((role) => ON_THE_LOG.includes(role))) {
      const where = config.log;
      log = await reached('log', () => openLog(where, wallClock), waiting);
      if (log === null) return;
    }
    const shared = new Shared({ config, roles, opened: { store, log }, policyKey, sink, say });
    closing.splice(0, closing.length, () => shared.close());

    let running: Running | null = null;
    const state = (name: string): PartState | null => running?.states().find((part) => part.name === name) ?? null;
    const made = new Map<Role, RoleParts>();
    let exporter: Exporter | null = null;
    const theExporter = (): Exporter => exporter as Exporter;
    let health: (() => ReturnType<PlatformStatus['health']>) | null = null;
    for (const role of roles) {
      if (role === 'collector') made.set(role, collectorRole(shared, tokens));
      else if (role === 'archiver') made.set(role, await archiverRole(shared));
      else if (role === 'profiler') made.set(role, await profilerRole(shared));
      else if (role === 'labeler') made.set(role, await labelerRole(shared));
      else if (role === 'notifier') made.set(role, await notifierRole(shared));
      else if (role === 'page') made.set(role, await pageRole(shared));
      else if (role === 'sidecar') made.set(role, await sidecarRole(shared, tokens));
      else if (role === 'evaluator') {
        const evaluator = await evaluatorRole(shared, theExporter);
        const status = new PlatformStatus({
          log: shared.log,
          store: shared.store,
          clock: shared.clock,
          registry: shared.registry,
          parts: () => running?.states() ?? [],
          lastEvaluation: evaluator.lastEvaluation,
        });
        health = remembered(HEALTH_MS, () => status.health());
        // Whoever starts beside it knows them from the beginning.
        await reached('monitors', async () => evaluator.monitors?.look(), waiting, true);
        made.set(role, evaluator);
      }
    }
    const all = [...made.values()];
    const find = <K extends keyof RoleParts>(name: K): RoleParts[K] | undefined =>
      all.find((one) => one[name] !== undefined)?.[name];
    const hasModels = made.has('evaluator');
    const { registry } = shared;
    exporter = new Exporter({
      sink,
      store: shared.store,
      clock: shared.clock,
      // The state of models is told by one role, that of a process by each.
      registry: hasModels ? registry : NO_MODELS,
      collector: find('collector') ?? null,
      health,
      parts: () => (running?.states() ?? []).map(({ name, state: is, error }) => ({ name, state: is, error })),
      deliveries: made.has('notifier') ? () => theDeliveries().counts : undefined,
      undeliveredMs: made.has('notifier') ? () => theDeliveries().undeliveredMs : undefined,
      learning: hasModels ? (model, now) => learningView({ store: shared.store, registry }, model, now) : undefined,
    });
    const theDeliveries = (): NonNullable<RoleParts['deliveries']> =>
      find('deliveries') as NonNullable<RoleParts['deliveries']>;
    const told = exporter;
    closing.unshift(async () => told.stop());

    // Nothing is taken, and nothing folded, by monitors that are not known.
    if (store !== null && (await reached('monitors', () => registry.refresh().then(() => true), waiting)) === null)
      return;
    let server: HttpServer | null = null;
    if (roles.includes('collector') || roles.includes('page')) {
      server = new HttpServer({
        ...config.http,
        chosenBy: { host: 'http.host', port: 'http.port' },
        tokens,
        collector: find('collector') ?? null,
        routes: all.flatMap(({ routes = [] }) => routes),
        onFailure: (error, what) => say(`${what}: ${messageOf(error)}`),
      });
      say(`http: ${await server.listen()}`);
    }
    running = runParts(
      [
        ...(store === null ? [] : [registryPart(registry, shared.pace.refresh)]),
        ...secretParts(config, tokens, find('collector') ?? null, shared.pace.refresh),
        ...all.flatMap(({ parts = [] }) => parts),
        ...shared.logUpkeep,
        every('exporter', shared.pace.export, async () => {
          await told.tick();
          for (const { samples } of all) if (samples !== undefined) await sink.set(samples());
        }),
      ],
      { signal: ending.signal, onFailure: (part, error) => say(`${part}: ${error.message}`) },
    );
    onMetrics(async () => {
      // What this process knows of itself is told as it is now; what lies in the store, as of the last look.
      if (!hasModels) await told.tick();
      for (const { samples } of all) if (samples !== undefined) await sink.set(samples());
    });
    onReady(() => {
      for (const one of all) {
        const reason = one.notReady?.(state) ?? null;
        if (reason !== null) return reason;
      }
      return null;
    });
    say(`ready: ${roles.join(', ')}`);
    await aborted(signal);

    const began = performance.now();
    server?.leave();
    const leaving = all.map(({ leave }) => leave?.(config.drain));
    await sleep(config.drain.waitMs);
    const left = config.drain.limitMs - (performance.now() - began) - AFTER_CLOSING;
    await server?.close(Math.max(1_000, left));
    await Promise.all(leaving);
    for (const { drain } of all) await drain?.();
    ending.abort();
    await running.stopped;
    for (const { close } of all) await close?.();
    say('ended');
  } finally {
    ending.abort();
    for (const close of closing) await close();
  }
}

/**
 * Tries until it succeeds; `null` when the end came first. What waiting does not mend is thrown, unless `mended`: a folder that people are
 * writing.
 */
async function reached<T>(
  what: string,
  attempt: () => Promise<T>,
  { signal, say }: { readonly signal: AbortSignal; readonly say: (text: string) => void },
  mended = false,
): Promise<T | null> {
  for (let wait = FIRST_WAIT; !signal.aborted; wait = Math.min(LONGEST_WAIT, wait * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof ProblemError && !mended) throw error;
      say(`${what}: not yet: ${messageOf(error)}; trying again`);
      if (mended && error instanceof ProblemError) return null;
    }
    await sleep(wait, signal);
  }
  return null;
}

/** Mounted secrets are followed: rotated tokens and keys are taken without a restart. What cannot be read leaves those known before in force. */
function secretParts(config: RunConfig, tokens: Tokens | null, collector: Collector | null, waitMs: number): Part[] {
  const { tokenFile } = config.http;
  const { policyKeyFile } = config;
  const follows: (() => Promise<void>)[] = [];
  if (tokens !== null && tokenFile !== undefined)
    follows.push(async () => tokens.become(await Tokens.fromFile(tokenFile)));
  if (collector !== null && policyKeyFile !== undefined)
    follows.push(async () => collector.rekey(await readPolicyKey(policyKeyFile)));
  if (follows.length === 0) return [];
  return [
    every('secrets', waitMs, async () => {
      for (const follow of follows) await follow();
    }),
  ];
}

/** While nothing is published at all, events go to quarantine: what comes first is not waited for as long as changes are. */
function registryPart(registry: Registry, waitMs: number): Part {
  return every('registry', waitMs, async () => {
    if (registry.models().length === 0) registry.invalidate();
    await registry.refresh();
  });
}

const NO_MODELS = { models: () => [], monitorAt: () => null } as const;

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
