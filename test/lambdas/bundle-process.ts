/** A bundled function in a process of its own, as Lambda runs it: loaded once, one invocation at a time, at times that the test names. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { FunctionName } from '../../lib/contracts/functions.ts';

export const BUNDLES = resolve(import.meta.dirname, '../../dist/lambdas');

export interface BundleOptions {
  readonly env: Readonly<Record<string, string>>;
  /** @default the Node.js that runs the test */
  readonly node?: string;
  /** @default dist/lambdas */
  readonly folder?: string;
  /** Options of node, before the script. */
  readonly argv?: readonly string[];
}

export interface Invoked {
  readonly value: unknown;
  readonly ms: number;
  /** Processor time, all threads together. */
  readonly cpuMs: number;
}

interface Outcome {
  readonly failed?: string;
  readonly loadedMs?: number;
  readonly loadedCpuMs?: number;
  readonly handler?: string;
  readonly node?: string;
  readonly value?: unknown;
  readonly error?: string;
  readonly ms?: number;
  readonly cpuMs?: number;
}

/** What any function needs to be told besides its own environment; signatures are not looked at by simulated services. */
export const AWS_ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

export class BundleProcess {
  /** Milliseconds from the beginning of the import to its end. */
  readonly loadedMs: number;
  /** Processor time of the same. */
  readonly loadedCpuMs: number;
  readonly node: string;
  /** Standard output: lines of the log and of metrics. */
  readonly said: string[];
  readonly #child: ChildProcess;
  readonly #outcomes: AsyncIterator<string>;
  /** One at a time. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, outcomes: AsyncIterator<string>, loaded: Outcome, said: string[]) {
    this.#child = child;
    this.#outcomes = outcomes;
    this.loadedMs = loaded.loadedMs ?? Number.NaN;
    this.loadedCpuMs = loaded.loadedCpuMs ?? Number.NaN;
    this.node = loaded.node ?? '';
    this.said = said;
  }

  /** @throws Error when the bundle cannot be loaded or exports no handler */
  static async start(name: FunctionName, options: BundleOptions): Promise<BundleProcess> {
    const runner = join(import.meta.dirname, 'bundle-runner.mjs');
    const bundle = join(options.folder ?? BUNDLES, name, 'index.mjs');
    const child = spawn(options.node ?? process.execPath, [...(options.argv ?? []), runner, bundle], {
      // Nothing of the environment of the test but what any program needs.
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...AWS_ENVIRONMENT, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const errors: string[] = [];
    createInterface({ input: child.stdout as Readable }).on('line', (line) => said.push(line));
    createInterface({ input: child.stderr as Readable }).on('line', (line) => errors.push(line));
    const outcomes = createInterface({ input: child.stdio[3] as Readable })[Symbol.asyncIterator]();
    const first = await outcomes.next();
    const loaded = (first.done === true ? { failed: errors.join('\n') } : JSON.parse(first.value)) as Outcome;
    if (loaded.failed !== undefined || loaded.handler !== 'function') {
      child.kill();
      throw new Error(`${name}: ${loaded.failed ?? `its handler is ${String(loaded.handler)}; expected a function`}`);
    }
    return new BundleProcess(child, outcomes, loaded, said);
  }

  /**
   * Invokes it at a time, milliseconds since 1970.
   * @throws Error with what the function threw
   */
  async invoke(event: unknown, at: number, timeoutMs = 60_000): Promise<Invoked> {
    const before = this.#last;
    const answer = (async () => {
      await before.catch(() => undefined);
      this.#child.stdin?.write(`${JSON.stringify({ event, at, timeoutMs })}\n`);
      const { value, done } = await this.#outcomes.next();
      if (done === true) throw new Error('the process ended');
      return JSON.parse(value) as Outcome;
    })();
    this.#last = answer;
    const { error, value, ms, cpuMs } = await answer;
    if (error !== undefined) throw new Error(error);
    return { value, ms: ms ?? Number.NaN, cpuMs: cpuMs ?? Number.NaN };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin?.end();
    await ended;
  }
}

/** Where the newest Node.js of a major version is, installed from the registry when it is not there. */
export async function nodeOf(major: number): Promise<string> {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const argv = ['--yes', '-p', `node@${major}`, 'node', '-p', 'process.execPath'];
  const { stdout } = await promisify(execFile)('npx', argv, { maxBuffer: 1 << 20 });
  return stdout.trim().split('\n').at(-1) ?? '';
}
