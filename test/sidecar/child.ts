/** A sidecar in a process of its own, to be killed: `folder`, port of the collector. SIGTERM drains it. */
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { runConfigSchema } from '../../lib/contracts/roles.ts';
import { startSidecar } from '../../lib/sidecar/sidecar.ts';

const [folder, collectorPort, upstreamPort] = process.argv.slice(2);
const config = runConfigSchema.parse({
  schema: 'mlmon.run/v1',
  sidecar: {
    collector: { url: `http://127.0.0.1:${collectorPort}` },
    proxy: { port: 0, upstream: `127.0.0.1:${upstreamPort}` },
    spool: { folder },
  },
}).sidecar!;
const sidecar = await startSidecar({
  config,
  http: { host: '127.0.0.1', port: 0, names: [] },
  models: [{ monitor: parseMonitor({ model: 'churn' }).monitor!, baseline: null }],
  authorize: null,
  clock: { now: () => Date.now() },
  note: (level, message) => process.stderr.write(`${level}: ${message}\n`),
  waits: { firstWaitMs: 5, longestWaitMs: 20, lingerMs: 5 },
});
process.once('SIGTERM', () => {
  void sidecar.drain({ waitMs: 300, limitMs: 8_000 }).then(() => process.exit(0));
});
process.once('disconnect', () => process.exit(1));
process.send?.({ http: sidecar.httpPort, proxy: sidecar.proxyPort, recovered: sidecar.ledger.recovered });
