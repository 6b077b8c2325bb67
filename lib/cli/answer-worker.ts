/** A thread that answers batches of lines: bytes in, bytes out, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { answerBatch } from './answer-batch.ts';
import type { Topic } from './answer-lines.ts';
import type { AnswerOf } from './questions.ts';

const answer: AnswerOf =
  (workerData as Topic) === 'compare'
    ? (await import('./compare-answer.ts')).answer
    : (await import('./measure-answer.ts')).answer;

let before = Promise.resolve();
parentPort?.on('message', ({ bytes, first }: { readonly bytes: Uint8Array; readonly first: number }) => {
  before = before.then(async () => {
    const text = await answerBatch(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), first, answer);
    const out = new TextEncoder().encode(text);
    parentPort?.postMessage(out, [out.buffer]);
  });
});
parentPort?.postMessage('ready');
