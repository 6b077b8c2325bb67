/** A server with in-memory ports on a free port, and raw requests to it. */
import { request as send } from 'node:http';
import { MemoryLog } from '../../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { PrometheusSink } from '../../../lib/adapters/prometheus/prometheus-sink.ts';
import type { Health } from '../../../lib/contracts/api.ts';
import { type MonitorInput, parseMonitor } from '../../../lib/contracts/monitor.ts';
import { apiRoutes } from '../../../lib/local/server/api-routes.ts';
import { type Actions, changeRoutes } from '../../../lib/local/server/change-routes.ts';
import { HttpServer } from '../../../lib/local/server/http-server.ts';
import { kserveRoutes } from '../../../lib/local/server/kserve-routes.ts';
import { openApiDocument } from '../../../lib/local/server/open-api.ts';
import { operationRoutes } from '../../../lib/local/server/operation-routes.ts';
import { type PageFile, pageRoutes } from '../../../lib/local/server/page-routes.ts';
import { ReadModel } from '../../../lib/local/server/read-model.ts';
import { Tokens } from '../../../lib/local/server/tokens.ts';
import { WindowColumns } from '../../../lib/local/server/window-columns.ts';
import { Collector, type CollectorOptions, type QuarantinedItem } from '../../../lib/pipeline/collector.ts';
import { KServeReader } from '../../../lib/pipeline/kserve.ts';
import { PackReader } from '../../../lib/pipeline/pack-reader.ts';
import { publishMonitor } from '../../../lib/pipeline/publisher.ts';
import { Registry } from '../../../lib/pipeline/registry.ts';

export const NOW = Date.parse('2001-02-10T12:00:00.000Z');

export const HEALTH: Health = {
  status: 'ok',
  problems: [],
  uptimeSeconds: 1,
  memoryBytes: 1,
  eventsPerSecond: 0,
  partitions: [{ id: '0', head: '1', profiled: '1', archived: null, lag: 0, closed: false }],
  counts: { received: 3, profiled: 2, captured: 0, beyond: 0, labels: 1, quarantined: { schema: 1 }, lost: 0 },
  lastEvaluation: null,
  parts: [{ name: 'profiler', state: 'running', error: null }],
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  /** Parsed; a test knows what it expects. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  json(): any;
}

export interface Rig {
  readonly url: string;
  readonly port: number;
  readonly store: MemoryStore;
  readonly log: MemoryLog;
  readonly registry: Registry;
  readonly collector: Collector;
  readonly sink: PrometheusSink;
  readonly quarantined: QuarantinedItem[];
  readonly clock: { now(): number; set(ms: number): void };
  ask(
    method: string,
    path: string,
    options?: { headers?: Record<string, string | string[]>; body?: string | Buffer },
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly tokens?: string;
  readonly names?: readonly string[];
  readonly collector?: Partial<CollectorOptions>;
  readonly actions?: Partial<Actions>;
  readonly page?: ReadonlyMap<string, PageFile>;
  readonly advance?: boolean;
  readonly notReady?: () => string | null;
  readonly monitors?: readonly MonitorInput[];
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  let now = NOW;
  const clock = {
    now: () => now,
    set: (ms: number) => {
      now = ms;
    },
  };
  const store = new MemoryStore();
  const log = new MemoryLog({ clock, partitions: 1 });
  const registry = new Registry({ store, clock, cacheMs: 1 });
  for (const input of options.monitors ?? [
    {
      model: 'flights',
      owner: 'team-f',
      task: 'binary-classification' as const,
      features: { distance: { type: 'numeric' as const } },
    },
  ]) {
    const { monitor, problems } = parseMonitor(input);
    if (monitor === null) throw new Error(JSON.stringify(problems));
    await publishMonitor({ store, clock }, monitor, { by: 'test', effectiveFrom: 0 });
  }
  await registry.refresh();
  const quarantined: QuarantinedItem[] = [];
  const collector = new Collector({
    log,
    registry,
    clock,
    quarantine: async (items) => {
      quarantined.push(...items);
    },
    ...options.collector,
  });
  const reader = new PackReader(store);
  const read = new ReadModel({
    store,
    clock,
    registry,
    columns: new WindowColumns({ store, registry, reader }),
    links: { runbook: ({ signal }) => `/runbook#${signal}`, page: ({ model }) => `/#/models/${model}` },
    health: () => HEALTH,
    quarantine: async () => [],
    cacheMs: 0,
  });
  const sink = new PrometheusSink();
  const actions = new Proxy(
    {},
    {
      get: (_target, name: string) =>
        options.actions?.[name as keyof Actions] ??
        (() => {
          throw new Error(`${name} was not expected`);
        }),
    },
  ) as Actions;
  const tokens = options.tokens === undefined ? null : Tokens.parse(options.tokens, 'tokens');
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    names: options.names,
    tokens,
    collector,
    advance: options.advance === true ? (ms) => clock.set(ms) : null,
    routes: [
      ...apiRoutes(read),
      ...changeRoutes(actions, read),
      ...kserveRoutes({ collector, reader: new KServeReader({ collector, registry, clock }), tokens }),
      ...operationRoutes({ metrics: async () => sink.render(), notReady: options.notReady ?? (() => null) }),
      ...pageRoutes({
        page: options.page ?? null,
        runbook: '# Runbook\n\n## drift\n\nLook.\n',
        openApi: openApiDocument(),
      }),
    ],
  });
  const url = await server.listen();
  const port = Number(new URL(url).port);
  return {
    url,
    port,
    store,
    log,
    registry,
    collector,
    sink,
    quarantined,
    clock,
    close: () => server.close(100),
    ask: (method, path, { headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const isFramed = body === undefined || 'transfer-encoding' in headers;
        const framed = isFramed ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) };
        const outgoing = send({ host: '127.0.0.1', port, method, path, headers: framed, agent: false }, (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => {
            const whole = Buffer.concat(chunks);
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: whole,
              text: whole.toString('utf8'),
              json: () => JSON.parse(whole.toString('utf8')),
            });
          });
          incoming.on('error', reject);
        });
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
  };
}

export function inference(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'f-1',
    type: 'inference',
    model: 'flights',
    version: '3',
    time: '2001-02-10T10:05:00.000Z',
    numeric: { distance: 740 },
    ...more,
  };
}

export function cloudEvent(data: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { specversion: '1.0', id: 'e-1', source: '/svc', type: 'ml.inference.v1', ...more, data };
}

/** Every line on the log. */
export async function lines(log: MemoryLog): Promise<Record<string, unknown>[]> {
  const { records } = await log.read((await log.partitions())[0]!.id, null, { records: 10_000, bytes: 1e9 });
  return records.flatMap(({ data }) =>
    new TextDecoder()
      .decode(data)
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}
