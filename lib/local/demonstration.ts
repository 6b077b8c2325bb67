/**
 * The demonstration: a producer in a process of its own (examples/flight-delay) trains a model, and replays months of real
 * traffic through the public HTTP interface. This side sets the platform up for it and tells the page how far it is.
 *
 * The producer is started as `main.ts describe | prepare | replay` and speaks JSON lines on standard output.
 */
import { spawn } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Demonstration } from '../contracts/api.ts';
import type { Baseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import { readMonitorText } from './monitor-file.ts';

/** What a producer says of itself. */
export interface ProducerDescription {
  readonly title: string;
  /** Event time of the first event, RFC 3339: where the simulated clock starts. */
  readonly start: string;
  readonly version: string;
  readonly monitor: string;
  /** Data file that `prepare` makes, in its folder: the reference. */
  readonly reference: string;
  readonly incidents: Demonstration['incidents'];
}

export interface DemonstrationOptions {
  /** The producer's script. */
  readonly script: string;
  /** Where it keeps its files. */
  readonly folder: string;
  readonly platform: string;
  /** Least real time a simulated day takes, milliseconds. */
  readonly pace: number;
  /** Simulated time at which the replay pauses, milliseconds. @default the end of the data */
  readonly until?: number;
  readonly makeBaseline: (file: string, monitor: Monitor) => Promise<Baseline>;
  readonly publish: (setup: {
    readonly monitor: Monitor;
    readonly baseline: Baseline;
    readonly version: string;
    readonly from: number;
  }) => Promise<void>;
  /** The model is published already: a run before this one prepared it. */
  readonly isPublished: () => Promise<boolean>;
  readonly say: (state: Demonstration) => void;
  readonly signal: AbortSignal;
}

/** What the producer says of itself; needs nothing but the checkout. */
export async function describeProducer(script: string): Promise<ProducerDescription> {
  try {
    await access(script);
  } catch {
    throw new ProblemError([
      {
        code: 'no-demonstration',
        path: 'demonstration',
        message: 'needs a checkout: the installed package does not hold its producer',
        fix: 'run `npm start` in a checkout, or `mlmon serve` here for your own models',
      },
    ]);
  }
  let described: ProducerDescription | null = null;
  await run(script, ['describe'], new AbortController().signal, (line) => {
    described = line as unknown as ProducerDescription;
  });
  if (described === null) throw new Error(`${script} describe said nothing`);
  return described;
}

/** Runs until the replay is over or the signal ends it; the state is told through `say`. */
export async function demonstrate(description: ProducerDescription, options: DemonstrationOptions): Promise<void> {
  const { script, folder, signal } = options;
  let state: Demonstration = {
    title: description.title,
    progress: 0,
    state: 'preparing',
    message: 'preparing',
    incidents: description.incidents,
  };
  const say = (change: Partial<Demonstration>): void => {
    state = { ...state, ...change };
    options.say(state);
  };
  say({});
  await mkdir(folder, { recursive: true });
  if (!(await options.isPublished())) {
    await run(script, ['prepare', '--folder', folder], signal, ({ message }) => say({ message: String(message) }));
    if (signal.aborted) return;
    say({ message: 'making the baseline' });
    const { monitor, problems } = readMonitorText(await readFile(description.monitor, 'utf8'));
    if (monitor === null) throw new ProblemError(problems);
    const baseline = await options.makeBaseline(join(folder, description.reference), monitor);
    await options.publish({ monitor, baseline, version: description.version, from: Date.parse(description.start) });
  }
  if (signal.aborted) return;
  say({ state: 'replaying', message: 'replaying' });
  const replay = ['replay', '--folder', folder, '--platform', options.platform, '--pace', String(options.pace)];
  if (options.until !== undefined) replay.push('--until', new Date(options.until).toISOString());
  await run(script, replay, signal, ({ message, progress }) =>
    say({ message: String(message), progress: Number(progress) }),
  );
  if (!signal.aborted) say({ state: 'done', progress: 1 });
}

/** Runs the producer once; its standard error is its own business until it fails. */
async function run(
  script: string,
  argv: readonly string[],
  signal: AbortSignal,
  hear: (line: Record<string, unknown>) => void,
): Promise<void> {
  if (signal.aborted) return;
  // By its address: a bare name would be looked for from the folder the user is in.
  const loader = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', loader, script, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', end, { once: true });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    try {
      hear(JSON.parse(line) as Record<string, unknown>);
    } catch {
      complaint = `${complaint}${line}\n`.slice(-2_000);
    }
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => signal.removeEventListener('abort', end));
  if (code !== 0 && !signal.aborted) throw new Error(`the producer ended with ${code ?? 'a signal'}:\n${complaint}`);
}
