/** The thread that works on columns (column-thread.ts). Answers every question, in their order. */
import { parentPort } from 'node:worker_threads';
import type { ColumnAnswer, ColumnQuestion } from './column-thread.ts';
import { ColumnWork } from './column-work.ts';
import { settleCompiler } from './settle-compiler.ts';

const work = new ColumnWork();
let before: Promise<unknown> = Promise.resolve();

parentPort?.on('message', (question: ColumnQuestion) => {
  before = before.then(async () => {
    parentPort?.postMessage(await answerTo(question));
  });
});

async function answerTo(question: ColumnQuestion): Promise<ColumnAnswer> {
  if ('piece' in question) return { end: work.take(question.piece) };
  if ('pairs' in question) return { tested: (await import('./tested-pairs.ts')).testPairs(question.pairs) };
  settleCompiler();
  return { settled: true };
}
