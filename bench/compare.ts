/**
 * Small tests through the pipe: `bin/mlmon compare` as a whole process, from its start to its last answer, on lines of 100 and 100 values. The
 * limit is a process that does nothing but read the same lines, JSON.parse them and JSON.stringify an answer each. Both by processor time, all threads
 * together, start included: what else the machine does makes little difference. What the clock says is told as text.
 *
 *   node --import tsx bench/compare.ts [lines]      default: 20,000
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { seededRandom } from '../lib/stats/random.ts';
import { tell } from './measurement.ts';

const LINES = Number(process.argv[2] ?? 20_000);
const ROUNDS = 2;
const ROWS = 100;
/** A second of processor time: twenty thousand on two cores. */
const TARGET = 10_000;

const MIX = ['ks', 'psi', 'wasserstein', 'chi-square', 't-welch'];
const RUNS: readonly (readonly [what: string, tests: readonly string[], type: 'numeric' | 'categorical'])[] = [
  ['ks', ['ks'], 'numeric'],
  ['psi', ['psi'], 'numeric'],
  ['wasserstein', ['wasserstein'], 'numeric'],
  ['t-welch', ['t-welch'], 'numeric'],
  ['chi-square of categories', ['chi-square'], 'categorical'],
  ['five tests in turn', MIX, 'numeric'],
];

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'mlmon-bench-compare-'));

/** What must be done whatever is computed. */
const LIMIT = `
let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  let out = '';
  for (const line of lines) {
    const { id, test } = JSON.parse(line);
    out += JSON.stringify({ id, test, status: 'ok', statistic: 0.14, pValue: 0.28, threshold: 0.05, effect: 0.1, reason: null }) + '\\n';
  }
  process.stdout.write(out);
});`;

function write(tests: readonly string[], type: 'numeric' | 'categorical'): string {
  const random = seededRandom(17);
  const value = (shift: number) =>
    type === 'numeric' ? random.normal() + shift : 'abcdefgh'[Math.floor(8 * random.next() ** (1.5 + shift))];
  const side = (shift: number) => Array.from({ length: ROWS }, () => value(shift));
  const file = join(folder, 'questions.ndjson');
  const lines = Array.from({ length: LINES }, (_, i) =>
    // Every other pair differs: p-values of all sizes.
    JSON.stringify({
      id: String(i),
      test: tests[i % tests.length],
      type,
      reference: side(0),
      current: side(i % 2 ? 0.3 : 0),
    }),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** At its end a process tells what it took, all threads together, on a channel of its own. Its threads run this too, and have nothing to tell. */
const METER = `data:text/javascript,${[
  "import{writeSync}from'node:fs'",
  "import{isMainThread}from'node:worker_threads'",
  "if(isMainThread)process.on('exit',()=>writeSync(3,JSON.stringify(process.cpuUsage())))",
].join(';')}`;

interface Taken {
  readonly processor: number;
  readonly clock: number;
}

/** Seconds of the whole process, the least of the rounds. */
async function taken(argv: readonly string[], file: string): Promise<Taken> {
  const least = { processor: Number.POSITIVE_INFINITY, clock: Number.POSITIVE_INFINITY };
  for (let round = 0; round < ROUNDS; round++) {
    const [input, output] = [openSync(file, 'r'), openSync(join(folder, 'answers.ndjson'), 'w')];
    const from = performance.now();
    const child = spawn(process.execPath, ['--import', METER, ...argv], {
      cwd: root,
      stdio: [input, output, 'inherit', 'pipe'],
    });
    const ended = new Promise<number | null>((done) => child.once('close', done));
    const usage = JSON.parse(await text(child.stdio[3] as Readable)) as NodeJS.CpuUsage;
    const code = await ended;
    least.clock = Math.min(least.clock, (performance.now() - from) / 1_000);
    least.processor = Math.min(least.processor, (usage.user + usage.system) / 1e6);
    closeSync(input);
    closeSync(output);
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${String(code)}`);
  }
  return least;
}

try {
  for (const [what, tests, type] of RUNS) {
    const file = write(tests, type);
    const own = await taken(['bin/mlmon', 'compare'], file);
    const limit = await taken(['-e', LIMIT], file);
    const [ours, reference] = [LINES / own.processor, LINES / limit.processor];
    process.stdout.write(`${what}: ${Math.round(LINES / own.clock)} tests a second by the clock\n`);
    tell({
      benchmark: 'compare',
      measure: `small tests through the pipe, ${ROWS} and ${ROWS} values a line, the whole process: ${what}`,
      ours,
      reference,
      against: 'the same lines read, JSON.parse and JSON.stringify alone',
      ratio: ours / reference,
      noise: null,
      unit: 'tests a second of processor time',
      target: '≥ 10,000: 20,000 on two cores',
      met: ours >= TARGET,
      command: 'node --import tsx bench/compare.ts',
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
