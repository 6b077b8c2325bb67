/**
 * A month of hourly windows replayed, against calling Evidently on each of them: its default preset, and its default tests by
 * themselves. 720 windows of 300 rows × 10 features, judged by four weeks of the same traffic.
 *
 *   node --import tsx bench/peers-backtest.ts [rounds]
 *
 * Whole processes, from start to result. Of Evidently every 48th window is judged and the time of those scaled to all, its start and
 * reading counted once: all of them would take half an hour. Evidently is installed by pip into .cache/peers; needs python3 with venv.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replayData } from './backtest-data.ts';
import { median, noiseOf, tell } from './measurement.ts';
import { cache, pythonOf, root } from './peers/environment.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const STRIDE = 48;
const ROWS_AN_HOUR = 300;
const TARGET = 100;
const command = 'node --import tsx bench/peers-backtest.ts';

interface Run {
  readonly seconds: number;
  readonly out: string;
}

function run(program: string, argv: readonly string[]): Run {
  const started = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(program, argv, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return { seconds, out: stdout };
}

mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'backtest-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const interpreter = pythonOf('evidently');
const [reference, data] = [join(folder, 'reference.parquet'), join(folder, 'data.parquet')];
const month = (from: string, hours: number, seed: number) => ({ from, hours, rows: hours * ROWS_AN_HOUR, seed });
await replayData(reference, month('2024-01-01', 28 * 24, 0.1));
await replayData(data, month('2024-01-29', 30 * 24, 0.2));

const mlmon = (): Run =>
  run(process.execPath, [
    join(root, 'bin/mlmon'),
    ...['backtest', '--reference', reference, '--data', data, '--time', 'when', '--window', '1h', '--format', 'json'],
  ]);
const evidently = (mode: 'report' | 'tests'): { readonly seconds: number; readonly drifted: number } => {
  const { seconds, out } = run(interpreter, [
    join(root, 'bench/peers/backtest-evidently.py'),
    reference,
    data,
    mode,
    String(STRIDE),
  ]);
  const answer = JSON.parse(out) as { windows: number; done: number; all: number; drifted: number };
  return { seconds: seconds + answer.windows * (answer.all / answer.done - 1), drifted: answer.drifted };
};

mlmon();
const ours: number[] = [];
const theirs: Record<'report' | 'tests', number[]> = { report: [], tests: [] };
let windows = 0;
for (let round = 0; round < ROUNDS; round++) {
  const { seconds, out } = mlmon();
  ours.push(seconds);
  windows = (JSON.parse(out) as { windows: unknown[] }).windows.length;
  // Minutes: one round tells enough of a factor of a hundred.
  if (round === 0) for (const mode of ['report', 'tests'] as const) theirs[mode].push(evidently(mode).seconds);
}
const texts = {
  report: 'Evidently: a report of its default preset a window',
  tests: 'Evidently: its default tests alone, called a window and column',
} as const;
for (const mode of ['report', 'tests'] as const) {
  const [own, other] = [median(ours), median(theirs[mode])];
  tell({
    benchmark: 'peers-backtest',
    measure: `${windows} hourly windows of ${ROWS_AN_HOUR} rows × 10 features replayed, ${28 * 24} more to calibrate on, start to result`,
    ours: own,
    reference: other,
    against: texts[mode],
    ratio: own / other,
    unit: 's',
    target: `${TARGET} times as fast: ratio ≤ ${1 / TARGET}`,
    met: own <= other / TARGET,
    noise: noiseOf(ours),
    command,
  });
}
