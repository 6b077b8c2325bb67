/**
 * The memory of the whole platform during the demonstration: starts `bin/mlmon start` on an empty folder, reads the resident memory of
 * its process while five months are replayed, and tells whether it is flat after the warm-up. The producer is a process of its own
 * and not counted.
 *
 *   node --import tsx bench/platform-memory.ts
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, noiseOf, quantile, tell } from './measurement.ts';
import { writeSection } from './page-section.ts';

const EVERY_MS = 500;
const LONGEST_MS = 900_000;
/** Share of the replay after which nothing should grow any more: by then the caches are full (32 MiB of packs is the largest). */
const WARM = 0.5;
/** Shares of the replay between two questions for what is live. */
const LIVE_EVERY = 0.04;
const FLAT = 1.1;
const command = 'node --import tsx bench/platform-memory.ts';

interface Seen {
  /** Share of the replay that is done. */
  readonly progress: number;
  /** Megabytes. */
  readonly resident: number;
  /** Objects and buffers in use, megabytes; asked for a few times only, since garbage is collected for it. */
  readonly live: number | null;
  /** Since the platform was started. */
  readonly seconds: number;
}

const folder = await mkdtemp(join(tmpdir(), 'mlmon-memory-'));
const launcher = fileURLToPath(new URL('../bin/mlmon', import.meta.url));
const begun = performance.now();
const probe = new URL('./memory-probe.mjs', import.meta.url).href;
const platform = spawn(
  process.execPath,
  ['--expose-gc', '--import', probe, launcher, 'start', '--reset', '--data', folder, '--port', '0'],
  { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
);
const ended = new Promise<number | null>((resolve) => platform.once('exit', resolve));
let complaint = '';
platform.stderr?.setEncoding('utf8').on('data', (text: string) => {
  complaint = (complaint + text).slice(-2_000);
});
try {
  const url = await addressOf(platform);
  const seen = await watch(url);
  report(seen);
} finally {
  platform.kill('SIGTERM');
  const killer = setTimeout(() => platform.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(killer);
  await rm(folder, { recursive: true, force: true });
}

/** The address that it prints. */
async function addressOf({ stdout, pid }: ChildProcess): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    stdout?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const found = /http:\/\/[^\s/]+/.exec(text)?.[0];
      if (found !== undefined) resolve(found);
    });
    void ended.then((code) => reject(new Error(`mlmon start (${pid}) ended with ${code}:\n${complaint}`)));
  });
}

async function watch(url: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  let nextLive = 0;
  while (performance.now() - begun < LONGEST_MS) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    if (platform.exitCode !== null) throw new Error(`mlmon start ended with ${platform.exitCode}:\n${complaint}`);
    const { demonstration } = (await (await fetch(`${url}/api/models`)).json()) as {
      demonstration: { readonly state: string; readonly progress: number; readonly message: string } | null;
    };
    if (demonstration === null) continue;
    const { state, progress, message } = demonstration;
    if (state === 'failed') throw new Error(`the demonstration failed: ${message}`);
    const seconds = (performance.now() - begun) / 1_000;
    if (state === 'preparing') continue;
    const resident = residentMegabytes(platform.pid ?? 0);
    let live: number | null = null;
    if (progress >= nextLive) {
      nextLive += LIVE_EVERY;
      live = await liveMegabytes();
    }
    seen.push({ progress, resident, live, seconds });
    if (state === 'done') return seen;
  }
  throw new Error(`the replay did not end within ${LONGEST_MS / 1_000} s:\n${complaint}`);
}

async function liveMegabytes(): Promise<number> {
  const answer = new Promise<number>((resolve) =>
    platform.once('message', (message) => resolve((message as { live: number }).live / 1_048_576)),
  );
  platform.send('live');
  return answer;
}

function residentMegabytes(pid: number): number {
  if (process.platform === 'linux')
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1_024;
}

function report(seen: readonly Seen[]): void {
  const between = (from: number, to: number): number[] =>
    seen.filter(({ progress }) => progress >= from && progress <= to).map(({ resident }) => resident);
  const liveBetween = (from: number, to: number): number =>
    median(seen.flatMap(({ progress, live }) => (live === null || progress < from || progress > to ? [] : [live])));
  const steps = [0, 0.25, 0.5, 0.75].map((from) => ({
    from,
    to: from + 0.25,
    of: between(from, from + 0.25),
    live: liveBetween(from, from + 0.25),
  }));
  const warm = median(between(WARM, WARM + 0.25));
  const last = between(0.75, 1);
  const ratio = median(last) / warm;
  const flat = ratio <= FLAT;
  const first = seen[0]?.seconds ?? 0;
  const whole = (value: number): string => (Number.isNaN(value) ? 'none seen' : value.toFixed(0));
  const lines = [
    '| share of the replay | resident, least, MB | median, MB | most, MB | live, MB |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...steps.map(
      ({ from, to, of, live }) =>
        `| ${(100 * from).toFixed(0)} to ${(100 * to).toFixed(0)} % | ${whole(quantile(of, 0))} | ${whole(median(of))} | ${whole(quantile(of, 1))} | ${whole(live)} |`,
    ),
    '',
    `${flat ? 'Flat' : 'Not flat'} after the warm-up (${100 * WARM} % of the replay): the median of the last quarter is ${ratio.toFixed(2)} times that of the quarter before it; at most ${FLAT} is called flat. What is live was asked for every ${100 * LIVE_EVERY} % of the replay; the medians are shown. The replay took ${whole((seen.at(-1)?.seconds ?? 0) - first)} s.`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  writeSection('platform-memory', lines.join('\n'));
  const common = { benchmark: 'platform-memory', against: 'the quarter before it', unit: 'MB', command };
  const [before, after] = [liveBetween(WARM, WARM + 0.25), liveBetween(0.75, 1)];
  tell({
    ...common,
    measure: 'live memory of the platform (objects and buffers in use) in the last quarter of the demonstration',
    ours: after,
    reference: before,
    ratio: after / before,
    target: `flat: ratio ≤ ${FLAT}`,
    met: after / before <= FLAT,
    noise: null,
  });
  tell({
    ...common,
    measure: 'resident memory of the platform in the last quarter of the demonstration',
    ours: median(last),
    reference: warm,
    ratio,
    target: `flat: ratio ≤ ${FLAT}`,
    met: flat,
    noise: noiseOf(last),
  });
}
