/** What a sidecar stands between: a model server and a collector, both real servers on the loopback address. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { runConfigSchema, type SidecarConfig } from '../../lib/contracts/roles.ts';
import { type Sidecar, type SidecarOptions, startSidecar } from '../../lib/sidecar/sidecar.ts';

export function monitorOf(input: MonitorInput): Monitor {
  const { monitor, problems } = parseMonitor(input);
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

export const CHURN = monitorOf({
  model: 'churn',
  task: 'binary-classification',
  features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
  kserve: { service: 'churn-svc', version: '3', output: 'score' },
});

export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mlmon-sidecar-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A server on a port of its own, gone with the test. */
export async function serve(
  handle: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void,
  port = 0,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handle(request, Buffer.concat(chunks), response));
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** An event as a collector finds it in a batch. */
export interface Arrived {
  readonly id: string;
  readonly type: string;
  readonly weight?: number;
  readonly [member: string]: unknown;
}

export interface StandInCollector {
  readonly port: number;
  /** Everything that was taken, in order. */
  readonly events: Arrived[];
  /** Says what to answer instead of taking a request; `null`: take it. May wait. */
  answer: (requests: number, body: Buffer) => number | null | Promise<number | null>;
  readonly tokens: (string | undefined)[];
  requests: number;
}

/** Takes batches as the collector does, and whatever else a test wants. */
export async function standInCollector(port = 0): Promise<StandInCollector> {
  const collector: StandInCollector & { port: number } = {
    port: 0,
    events: [],
    answer: () => null,
    tokens: [],
    requests: 0,
  };
  const { port: taken } = await serve(async (request, body, response) => {
    collector.requests++;
    collector.tokens.push(request.headers.authorization);
    const status = await collector.answer(collector.requests, body);
    if (status !== null) {
      response.writeHead(status, status === 429 || status === 503 ? { 'retry-after': '0' } : {});
      response.end();
      return;
    }
    let batch: { id: string; type: string; data: unknown }[];
    try {
      batch = JSON.parse(body.toString('utf8')) as typeof batch;
    } catch {
      response.writeHead(400).end();
      return;
    }
    const before = collector.events.length;
    for (const { id, type, data } of batch)
      for (const event of Array.isArray(data) ? data : [data])
        collector.events.push({ id, type: type.split('.')[1]!, ...(event as object) });
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ accepted: collector.events.length - before, quarantined: 0, reasons: [] }));
  }, port);
  collector.port = taken;
  return collector;
}

export type SidecarSettings = Partial<Omit<SidecarConfig, 'collector' | 'spool' | 'proxy'>> & {
  readonly collectorPort: number;
  readonly tokenFile?: string;
  readonly proxy?: { readonly upstream: string; readonly [member: string]: unknown };
  readonly spool?: Readonly<Record<string, unknown>>;
};

export function configOf({ collectorPort, tokenFile, proxy, spool }: SidecarSettings): SidecarConfig {
  return runConfigSchema.parse({
    schema: 'mlmon.run/v1',
    sidecar: {
      collector: { url: `http://127.0.0.1:${collectorPort}`, ...(tokenFile === undefined ? {} : { tokenFile }) },
      ...(proxy === undefined ? {} : { proxy: { port: 0, ...proxy } }),
      spool: spool ?? {},
    },
  }).sidecar!;
}

export interface StartedSidecar extends Sidecar {
  readonly url: string;
  readonly notes: string[];
  /** As when a process ends. */
  stop(limitMs?: number): Promise<void>;
}

export async function start(
  settings: SidecarSettings,
  options: Partial<Omit<SidecarOptions, 'config'>> = {},
): Promise<StartedSidecar> {
  const notes: string[] = [];
  const sidecar = await startSidecar({
    config: configOf(settings),
    http: { host: '127.0.0.1', port: 0, names: [] },
    models: [{ monitor: CHURN, baseline: null }],
    authorize: null,
    clock: { now: () => Date.now() },
    note: (level, message) => notes.push(`${level}: ${message}`),
    waits: { firstWaitMs: 5, longestWaitMs: 20, lingerMs: 5 },
    ...options,
  });
  let stopped: Promise<void> | null = null;
  const stop = (limitMs = 3_000): Promise<void> => {
    stopped ??= sidecar.drain({ waitMs: 0, limitMs });
    return stopped;
  };
  onTestFinished(() => stop(1_000));
  return Object.assign(Object.create(sidecar) as Sidecar, {
    url: `http://127.0.0.1:${sidecar.httpPort}`,
    notes,
    stop,
  });
}

/** Resolves when it is so; the test's own time-out ends the wait. */
export async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export function cloudEvent(id: string, data: object = {}): Record<string, unknown> {
  return {
    specversion: '1.0',
    id,
    source: '/app',
    type: 'ml.inference.v1',
    data: {
      id,
      model: 'churn',
      version: '3',
      time: '2026-01-02T03:04:05.000Z',
      numeric: { age: 41 },
      score: 0.2,
      ...data,
    },
  };
}

export function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const type = Array.isArray(body) ? 'application/cloudevents-batch+json' : 'application/cloudevents+json';
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
