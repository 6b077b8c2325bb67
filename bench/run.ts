/**
 * Runs the benchmarks one after the other, each in a process of its own, and writes the table of docs/performance.md.
 *
 *   npm run bench                         all of them: about eight minutes
 *   npm run bench -- profiler evaluation  only these; the other rows of the table stay
 *   npm run bench -- detection …          false alarms and power, which have a page and options of their own (bench/detection.ts)
 *
 * Exit code 1 when a benchmark fails; a target that is missed is only said.
 */
import { spawn } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Measurement, readMeasurement } from './measurement.ts';
import { readSection, writeSection } from './page-section.ts';

const BENCHMARKS = [
  'profiler',
  'profiler-handler',
  'cold-start',
  'memory',
  'evaluation',
  'models',
  'evaluator',
  'synthesis',
  'collector',
  'log',
  'kafka',
  'sidecar',
  'platform-memory',
  'compare',
  'backtest',
  'peers-backtest',
  'peers-report',
] as const;

const wanted = process.argv.slice(2);
if (wanted[0] === 'detection') {
  const script = fileURLToPath(new URL('./detection.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...wanted.slice(1)], { stdio: 'inherit' });
  process.exit(await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1))));
}
const unknown = wanted.filter((name) => !BENCHMARKS.some((known) => known === name));
if (unknown.length > 0) {
  process.stderr.write(`no benchmark named ${unknown.join(', ')}; expected some of ${BENCHMARKS.join(', ')}\n`);
  process.exit(2);
}
const chosen = BENCHMARKS.filter((name) => wanted.length === 0 || wanted.includes(name));

/** What the figures were measured on; nothing that tells whose machine it is. */
function machine(): string {
  const model = (cpus()[0]?.model ?? 'unknown processor').replace(/\s+/g, ' ').trim();
  const cores = availableParallelism();
  return `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}; ${process.platform}; Node ${process.versions.node}.`;
}

/** Measurements of one benchmark; what else it says is passed on. */
async function run(name: string): Promise<Measurement[]> {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  process.stdout.write(`\n== ${name}\n`);
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const found: Measurement[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const measurement = readMeasurement(line);
    if (measurement === null) process.stdout.write(`${line}\n`);
    else found.push(measurement);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`bench/${name}.ts ended with ${code}`);
  return found;
}

/** Three digits, or whole. */
function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

function row(measurement: Measurement): string {
  const { benchmark, measure, ours, reference, against, ratio, noise, unit, target, met } = measurement;
  const cells = [
    benchmark,
    measure,
    `${figure(ours)} ${unit}`,
    reference === null ? '' : `${figure(reference)}${against === undefined ? '' : ` (${against})`}`,
    ratio === null ? '' : ratio < 0.05 ? ratio.toPrecision(2) : ratio.toFixed(2),
    noise === null ? '' : `± ${(100 * noise).toFixed(0)} %`,
    target ?? '',
    met === null ? '' : met ? 'met' : '**missed**',
  ];
  return `| ${cells.join(' | ')} |`;
}

const HEAD = [
  '| benchmark | measured | ours | reference | ratio | noise | target | |',
  '| --- | --- | ---: | ---: | ---: | ---: | --- | --- |',
];

/** Rows of an earlier run, by benchmark: kept where that benchmark is not run again. */
function earlierRows(section: string): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  for (const line of section.split('\n')) {
    const name = /^\| ([a-z-]+) \| /.exec(line)?.[1];
    if (name === undefined || !BENCHMARKS.some((known) => known === name)) continue;
    rows.set(name, [...(rows.get(name) ?? []), line]);
  }
  return rows;
}

const before = readSection('figures');
const facts = `Measured on: ${machine()}`;
if (chosen.length < BENCHMARKS.length && before.includes('Measured on: ') && !before.includes(facts)) {
  process.stderr.write('the table was measured on another machine; run all benchmarks: npm run bench\n');
  process.exit(2);
}
const rows = earlierRows(before);
const missed: Measurement[] = [];
let failed = false;
for (const name of chosen) {
  try {
    const measurements = await run(name);
    rows.set(name, measurements.map(row));
    missed.push(...measurements.filter(({ met }) => met === false));
  } catch (error) {
    failed = true;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}
const table = [...HEAD, ...BENCHMARKS.flatMap((name) => rows.get(name) ?? [])];
writeSection('figures', [facts, '', ...table].join('\n'));
process.stdout.write(`\n${table.join('\n')}\n`);
for (const { measure, target } of missed) process.stdout.write(`missed: ${measure}: ${target}\n`);
if (failed) process.exitCode = 1;
