/** The processes of bench/sidecar.ts: `sidecar`, the `model` it stands before, the `sink` behind it. Told by JSON in the second argument. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseMonitor } from '../lib/contracts/monitor.ts';
import { runConfigSchema } from '../lib/contracts/roles.ts';
import { startSidecar } from '../lib/sidecar/sidecar.ts';

export interface SidecarTold {
  readonly collectorPort: number;
  readonly upstreamPort?: number;
  readonly folder: string;
  readonly durability?: 'os' | 'fsync';
}

/** Answers to `look`. */
export interface Looked {
  /** Processor seconds so far, user and system. */
  readonly cpu: number;
  /** Events delivered (sidecar) or taken (sink). */
  readonly delivered: number;
  readonly waiting: number;
  readonly received: number;
  readonly shed: number;
  readonly recovered: number;
}

/** MiB, for who wants to know what resident memory is made of. */
function memory(): string {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return Object.entries({ rss, heapTotal, heapUsed, external, arrayBuffers })
    .map(([name, bytes]) => `${name} ${Math.round(bytes / 1_048_576)}`)
    .join(', ');
}

async function sidecar(told: SidecarTold): Promise<{ ports: object; look: () => Omit<Looked, 'cpu'> }> {
  const config = runConfigSchema.parse({
    schema: 'mlmon.run/v1',
    sidecar: {
      collector: { url: `http://127.0.0.1:${told.collectorPort}` },
      ...(told.upstreamPort === undefined ? {} : { proxy: { port: 0, upstream: `127.0.0.1:${told.upstreamPort}` } }),
      spool: { folder: told.folder, durability: told.durability ?? 'os' },
    },
  }).sidecar!;
  const { monitor } = parseMonitor({ model: 'bench' });
  if (monitor === null) throw new Error('the monitor of the benchmark is wrong');
  const running = await startSidecar({
    config,
    http: { host: '127.0.0.1', port: 0, names: [] },
    models: [{ monitor, baseline: null }],
    authorize: null,
    clock: { now: () => Date.now() },
    note: () => undefined,
    waits: { longestWaitMs: 2_000 },
  });
  const { ledger } = running;
  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
  return {
    ports: { http: running.httpPort, proxy: running.proxyPort },
    look: () => ({
      delivered: ledger.delivered,
      waiting: running.waiting,
      received: sum(ledger.received),
      shed: sum(ledger.shed),
      recovered: ledger.recovered,
    }),
  };
}

/** Answers 1 kB at once. */
async function model(): Promise<{ ports: object; look: () => Omit<Looked, 'cpu'> }> {
  const answer = Buffer.from(JSON.stringify({ predictions: [0.25], padding: 'x'.repeat(980) }));
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const nothing = { delivered: 0, waiting: 0, received: 0, shed: 0, recovered: 0 };
  return { ports: { http: (server.address() as AddressInfo).port }, look: () => nothing };
}

const EVENT = Buffer.from('"version":"3"');

/** Takes batches and counts their events. */
async function sink(port: number): Promise<{ ports: object; look: () => Omit<Looked, 'cpu'> }> {
  let delivered = 0;
  const server = createServer((request, response) => {
    let carry: Buffer = Buffer.alloc(0);
    request.on('data', (chunk: Buffer) => {
      const data = Buffer.concat([carry, chunk]);
      let at = data.indexOf(EVENT);
      let last = 0;
      for (; at !== -1; at = data.indexOf(EVENT, last)) {
        delivered++;
        last = at + EVENT.length;
      }
      carry = data.subarray(Math.max(last, data.length - EVENT.length + 1));
    });
    request.once('end', () => {
      response.writeHead(202, { 'content-type': 'application/json' });
      response.end('{"accepted":0,"quarantined":0,"reasons":[]}');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    ports: { http: (server.address() as AddressInfo).port },
    look: () => ({ delivered, waiting: 0, received: 0, shed: 0, recovered: 0 }),
  };
}

const [, , kind, told = '{}'] = process.argv;
const { ports, look } =
  kind === 'sidecar'
    ? await sidecar(JSON.parse(told) as SidecarTold)
    : kind === 'model'
      ? await model()
      : await sink((JSON.parse(told) as { port?: number }).port ?? 0);
process.on('message', (what) => {
  if (what === 'memory') {
    process.send?.(memory());
    return;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: (user + system) / 1e6, ...look() } satisfies Looked);
});
process.on('disconnect', () => process.exit(0));
process.send?.(ports);
