/** Shares pieces of work out among processes. What comes out does not depend on how many there are: every month has its own seed. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Answer, Work } from './work.ts';

const SCRIPT = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** Most of what is allocated does not outlive a window. */
const NODE_OPTIONS = ['--max-semi-space-size=64'];

/** `told`: called with each answer as pieces are done, in any order. Rejects when a worker ends before its work. */
export async function workAll(
  pieces: readonly Work[],
  workers: number,
  told: (done: number, piece: Work, answer: Answer) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mlmon-detection-'));
  try {
    // Bundled once: all workers run the same code whatever is edited meanwhile, and none of them transforms it again.
    const script = join(folder, 'worker.mjs');
    await build({ entryPoints: [SCRIPT], bundle: true, platform: 'node', format: 'esm', outfile: script });
    await share(pieces, { script, workers, told });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Sharing {
  readonly script: string;
  readonly workers: number;
  readonly told: (done: number, piece: Work, answer: Answer) => void;
}

async function share(pieces: readonly Work[], { script, workers, told }: Sharing): Promise<void> {
  let next = 0;
  let done = 0;
  const one = async (): Promise<void> => {
    const child = fork(script, { execArgv: NODE_OPTIONS });
    try {
      for (let at = next++; at < pieces.length; at = next++) {
        const piece = pieces[at]!;
        const answer = await ask(child, piece);
        told(++done, piece, answer);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: workers }, one));
}

function ask(child: ChildProcess, work: Work): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a worker ended with ${code} at ${work.cell}`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as Answer);
    });
    child.send(work);
  });
}
