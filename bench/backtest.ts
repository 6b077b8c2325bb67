/**
 * What a replay costs as the data grow: ten million rows against one million, the same windows; whole processes from start to result,
 * and their largest resident memory.
 *
 *   node --import tsx bench/backtest.ts [rounds]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { replayData } from './backtest-data.ts';
import { median, noiseOf, tell } from './measurement.ts';

const ROUNDS = Number(process.argv[2] ?? 3);
const HOURS = 120 * 24;
const SIZES = [1_000_000, 10_000_000] as const;
const root = resolve(import.meta.dirname, '..');
const command = 'node --import tsx bench/backtest.ts';

mkdirSync(join(root, '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, '.cache/backtest-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const reference = join(folder, 'reference.parquet');
await replayData(reference, { from: '2024-01-01', hours: 28 * 24, rows: 500_000, seed: 0.1 });
for (const rows of SIZES)
  await replayData(join(folder, `${rows}.parquet`), { from: '2024-01-29', hours: HOURS, rows, seed: 0.2 });

/** Tells its own largest resident memory when it ends. */
const PROBE = `data:text/javascript,import { writeFileSync } from 'node:fs'; process.on('exit', () => writeFileSync(process.env.MEMORY_FILE, String(process.resourceUsage().maxRSS / 1024)));`;

function run(rows: number): { readonly seconds: number; readonly mebibytes: number } {
  const file = join(folder, 'memory');
  const data = join(folder, `${rows}.parquet`);
  const argv = ['backtest', '--reference', reference, '--data', data, '--time', 'when', '--window', '1h', '--json'];
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, ['--import', PROBE, join(root, 'bin/mlmon'), ...argv], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, MEMORY_FILE: file },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`mlmon ended with ${status}: ${stderr}`);
  return { seconds, mebibytes: Number(readFileSync(file, 'utf8')) };
}

const seconds = SIZES.map((): number[] => []);
const memory = SIZES.map((): number[] => []);
for (let round = 0; round < ROUNDS; round++)
  SIZES.forEach((rows, i) => {
    const answer = run(rows);
    seconds[i]!.push(answer.seconds);
    memory[i]!.push(answer.mebibytes);
  });
const what = `10,000,000 rows × 10 features replayed in ${HOURS.toLocaleString('en-US')} hourly windows, start to result`;
for (const { measure, values, unit, most } of [
  { measure: what, values: seconds, unit: 's', most: 11 },
  { measure: 'the same, its largest resident memory', values: memory, unit: 'MiB', most: 2 },
]) {
  const [few, many] = [median(values[0]!), median(values[1]!)];
  tell({
    benchmark: 'backtest',
    measure,
    ours: many,
    reference: few,
    against: '1,000,000 rows in the same windows',
    ratio: many / few,
    unit,
    target: `ratio ≤ ${most}`,
    met: many <= most * few,
    noise: noiseOf(values[1]!),
    command,
  });
}
