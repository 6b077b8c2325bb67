/**
 * What judging a window costs: 50 features and score and prediction, calibrated on 28 days of hours, the primary test and two
 * others each, against profiling 1,000 events of the same features. Windows differ, so nothing can be remembered but what a
 * running evaluator remembers. Prints one row of the table in docs/performance.md. Run: node --import tsx bench/evaluator.ts
 */
import { performance } from 'node:perf_hooks';
import type { Baseline, ColumnBaseline } from '../lib/contracts/baseline.ts';
import { calibrate } from '../lib/engine/calibration.ts';
import { readRecord } from '../lib/engine/event-reader.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { judgeWindow } from '../lib/engine/verdict.ts';
import { verdictBinCount } from '../lib/engine/verdict-bins.ts';
import { benchBaseline, benchEvents, benchMonitor, seeded } from './profiler-data.ts';

const EVENTS = 1_000;
const WINDOWS = 24;
const ROUNDS = Number(process.argv[2] ?? 5);
const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);

/** The column with a calibration on `hours` windows of 300 rows drawn from its own shares. */
function calibrated(column: ColumnBaseline, hours: number, random: () => number): ColumnBaseline {
  const verdictBin = column.type === 'numeric' ? column.bins.verdictBin : column.verdictBin;
  const shares = new Array<number>(verdictBinCount(column) + 1).fill(0);
  const rows = column.count + column.missing;
  verdictBin.forEach((bin, i) => {
    shares[bin]! += (column.counts[i] ?? 0) / rows;
  });
  shares[shares.length - 1] = column.missing / rows;
  const blocks = Array.from({ length: hours }, (_, hour) => {
    const counts = new Array<number>(shares.length).fill(0);
    for (let row = 0; row < 300; row++) {
      let u = random();
      let bin = 0;
      while (bin < shares.length - 1 && (u -= shares[bin]!) >= 0) bin++;
      counts[bin]!++;
    }
    return { start: START + hour * HOUR, counts };
  });
  return { ...column, calibration: calibrate(column, blocks, { every: '1h', timezone: 'UTC' }) };
}

function seconds(work: () => unknown): number {
  const from = performance.now();
  work();
  return (performance.now() - from) / 1_000;
}

function linesOf(count: number, seed: number): string {
  return `${benchEvents(count, seed)
    .map(({ line }) => line)
    .join('\n')}\n`;
}

function refuse({ reason, detail }: { readonly reason: string; readonly detail: string }): never {
  throw new Error(`${reason}: ${detail}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const plain = compileShape(benchMonitor(), benchBaseline(20_000, 1));
const random = seeded(9);
/** Rows of the baseline's law; the baseline of the profiler's benchmark has bins but no counts. */
const reference = new Profile(plain);
readRecord(Buffer.from(linesOf(10_000, 1)), (event) => reference.fold(event), refuse);
let calibration = 0;
const columns = plain.columns.map((shaped) => {
  const { bins, missing, n } = reference.column(shaped.index);
  const counts = Array.from(bins);
  const column: ColumnBaseline = { ...shaped.baseline!, counts, count: n - missing, missing };
  let made = column;
  calibration += seconds(() => {
    made = calibrated(column, 24 * 28, random);
  });
  return made;
});
const baseline: Baseline = { ...plain.baseline!, columns };
const monitor = { ...benchMonitor(), window: { ...benchMonitor().window, every: '1h' } };
const shape = compileShape(monitor, baseline);
const records = Array.from({ length: WINDOWS }, (_, w) => Buffer.from(linesOf(EVENTS + 17 * w, 100 + w)));
const profileOf = (record: Uint8Array): Profile => {
  const profile = new Profile(shape);
  readRecord(record, (event) => profile.fold(event), refuse);
  return profile;
};
const profiles = records.map(profileOf);
const judge = (w: number) => {
  const start = START + (24 * 28 + w) * HOUR;
  return judgeWindow({ shape, profile: profiles[w]!, scale: { index: 0, start, end: start + HOUR } });
};

const first = seconds(() => judge(0)) * 1_000;
const judged: number[] = [];
const profiled: number[] = [];
for (let round = 0; round < ROUNDS; round++)
  for (let w = 0; w < WINDOWS; w++) {
    judged.push(seconds(() => judge(w)) * 1_000);
    profiled.push((seconds(() => profileOf(records[w]!)) * 1_000 * EVENTS) / (EVENTS + 17 * w));
  }
const drifted = judge(0).features.filter(({ status }) => status !== 'ok').length;
const ratio = median(judged) / median(profiled);
process.stdout.write(
  `| evaluator: a window of ${columns.length} columns against profiling 1,000 events | ${median(judged).toFixed(1)} ms | ${median(profiled).toFixed(1)} ms | ${ratio.toFixed(2)} | at most 1 | ${drifted} of them not ok; first window ${first.toFixed(0)} ms; calibrating a column ${((calibration / columns.length) * 1_000).toFixed(0)} ms |\n`,
);
