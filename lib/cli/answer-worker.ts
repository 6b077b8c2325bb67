/** A thread that answers batches of lines: bytes in, bytes out, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { settleCompiler } from '../local/settle-compiler.ts';
import { answerBatch } from './answer-batch.ts';
import type { Topic } from './answer-lines.ts';
import type { AnswerOf } from './questions.ts';

const answer: AnswerOf =
  (workerData as Topic) === 'compare'
    ? (await import('./compare-answer.ts')).answer
    : (await import('./measure-answer.ts')).answer;

interface Lines {
  readonly bytes: Uint8Array;
  readonly first: number;
}

let before = Promise.resolve();
parentPort?.on('message', (asked: Lines | 'end') => {
  before = before.then(async () => {
    if (asked === 'end') {
      settleCompiler();
      parentPort?.close();
      return;
    }
    const { bytes, first } = asked;
    const text = await answerBatch(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), first, answer);
    const out = new TextEncoder().encode(text);
    parentPort?.postMessage(out, [out.buffer]);
  });
});
parentPort?.postMessage('ready');
