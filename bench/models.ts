/**
 * What a model costs when there are many: the real evaluator over log and store in memory, one window of every model an hour, for 10,
 * 100 and 1,000 models. Processor time of the evaluator's tick for each model, and that at 1,000 over that at 10: near 1 is linear.
 *
 *   node --import tsx bench/models.ts [rounds]
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryLog } from '../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../lib/adapters/memory/memory-store.ts';
import { monitorSchema } from '../lib/contracts/monitor.ts';
import type { WindowResult } from '../lib/contracts/result.ts';
import { judgeWindow } from '../lib/engine/verdict.ts';
import { Evaluator } from '../lib/pipeline/evaluator.ts';
import { Grains } from '../lib/pipeline/grains.ts';
import { PackReader } from '../lib/pipeline/pack-reader.ts';
import { Profiler } from '../lib/pipeline/profiler.ts';
import { publishBaseline, publishMonitor } from '../lib/pipeline/publisher.ts';
import { Registry } from '../lib/pipeline/registry.ts';
import { BASELINE_START, calibratedBaseline, HOUR } from './evaluation-data.ts';
import { median, noiseOf, processorSeconds, tell } from './measurement.ts';
import { type BenchEvent, benchEvents, categoricalName, numericName } from './profiler-data.ts';

const ROUNDS = Number(process.argv[2] ?? 3);
/** Models at once → worlds in a round, so that each size judges enough windows. */
const SIZES = new Map([
  [10, 10],
  [100, 2],
  [1_000, 1],
]);
const LARGEST = 1_000;
const HOURS = 3;
const ROWS = 40;
const NUMERIC = [0, 1, 2, 3].map(numericName);
const CATEGORY = categoricalName(0);
const START = BASELINE_START + 28 * 24 * HOUR;
const command = 'node --import tsx bench/models.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const text = (line: string): void => void process.stdout.write(`${line}\n`);
const events = benchEvents(14 * 24 * ROWS, 1).map(fewFeatures);
const baseline = calibratedBaseline(events, { rowsPerWindow: ROWS });

function fewFeatures(event: BenchEvent): BenchEvent {
  const numeric = Object.fromEntries(Object.entries(event.numeric).filter(([name]) => NUMERIC.includes(name)));
  const categorical = Object.fromEntries(Object.entries(event.categorical).filter(([name]) => name === CATEGORY));
  const line = JSON.stringify({ ...(JSON.parse(event.line) as object), numeric, categorical });
  return { ...event, numeric, categorical, line };
}

interface Costs {
  /** Processor seconds of a tick for each model: the first one, which loads and compiles, and the later ones. */
  readonly first: number;
  readonly later: number[];
  readonly statuses: Map<string, number>;
  /** Kilobytes of heap for each model at the end: its baseline, parsed and compiled, and the evaluator's state. */
  readonly held: number;
}

/** `weigh`: tell what is held. Collecting garbage throws compiled code away too, so nothing is to be timed after it. */
async function runWorld(count: number, weigh = false): Promise<Costs> {
  const before = weigh ? heapAfterCollecting() : 0;
  let now = START;
  const clock = { now: () => now };
  const store = new MemoryStore();
  const log = new MemoryLog({ clock, identity: 'bench' });
  const names = Array.from({ length: count }, (_, i) => `model-${String(i).padStart(4, '0')}`);
  for (const model of names) {
    const window = { every: '1h', lateness: '5m', minimumRows: 30 };
    const monitor = monitorSchema.parse({ model, window });
    const options = { model, version: '7', by: 'bench', approve: true, effectiveFrom: 0 };
    await publishBaseline({ store, clock }, { ...baseline, model }, options);
    await publishMonitor({ store, clock }, monitor, { by: 'bench', effectiveFrom: START });
  }
  const registry = new Registry({ store, clock });
  const reader = new PackReader(store);
  const statuses = new Map<string, number>();
  const onResult = ({ status }: WindowResult): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const profiler = new Profiler({ log, store, registry, partition: (await log.partitions())[0]?.id ?? '' });
  const grains = new Grains({ store, clock, registry, reader });
  const evaluator = new Evaluator({ log, store, clock, registry, reader, judge: judgeWindow, onResult, settleMs: 0 });
  const later: number[] = [];
  let first = 0;
  for (let hour = 0; hour <= HOURS; hour++) {
    now = START + hour * HOUR + HOUR / 2;
    for (const [i, model] of names.entries()) await log.append([{ key: model, data: linesOf(model, hour, i) }]);
    now = START + (hour + 1) * HOUR + 6 * 60_000;
    while ((await profiler.step()).more);
    let results = 0;
    const seconds = await processorSeconds(async () => {
      for (let more = true; more; ) {
        const outcome = await evaluator.tick();
        results += outcome.results;
        ({ more } = outcome);
      }
    });
    if (results < count) throw new Error(`only ${results} of ${count} models were judged in hour ${hour}`);
    if (hour === 0) first = seconds / count;
    else later.push(seconds / count);
    while ((await grains.close()).more);
  }
  // The store's bytes are buffers, no part of the heap.
  const held = weigh ? (heapAfterCollecting() - before) / 1_000 / registry.models().length : Number.NaN;
  return { first, later, statuses, held };
}

