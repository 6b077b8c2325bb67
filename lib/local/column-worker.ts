/** The thread that works on columns (column-thread.ts). Answers every question, in their order. */
import { parentPort } from 'node:worker_threads';
import type { ColumnAnswer, ColumnQuestion } from './column-thread.ts';
import { ColumnWork } from './column-work.ts';

const work = new ColumnWork();
let before: Promise<unknown> = Promise.resolve();

parentPort?.on('message', (question: ColumnQuestion) => {
  before = before.then(async () => {
    const answer: ColumnAnswer =
      'piece' in question
        ? { end: work.take(question.piece) }
        : { tested: (await import('./tested-pairs.ts')).testPairs(question.pairs) };
    parentPort?.postMessage(answer);
  });
});
