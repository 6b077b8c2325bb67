/**
 * One copy of the evaluator function in this process, composed as `lambdas/evaluator/index.ts` does, over files that bench/evaluator.ts made:
 * judges one window of every model, message by message, and writes results, episodes, bulletins and progress. Prints one line of JSON.
 */
import { openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type EvaluatorRun, evaluatorHandler } from '../lambdas/evaluator/handler.ts';
import { FolderStore } from '../lib/adapters/disk/folder-store.ts';
import { MemoryLog } from '../lib/adapters/memory/memory-log.ts';
import type { WindowResult } from '../lib/contracts/result.ts';
import { judgeWindow } from '../lib/engine/verdict.ts';
import { announce } from '../lib/pipeline/bulletins.ts';
import { EpisodeKeeper } from '../lib/pipeline/episodes.ts';
import { Evaluator } from '../lib/pipeline/evaluator.ts';
import { PackReader } from '../lib/pipeline/pack-reader.ts';
import type { ObjectStore } from '../lib/pipeline/ports.ts';
import { Registry } from '../lib/pipeline/registry.ts';
import { type EvaluatorFigures, FACTS, modelNames } from './evaluator-data.ts';

const folder = process.argv[2] ?? '';
const folderStore = await FolderStore.open({ folder: join(folder, 'store'), durability: 'os' });
const monitor = readFileSync(join(folder, 'monitor.json'), 'utf8');
const baseline = readFileSync(join(folder, 'baseline.json'));
const names = modelNames();
const packs = new Map<string, { readonly file: number; readonly size: number }>();
for (const key of JSON.parse(readFileSync(join(folder, 'packs.json'), 'utf8')) as string[]) {
  const path = join(folder, 'packs', key.replaceAll('/', '_'));
  packs.set(key, { file: openSync(path, 'r'), size: statSync(path).size });
}
const published = new Map<string, string[]>([
  ['monitors/', names.map((model) => `monitors/${model}/000001.json`)],
  ['baselines/', names.map((model) => `baselines/${model}/7/000001.json`)],
]);

let requests = 0;
/** What is published is the same for every model and lies in memory once; packs are read where they lie; all else is files. */
const store: ObjectStore = {
  get: async (key) => {
    requests++;
    if (key.startsWith('monitors/'))
      return { body: Buffer.from(monitor.replaceAll('"bench"', JSON.stringify(key.split('/')[1]))), etag: '1' };
    if (key.startsWith('baselines/')) return { body: baseline, etag: '1' };
    return folderStore.get(key);
  },
  getRange: async (key, start, end) => {
    requests++;
    const pack = packs.get(key);
    if (pack === undefined) return folderStore.getRange(key, start, end);
    const bytes = new Uint8Array(Math.min(end, pack.size) - start);
    readSync(pack.file, bytes, 0, bytes.length, start);
    return bytes;
  },
  list: async (prefix, options = {}) => {
    requests++;
    const all = published.get(prefix);
    if (all === undefined) return folderStore.list(prefix, options);
    const from = options.after === undefined ? 0 : all.indexOf(options.after) + 1;
    return all.slice(from, from + (options.limit ?? 1_000));
  },
  putIfAbsent: async (key, body) => {
    requests++;
    return folderStore.putIfAbsent(key, body);
  },
  putIfUnchanged: async (key, body, etag) => {
    requests++;
    return folderStore.putIfUnchanged(key, body, etag);
  },
  delete: async (key) => {
    requests++;
    await folderStore.delete(key);
  },
};

const clock = { now: () => FACTS.now };
const log = new MemoryLog({ clock, identity: FACTS.log, partitions: FACTS.partitions });
const registry = new Registry({ store, clock });
const reader = new PackReader(store);
const run: EvaluatorRun = { isLate: () => false, verdictDelayMs: null };
const links = { runbook: () => '', page: () => '' };
const monitorOf = (model: string) => registry.monitorAt(model, clock.now())?.monitor ?? null;
const episodes = new EpisodeKeeper({ store, clock, monitor: monitorOf, links });
const statuses: Record<string, number> = {};
let bytes = 0;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const failed: string[] = [];
const logger = {
  ...quiet,
  error: (message: string, fields?: object) => void failed.push(`${message} ${JSON.stringify(fields)}`),
  for: () => logger,
};
const handler = evaluatorHandler({
  evaluator: new Evaluator({
    log,
    store,
    clock,
    registry,
    reader,
    judge: judgeWindow,
    concurrency: 8,
    windowsPerTick: 50,
    settleMs: 0,
    onResult: async (result: WindowResult) => {
      statuses[result.status] = (statuses[result.status] ?? 0) + 1;
      bytes += JSON.stringify(result).length;
      await episodes.apply(result.model, [result]);
    },
    onModel: (_model, results) => announce({ store, clock }, results),
  }),
  grains: { close: async () => ({ closed: 0, more: false }) },
  select: (models) => registry.select(models),
  run,
  environment: 'bench',
  clock,
  log: logger,
  write: () => undefined,
});

const started = performance.now();
const before = process.cpuUsage();
const messages: number[] = [];
for (let from = 0; from < names.length; from += FACTS.modelsPerMessage) {
  const models = names.slice(from, from + FACTS.modelsPerMessage);
  const body = JSON.stringify({
    schema: 'mlmon.evaluate/v1',
    models,
    close: false,
    at: new Date(FACTS.now).toISOString(),
  });
  const cpu = process.cpuUsage();
  const { batchItemFailures } = await handler(
    { Records: [{ messageId: 'm', body }] },
    { awsRequestId: 'r', getRemainingTimeInMillis: () => 300_000 },
  );
  if (batchItemFailures.length > 0) throw new Error(`a message was not finished: ${failed.join('; ')}`);
  const { user, system } = process.cpuUsage(cpu);
  messages.push((user + system) / 1e6);
}
const { user, system } = process.cpuUsage(before);
const figures: EvaluatorFigures = {
  seconds: (user + system) / 1e6,
  elapsed: (performance.now() - started) / 1_000,
  messages,
  peakMb: process.resourceUsage().maxRSS / 1_024,
  requests,
  resultBytes: bytes,
  statuses,
  failed,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);
