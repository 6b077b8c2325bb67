/** Works on pieces of columns, in their order: in this thread, or in one of its own so that reading goes on meanwhile. */
import { Worker } from 'node:worker_threads';
import { ColumnWork, type PassEnd, type Piece } from './column-work.ts';

export interface ColumnThread {
  /** Not the one that reads. */
  readonly own: boolean;
  /** Resolves when the piece's values are no longer needed. */
  take(piece: Piece): Promise<PassEnd | null>;
  close(): Promise<void>;
}

export function sameThread(): ColumnThread {
  const work = new ColumnWork();
  return { own: false, take: async (piece) => work.take(piece), close: async () => undefined };
}

interface Waiting {
  readonly resolve: (end: PassEnd | null) => void;
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
  worker.on('message', (end: PassEnd | null) => waiting.shift()?.resolve(end));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that works on columns has ended')));
  return {
    own: true,
    take: (piece) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        waiting.push({ resolve, reject });
        worker.postMessage(piece);
      }),
    close: async () => {
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