/** The events of one model in one hour, as one record. */
function linesOf(model: string, hour: number, i: number): Buffer {
  const from = ((hour * 7 + i * 13) % (events.length / ROWS)) * ROWS;
  const stamped = events.slice(from, from + ROWS).map(({ line }, row) => {
    const event = JSON.parse(line) as Record<string, unknown>;
    const id = `${model}-${hour}-${row}`;
    return JSON.stringify({ ...event, id, model, time: new Date(START + hour * HOUR + row * 1_000).toISOString() });
  });
  return Buffer.from(`${stamped.join('\n')}\n`);
}

function heapAfterCollecting(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

await runWorld(100);
const later = new Map<number, number[]>();
const first = new Map<number, number[]>();
const statuses = new Map<string, number>();
for (let round = 0; round < ROUNDS; round++)
  for (const [count, worlds] of SIZES) {
    const seconds: number[] = [];
    for (let world = 0; world < worlds; world++) {
      const costs = await runWorld(count);
      seconds.push(...costs.later);
      first.set(count, [...(first.get(count) ?? []), costs.first]);
      for (const [status, n] of costs.statuses) statuses.set(status, (statuses.get(status) ?? 0) + n);
    }
    later.set(count, [...(later.get(count) ?? []), median(seconds)]);
  }

text(`${baseline.columns.length} columns a model, ${ROWS} rows a window; ${ROUNDS} rounds`);
text([...statuses].map(([status, n]) => `${status} ${n}`).join(', '));
const small = later.get(10) ?? [];
for (const [count, seconds] of later) {
  const ratios = seconds.map((one, i) => one / (small[i] ?? Number.NaN));
  const ours = 1_000 * median(seconds);
  const start = 1_000 * median(first.get(count) ?? []);
  text(`${count} models: ${ours.toFixed(2)} ms a model and window; the first one after a start ${start.toFixed(2)} ms`);
  const linear = count === LARGEST;
  tell({
    benchmark: 'models',
    measure: `evaluator, a model of 5 features and its hourly window, ${count.toLocaleString('en')} models at once`,
    ours,
    reference: count === 10 ? null : 1_000 * median(small),
    against: count === 10 ? undefined : 'the same with 10 models',
    ratio: count === 10 ? null : median(ratios),
    unit: 'ms of processor time a model',
    target: linear ? 'linear: ratio ≤ 2 (quadratic: 100)' : null,
    met: linear ? median(ratios) <= 2 : null,
    noise: noiseOf(count === 10 ? seconds : ratios),
    command,
  });
}
tell({
  benchmark: 'models',
  measure: `heap for each such model: its baseline parsed and compiled, its state`,
  ours: (await runWorld(LARGEST / 2, true)).held,
  reference: null,
  ratio: null,
  unit: 'kB a model',
  target: null,
  met: null,
  noise: null,
  command,
});
