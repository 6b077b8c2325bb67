/** Runs a file of this folder as a process of its own, so that it can be killed for real. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

/** Bundles once, since starting a plain JavaScript file is several times faster. Returns the path of the bundle. */
export async function bundleChild(name: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return outfile;
}

export interface RunningChild {
  readonly process: ChildProcess;
  /** Everything it printed, once it has ended. */
  readonly ended: Promise<{
    readonly lines: readonly string[];
    readonly signal: string | null;
    readonly code: number | null;
  }>;
  /** Resolves with the next line that begins so; rejects when it ends before. */
  until(beginning: string): Promise<string>;
}

export function runChild(bundle: string, args: readonly string[]): RunningChild {
  const child = spawn(process.execPath, [bundle, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const waiting: { beginning: string; resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    lines.push(line);
    for (const wait of waiting) if (line.startsWith(wait.beginning)) wait.resolve(line);
  });
  const read = new Promise<void>((resolve) => reader.on('close', resolve));
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );
  const ended = Promise.all([exit, read]).then(([{ code, signal }]) => {
    for (const wait of waiting) wait.reject(new Error(`child ended before "${wait.beginning}"`));
    // A line without its end is one that the kill cut.
    return { lines, signal, code };
  });
  return {
    process: child,
    ended,
    until: (beginning) => {
      const there = lines.find((line) => line.startsWith(beginning));
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve, reject) => waiting.push({ beginning, resolve, reject }));
    },
  };
}

/** How many kills the tests of one kind make; more with FAULT_SEEDS in the environment. */
export function faultSeeds(usual: number): number {
  const asked = Number(process.env['FAULT_SEEDS'] ?? usual);
  return Number.isInteger(asked) && asked > 0 ? asked : usual;
}
