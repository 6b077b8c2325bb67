/** The server that bench/collector.ts loads, in a process of its own: `bare` or `collector`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SegmentLog } from '../lib/adapters/disk/segment-log.ts';
import { parseMonitor } from '../lib/contracts/monitor.ts';
import { HttpServer } from '../lib/local/server/http-server.ts';
import { Collector } from '../lib/pipeline/collector.ts';

export type ServerMode = 'bare' | 'collector';

const clock = { now: () => Date.now() };

async function bare(): Promise<{ port: number; stop: () => Promise<void> }> {
  const server = createServer((_request, response) => {
    response.writeHead(202);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function collector(): Promise<{ port: number; stop: () => Promise<void> }> {
  const features = Object.fromEntries([
    ...Array.from({ length: 24 }, (_, f) => [`measure_${String(f).padStart(2, '0')}`, { type: 'numeric' as const }]),
    ...Array.from({ length: 8 }, (_, f) => [`category_${f}`, { type: 'categorical' as const }]),
  ]);
  const { monitor } = parseMonitor({ model: 'bench', features });
  if (monitor === null) throw new Error('the monitor of the benchmark is wrong');
  const shape = { shape: { monitor, baseline: null } };
  const folder = await mkdtemp(join(tmpdir(), 'mlmon-bench-'));
  const log = await SegmentLog.open({ folder, clock, partitions: 1 });
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    tokens: null,
    routes: [],
    collector: new Collector({
      log,
      clock,
      registry: { shapeFor: (model) => (model === 'bench' ? shape : null) },
      quarantine: async (items) => {
        throw new Error(`refused: ${items[0]?.reason} ${items[0]?.detail}`);
      },
    }),
  });
  const url = await server.listen();
  return {
    port: Number(new URL(url).port),
    stop: async () => {
      await server.close(100);
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const { port, stop } = process.argv[2] === 'bare' ? await bare() : await collector();
process.on('message', (message) => {
  if (message === 'stop') void stop().then(() => process.exit(0));
  else {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: (user + system) / 1e6 });
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
