/** What a comparison with another product needs: its packages in a folder of its own, and a run that tells what it took. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
export const cache = join(root, '.cache/peers');

/** Versions that were released together. */
export const PEERS = {
  evidently: ['evidently==0.7.21', 'pandas==3.0.6', 'numpy==2.4.6', 'scipy==1.17.1', 'pyarrow'],
  // It uses statsmodels and does not say so.
  nannyml: [
    'nannyml==0.13.1',
    'statsmodels==0.15.0',
    'pandas==3.1.1',
    'numpy==2.4.6',
    'scipy==1.17.1',
    'pyarrow==26.0.1',
  ],
  // It asks NumPy for names that version 2 no longer has.
  whylogs: ['whylogs==1.6.4', 'pandas==2.2.3', 'numpy==1.26.4', 'pyarrow==17.0.0'],
  scipy: ['scipy==1.17.1', 'pandas==3.1.1', 'numpy==2.4.6', 'pyarrow==26.0.1'],
  duckdb: ['duckdb==2.0.0'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Peer = keyof typeof PEERS;

/** The interpreter of a peer's own environment, made by pip where it is missing. */
export function pythonOf(peer: Peer): string {
  const venv = join(cache, peer);
  const stamp = join(venv, 'installed');
  const packages = PEERS[peer];
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== packages.join(' ')) {
    mkdirSync(cache, { recursive: true });
    rmSync(venv, { recursive: true, force: true });
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
    const pip = ['install', '--quiet', '--disable-pip-version-check', ...packages];
    execFileSync(join(venv, 'bin/pip'), pip, { stdio: ['ignore', 'inherit', 'inherit'] });
    writeFileSync(stamp, packages.join(' '));
  }
  return join(venv, 'bin/python');
}

export interface Run {
  /** Seconds from start to end. */
  readonly wall: number;
  /** Processor seconds, all threads: the program's own, and the system's for it. */
  readonly user: number;
  readonly system: number;
  /** Largest resident memory. */
  readonly mib: number;
  readonly output: string;
}

/** A whole process. Throws when it ends with more than `most`: 1 is what `mlmon report` ends with when it finds something. */
export function run(argv: readonly string[], folder: string, most: 0 | 1 = 0): Run {
  const output = join(folder, 'output');
  const measure = join(root, 'bench/peers/measure.py');
  const { status, stdout, stderr } = spawnSync('python3', [measure, output, ...argv], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  const taken = JSON.parse(stdout) as Omit<Run, 'output'> & { readonly status: number };
  if (taken.status > most) throw new Error(`${argv.join(' ')} ended with ${taken.status}: ${stderr}`);
  return { ...taken, output: readFileSync(output, 'utf8') };
}
