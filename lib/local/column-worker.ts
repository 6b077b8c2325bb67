/** The thread that works on columns (column-threads.ts). Answers every piece, in their order. */
import { parentPort } from 'node:worker_threads';
import { ColumnWork, type Piece } from './column-work.ts';

const work = new ColumnWork();

parentPort?.on('message', (piece: Piece) => {
  parentPort?.postMessage(work.take(piece));
});
