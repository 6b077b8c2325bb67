/** Programs as a user starts them: each in a process group of its own, ended by its id whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

export const CHECKOUT = resolve(import.meta.dirname, '../..');
export const MLMON = join(CHECKOUT, 'bin/mlmon');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const all: Program[] = [];

export class Program {
  out = '';
  err = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #name: string;

  constructor(command: string, argv: readonly string[], { cwd, env }: ProgramOptions = {}) {
    this.#name = [command, ...argv].join(' ');
    this.#child = spawn(command, [...argv], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.ended = new Promise((settle, fail) => {
      this.#child.once('error', fail);
      this.#child.once('close', (code, signal) => settle({ code, signal }));
    });
    this.ended.catch(() => undefined);
    all.push(this);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether anything that it started still runs. */
  get groupRuns(): boolean {
    try {
      process.kill(-(this.#child.pid ?? 0), 0);
      return this.#child.pid !== undefined;
    } catch {
      return false;
    }
  }

  /** To the program alone, which goes on: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** To the program alone, as a user or the kernel would. Resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (this.running) this.#child.kill(signal);
    return this.ended;
  }

  /** To everything that it started. */
  endGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // Nobody is left.
    }
  }

  /** Waits until it says something, on either output. */
  async says(pattern: RegExp, withinMs = 120_000): Promise<RegExpMatchArray> {
    return eventually(
      async () => {
        const found = this.out.match(pattern) ?? this.err.match(pattern);
        if (found === null && !this.running)
          throw new Ending(`${this.#name} ended and never said ${pattern}:\n${this.out}${this.err}`);
        return found;
      },
      (found) => found !== null,
      withinMs,
    ) as Promise<RegExpMatchArray>;
  }
}

/** Ends everything that was started here. */
export function endAll(): void {
  for (const program of all.splice(0)) program.endGroup();
}

/** Runs a program to its end. */
export async function run(
  command: string,
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended & { readonly out: string; readonly err: string }> {
  const program = new Program(command, argv, options);
  const ended = await program.ended;
  return { ...ended, out: program.out, err: program.err };
}

/** Starts `mlmon start` or `mlmon serve` and resolves when its page answers. */
export async function startMlmon(
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<{ readonly program: Program; readonly url: string }> {
  const program = new Program(process.execPath, [MLMON, ...argv], options);
  const [, url = ''] = await program.says(/open (http:\/\/\S+?)\/ /);
  return { program, url };
}

/** Stops looking at once. */
class Ending extends Error {}

/** Looks again and again until it holds; fails with what was seen last. An error of `look` counts as not yet. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  withinMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let seen: unknown;
    try {
      const value = await look();
      if (holds(value)) return value;
      seen = value;
    } catch (error) {
      if (error instanceof Ending) throw error;
      seen = error;
    }
    if (performance.now() > deadline)
      throw new Error(
        `not within ${withinMs / 1000} s; last seen: ${seen instanceof Error ? seen.message : (JSON.stringify(seen) ?? '').slice(0, 2_000)}`,
      );
    await new Promise((again) => setTimeout(again, 100));
  }
}

export async function getJson<T>(url: string, token?: string): Promise<T> {
  const answer = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

/** A port that was free a moment ago: for programs that must keep theirs over a restart. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', listening);
  });
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
