/** Works on pieces of columns, in their order: in this thread, or in one of its own so that reading goes on meanwhile. */
import { Worker } from 'node:worker_threads';
import { ColumnWork, type PassEnd, type Piece } from './column-work.ts';
import type { Pairs, TestedPair } from './tested-pairs.ts';

export interface ColumnThread {
  /** Not the one that reads. */
  readonly own: boolean;
  /** Resolves when the piece's values are no longer needed. */
  take(piece: Piece): Promise<PassEnd | null>;
  test(pairs: Pairs): Promise<TestedPair[]>;
  close(): Promise<void>;
}

export function sameThread(): ColumnThread {
  const work = new ColumnWork();
  return {
    own: false,
    take: async (piece) => work.take(piece),
    test: async (pairs) => (await import('./tested-pairs.ts')).testPairs(pairs),
    close: async () => undefined,
  };
}

/** What a thread is asked (column-worker.ts). */
export type ColumnQuestion = { readonly piece: Piece } | { readonly pairs: Pairs } | { readonly settle: true };
export type ColumnAnswer =
  | { readonly end: PassEnd | null }
  | { readonly tested: TestedPair[] }
  | { readonly settled: true };

interface Waiting {
  readonly resolve: (answer: ColumnAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export function ownThread(): ColumnThread {
  const worker = newWorker();
  const waiting: Waiting[] = [];
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  worker.on('message', (answer: ColumnAnswer) => waiting.shift()?.resolve(answer));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that works on columns has ended')));
  const ask = (question: ColumnQuestion): Promise<ColumnAnswer> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting.push({ resolve, reject });
      worker.postMessage(question);
    });
  return {
    own: true,
    take: async (piece) => {
      const answer = await ask({ piece });
      return 'end' in answer ? answer.end : null;
    },
    test: async (pairs) => {
      const answer = await ask({ pairs });
      return 'tested' in answer ? answer.tested : [];
    },
    close: async () => {
      // A thread that failed has nothing left to settle.
      await ask({ settle: true }).catch(() => undefined);
      await worker.terminate();
    },
  };
}

function newWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./column-worker.js', import.meta.url));
  // On Node 20 a thread does not inherit the loader of TypeScript.
  const [loader, source] = [import.meta.resolve('tsx/esm/api'), new URL('./column-worker.ts', import.meta.url).href];
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(source)}); })`;
  return new Worker(start, { eval: true });
}
